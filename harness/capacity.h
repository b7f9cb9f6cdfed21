/*
 * capacity.h: what the percentages of a plan are of. A server's capacity is its rate in the cell of
 * [throughput] with as many connections, in block 1: measured once, so that a level is the same
 * rate in every block, and found again in the stored cells when a run goes on. Pure.
 */
#ifndef CAPACITY_H
#define CAPACITY_H

#include "harness/row.h"

struct capacities {
	struct {
		uint32_t connections;
		uint32_t server; /* index in plan.servers */
		enum verdict verdict;
		double per_s;    /* NAN: none, see the verdict */
	} found[PLAN_LEVELS_MAX * PLAN_SERVERS_MAX];
	uint32_t count;
};

/* Takes note of a cell that has run; of all but those that find a capacity it takes none. */
void capacities_take(
    struct capacities *c, const struct cell *cell, enum verdict verdict, double rate_per_s);

/*
 * Sets cell->offered_per_s. False when the capacity that its level is of was not found: then the
 * row has the verdict of the cell that should have found it, and the reason.
 */
bool capacities_offer(const struct capacities *c, struct cell *cell, struct row *row);

#endif
