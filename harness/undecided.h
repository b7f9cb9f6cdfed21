/*
 * undecided.h: `c10k bench --until-decided`: after the plan's blocks, further ones of what is still
 * undecided. Compared is each server with the reference, the one that the experiment measures twice
 * (A/A), under each load: in requests/s; in cost CPU time, in mixed and slow the p99. All pairs
 * would be 200 comparisons a load, most of them of no use to anyone.
 *
 * A further block has the undecided servers, and with them reference and twin, since only what ran
 * in the same block is paired. The verdict is the report's own, from the run's file.
 */
#ifndef UNDECIDED_H
#define UNDECIDED_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/cells.h"

enum { UNDECIDED_BLOCKS_MAX = 30 };

struct undecided {
	uint32_t compared;  /* all comparisons of the run */
	uint32_t open;      /* those that more blocks may decide */
	struct cell *cells; /* of the next block, from malloc; NULL when nothing is open */
	uint32_t cell_count;
	uint32_t position;  /* of its first cell */
	uint64_t most_ns;   /* what it takes when nothing is decided before the last block */
};

/* Has the plan anything to compare? */
bool undecided_has_reference(const struct plan *plan);

/*
 * The next block of the run in `run_folder`, whose plan gave `planned` (the first `count` cells it
 * was made of). Only cells before the position `before` count: a block that was cut short is found
 * again by the position of its first; UINT32_MAX for all. False when the file cannot be read.
 */
bool undecided_find(struct undecided *u, const char *run_folder, const struct cell *planned,
    uint32_t count, uint64_t seed, uint32_t before);

/* Prints each comparison with its ratio, verdict and number of blocks. */
void undecided_print(const char *run_folder, const struct cell *planned, uint32_t count);

#endif
