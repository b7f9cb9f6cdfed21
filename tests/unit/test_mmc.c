/* test_mmc.c: the queue against known values and against itself played through; its parameters. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/core/estimate.h"
#include "lib/core/mmc.h"

static void assert_close(double value, double wanted, double error)
{
	if (!(fabs(value - wanted) <= error * fabs(wanted)))
		fail_msg("%g is not %g", value, wanted);
}

static void test_waiting(void **state)
{
	(void)state;
	assert_close(mmc_waiting(1, 0.7), 0.7, 1e-12);
	assert_close(mmc_waiting(2, 1), 1.0 / 3, 1e-12);
	assert_close(mmc_waiting(3, 2), 4.0 / 9, 1e-12);
	assert_close(mmc_waiting(5, 4), 0.5541, 1e-4); /* from tables */
}

static void test_one_server(void **state)
{
	struct mmc m = { .servers = 1, .per_server_per_s = 1000, .fixed_s = 0.001 };
	(void)state;
	assert_close(mmc_time_s(&m, 900, 0.99), 0.001 + log(100) / 100, 1e-12);
	assert_true(isinf(mmc_time_s(&m, 1000, 0.5)));
}

static double exponential_s(struct estimate_random *random, double per_s)
{
	return -log(1 - (double)(estimate_random_next(random) >> 11) * 0x1p-53) / per_s;
}

static int by_size(const void *left, const void *right)
{
	double a = *(const double *)left, b = *(const double *)right;
	return (a > b) - (a < b);
}

/* Three servers played through: each arrival takes the one that is free first. */
static void test_several_servers(void **state)
{
	enum { COUNT = 400000 };
	static double stay_s[COUNT];
	double free_s[3] = { 0 }, now_s = 0;
	struct mmc m = { .servers = 3, .per_server_per_s = 10 };
	struct estimate_random random = { .state = 7 };
	(void)state;
	for (int i = 0; i < COUNT; i++) {
		int first = 0;
		now_s += exponential_s(&random, 24);
		for (int k = 1; k < 3; k++)
			if (free_s[k] < free_s[first])
				first = k;
		double start_s = free_s[first] > now_s ? free_s[first] : now_s;
		free_s[first] = start_s + exponential_s(&random, m.per_server_per_s);
		stay_s[i] = free_s[first] - now_s;
	}
	qsort(stay_s, COUNT, sizeof(*stay_s), by_size);
	assert_close(mmc_time_s(&m, 24, 0.5), stay_s[COUNT / 2], 0.02);
	assert_close(mmc_time_s(&m, 24, 0.99), stay_s[COUNT / 100 * 99], 0.05);
	/* where the two rates of the tail are equal */
	assert_close(mmc_time_s(&m, 20, 0.9), (mmc_time_s(&m, 20.01, 0.9) +
	    mmc_time_s(&m, 19.99, 0.9)) / 2, 1e-4);
}

static uint32_t make(const struct mmc *m, struct mmc_point points[12])
{
	static const double shares[] = { 0.1, 0.25, 0.5, 0.75, 0.9, 0.97 };
	uint32_t count = 0;
	for (size_t i = 0; i < sizeof(shares) / sizeof(*shares); i++)
		for (int tail = 0; tail < 2; tail++) {
			struct mmc_point *p = &points[count++];
			p->offered_per_s = shares[i] * m->servers * m->per_server_per_s;
			p->quantile = tail ? 0.99 : 0.5;
			p->time_s = mmc_time_s(m, p->offered_per_s, p->quantile);
		}
	return count;
}

static void test_known_parameters(void **state)
{
	static const struct mmc queues[] = {
		{ 1, 80000, 50e-6, 0 }, { 1, 1000, 0, 0 }, { 4, 25000, 100e-6, 0 },
	};
	struct mmc_point points[12];
	struct mmc m;
	(void)state;
	for (size_t i = 0; i < sizeof(queues) / sizeof(*queues); i++) {
		uint32_t count = make(&queues[i], points);
		assert_true(mmc_fit(&m, queues[i].servers, points, count));
		assert_close(m.per_server_per_s, queues[i].per_server_per_s, 1e-3);
		assert_close(m.fixed_s + 1e-3, queues[i].fixed_s + 1e-3, 1e-3);
		assert_true(m.residual < 1e-3);
	}
}

static void test_what_is_no_queue(void **state)
{
	struct mmc_point points[12];
	struct mmc m;
	(void)state;
	uint32_t count = make(&(struct mmc){ 1, 1000, 0.01, 0 }, points);
	for (uint32_t i = 0; i < count; i++)
		points[i].time_s = points[i].quantile > 0.9 ? 0.5 : 0.01; /* whatever is offered */
	assert_true(mmc_fit(&m, 1, points, count));
	assert_true(m.residual > 0.3);
	double sum = 0; /* it is the root of the mean square */
	for (uint32_t i = 0; i < count; i++) {
		double model_s = mmc_time_s(&m, points[i].offered_per_s, points[i].quantile);
		sum += pow(model_s / points[i].time_s - 1, 2);
	}
	assert_close(m.residual, sqrt(sum / count), 1e-9);
	assert_false(mmc_fit(&m, 1, points, MMC_POINTS_MIN - 1));
	points[0].time_s = 0;
	assert_false(mmc_fit(&m, 1, points, count));
}

/* Quicker than any queue at little load: the way there and back is never less than nothing. */
static void test_no_negative_part(void **state)
{
	struct mmc_point points[12];
	struct mmc m;
	(void)state;
	uint32_t count = make(&(struct mmc){ 1, 1000, 0, 0 }, points);
	for (uint32_t i = 0; i < count; i++)
		points[i].time_s -= 0.0005;
	assert_true(mmc_fit(&m, 1, points, count));
	assert_true(m.fixed_s >= 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_waiting),
		cmocka_unit_test(test_one_server),
		cmocka_unit_test(test_several_servers),
		cmocka_unit_test(test_known_parameters),
		cmocka_unit_test(test_what_is_no_queue),
		cmocka_unit_test(test_no_negative_part),
	};
	return cmocka_run_group_tests_name("mmc", tests, NULL, NULL);
}
