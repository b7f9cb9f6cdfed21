/*
 * test_pace.c: the open loop without a socket. A server is a number here: how long it takes. What
 * must hold: every arrival is counted once, none is sent early or on a busy connection, and a
 * server that stops shows in response time and not in service time.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loadgen/choice.c"
#include "loadgen/pace.c"
#include "loadgen/series.c"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)

enum { COUNT = 4 };

static struct session sessions[COUNT];
static struct turn turns[COUNT];
static uint32_t row[COUNT];
static uint64_t done_ns[COUNT]; /* when the server answers, of those that are busy */
static struct pace pace;
static struct stats stats;
static struct window window;

static int set_up(void **state)
{
	(void)state;
	memset(sessions, 0, sizeof sessions);
	memset(turns, 0, sizeof turns);
	memset(&stats, 0, sizeof stats);
	histogram_init(&stats.service);
	histogram_init(&stats.response);
	histogram_init(&stats.send_lag);
	window = (struct window){ 1 * S, 2 * S };
	pace_init(&pace, sessions, turns, row, COUNT);
	for (uint32_t i = 0; i < COUNT; i++) {
		sessions[i].state = SESSION_RESTING;
		pace_free(&pace, i, 1);
	}
	return 0;
}

static void start(enum arrivals_kind kind, uint64_t rate_per_s)
{
	arrivals_init(&pace.arrivals, kind, rate_per_s, 1, 0, 1, 500 * MS);
}

/* Sends one request, which the server will have answered delay_ns later. */
static uint32_t send_at(uint64_t now_ns, uint64_t delay_ns)
{
	assert_true(pace_next_ns(&pace) <= now_ns);
	uint32_t index = pace_send(&pace, &stats, &window, now_ns);
	assert_int_equal(sessions[index].state, SESSION_RESTING);
	sessions[index].state = SESSION_AWAITING;
	sessions[index].sent_ns = now_ns;
	done_ns[index] = now_ns + delay_ns;
	return index;
}

static void answer(uint32_t index, uint64_t now_ns)
{
	sessions[index].state = SESSION_RESTING;
	stats_answer(&stats, &window, sessions[index].sent_ns, now_ns);
	pace_settle(&pace, &stats, &window, index, now_ns, true);
	pace_free(&pace, index, now_ns);
}

/*
 * The run up to end_ns, event after event. The server answers after delay_ns, and nothing that it
 * gets between stall_ns and resume_ns before it has resumed.
 */
static void run_until(uint64_t end_ns, uint64_t delay_ns, uint64_t stall_ns, uint64_t resume_ns)
{
	uint64_t now_ns = 0;
	for (;;) {
		uint64_t next_ns = pace_next_ns(&pace);
		uint32_t first = COUNT;
		for (uint32_t i = 0; i < COUNT; i++)
			if (sessions[i].state == SESSION_AWAITING
			    && (first == COUNT || done_ns[i] < done_ns[first]))
				first = i;
		bool answers = first != COUNT && done_ns[first] <= next_ns;
		uint64_t event_ns = answers ? done_ns[first] : next_ns;
		if (event_ns >= end_ns)
			break;
		now_ns = event_ns > now_ns ? event_ns : now_ns;
		bool stalled = now_ns >= stall_ns && now_ns < resume_ns;
		if (answers)
			answer(first, now_ns);
		else
			send_at(now_ns, stalled ? resume_ns - now_ns + delay_ns : delay_ns);
	}
	pace_finish(&pace, &stats, &window, end_ns);
}

static void assert_conserved(void)
{
	assert_int_equal(stats.offered + stats.carried, stats.completed + stats.unfinished);
	assert_int_equal(stats.response.count, stats.completed + stats.unfinished);
}

static void test_row_is_first_in_first_out(void **state)
{
	(void)state;
	start(ARRIVALS_CONSTANT, 1000);
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(send_at(1 * S, 1 * S), i);
	assert_true(pace_next_ns(&pace) == PACE_NEVER);
	answer(2, 1 * S);
	answer(0, 1 * S);
	assert_int_equal(send_at(1 * S, 0), 2);
	assert_int_equal(send_at(1 * S, 0), 0);
	assert_true(pace_next_ns(&pace) == PACE_NEVER);
}

