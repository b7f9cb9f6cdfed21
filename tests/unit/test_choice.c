/* test_choice.c: targets are drawn by their weights, to within chance, and the same from a seed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loadgen/choice.c"

enum { DRAWS = 1000000 };

static struct target targets[TARGETS_MAX];
static uint32_t counts[TARGETS_MAX];

static void draw(const double *weights, uint32_t count, uint64_t seed, uint32_t part)
{
	struct choice choice;
	for (uint32_t i = 0; i < TARGETS_MAX; i++)
		counts[i] = 0;
	for (uint32_t i = 0; i < count; i++)
		targets[i].weight = weights[i];
	choice_init(&choice, targets, count, seed, part);
	for (int i = 0; i < DRAWS; i++) {
		uint32_t target = choice_next(&choice);
		assert_in_range(target, 0, count - 1);
		counts[target]++;
	}
}

/* Pearson's chi-square over `count` weights, beside its value at 0.1% for 15 degrees of freedom. */
static void test_weights(void **state)
{
	(void)state;
	static const double cases[][TARGETS_MAX] = {
		{ 99.5, 0.5 }, { 1, 1, 1 }, { 0.001, 0.002, 0.003 }, { 1e9, 2e9 },
		{ 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint32_t count = 0;
		double sum = 0, chi_square = 0;
		while (count < TARGETS_MAX && cases[i][count] > 0)
			sum += cases[i][count++];
		draw(cases[i], count, 1 + i, 0);
		for (uint32_t k = 0; k < count; k++) {
			double expected = DRAWS * cases[i][k] / sum;
			double off = counts[k] - expected;
			chi_square += off * off / expected;
		}
		assert_true(chi_square < 37.7);
	}
}

static void test_one_target(void **state)
{
	(void)state;
	draw((double[]){ 0.3 }, 1, 1, 0);
	assert_int_equal(counts[0], DRAWS);
}

/* A weight that is next to nothing is never drawn here, and does no harm where it is last. */
static void test_tiny_weight(void **state)
{
	(void)state;
	draw((double[]){ 1, 1e-30 }, 2, 1, 0);
	assert_int_equal(counts[0], DRAWS);
	draw((double[]){ 1e-30, 1 }, 2, 1, 0);
	assert_int_equal(counts[1], DRAWS);
}

static void test_seed_and_part(void **state)
{
	(void)state;
	struct choice a, b, other_part, other_seed;
	targets[0].weight = targets[1].weight = 1;
	choice_init(&a, targets, 2, 7, 0);
	choice_init(&b, targets, 2, 7, 0);
	choice_init(&other_part, targets, 2, 7, 1);
	choice_init(&other_seed, targets, 2, 8, 0);
	int part_agrees = 0, seed_agrees = 0;
	for (int i = 0; i < 10000; i++) {
		uint32_t chosen = choice_next(&a);
		assert_int_equal(choice_next(&b), chosen);
		part_agrees += choice_next(&other_part) == chosen;
		seed_agrees += choice_next(&other_seed) == chosen;
	}
	assert_in_range(part_agrees, 4800, 5200);
	assert_in_range(seed_agrees, 4800, 5200);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_weights),
		cmocka_unit_test(test_one_target),
		cmocka_unit_test(test_tiny_weight),
		cmocka_unit_test(test_seed_and_part),
	};
	return cmocka_run_group_tests_name("choice", tests, NULL, NULL);
}
