/*
 * arrivals.c: see arrivals.h. Times are sums of whole nanoseconds and what is left of one is kept
 * beside them, so that the last gap of a long run is as exact as its first, and no rate is rounded.
 *
 * The constant schedule adds quotient and remainder, as Bresenham's line does: i * 10^9 / rate
 * would want 128 bits and a division for each arrival.
 */
#include "lib/core/arrivals.h"

#include <math.h>

#define S_NS UINT64_C(1000000000)

const char *const arrivals_kind_names[2] = {
	[ARRIVALS_POISSON] = "poisson",
	[ARRIVALS_CONSTANT] = "constant",
};

static void take_constant(struct arrivals *a)
{
	a->next_ns += a->gap_ns;
	a->rest += a->gap_rest;
	if (a->rest >= a->rate_per_s) {
		a->rest -= a->rate_per_s;
		a->next_ns++;
	}
}

static void take_poisson(struct arrivals *a)
{
	/* uniform in (0, 1], in steps of 2^-53: never log(0), and no gap beyond 37 means */
	double uniform = (double)((estimate_random_next(&a->random) >> 11) + 1) * 0x1p-53;
	double gap_ns = a->fraction_ns - log(uniform) * a->mean_gap_ns;
	uint64_t whole_ns = (uint64_t)gap_ns;
	a->fraction_ns = gap_ns - (double)whole_ns;
	a->next_ns += whole_ns;
}

void arrivals_take(struct arrivals *a)
{
	switch (a->kind) {
	case ARRIVALS_POISSON:
		take_poisson(a);
		break;
	case ARRIVALS_CONSTANT:
		take_constant(a);
		break;
	}
}

void arrivals_init(struct arrivals *a, enum arrivals_kind kind, uint64_t rate_per_s, uint64_t seed,
    uint32_t part, uint32_t part_count, uint64_t start_ns)
{
	/* hashed twice: the parts of neighbouring seeds share no numbers either */
	struct estimate_random hash = { seed };
	hash.state = estimate_random_next(&hash) + part;
	*a = (struct arrivals){
		.next_ns = start_ns + part * S_NS / rate_per_s,
		.gap_ns = part_count * S_NS / rate_per_s,
		.gap_rest = part_count * S_NS % rate_per_s,
		.rest = part * S_NS % rate_per_s,
		.rate_per_s = rate_per_s,
		.mean_gap_ns = (double)part_count * 1e9 / (double)rate_per_s,
		.random = { estimate_random_next(&hash) },
		.kind = kind,
	};
	if (kind == ARRIVALS_POISSON) {
		a->next_ns = start_ns;
		take_poisson(a); /* the first gap begins at the start */
	}
}
