/*
 * schema.c: harness/schema.sql, as it is, inside the program: there is no second copy to keep up to
 * date.
 */
#include "harness/schema.h"

#include <stdio.h>
#include <string.h>

__asm__(
    ".pushsection .rodata\n"
    ".globl schema_sql\n"
    "schema_sql:\n"
    ".incbin \"harness/schema.sql\"\n"
    ".byte 0\n"
    ".popsection\n");

bool schema_is_ours(sqlite3 *db, char problem[SCHEMA_PROBLEM_CAP])
{
	sqlite3_stmt *query = NULL;
	int ours = 0;
	sscanf(strstr(schema_sql, "PRAGMA user_version"), "PRAGMA user_version = %d", &ours);
	int its = ours;
	if (sqlite3_prepare_v2(db, "PRAGMA user_version", -1, &query, NULL) == SQLITE_OK &&
	    sqlite3_step(query) == SQLITE_ROW)
		its = sqlite3_column_int(query, 0);
	sqlite3_finalize(query);
	if (its == ours)
		return true;
	snprintf(problem, SCHEMA_PROBLEM_CAP,
	    "made by another version of c10k (schema %d, not %d): use that one, or measure anew",
	    its, ours);
	return false;
}
