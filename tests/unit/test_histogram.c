/*
 * test_histogram.c: the promises of the layout (1/1024 everywhere, nothing dropped), quantiles
 * against sorting.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/core/histogram.h"

static struct histogram h, other;

static int set_up(void **state)
{
	(void)state;
	histogram_init(&h);
	histogram_init(&other);
	return 0;
}

/* xorshift64: the same numbers in every run */
static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Latencies of all magnitudes, up to 2^36. */
static uint64_t random_value(uint64_t *seed)
{
	uint64_t bits = next_random(seed) % 36;
	return next_random(seed) & ((UINT64_C(2) << bits) - 1);
}

static void test_layout(void **state)
{
	(void)state;
	uint64_t next = 0;
	for (uint32_t i = 0; i < HISTOGRAM_BUCKET_COUNT; i++) {
		uint64_t low = histogram_bucket_low_ns(i), high = histogram_bucket_high_ns(i);
		assert_int_equal(low, next); /* no gap, no overlap */
		assert_int_equal(histogram_index(low), i);
		assert_int_equal(histogram_index(high), i);
		assert_true((high - low) * 1024 <= low); /* known to 1/1024 */
		next = high + 1;
	}
	assert_int_equal(next, HISTOGRAM_MAX_NS + 1);
}

static void test_nothing_is_dropped(void **state)
{
	(void)state;
	histogram_record(&h, 0);
	histogram_record(&h, HISTOGRAM_MAX_NS);
	histogram_record(&h, 3 * HISTOGRAM_MAX_NS);
	assert_int_equal(h.count, 3);
	assert_int_equal(h.min_ns, 0);
	assert_int_equal(h.max_ns, 3 * HISTOGRAM_MAX_NS);
	assert_int_equal(h.sum_ns, 4 * HISTOGRAM_MAX_NS);
	assert_int_equal(h.buckets[HISTOGRAM_BUCKET_COUNT - 1], 2);
	assert_int_equal(histogram_quantile_ns(&h, 1), 3 * HISTOGRAM_MAX_NS);
}

static void test_empty(void **state)
{
	(void)state;
	assert_int_equal(histogram_quantile_ns(&h, 0.5), 0);
	assert_int_equal(h.min_ns, UINT64_MAX);
	assert_true(histogram_mean_ns(&h) == 0 && histogram_stdev_ns(&h) == 0);
	assert_int_equal(histogram_count_above(&h, 0), 0);
}

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

static void test_quantiles(void **state)
{
	(void)state;
	enum { COUNT = 10000 };
	static uint64_t values[COUNT];
	uint64_t seed = 88172645463325252u;
	for (int i = 0; i < COUNT; i++) {
		values[i] = random_value(&seed);
		histogram_record(&h, values[i]);
	}
	qsort(values, COUNT, sizeof *values, compare);
	static const struct { double quantile; int rank;
	} cases[] = {
		{ 0, 1 },
		{ 0.00001, 1 },
		{ 0.07, 700 },
		{ 0.5, 5000 },
		{ 0.9, 9000 },
		{ 0.99, 9900 },
		{ 0.999, 9990 },
		{ 0.9999, 9999 },
		{ 0.99995, 10000 },
		{ 1, 10000 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint64_t exact = values[cases[i].rank - 1];
		uint64_t found = histogram_quantile_ns(&h, cases[i].quantile);
		assert_in_range(found, exact, exact + exact / 1024);
		assert_int_equal(histogram_index(found), histogram_index(exact));
	}
}

/* The ends, of values that share their buckets (5,000 to 5,003 and 9,000 to 9,007) with none. */
static void test_quantiles_at_the_ends(void **state)
{
	(void)state;
	histogram_record(&h, 5000);
	histogram_record(&h, 9001);
	assert_int_equal(histogram_quantile_ns(&h, 0), 5003);
	assert_int_equal(histogram_quantile_ns(&h, 1), 9001); /* not beyond the largest */
}

static void test_merge_is_union(void **state)
{
	(void)state;
	static struct histogram whole;
	histogram_init(&whole);
	uint64_t seed = 42;
	for (int i = 0; i < 5000; i++) {
		uint64_t value = random_value(&seed);
		histogram_record(i % 3 ? &h : &other, value);
		histogram_record(&whole, value);
	}
	histogram_merge(&h, &other);
	assert_memory_equal(&h, &whole, sizeof h);
	histogram_init(&other);
	histogram_merge(&h, &other); /* an empty one changes nothing */
	assert_memory_equal(&h, &whole, sizeof h);
}

static void test_count_above(void **state)
{
	(void)state;
	for (uint64_t value = 1; value <= 100; value++)
		histogram_record(&h, value);
	assert_int_equal(histogram_count_above(&h, 90), 10);
	assert_int_equal(histogram_count_above(&h, 100), 0);
	assert_int_equal(histogram_count_above(&h, 0), 100);
	assert_int_equal(histogram_count_above(&h, UINT64_MAX), 0);
}

static void test_mean_and_stdev(void **state)
{
	(void)state;
	static const uint64_t values[] = { 2, 4, 4, 4, 5, 5, 7, 9 }; /* below 2,048: exact */
	for (int i = 0; i < 8; i++)
		histogram_record(&h, values[i]);
	assert_true(histogram_mean_ns(&h) == 5);
	assert_true(histogram_stdev_ns(&h) == 2);
}

static void test_equal_samples_do_not_deviate(void **state)
{
	(void)state;
	for (int i = 0; i < 3; i++)
		histogram_record(&h, 2636011);
	assert_true(histogram_stdev_ns(&h) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_layout, set_up),
		cmocka_unit_test_setup(test_nothing_is_dropped, set_up),
		cmocka_unit_test_setup(test_empty, set_up),
		cmocka_unit_test_setup(test_quantiles, set_up),
		cmocka_unit_test_setup(test_quantiles_at_the_ends, set_up),
		cmocka_unit_test_setup(test_merge_is_union, set_up),
		cmocka_unit_test_setup(test_count_above, set_up),
		cmocka_unit_test_setup(test_mean_and_stdev, set_up),
		cmocka_unit_test_setup(test_equal_samples_do_not_deviate, set_up),
	};
	return cmocka_run_group_tests_name("histogram", tests, NULL, NULL);
}
