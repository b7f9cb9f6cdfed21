/*
 * schema.h: the text of harness/schema.sql, with a NUL behind, and whether a run's file was made by
 * it: each change of it raises user_version, and no program reads another's.
 */
#ifndef SCHEMA_H
#define SCHEMA_H

#include <sqlite3.h>
#include <stdbool.h>

enum { SCHEMA_PROBLEM_CAP = 128 };

extern const char schema_sql[];

/* False, with the problem and its cure, when it is another's; a file that cannot be read is not. */
bool schema_is_ours(sqlite3 *db, char problem[SCHEMA_PROBLEM_CAP]);

#endif
