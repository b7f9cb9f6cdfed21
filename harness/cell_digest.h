/*
 * cell_digest.h: what a row of table `cell` holds, as one number: its SHA-256 stands in the row itself,
 * so that a byte that changes later, in a histogram or in a figure, is noticed (`c10k verify`).
 */
#ifndef CELL_DIGEST_H
#define CELL_DIGEST_H

#include <sqlite3.h>

enum { DIGEST_CAP = 65 }; /* SHA-256 in hexadecimal, and a NUL */

#define CELL_DIGEST_COLUMN "sha256"

/* Of the row that `SELECT * FROM cell` stands at: every column but CELL_DIGEST_COLUMN. */
void cell_digest(sqlite3_stmt *row, char digest[DIGEST_CAP]);

#endif
