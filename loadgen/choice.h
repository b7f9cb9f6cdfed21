/*
 * choice.h: which target of a mix comes next: each with a probability of its weight over the sum,
 * independent of all before. Pure: the same seed gives the same choices.
 */
#ifndef LOADGEN_CHOICE_H
#define LOADGEN_CHOICE_H

#include "lib/core/estimate.h"
#include "mix.h"

struct choice {
	struct estimate_random random;
	uint32_t count;
	uint64_t ends[TARGETS_MAX]; /* of 2^64 random numbers, item i has those below ends[i] */
};

/* count is 1..TARGETS_MAX; of one seed, each part (a worker) makes choices of its own. */
void choice_init(struct choice *c, const struct target *targets, uint32_t count, uint64_t seed,
    uint32_t part);

/* 0..count-1 */
uint32_t choice_next(struct choice *c);

#endif
