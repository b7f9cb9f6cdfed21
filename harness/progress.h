/*
 * progress.h: what people see while a run goes on: a line for each finished cell and, on a
 * terminal, a bar below it with the time left. Without a terminal: the same lines, plain. NO_COLOR
 * is honoured.
 */
#ifndef PROGRESS_H
#define PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/row.h"

struct progress {
	uint32_t cell_count;
	uint32_t done_count;
	uint64_t expected_ns;      /* of all cells, as planned */
	uint64_t expected_done_ns; /* of those done, as planned */
	uint64_t spent_ns;         /* on those done */
	uint64_t cell_began_ns;
	uint64_t drawn_ns;         /* when the bar was drawn last */
	const struct cell *cell;   /* under way; NULL for none */
	bool at_most;              /* the time left is an upper bound: it may be decided sooner */
	bool terminal;
	bool colour;
	bool unicode;
	uint32_t verdicts[VERDICT_COUNT];
};

/* expected_ns: what all cells together are planned to take. */
void progress_init(struct progress *p, uint32_t cell_count, uint64_t expected_ns);
/* The line above the rows. */
void progress_head(const struct progress *p);
/* A further block of cells, since `open` of so many comparisons are undecided; most_ns: until the
 * last block. */
void progress_extend(struct progress *p, uint32_t open, uint32_t compared, uint32_t cell_count,
    uint64_t most_ns);
void progress_begin(struct progress *p, const struct cell *cell);
/* Draws the bar anew, not too often: the terminal runs on CPUs that are being measured. */
void progress_tick(struct progress *p);
/* The cell's line; expected_ns is what it was planned to take. */
void progress_end(struct progress *p, const struct row *row, uint64_t expected_ns);
/* Takes the bar away. */
void progress_clear(const struct progress *p);
/* A passing line where the bar is: what is being done just now. No effect without a terminal. */
void progress_note(const struct progress *p, const char *text);

enum { PROGRESS_LOAD_CAP = 120 };
/* The cell's clients, "10k", "100+10k", "100*16" where each has 16 requests in flight, or "100 3req"
 * where each ends after 3, into `out`; returns it. */
char *progress_format_load(const struct cell *cell, char out[PROGRESS_LOAD_CAP]);

/* "1h 05m", "4m 07s", "12s" into `out`; returns it. */
char *progress_format_time(uint64_t ns, char *out, size_t cap);

#endif
