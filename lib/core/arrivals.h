/*
 * arrivals.h: when the requests of an open loop are due. The schedule is made of the rate and a
 * seed alone: no server can slow it down, and nothing here knows whether a request was late. A
 * closed loop has no such times.
 *
 *   constant  arrival i at floor(i * 10^9 / rate) ns: exact for every i, whatever the rate
 *   Poisson   independent exponential gaps of mean 10^9 / rate ns: what many independent users do.
 *             The fraction of a nanosecond that a gap leaves is carried into the next.
 *
 * Workers share a rate without sharing memory. Of a constant schedule each takes every
 * part_count-th arrival; a Poisson process is the sum of part_count slower ones, each with random
 * numbers of its own. Times rise, and are absolute: they start from start_ns on the caller's clock.
 *
 *   while (a.next_ns <= now_ns) { send, it was due at a.next_ns; arrivals_take(&a); }
 */
#ifndef ARRIVALS_H
#define ARRIVALS_H

#include <stdint.h>

#include "lib/core/estimate.h"

enum arrivals_kind { ARRIVALS_POISSON, ARRIVALS_CONSTANT };
extern const char *const arrivals_kind_names[2]; /* "poisson", "constant" */

#define ARRIVALS_RATE_MAX UINT64_C(1000000000) /* one each nanosecond */

struct arrivals {
	uint64_t next_ns;    /* when the next request is due: read it, change it never */
	uint64_t gap_ns;     /* constant: to the one behind, whole nanoseconds ... */
	uint64_t gap_rest;   /* ... and the rest, in 1/rate ns */
	uint64_t rest;       /* constant: how much later than next_ns it is due, in 1/rate ns */
	uint64_t rate_per_s;
	double mean_gap_ns;  /* Poisson */
	double fraction_ns;  /* Poisson: how much later than next_ns it is due, 0 <= fraction < 1 */
	struct estimate_random random;
	enum arrivals_kind kind;
};

/*
 * Part `part` of `part_count` of a schedule of rate_per_s (1..ARRIVALS_RATE_MAX) in all, which
 * begins at start_ns. Parts of one schedule are given the same seed.
 */
void arrivals_init(struct arrivals *a, enum arrivals_kind kind, uint64_t rate_per_s, uint64_t seed,
    uint32_t part, uint32_t part_count, uint64_t start_ns);

/* The next request is taken: next_ns becomes the time of the one behind it. */
void arrivals_take(struct arrivals *a);

#endif
