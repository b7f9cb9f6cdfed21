/*
 * test_arrivals.c: constant schedules to the nanosecond against 128-bit arithmetic, Poisson ones by
 * what defines them (exponential gaps, independent of one another), parts against their whole.
 * Seeds are fixed, so the statistics come out the same in every run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>

#include "lib/core/arrivals.h"

enum { COUNT = 100000 };
#define S_NS UINT64_C(1000000000)
#define KS_CRITICAL_1_PERCENT 1.6276 /* of D * sqrt(n), for large n */

static double gaps_ns[COUNT];

static uint64_t exact_ns(uint64_t i, uint64_t rate_per_s)
{
	return (uint64_t)((__extension__(unsigned __int128) i) * S_NS / rate_per_s);
}

static void test_constant_is_exact(void **state)
{
	static const uint64_t rates[] = { 1, 3, 7, 999, 10000, 300007, 999999937,
		ARRIVALS_RATE_MAX };
	struct arrivals a;
	(void)state;
	for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
		arrivals_init(&a, ARRIVALS_CONSTANT, rates[r], 1, 0, 1, 5000);
		for (uint64_t i = 0; i < COUNT; i++) {
			assert_int_equal(a.next_ns, 5000 + exact_ns(i, rates[r]));
			arrivals_take(&a);
		}
	}
}

static void test_constant_does_not_drift(void **state)
{
	enum { RATE = 30011, HOURS = 3 };
	uint64_t count = UINT64_C(3600) * HOURS * RATE;
	struct arrivals a;
	(void)state;
	arrivals_init(&a, ARRIVALS_CONSTANT, RATE, 1, 0, 1, 0);
	for (uint64_t i = 0; i < count; i++)
		arrivals_take(&a);
	assert_int_equal(a.next_ns, 3600 * HOURS * S_NS);
}

