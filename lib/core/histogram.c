/*
 * histogram.c: what is asked of a histogram after the run; recording is inline in the header.
 * Every question walks the 27,648 buckets once, which takes some ten microseconds: nothing here
 * belongs in a hot path.
 */
#include "histogram.h"

#include <math.h>
#include <string.h>

void histogram_init(struct histogram *h)
{
	memset(h, 0, sizeof *h);
	h->min_ns = UINT64_MAX;
}

/* Powers of two by which bucket `index` is wider than 1 ns. */
static uint32_t bucket_shift(uint32_t index)
{
	return index < HISTOGRAM_SUB_COUNT ? 0 : index / HISTOGRAM_HALF_COUNT - 1;
}

uint64_t histogram_bucket_low_ns(uint32_t index)
{
	uint32_t shift = bucket_shift(index);
	return (uint64_t)(index - shift * HISTOGRAM_HALF_COUNT) << shift;
}

uint64_t histogram_bucket_high_ns(uint32_t index)
{
	return histogram_bucket_low_ns(index) + ((UINT64_C(1) << bucket_shift(index)) - 1);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
	for (uint32_t i = 0; i < HISTOGRAM_BUCKET_COUNT; i++)
		into->buckets[i] += from->buckets[i];
	into->count += from->count;
	into->sum_ns += from->sum_ns;
	if (from->min_ns < into->min_ns)
		into->min_ns = from->min_ns;
	if (from->max_ns > into->max_ns)
		into->max_ns = from->max_ns;
}

/* Which sample, counted from 1 in rising order, is the quantile. */
static uint64_t nearest_rank(double quantile, uint64_t count)
{
	/* 0.07 * 100 is a little more than 7 in binary: take that little off before rounding up */
	double exact = quantile * (double)count * (1 - 1e-12);
	uint64_t rank = (uint64_t)exact;
	if ((double)rank < exact)
		rank++;
	return rank < 1 ? 1 : rank > count ? count : rank;
}

uint64_t histogram_quantile_ns(const struct histogram *h, double quantile)
{
	if (h->count == 0)
		return 0;
	uint64_t rank = nearest_rank(quantile, h->count);
	uint64_t seen = 0;
	/* the last bucket has no upper end but the largest sample */
	for (uint32_t i = 0; i < HISTOGRAM_BUCKET_COUNT - 1; i++) {
		seen += h->buckets[i];
		if (seen >= rank) {
			uint64_t high_ns = histogram_bucket_high_ns(i);
			return high_ns < h->max_ns ? high_ns : h->max_ns;
		}
	}
	return h->max_ns;
}

uint64_t histogram_count_above(const struct histogram *h, uint64_t value_ns)
{
	uint64_t count = 0;
	for (uint32_t i = histogram_index(value_ns) + 1; i < HISTOGRAM_BUCKET_COUNT; i++)
		count += h->buckets[i];
	return count;
}

double histogram_mean_ns(const struct histogram *h)
{
	return h->count ? (double)h->sum_ns / (double)h->count : 0;
}

static double bucket_middle_ns(uint32_t index)
{
	return ((double)histogram_bucket_low_ns(index) + (double)histogram_bucket_high_ns(index)) / 2;
}

double histogram_stdev_ns(const struct histogram *h)
{
	double sum_ns = 0, squares = 0;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKET_COUNT; i++)
		sum_ns += (double)h->buckets[i] * bucket_middle_ns(i);
	double mean_ns = h->count ? sum_ns / (double)h->count : 0;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKET_COUNT; i++) {
		double off_ns = bucket_middle_ns(i) - mean_ns;
		squares += (double)h->buckets[i] * off_ns * off_ns;
	}
	return h->count ? sqrt(squares / (double)h->count) : 0;
}