static void test_broken_connections_are_passed_over(void **state)
{
	(void)state;
	start(ARRIVALS_CONSTANT, 1000);
	sessions[0].state = SESSION_CONNECTING;
	sessions[1].state = SESSION_CLOSED;
	sessions[1].state = SESSION_RESTING; /* open again before its turn came */
	pace_free(&pace, 1, 2);
	assert_int_equal(send_at(1 * S, 0), 1);
	sessions[0].state = SESSION_RESTING;
	pace_free(&pace, 0, 1 * S);
	assert_int_equal(send_at(1 * S, 0), 2);
	assert_int_equal(send_at(1 * S, 0), 3);
	assert_int_equal(send_at(1 * S, 0), 0);
	assert_true(pace_next_ns(&pace) == PACE_NEVER);
}

static void test_a_server_that_keeps_up(void **state)
{
	(void)state;
	start(ARRIVALS_CONSTANT, 1000);
	run_until(3 * S, 500 * US, 0, 0);
	assert_int_equal(stats.offered, 1000);
	assert_int_equal(stats.completed, 1000);
	assert_int_equal(stats.carried + stats.unfinished + stats.unsent + stats.late, 0);
	assert_int_equal(stats.response.max_ns, 500 * US);
	assert_int_equal(stats.send_lag.max_ns, 0);
	assert_conserved();
}

/* A stall of D puts rate x D samples, uniform over 0..D, into response time. */
static void test_stall(void **state)
{
	(void)state;
	start(ARRIVALS_CONSTANT, 10000);
	run_until(3 * S, 1 * US, 1300 * MS, 1500 * MS);
	assert_int_equal(stats.completed, 10000);
	assert_int_equal(stats.unfinished, 0);
	assert_in_range(histogram_count_above(&stats.response, 1 * US), 1990, 2010);
	assert_in_range(histogram_count_above(&stats.response, 100 * MS), 990, 1010);
	assert_in_range(histogram_count_above(&stats.response, 150 * MS), 490, 510);
	assert_int_equal(histogram_count_above(&stats.service, 1 * US), COUNT);
	assert_int_equal(stats.late, 0); /* all that waited, waited for the server */
	assert_conserved();
}

/* Twice the capacity: 4 connections, 1 ms each, are 4,000 a second. */
static void test_overload(void **state)
{
	(void)state;
	start(ARRIVALS_POISSON, 8000);
	run_until(3 * S, 1 * MS, 0, 0);
	assert_in_range(stats.completed, 3990, 4010);
	assert_in_range(stats.offered, 7700, 8300);
	assert_in_range(stats.carried, 1800, 2200);    /* of half a second of warm-up */
	assert_in_range(stats.unfinished, 5600, 6400); /* ... and one of the window */
	assert_in_range(stats.unfinished - stats.unsent, 1, COUNT);
	assert_int_equal(histogram_count_above(&stats.service, 1 * MS), 0);
	assert_true(stats.response.max_ns > 700 * MS);
	assert_int_equal(stats.late, 0);
	assert_conserved();
}

/* What the server never answers is no small thing: it counts at its age. */
static void test_dead_server(void **state)
{
	(void)state;
	start(ARRIVALS_CONSTANT, 1000);
	run_until(3 * S, 10 * US, 1500 * MS, 100 * S);
	assert_int_equal(stats.completed, 500);
	assert_int_equal(stats.unfinished, 500);
	assert_int_equal(stats.unsent, 500 - COUNT);
	assert_int_equal(stats.response.max_ns, 500 * MS);
	assert_int_equal(stats.service.max_ns, 10 * US);
	assert_conserved();
}

/* What was never sent is missing at the target that it would have asked for. */
static void test_dead_server_of_a_mix(void **state)
{
	static struct target_stats found[2];
	struct target targets[2] = { { .weight = 3 }, { .weight = 1 } };
	struct choice choice;
	(void)state;
	choice_init(&choice, targets, 2, 1, 0);
	pace.choice = &choice;
	stats.targets = found;
	for (int i = 0; i < 2; i++)
		histogram_init(&found[i].response);
	start(ARRIVALS_CONSTANT, 1000);
	run_until(2 * S, 10 * US, 0, 100 * S);
	assert_int_equal(stats.unsent, 1500 - COUNT);
	assert_in_range(found[1].response.count, 330, 420); /* a quarter of them */
	assert_int_equal(found[0].response.count + found[1].response.count, stats.response.count);
}