static void test_constant_parts_make_the_whole(void **state)
{
	static const uint32_t part_counts[] = { 1, 2, 3, 16, 1000 };
	struct arrivals parts[1000];
	(void)state;
	for (size_t c = 0; c < sizeof part_counts / sizeof *part_counts; c++) {
		uint32_t part_count = part_counts[c];
		for (uint32_t p = 0; p < part_count; p++)
			arrivals_init(&parts[p], ARRIVALS_CONSTANT, 12347, 1, p, part_count, 99);
		for (uint64_t i = 0; i < COUNT; i++) {
			struct arrivals *a = &parts[i % part_count];
			assert_int_equal(a->next_ns, 99 + exact_ns(i, 12347));
			arrivals_take(a);
		}
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* Kolmogorov and Smirnov's D * sqrt(n) of gaps_ns against the exponential distribution. */
static double ks_exponential(double mean_ns)
{
	double worst = 0;
	qsort(gaps_ns, COUNT, sizeof *gaps_ns, compare);
	for (int i = 0; i < COUNT; i++) {
		double wanted = 1 - exp(-gaps_ns[i] / mean_ns);
		worst =
		    fmax(worst, fmax(wanted - (double)i / COUNT, (double)(i + 1) / COUNT - wanted));
	}
	return worst * sqrt(COUNT);
}

/* Takes COUNT arrivals of all parts, in order of time; returns when the last one was due. */
static uint64_t take_gaps(struct arrivals *parts, uint32_t part_count)
{
	uint64_t last_ns = 0;
	for (int i = 0; i < COUNT; i++) {
		struct arrivals *a = parts;
		for (uint32_t p = 1; p < part_count; p++)
			if (parts[p].next_ns < a->next_ns)
				a = &parts[p];
		assert_true(a->next_ns >= last_ns);
		gaps_ns[i] = (double)(a->next_ns - last_ns);
		last_ns = a->next_ns;
		arrivals_take(a);
	}
	return last_ns;
}

/* At 1,000/s the mean gap is a million times the step of the clock, which KS would else see. */
static void test_poisson_gaps_are_exponential(void **state)
{
	static const uint32_t part_counts[] = { 1, 2, 3, 8 };
	struct arrivals parts[8];
	(void)state;
	for (uint64_t seed = 0; seed < 4; seed++)
		for (size_t c = 0; c < sizeof part_counts / sizeof *part_counts; c++) {
			for (uint32_t p = 0; p < part_counts[c]; p++)
				arrivals_init(
				    &parts[p], ARRIVALS_POISSON, 1000, seed, p, part_counts[c], 0);
			take_gaps(parts, part_counts[c]);
			assert_true(ks_exponential(1e6) < KS_CRITICAL_1_PERCENT);
		}
}

/* The test above can tell: a schedule 2% too fast, and a constant one, are found out. */
static void test_ks_has_teeth(void **state)
{
	struct arrivals a;
	(void)state;
	arrivals_init(&a, ARRIVALS_POISSON, 1020, 1, 0, 1, 0);
	take_gaps(&a, 1);
	assert_true(ks_exponential(1e6) > KS_CRITICAL_1_PERCENT);
	arrivals_init(&a, ARRIVALS_CONSTANT, 1000, 1, 0, 1, 0);
	take_gaps(&a, 1);
	assert_true(ks_exponential(1e6) > 100);
}

/* Of independent gaps, neighbours have no correlation: |r| * sqrt(n) is normal, 2.58 its 1%. */
static void test_poisson_gaps_are_independent(void **state)
{
	struct arrivals a;
	double sum = 0;
	(void)state;
	arrivals_init(&a, ARRIVALS_POISSON, 1000, 7, 0, 1, 0);
	take_gaps(&a, 1);
	for (int i = 1; i < COUNT; i++)
		sum += (gaps_ns[i - 1] / 1e6 - 1) * (gaps_ns[i] / 1e6 - 1);
	assert_true(fabs(sum / COUNT) * sqrt(COUNT) < 2.576);
}

/* Where gaps are a few ns only, truncating each would make the rate wrong by a tenth. */
static void test_poisson_rate(void **state)
{
	static const uint64_t rates[] = { 1, 1000, 250000, 200000000, ARRIVALS_RATE_MAX };
	struct arrivals a;
	(void)state;
	for (size_t r = 0; r < sizeof rates / sizeof *rates; r++) {
		arrivals_init(&a, ARRIVALS_POISSON, rates[r], 3, 0, 1, 0);
		uint64_t count = 2000000, last_ns = 0;
		for (uint64_t i = 0; i < count; i++) {
			assert_true(a.next_ns >= last_ns);
			last_ns = a.next_ns;
			arrivals_take(&a);
		}
		double rate_per_s = (double)count * 1e9 / (double)last_ns;
		assert_true(fabs(rate_per_s / (double)rates[r] - 1) < 0.005);
	}
}

static void test_seeds(void **state)
{
	struct arrivals a, same, other, part;
	(void)state;
	arrivals_init(&a, ARRIVALS_POISSON, 10000, 1, 0, 2, 0);
	arrivals_init(&same, ARRIVALS_POISSON, 10000, 1, 0, 2, 1000);
	arrivals_init(&other, ARRIVALS_POISSON, 10000, 2, 0, 2, 0);
	arrivals_init(&part, ARRIVALS_POISSON, 10000, 1, 1, 2, 0);
	int equal_to_other = 0, equal_to_part = 0;
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(a.next_ns + 1000, same.next_ns);
		equal_to_other += a.next_ns == other.next_ns;
		equal_to_part += a.next_ns == part.next_ns;
		arrivals_take(&a);
		arrivals_take(&same);
		arrivals_take(&other);
		arrivals_take(&part);
	}
	assert_in_range(equal_to_other, 0, 2);
	assert_in_range(equal_to_part, 0, 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_constant_is_exact),
		cmocka_unit_test(test_constant_does_not_drift),
		cmocka_unit_test(test_constant_parts_make_the_whole),
		cmocka_unit_test(test_poisson_gaps_are_exponential),
		cmocka_unit_test(test_ks_has_teeth),
		cmocka_unit_test(test_poisson_gaps_are_independent),
		cmocka_unit_test(test_poisson_rate),
		cmocka_unit_test(test_seeds),
	};
	return cmocka_run_group_tests_name("arrivals", tests, NULL, NULL);
}
