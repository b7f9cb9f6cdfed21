/*
 * histogram.h: latency histogram in nanoseconds, log-linear as HdrHistogram with 3 significant
 * digits: 1,024 equal buckets in every power of two, so a value is known to 1/1024 or better.
 * Values run from 0 to HISTOGRAM_MAX_NS (68.7 s); no sample is dropped: a larger one is counted
 * in the last bucket, and `max_ns` and `sum_ns` keep its true value.
 *
 * About 216 KiB: one per worker and population, never one per connection.
 * Layout (so that V2 blobs need no translation): lowest 1, 3 digits, 2,048 sub-buckets.
 */
#ifndef HISTOGRAM_H
#define HISTOGRAM_H

#include <stdint.h>

enum {
	HISTOGRAM_SUB_BITS = 11,                            /* 2,048 sub-buckets in the first bucket */
	HISTOGRAM_SUB_COUNT = 1 << HISTOGRAM_SUB_BITS,
	HISTOGRAM_HALF_COUNT = HISTOGRAM_SUB_COUNT / 2,     /* 1,024 in each further one */
	HISTOGRAM_MAX_BITS = 36,
	HISTOGRAM_BUCKET_COUNT = (HISTOGRAM_MAX_BITS - HISTOGRAM_SUB_BITS + 2) * HISTOGRAM_HALF_COUNT
};
#define HISTOGRAM_MAX_NS ((UINT64_C(1) << HISTOGRAM_MAX_BITS) - 1)

struct histogram {
	uint64_t count;
	uint64_t min_ns; /* UINT64_MAX while empty */
	uint64_t max_ns;
	uint64_t sum_ns;
	uint64_t buckets[HISTOGRAM_BUCKET_COUNT];
};

void histogram_init(struct histogram *h);

/* Index of the bucket that holds value_ns. */
static inline uint32_t histogram_index(uint64_t value_ns)
{
	if (value_ns > HISTOGRAM_MAX_NS)
		value_ns = HISTOGRAM_MAX_NS;
	/* shift = how many powers of two above the first bucket; 0 for values < 2,048 */
	uint32_t shift = (uint32_t)(63 - HISTOGRAM_SUB_BITS + 1)
	    - (uint32_t)__builtin_clzll(value_ns | (HISTOGRAM_SUB_COUNT - 1));
	return shift * HISTOGRAM_HALF_COUNT + (uint32_t)(value_ns >> shift);
}

static inline void histogram_record(struct histogram *h, uint64_t value_ns)
{
	h->buckets[histogram_index(value_ns)]++;
	h->count++;
	h->sum_ns += value_ns;
	if (value_ns < h->min_ns)
		h->min_ns = value_ns;
	if (value_ns > h->max_ns)
		h->max_ns = value_ns;
}

/* The smallest and the largest value that falls into bucket `index`. */
uint64_t histogram_bucket_low_ns(uint32_t index);
uint64_t histogram_bucket_high_ns(uint32_t index);

/* Adds `from` to `into`: the same as having recorded the union. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/*
 * Smallest bucket value (its upper end, at most max_ns) that at least quantile * count samples do
 * not exceed (nearest rank); 0 when empty. quantile in 0..1.
 */
uint64_t histogram_quantile_ns(const struct histogram *h, double quantile);

/* How many samples lie in buckets above that of value_ns: what a quantile rests on. */
uint64_t histogram_count_above(const struct histogram *h, uint64_t value_ns);

double histogram_mean_ns(const struct histogram *h);
/* Standard deviation from bucket midpoints. */
double histogram_stdev_ns(const struct histogram *h);

#endif
