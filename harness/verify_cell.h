/*
 * verify_cell.h: one row of table `cell` against itself: its digest, the row's figures against the load
 * generator's result that it holds and against what the kernel counted (raw.h), and that result's
 * rates, percentiles and means against the histograms and counters in it.
 */
#ifndef VERIFY_CELL_H
#define VERIFY_CELL_H

#include <sqlite3.h>
#include <stdint.h>

struct verify {
	uint32_t cells;
	uint32_t histograms;
	uint32_t numbers;     /* recomputed */
	uint32_t differences;
};

/* Prints a line "WHERE: what differs" and counts it. */
__attribute__((format(printf, 3, 4))) void verify_differ(struct verify *v, const char *where,
    const char *format, ...);

/* The row that CELL_DIGEST_SELECT (cell_digest.h) stands at. */
void verify_cell(struct verify *v, sqlite3_stmt *row);

#endif
