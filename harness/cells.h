/*
 * cells.h: the order of a run: randomised complete blocks. A block measures every level of every
 * experiment once with every server, the servers of a level in random order and next to one
 * another, so that what drifts in the machine hits all of them alike and cancels in the paired
 * ratio. The same seed gives the same order. Pure.
 */
#ifndef CELLS_H
#define CELLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "harness/plan.h"

struct cell {
	const struct experiment *experiment;
	const struct plan_server *server;
	uint32_t server_index; /* in plan.servers */
	uint32_t connections;
	uint32_t idle;
	uint32_t slow;         /* clients that send or read slowly */
	uint32_t cpus;         /* scaling: the server's, and its workers; else 0: the run's, 1 worker */
	bool cold;             /* file: dropped from the page cache first */
	uint32_t requests;     /* on a connection, then it is opened anew; 0: never */
	struct plan_rate level; /* as the plan gives it */
	uint32_t offered_per_s; /* what that comes to; 0: a closed loop, or not known before it runs */
	uint32_t rep;          /* block, from 1 */
	uint64_t load_seed;    /* the load generator's: equal load for all of a block */
	uint32_t position;     /* from 1 */
	bool twin;             /* the A/A repetition */
};

/* All connections of the cell. */
static inline uint32_t cell_clients(const struct cell *cell)
{
	return cell->connections + cell->idle + cell->slow;
}

/* What slow clients read: more than the kernel takes off the server. */
#define CELL_SLOW_TARGET "/bytes/8388608"

/* As the store and the plan name it: "warm" or "cold"; "" where there is no file. */
static inline const char *cell_cache(const struct cell *cell)
{
	return cell->experiment->kind != EXPERIMENT_FILE ? "" : cell->cold ? "cold" : "warm";
}

/* How many cells the plan has, and writes them in order into cells[] unless it is NULL. */
uint32_t cells_make(const struct plan *plan, uint64_t seed, struct cell *cells);

/* Makes `count` cells of one load those of block `rep`, shuffled, with positions from `position`
 * on. */
void cells_repeat(
    struct cell *cells, uint32_t count, uint64_t seed, uint32_t rep, uint32_t position);

/*
 * Warm-up of the cell: the plan's, and 50 us more for each request in flight, one a connection or
 * as many as are pipelined: so many need longer to get going, and reading the state of so many
 * threads (see measure.c) must fit in.
 */
uint64_t cell_warmup_ns(const struct cell *cell);

/*
 * Is its course in time kept? One cell of each server is enough to see how a model behaves: that of
 * `throughput` at 1,000 connections in the first block.
 */
bool cell_keeps_course(const struct cell *cell);

/* About how long a cell takes, start and end of the server included. */
uint64_t cell_expected_ns(const struct cell *cell);

#endif