static void test_timeouts_count_and_errors_do_not(void **state)
{
	(void)state;
	start(ARRIVALS_CONSTANT, 1000);
	pace.arrivals.next_ns = 1 * S;
	uint32_t timed_out = send_at(1 * S + 5 * MS, 0), broken = send_at(1 * S + 5 * MS, 0);
	pace_settle(&pace, &stats, &window, timed_out, 1 * S + 105 * MS, true);
	pace_settle(&pace, &stats, &window, broken, 1 * S + 105 * MS, false);
	pace_settle(&pace, &stats, &window, broken, 1 * S + 205 * MS, true); /* has none any more */
	assert_int_equal(stats.response.count, 1);
	assert_int_equal(stats.response.max_ns, 105 * MS);
	assert_int_equal(stats.completed, 0);
}

static void test_lateness_of_the_client(void **state)
{
	(void)state;
	start(ARRIVALS_CONSTANT, 1000);
	pace.arrivals.next_ns = 1 * S;
	send_at(1 * S + 900 * US, 0);
	assert_int_equal(stats.late, 0);
	send_at(1 * S + 2100 * US, 0); /* due 1.1 ms ago, and free all the time */
	assert_int_equal(stats.late, 1);
	turns[2].free_ns = 1 * S + 50 * MS;
	send_at(1 * S + 50 * MS + 900 * US, 0); /* due long ago, free just now */
	assert_int_equal(stats.late, 1);
	assert_in_range(stats.send_lag.max_ns, 48 * MS, 49 * MS);
}

static void test_interrupted_before_the_window(void **state)
{
	(void)state;
	start(ARRIVALS_CONSTANT, 10000000);
	window = (struct window){ 3600 * S, 7200 * S }; /* not to be counted through */
	send_at(600 * MS, 1 * S);
	pace_finish(&pace, &stats, &window, 700 * MS);
	assert_int_equal(stats.response.count + stats.offered + stats.unfinished, 0);
}

static void test_margin_follows_the_machine(void **state)
{
	(void)state;
	assert_int_equal(pace_sleep_ns(&pace, 10 * MS, 9 * MS), 1 * MS - pace.margin_ns);
	assert_int_equal(pace_sleep_ns(&pace, 10 * MS, 10 * MS - 2 * pace.margin_ns), 0);
	assert_int_equal(pace_sleep_ns(&pace, 10 * MS, 11 * MS), 0);
	for (int i = 0; i < 1000; i++)
		pace_woke(&pace, 3 * US);
	assert_in_range(pace.margin_ns, 2500, 6000);
	for (int i = 0; i < 1000; i++)
		pace_woke(&pace, i % 20 == 0 ? 500 * US : 30 * US); /* rare ones do not count */
	assert_in_range(pace.margin_ns, 27 * US, 40 * US);
	for (int i = 0; i < 4000; i++)
		pace_woke(&pace, i % 8 == 0 ? 90 * US : 30 * US); /* more than one in ten do */
	assert_in_range(pace.margin_ns, 88 * US, 93 * US);
	for (int i = 0; i < 1000; i++)
		pace_woke(&pace, 1 * MS);
	assert_int_equal(pace.margin_ns, MARGIN_MAX_NS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_row_is_first_in_first_out, set_up),
		cmocka_unit_test_setup(test_broken_connections_are_passed_over, set_up),
		cmocka_unit_test_setup(test_a_server_that_keeps_up, set_up),
		cmocka_unit_test_setup(test_stall, set_up),
		cmocka_unit_test_setup(test_overload, set_up),
		cmocka_unit_test_setup(test_dead_server, set_up),
		cmocka_unit_test_setup(test_dead_server_of_a_mix, set_up),
		cmocka_unit_test_setup(test_timeouts_count_and_errors_do_not, set_up),
		cmocka_unit_test_setup(test_lateness_of_the_client, set_up),
		cmocka_unit_test_setup(test_interrupted_before_the_window, set_up),
		cmocka_unit_test_setup(test_margin_follows_the_machine, set_up),
	};
	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
