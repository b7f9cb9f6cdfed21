/* test_usl.c: parameters that are known come back; what the law forbids does not come. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/core/usl.h"

static const double n[] = { 1, 10, 100, 1000, 10000 };
enum { COUNT = sizeof(n) / sizeof(*n) };

static void assert_close(double value, double wanted, double error)
{
	if (!(fabs(value - wanted) <= error * fabs(wanted)))
		fail_msg("%g is not %g", value, wanted);
}

static void make(const struct usl *u, double rate_per_s[COUNT])
{
	for (int i = 0; i < COUNT; i++)
		rate_per_s[i] = usl_rate(u, n[i]);
}

static void test_known_parameters(void **state)
{
	static const struct usl laws[] = {
		{ 12000, 0.13, 2e-7, 0 },
		{ 995.6, 0.0267, 7.69e-4, 0 },
		{ 50, 0, 1e-6, 0 },
		{ 50, 0.9, 0, 0 },
		{ 7, 0, 0, 0 },
	};
	double rate_per_s[COUNT];
	struct usl u;
	(void)state;
	for (size_t i = 0; i < sizeof(laws) / sizeof(*laws); i++) {
		make(&laws[i], rate_per_s);
		assert_true(usl_fit(&u, n, rate_per_s, COUNT));
		assert_close(u.per_s, laws[i].per_s, 1e-6);
		assert_close(u.contention + 1, laws[i].contention + 1, 1e-6);
		assert_close(u.coherency * 1e8 + 1, laws[i].coherency * 1e8 + 1, 1e-4);
		assert_true(u.residual < 1e-6);
	}
}

static void test_the_residual_is_relative(void **state)
{
	double rate_per_s[COUNT];
	struct usl u;
	(void)state;
	make(&(struct usl){ 12000, 0.13, 2e-7, 0 }, rate_per_s);
	for (int i = 0; i < COUNT; i++)
		rate_per_s[i] *= i % 2 ? 1.03 : 0.97;
	assert_true(usl_fit(&u, n, rate_per_s, COUNT));
	assert_true(u.residual > 0.005 && u.residual < 0.04);
	assert_close(u.per_s, 12000, 0.1);
	/* what goes up and down again is no such law */
	const double wild[COUNT] = { 10, 1000, 10, 1000, 10 };
	assert_true(usl_fit(&u, n, wild, COUNT));
	assert_true(u.residual > 0.5);
}

/* Faster than linear would need a negative contention: the law's best is a line. */
static void test_no_negative_losses(void **state)
{
	const double rate_per_s[COUNT] = { 1, 11, 120, 1300, 14000 };
	struct usl u;
	(void)state;
	assert_true(usl_fit(&u, n, rate_per_s, COUNT));
	assert_true(u.contention == 0 && u.coherency == 0);
}

static void test_peak(void **state)
{
	struct usl u = { 1, 0.19, 0.0001, 0 };
	(void)state;
	assert_close(usl_peak(&u), 90, 1e-9);
	assert_true(usl_rate(&u, 90) > usl_rate(&u, 89) && usl_rate(&u, 90) > usl_rate(&u, 91));
	u.coherency = 0;
	assert_true(isinf(usl_peak(&u)));
	u.contention = 1.5; /* what each further one loses is more than it brings */
	assert_true(usl_peak(&u) == 1 && usl_rate(&u, 2) < usl_rate(&u, 1));
}

static void test_refused(void **state)
{
	const double rate_per_s[COUNT] = { 1, 2, 3, 4, 0 };
	struct usl u;
	(void)state;
	assert_false(usl_fit(&u, n, rate_per_s, 3));
	assert_true(usl_fit(&u, n, rate_per_s, 4));
	assert_false(usl_fit(&u, n, rate_per_s, 5));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_known_parameters),
		cmocka_unit_test(test_the_residual_is_relative),
		cmocka_unit_test(test_no_negative_losses),
		cmocka_unit_test(test_peak),
		cmocka_unit_test(test_refused),
	};
	return cmocka_run_group_tests_name("usl", tests, NULL, NULL);
}
