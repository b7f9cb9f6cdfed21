/*
 * cells.c: makes the order of a run from a seed: per block and level a Fisher-Yates shuffle of the
 * servers, driven by SplitMix64 (Steele, Lea, Flood 2014), which is short, and good for any seed.
 */
#include "harness/cells.h"

static uint64_t next_random(uint64_t *state)
{
	uint64_t z = (*state += UINT64_C(0x9E3779B97F4A7C15));
	z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
	return z ^ (z >> 31);
}

/* 0..below-1. The modulo's bias is below 2^-57 for the sizes here. */
static uint32_t random_below(uint64_t *state, uint32_t below)
{
	return (uint32_t)(next_random(state) % below);
}

static void shuffle(struct cell *cells, uint32_t count, uint64_t *state, uint32_t position)
{
	for (uint32_t i = count; i > 1; i--) {
		uint32_t other = random_below(state, i);
		if (cells) {
			struct cell swap = cells[i - 1];
			cells[i - 1] = cells[other];
			cells[other] = swap;
		}
	}
	for (uint32_t i = 0; i < count && cells; i++)
		cells[i].position = position + i;
}

/* One level: each server once, the twin once more, shuffled. Returns how many. */
static uint32_t make_level(const struct plan *plan, const struct cell *level, uint64_t *state,
    struct cell *cells)
{
	const struct experiment *e = level->experiment;
	uint32_t count = 0;
	for (uint32_t i = 0; i < e->server_count; i++) {
		for (int twin = 0; twin <= (e->servers[i] == e->twin); twin++) {
			struct cell cell = *level;
			cell.server_index = e->servers[i];
			cell.server = &plan->servers[e->servers[i]];
			cell.twin = twin;
			if (cells)
				cells[count] = cell;
			count++;
		}
	}
	shuffle(cells, count, state, level->position);
	return count;
}

/* The level that load `*load` of an experiment has, which stays in *load without it. */
static uint32_t take_level(const struct plan_levels *levels, uint32_t *load)
{
	uint32_t value = levels->values[*load % levels->count];
	*load /= levels->count;
	return value;
}

/* Up to 2^63 - 1, as the load generator takes it; hashed twice, so that neighbouring seeds differ. */
static uint64_t load_seed(uint64_t seed, uint32_t rep)
{
	uint64_t state = next_random(&seed) + rep;
	return next_random(&state) >> 1;
}

void cells_repeat(
    struct cell *cells, uint32_t count, uint64_t seed, uint32_t rep, uint32_t position)
{
	uint64_t state = load_seed(seed, rep);
	for (uint32_t i = 0; i < count; i++) {
		cells[i].rep = rep;
		cells[i].load_seed = state;
	}
	state += position; /* another order for each load */
	shuffle(cells, count, &state, position);
}

uint32_t cells_make(const struct plan *plan, uint64_t seed, struct cell *cells)
{
	uint64_t state = seed;
	uint32_t count = 0;
	for (uint32_t rep = 1; rep <= PLAN_BLOCKS_MAX; rep++) {
		for (uint32_t i = 0; i < plan->experiment_count; i++) {
			const struct experiment *e = &plan->experiments[i];
			if (rep > e->blocks)
				continue;
			for (uint32_t k = 0; k < plan_load_count(e); k++) {
				struct cell level = {
					.experiment = e,
					.rep = rep,
					.load_seed = load_seed(seed, rep),
					.position = count + 1,
				};
				uint32_t load = k;
				level.idle = take_level(&e->idle, &load);
				level.slow = take_level(&e->slow, &load);
				level.connections = take_level(&e->connections, &load);
				level.requests = take_level(&e->requests, &load);
				level.cpus = take_level(&e->cpus, &load);
				level.cold = take_level(&e->cold, &load) == 1;
				level.level = e->rates.values[load];
				level.offered_per_s = level.level.per_s;
				count += make_level(plan, &level, &state,
				    cells ? cells + count : NULL);
			}
		}
	}
	return count;
}

uint64_t cell_warmup_ns(const struct cell *cell)
{
	return cell->experiment->warmup_ns +
	    (uint64_t)cell_clients(cell) * cell->experiment->pipeline * 50000;
}

bool cell_keeps_course(const struct cell *cell)
{
	return cell->experiment->kind == EXPERIMENT_THROUGHPUT && cell->connections == 1000 &&
	    cell->rep == 1 && !cell->twin;
}

uint64_t cell_expected_ns(const struct cell *cell)
{
	/*
	 * measured on the 2-CPU machine of the first runs: start, stop and report a cell; connect
	 * one more
	 */
	const uint64_t fixed_ns = 120000000, per_connection_ns = 90000;
	const struct experiment *e = cell->experiment;
	/* a batch starts and ends the load generator, and serves some 60,000 a second */
	const uint64_t batch_fixed_ns = 150000000, request_ns = 16000;
	if (e->kind == EXPERIMENT_BATCH)
		return fixed_ns + (BATCH_RUNS + 1) *
		    (batch_fixed_ns + e->batch_requests * request_ns);
	uint64_t load_ns =
	    e->kind == EXPERIMENT_MEMORY ? e->hold_ns : cell_warmup_ns(cell) + e->duration_ns;
	/* slow clients keep a server that ends for as long as it may be kept */
	uint64_t end_ns = cell->slow ? 1800000000 : 0;
	return fixed_ns + cell_clients(cell) * per_connection_ns + load_ns + end_ns;
}
