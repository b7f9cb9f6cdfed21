/* test_timers.c: the heap against a plain list, over many random steps; its edges; the wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/core/timers.h"

enum { CAP = 64 };

static struct timers timers;
static struct timer *storage[CAP];
static struct timer each[CAP + 1];

static int set_up(void **state)
{
	(void)state;
	for (int i = 0; i <= CAP; i++)
		each[i] = (struct timer){ 0 };
	timers_init(&timers, storage, CAP);
	return 0;
}

static void test_in_order_and_not_early(void **state)
{
	static const uint64_t at_ns[] = { 50, 10, 40, 10, 30, 20, 60 };
	(void)state;
	for (int i = 0; i < 7; i++)
		assert_true(timers_add(&timers, &each[i], at_ns[i]));
	assert_null(timers_pop(&timers, 9));
	uint64_t last_ns = 0;
	for (int i = 0; i < 7; i++) {
		struct timer *t = timers_pop(&timers, 60);
		assert_non_null(t);
		assert_true(t->at_ns >= last_ns);
		assert_int_equal(t->place, 0);
		last_ns = t->at_ns;
	}
	assert_null(timers_pop(&timers, UINT64_MAX));
}

static void test_a_full_heap_refuses(void **state)
{
	(void)state;
	for (int i = 0; i < CAP; i++)
		assert_true(timers_add(&timers, &each[i], (uint64_t)(CAP - i)));
	assert_false(timers_add(&timers, &each[CAP], 1));
	assert_int_equal(each[CAP].place, 0);
	assert_non_null(timers_pop(&timers, 1));
	assert_true(timers_add(&timers, &each[CAP], 1));
}

static void test_removing(void **state)
{
	(void)state;
	timers_remove(&timers, &each[0]); /* not set: no effect */
	timers_add(&timers, &each[0], 5);
	timers_remove(&timers, &each[0]);
	timers_remove(&timers, &each[0]);
	assert_int_equal(timers.count, 0);
	assert_true(timers_add(&timers, &each[0], 7)); /* and set again */
	assert_ptr_equal(timers_pop(&timers, 7), &each[0]);
}

static void test_the_wait(void **state)
{
	(void)state;
	assert_int_equal(timers_wait_ns(&timers, 100, 1000), 1000);
	timers_add(&timers, &each[0], 150);
	timers_add(&timers, &each[1], 5000);
	assert_int_equal(timers_wait_ns(&timers, 100, 1000), 50);
	assert_int_equal(timers_wait_ns(&timers, 100, 20), 20);
	assert_int_equal(timers_wait_ns(&timers, 150, 1000), 0);
	assert_int_equal(timers_wait_ns(&timers, UINT64_MAX, 1000), 0);
	timers_pop(&timers, 200);
	assert_int_equal(timers_wait_ns(&timers, 200, UINT64_MAX), 4800);
}

/* Every timer in the heap knows its place, and none is earlier than its parent. */
static void assert_heap(void)
{
	for (uint32_t i = 0; i < timers.count; i++) {
		assert_int_equal(storage[i]->place, i + 1);
		assert_true(i == 0 || storage[(i + 1) / 2 - 1]->at_ns <= storage[i]->at_ns);
	}
}

static void test_random_steps(void **state)
{
	enum { STEPS = 100000 };
	(void)state;
	srand(10000);
	for (int step = 0; step < STEPS; step++) {
		struct timer *t = &each[rand() % CAP];
		if (t->place)
			timers_remove(&timers, t);
		else
			assert_true(timers_add(&timers, t, (uint64_t)(rand() % 500)));
		assert_heap();
		if (rand() % 8 == 0) {
			struct timer *earliest = NULL;
			for (int i = 0; i < CAP; i++)
				if (each[i].place && (!earliest || each[i].at_ns < earliest->at_ns))
					earliest = &each[i];
			uint64_t now_ns = (uint64_t)(rand() % 500);
			struct timer *popped = timers_pop(&timers, now_ns);
			if (!earliest || earliest->at_ns > now_ns)
				assert_null(popped);
			else
				assert_true(popped && popped->at_ns == earliest->at_ns);
			assert_heap();
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_in_order_and_not_early, set_up),
		cmocka_unit_test_setup(test_a_full_heap_refuses, set_up),
		cmocka_unit_test_setup(test_removing, set_up),
		cmocka_unit_test_setup(test_the_wait, set_up),
		cmocka_unit_test_setup(test_random_steps, set_up),
	};
	return cmocka_run_group_tests_name("timers", tests, NULL, NULL);
}
