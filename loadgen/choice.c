/* choice.c: see choice.h. A walk along at most 16 numbers is as quick as anything cleverer. */
#include "choice.h"

void choice_init(struct choice *c, const struct target *targets, uint32_t count, uint64_t seed,
    uint32_t part)
{
	/* as in arrivals.c, one number further, so that the two have nothing in common */
	struct estimate_random hash = { seed };
	hash.state = estimate_random_next(&hash) + part;
	estimate_random_next(&hash);
	*c = (struct choice){ .random = { estimate_random_next(&hash) }, .count = count };
	double sum = 0, so_far = 0;
	for (uint32_t i = 0; i < count; i++)
		sum += targets[i].weight;
	/* the last end is 2^64 itself, which does not fit, and is never looked at */
	for (uint32_t i = 0; i + 1 < count; i++) {
		so_far += targets[i].weight;
		c->ends[i] = so_far < sum ? (uint64_t)(so_far / sum * 0x1p64) : UINT64_MAX;
	}
}

uint32_t choice_next(struct choice *c)
{
	uint64_t number = estimate_random_next(&c->random);
	uint32_t i = 0;
	while (i + 1 < c->count && number >= c->ends[i])
		i++;
	return i;
}
