/* test_timeline.c: from switches to spans: nothing of the window is lost, nothing counted twice. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/timeline.h"

enum { BEGIN = 1000, END = 2000 };

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define SPANS(expected, state, ...) \
	expect_spans(expected, state, (struct timeline_switch[]){ __VA_ARGS__ }, \
	    COUNT(((struct timeline_switch[]){ __VA_ARGS__ })))

static void expect_spans(const char *expected, enum timeline_state state,
    struct timeline_switch *switches, size_t count)
{
	struct timeline_thread thread = { 0 };
	timeline_make_spans(&thread, BEGIN, END, switches, (uint32_t)count, state);
	char *text = timeline_format(&thread);
	assert_string_equal(text, expected);
	uint64_t sum_ns = 0;
	for (int i = 0; i < TIMELINE_STATES; i++)
		sum_ns += timeline_sum_ns(&thread, (enum timeline_state)i);
	assert_int_equal(sum_ns, END - BEGIN);
	free(thread.spans);
	timeline_parse(&thread, text);
	char *again = timeline_format(&thread);
	assert_string_equal(again, expected);
	free(again);
	free(text);
	free(thread.spans);
}

static void a_thread_without_switches_stays_what_it_is(void **state)
{
	(void)state;
	expect_spans("w1000", TIMELINE_WAITING, NULL, 0);
	expect_spans("r1000", TIMELINE_RUNNING, NULL, 0);
	expect_spans("p1000", TIMELINE_PREEMPTED, NULL, 0);
}

static void the_first_switch_tells_what_was_before(void **state)
{
	(void)state;
	SPANS("r200 w800", TIMELINE_WAITING, { 1200, 1, TIMELINE_WAITING });
	SPANS("r200 p800", TIMELINE_WAITING, { 1200, 1, TIMELINE_PREEMPTED });
	SPANS("w200 r800", TIMELINE_WAITING, { 1200, 1, TIMELINE_RUNNING });
	SPANS("p200 r800", TIMELINE_PREEMPTED, { 1200, 1, TIMELINE_RUNNING });
	/* it cannot have been running, whatever /proc said a moment before */
	SPANS("w200 r800", TIMELINE_RUNNING, { 1200, 1, TIMELINE_RUNNING });
}

static void switches_outside_of_the_window_only_set_the_state(void **state)
{
	(void)state;
	SPANS("r500 w500", TIMELINE_WAITING, { 900, 1, TIMELINE_RUNNING },
	    { 1500, 1, TIMELINE_WAITING }, { 2000, 1, TIMELINE_RUNNING });
	SPANS("w1000", TIMELINE_WAITING, { 800, 1, TIMELINE_RUNNING }, { 900, 1, TIMELINE_WAITING },
	    { 2500, 1, TIMELINE_RUNNING });
}

static void equal_neighbours_are_one(void **state)
{
	(void)state;
	SPANS("r100 w900", TIMELINE_WAITING, { 1100, 1, TIMELINE_WAITING },
	    { 1300, 1, TIMELINE_WAITING });
	SPANS("w1000", TIMELINE_WAITING, { 1000, 1, TIMELINE_RUNNING },
	    { 1000, 1, TIMELINE_WAITING });
}

static void switches_are_sorted_by_thread_and_time(void **state)
{
	(void)state;
	struct timeline_switch switches[] = {
		{ 5, 2, TIMELINE_RUNNING }, { 9, 1, TIMELINE_WAITING },
		{ 3, 2, TIMELINE_WAITING }, { 4, 1, TIMELINE_RUNNING },
	};
	timeline_sort(switches, COUNT(switches));
	assert_int_equal(switches[0].at_ns, 4);
	assert_int_equal(switches[1].at_ns, 9);
	assert_int_equal(switches[2].at_ns, 3);
	assert_int_equal(switches[3].at_ns, 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_thread_without_switches_stays_what_it_is),
		cmocka_unit_test(the_first_switch_tells_what_was_before),
		cmocka_unit_test(switches_outside_of_the_window_only_set_the_state),
		cmocka_unit_test(equal_neighbours_are_one),
		cmocka_unit_test(switches_are_sorted_by_thread_and_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
