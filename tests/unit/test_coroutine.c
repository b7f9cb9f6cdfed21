/*
 * test_coroutine.c: coroutines stop and go on, keep their locals and registers, reuse their stacks,
 * fault at the end of one; and what a switch costs, printed.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "lib/sys/clock.h"
#include "lib/sys/coroutine.h"

enum { MANY = 1000, ROUNDS = 10 };

static uint64_t sums[MANY];

/* Locals of several kinds, across yields: registers, an array on the stack, floating point. */
static void add_up(void *argument)
{
	uint64_t index = (uint64_t)(uintptr_t)argument, sum = index, on_stack[ROUNDS];
	double half = (double)index / 2;
	for (uint64_t i = 0; i < ROUNDS; i++) {
		on_stack[i] = index * i;
		coroutine_yield();
		half += 1;
		sum += on_stack[i];
	}
	sums[index] = sum + (uint64_t)(half * 2);
}

static void test_many_in_turns(void **state)
{
	struct coroutine *each[MANY];
	(void)state;
	for (uintptr_t i = 0; i < MANY; i++)
		assert_non_null(each[i] = coroutine_create(add_up, (void *)i));
	for (int round = 0; round <= ROUNDS; round++)
		for (int i = 0; i < MANY; i++)
			assert_int_equal(coroutine_resume(each[i]), round < ROUNDS);
	for (uint64_t i = 0; i < MANY; i++)
		assert_int_equal(sums[i], i + i * 45 + i + 2 * ROUNDS);
}

static void tell_current(void *argument)
{
	struct coroutine **told = argument;
	told[0] = coroutine_current();
	coroutine_yield();
	told[1] = coroutine_current();
}

static void test_current(void **state)
{
	struct coroutine *told[2] = { 0 };
	(void)state;
	assert_null(coroutine_current());
	struct coroutine *co = coroutine_create(tell_current, told);
	assert_true(coroutine_resume(co));
	assert_null(coroutine_current());
	assert_ptr_equal(told[0], co);
	assert_false(coroutine_resume(co));
	assert_ptr_equal(told[1], co);
	assert_null(coroutine_current());
}

static void do_nothing(void *argument)
{
	(void)argument;
}

/* One behind the other they all run on one stack. */
static void test_stacks_are_reused(void **state)
{
	(void)state;
	struct coroutine *first = coroutine_create(do_nothing, NULL);
	assert_false(coroutine_resume(first));
	for (int i = 0; i < MANY; i++) {
		struct coroutine *co = coroutine_create(do_nothing, NULL);
		assert_ptr_equal(co, first);
		assert_false(coroutine_resume(co));
	}
}

/* More than there is room for in the address space: NULL, and those that are there still run. */
static void test_no_memory(void **state)
{
	enum { LIMIT = 4000 };
	static struct coroutine *each[LIMIT];
	struct rlimit usual, short_of;
	int count = 0;
	(void)state;
#ifdef __SANITIZE_ADDRESS__
	skip(); /* its shadow memory is beyond any limit on address space */
#endif
	getrlimit(RLIMIT_AS, &usual);
	short_of = (struct rlimit){ .rlim_cur = 100 << 20, .rlim_max = usual.rlim_max };
	setrlimit(RLIMIT_AS, &short_of);
	while (count < LIMIT && (each[count] = coroutine_create(do_nothing, NULL)))
		count++;
	setrlimit(RLIMIT_AS, &usual);
	assert_in_range(count, 100, LIMIT - 1);
	while (count > 0)
		assert_false(coroutine_resume(each[--count]));
}

static int fall(int depth)
{
	volatile char page[1024];
	page[0] = (char)depth;
	return depth == 0 ? 0 : fall(depth - 1) + page[0];
}

static void fall_deep(void *argument)
{
	(void)argument;
	_exit(fall(1000) & 1);
}

/* A megabyte on a stack of 64 KiB: the guard page ends the process. */
static void test_guard_page(void **state)
{
	int status;
	(void)state;
	pid_t child = fork();
	if (child == 0) {
		close(STDERR_FILENO); /* a sanitizer has much to say about it */
		coroutine_resume(coroutine_create(fall_deep, NULL));
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) > 1);
}

static void yield_for_ever(void *argument)
{
	(void)argument;
	for (;;)
		coroutine_yield();
}

static void test_what_a_switch_costs(void **state)
{
	enum { TIMES = 200000 };
	(void)state;
	struct coroutine *co = coroutine_create(yield_for_ever, NULL);
	coroutine_resume(co);
	uint64_t start_ns = clock_now_ns();
	for (int i = 0; i < TIMES; i++)
		coroutine_resume(co);
	double switch_ns = (double)(clock_now_ns() - start_ns) / (2.0 * TIMES);
	print_message("a switch takes %.1f ns\n", switch_ns);
	assert_true(switch_ns < 100000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_many_in_turns),
		cmocka_unit_test(test_current),
		cmocka_unit_test(test_stacks_are_reused),
		cmocka_unit_test(test_no_memory),
		cmocka_unit_test(test_guard_page),
		cmocka_unit_test(test_what_a_switch_costs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
