/* capacity.c: see capacity.h. */
#include "harness/capacity.h"

#include <math.h>

void capacities_take(
    struct capacities *c, const struct cell *cell, enum verdict verdict, double rate_per_s)
{
	bool usable = verdict == VERDICT_VALID || verdict == VERDICT_CLIENT_LIMITED;
	if (cell->experiment->kind != EXPERIMENT_THROUGHPUT || cell->rep != 1 || cell->twin ||
	    cell->idle || c->count == sizeof(c->found) / sizeof(*c->found))
		return;
	c->found[c->count].connections = cell->connections;
	c->found[c->count].server = cell->server_index;
	c->found[c->count].verdict = verdict;
	c->found[c->count++].per_s = usable && rate_per_s > 0 ? rate_per_s : (double)NAN;
}

static bool takes_part(const struct experiment *e, uint32_t server)
{
	for (uint32_t i = 0; i < e->server_count; i++)
		if (e->servers[i] == server)
			return true;
	return false;
}

bool capacities_offer(const struct capacities *c, struct cell *cell, struct row *row)
{
	bool own = cell->experiment->kind == EXPERIMENT_LATENCY;
	double least = INFINITY;
	enum verdict verdict = VERDICT_FAILED;
	if (!cell->level.percent)
		return true;
	for (uint32_t i = 0; i < c->count; i++) {
		bool self = c->found[i].server == cell->server_index;
		if (c->found[i].connections != cell->connections ||
		    !(own ? self : takes_part(cell->experiment, c->found[i].server)))
			continue;
		if (self)
			verdict = c->found[i].verdict;
		if (c->found[i].per_s < least)
			least = c->found[i].per_s;
	}
	if (isfinite(least)) {
		double rate = round(least * cell->level.percent / 100);
		cell->offered_per_s = rate < 1 ? 1 : (uint32_t)rate;
		return true;
	}
	row_judge(row, verdict,
	    "no capacity to take %u%% of: throughput with %u connections was %s in block 1",
	    cell->level.percent, cell->connections, verdict_names[verdict]);
	return false;
}
