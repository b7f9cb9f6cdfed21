/*
 * cell_digest.c: name, type, length and content of each column one behind the other, so that nothing can
 * move from one column into the next. Numbers count as the digits that give them back exactly.
 */
#include "harness/cell_digest.h"

#include <sha2.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>

static void add(SHA2_CTX *context, const void *bytes, size_t len)
{
	SHA256Update(context, bytes, len);
}

void cell_digest(sqlite3_stmt *row, char digest[DIGEST_CAP])
{
	SHA2_CTX context;
	SHA256Init(&context);
	for (int i = 0; i < sqlite3_column_count(row); i++) {
		char head[96], number[32];
		const char *name = sqlite3_column_name(row, i);
		int type = sqlite3_column_type(row, i);
		const void *content = number;
		int len = 0;
		if (strcmp(name, CELL_DIGEST_COLUMN) == 0)
			continue;
		if (type == SQLITE_FLOAT) {
			len = snprintf(number, sizeof(number), "%.17g",
			    sqlite3_column_double(row, i));
		} else if (type != SQLITE_NULL) {
			content = sqlite3_column_blob(row, i); /* the digits, for an integer */
			len = sqlite3_column_bytes(row, i);
		}
		add(&context, head, (size_t)snprintf(head, sizeof(head), "%.63s %d %d:", name, type,
		    len));
		add(&context, content, (size_t)len);
	}
	SHA256End(&context, digest);
}
