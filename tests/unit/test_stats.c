/* test_stats.c: the window, the audit, Little's law both ways, and every reason for a verdict. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loadgen/series.c"
#include "loadgen/stats.c"

#define MS UINT64_C(1000000)

static struct result result;
static struct worker_cost worker;

/* Ten connections, one second, 10 ms a request: a run without a flaw. */
static int set_up(void **state)
{
	(void)state;
	memset(&result, 0, sizeof result);
	stats_init(&result.stats);
	struct window window = { 0, 1000 * MS };
	for (uint64_t i = 0; i < 10; i++) {
		struct session s = { .established = true, .answered = true };
		for (uint64_t t = 0; t < 100; t++)
			s.window_count += stats_answer(&result.stats, &window, t * 10 * MS,
			    (t + 1) * 10 * MS - (t == 99));
		audit_add(&result.audit, &s);
	}
	result.stats.in_system_ns = 10 * 1000 * MS;
	result.stats.lifetime = 1000;
	worker = (struct worker_cost){ .cpu_share = 0.5 };
	result.workers = &worker;
	result.worker_count = 1;
	result.elapsed_s = 1;
	return 0;
}

static void test_window(void **state)
{
	(void)state;
	struct window w = { 100, 200 };
	assert_false(window_holds(&w, 99));
	assert_true(window_holds(&w, 100));
	assert_true(window_holds(&w, 199));
	assert_false(window_holds(&w, 200));
	assert_int_equal(window_overlap_ns(&w, 0, 50), 0);
	assert_int_equal(window_overlap_ns(&w, 0, 150), 50);
	assert_int_equal(window_overlap_ns(&w, 120, 150), 30);
	assert_int_equal(window_overlap_ns(&w, 0, 1000), 100);
	assert_int_equal(window_overlap_ns(&w, 150, 1000), 50);
	assert_int_equal(window_overlap_ns(&w, 200, 1000), 0);
	struct window unknown = { UINT64_MAX, UINT64_MAX };
	assert_false(window_holds(&unknown, 12345));
	assert_false(window_holds(&unknown, UINT64_MAX));
	assert_int_equal(window_overlap_ns(&unknown, 0, 12345), 0);
}

static void test_last_answer(void **state)
{
	(void)state;
	static struct stats later, sum;
	stats_init(&later);
	stats_init(&sum);
	assert_int_equal(result.stats.last_ns, 1000 * MS - 1);
	assert_true(stats_answer(&later, &(struct window){ 0, UINT64_MAX }, 7, 1200 * MS));
	stats_merge(&sum, &later);
	stats_merge(&sum, &result.stats);
	assert_int_equal(sum.last_ns, 1200 * MS);
}

static void test_samples_outside_do_not_count(void **state)
{
	(void)state;
	struct window w = { 100, 200 };
	struct stats *t = &result.stats;
	stats_init(t);
	assert_false(stats_answer(t, &w, 50, 99));
	assert_true(stats_answer(t, &w, 50, 150));
	assert_false(stats_answer(t, &w, 150, 250));
	assert_int_equal(t->completed, 1);
	assert_int_equal(t->service.count, 1);
	assert_int_equal(t->service.max_ns, 100); /* its whole age, not the part inside */
}

static void test_known_quantiles(void **state)
{
	(void)state; /* 1,000 samples, all in two buckets */
	assert_true(stats_quantile_is_known(&result.stats.service, 0.9));
	assert_true(stats_quantile_is_known(&result.stats.service, 0.99));
	assert_false(stats_quantile_is_known(&result.stats.service, 0.991));
	result.stats.service.count = 100;
	assert_true(stats_quantile_is_known(&result.stats.service, 0.9));
	assert_false(stats_quantile_is_known(&result.stats.service, 0.99));
	result.stats.service.count = 10000;
	assert_true(stats_quantile_is_known(&result.stats.service, 0.999));
}

static void test_flawless(void **state)
{
	(void)state;
	result_judge(&result);
	assert_int_equal(result.verdict, VERDICT_VALID);
	assert_int_equal(result.reason_count, 0);
	assert_true(result_rate_per_s(&result) == 1000);
	assert_true(result_littles_residual(&result) < 0.001);
	assert_true(audit_fairness(&result.audit) == 1);
	assert_int_equal(result.audit.starved, 0);
}

static void test_audit(void **state)
{
	(void)state;
	struct audit a = { 0 };
	audit_add(
	    &a, &(struct session){ .established = true, .answered = true, .window_count = 4 });
	audit_add(&a, &(struct session){ .established = true, .answered = true });
	audit_add(&a, &(struct session){ .established = true });
	audit_add(&a, &(struct session){ 0 });
	struct session idle = {
		.established = true, .answered = true, .population = POPULATION_IDLE
	};
	audit_add(&a, &idle);
	assert_int_equal(a.requested, 5);
	assert_int_equal(a.established, 4);
	assert_int_equal(a.answered, 3);
	assert_int_equal(a.idle, 1);
	assert_int_equal(a.starved, 3);
	assert_true(audit_fairness(&a) == 0.25); /* one of four has it all */
}

static void test_slow_ones_are_apart(void **state)
{
	(void)state;
	struct audit a = { 0 };
	struct session slow = { .established = true, .answered = true };
	struct session active = { .established = true, .answered = true, .window_count = 4 };
	audit_add(&a, &active);
	slow.population = POPULATION_SLOW_WRITER;
	audit_add(&a, &slow);
	slow.population = POPULATION_SLOW_READER;
	audit_add(&a, &slow);
	assert_int_equal(a.requested, 3);
	assert_int_equal(a.answered, 3);
	assert_int_equal(a.slow, 2);
	assert_int_equal(a.starved, 0);
	assert_true(audit_fairness(&a) == 1);
}

/* What is settled for one target stands in the total and nowhere else. */
static void test_targets_of_a_mix(void **state)
{
	(void)state;
	static struct target_stats targets[2], sums[2];
	static struct stats sum;
	struct window w = { 100, 200 };
	stats_init(&result.stats);
	stats_set_targets(&result.stats, targets, 2);
	stats_settle(&result.stats, &w, 0, 120, 150, true);
	stats_settle(&result.stats, &w, 1, 120, 160, true);
	stats_settle(&result.stats, &w, 1, 120, 250, true); /* unfinished: 80 at the window's end */
	targets[1].sent = 5;
	targets[1].completed = 4;
	targets[1].errors = 1;
	stats_init(&sum);
	stats_set_targets(&sum, sums, 2);
	stats_merge(&sum, &result.stats);
	stats_merge(&sum, &result.stats);
	assert_int_equal(sum.response.count, 6);
	assert_int_equal(sums[0].response.count, 2);
	assert_int_equal(sums[1].response.count, 4);
	assert_int_equal(sums[1].response.max_ns, 80);
	assert_int_equal(sums[1].sent, 10);
	assert_int_equal(sums[1].completed, 8);
	assert_int_equal(sums[1].errors, 2);
	assert_int_equal(sums[0].completed, 0);
}

static void expect(enum verdict verdict, const char *words)
{
	result_judge(&result);
	assert_int_equal(result.verdict, verdict);
	assert_int_equal(result.reason_count, 1);
	assert_non_null(strstr(result.reasons[0], words));
}

static void test_not_established(void **state)
{
	(void)state;
	result.audit.established = 9;
	expect(VERDICT_INVALID, "established 9 of 10");
}

static void test_errors(void **state)
{
	(void)state;
	result.stats.errors[ERROR_BODY] = 1; /* 0.1%: just bearable */
	result_judge(&result);
	assert_int_equal(result.verdict, VERDICT_VALID);
	result.stats.errors[ERROR_RESET] = 1;
	expect(VERDICT_INVALID, "2 errors");
}

static void test_nothing_completed(void **state)
{
	(void)state;
	stats_init(&result.stats);
	result.stats.lifetime = 10;
	result.stats.in_system_ns = 10 * 1000 * MS; /* all in flight, all the time */
	expect(VERDICT_INVALID, "no answer");
}

static void test_gaps_between_requests(void **state)
{
	(void)state;
	result.stats.in_system_ns = 9880 * MS;
	expect(VERDICT_INVALID, "98.8%");
}

static void test_starvation_is_no_error(void **state)
{
	(void)state;
	/* one connection waits the whole second: accounted for, though it completed nothing */
	stats_init(&result.stats);
	result.audit = (struct audit){ 0 };
	struct window window = { 0, 1000 * MS };
	for (uint64_t i = 0; i < 10; i++) {
		struct session s = { .established = true, .answered = true };
		for (uint64_t t = 0; t < 100 && i < 9; t++)
			s.window_count += stats_answer(&result.stats, &window, t * 10 * MS,
			    (t + 1) * 10 * MS - (t == 99));
		audit_add(&result.audit, &s);
	}
	result.stats.lifetime = 901;
	result.stats.in_system_ns = 9 * 1000 * MS + window_overlap_ns(&window, 0, 2000 * MS);
	result_judge(&result);
	assert_int_equal(result.verdict, VERDICT_VALID);
	assert_true(result_littles_residual(&result) > 0.09);
	assert_int_equal(result.audit.starved, 1);
}

static void test_busy_client(void **state)
{
	(void)state;
	worker.cpu_share = 0.86;
	expect(VERDICT_CLIENT_LIMITED, "86% of its CPU");
	worker.cpu_share = 0.85;
	worker.full_wait_share = 0.06;
	expect(VERDICT_CLIENT_LIMITED, "6% of the epoll_wait calls");
}

static void test_late_edges(void **state)
{
	(void)state;
	result.edge_delay_s = 0.06;
	expect(VERDICT_INVALID, "60.0 ms late, over 5%");
}

static void test_suspended(void **state)
{
	(void)state;
	result.clock_jump_s = 3;
	expect(VERDICT_INVALID, "suspended");
}

/* An open loop of 1,000 a second that is in order, but for what the test changes. */
static void open_loop(void)
{
	result.wanted_per_s = 1000;
	result.stats.offered = 1000;
	result.stats.sent = 1000;
	result.stats.in_system_ns = 100 * MS; /* connections may rest */
}

static void test_open_loop(void **state)
{
	(void)state;
	open_loop();
	result.stats.carried = 5; /* as many as chance may bring */
	result.stats.unfinished = 12;
	result.stats.late = 10;
	worker.spin_share = 0.5;
	result_judge(&result);
	assert_int_equal(result.verdict, VERDICT_VALID);
	assert_false(result_fell_behind(&result));
	assert_true(result_achieved_share(&result) == 1);
	result.stats.offered = 100; /* 7% more than before it, and yet no more than by chance */
	assert_false(result_fell_behind(&result));
}

static void test_overload_is_no_error(void **state)
{
	(void)state;
	open_loop();
	result.stats.offered = 2000;
	result.stats.sent = 1500; /* sent is not answered */
	result.stats.unfinished = 1000;
	result_judge(&result);
	assert_int_equal(result.verdict, VERDICT_VALID);
	assert_true(result_fell_behind(&result));
	assert_true(result_achieved_share(&result) == 0.5);
	/* ... unless the client had no time to do better */
	worker.cpu_share = 0.7;
	worker.run_delay_share = 0.2;
	expect(VERDICT_INVALID, "50.0% of the rate");
}

static void test_not_even_one_that_lets_nobody_through(void **state)
{
	(void)state;
	open_loop();
	result.stats.completed = 0;
	result.stats.unfinished = 1000;
	result_judge(&result);
	assert_int_equal(result.verdict, VERDICT_VALID);
}

static void test_late_client(void **state)
{
	(void)state;
	open_loop();
	result.stats.late = 11;
	expect(VERDICT_INVALID, "1.1% of the requests were sent over 1 ms late");
	result.stats.late = 0;
	worker.cpu_share = 0.86;
	expect(VERDICT_CLIENT_LIMITED, "latencies are partly its own");
}

static void test_merge_of_open_loops(void **state)
{
	(void)state;
	struct window w = { 100, 200 };
	struct stats *t = &result.stats;
	static struct stats other;
	stats_init(t);
	stats_init(&other);
	stats_depart(t, &w, 90, 80, 110);      /* carried into the window */
	stats_settle(t, &w, 0, 90, 120, true);
	stats_depart(t, &w, 150, 80, 150);     /* in flight when it ends */
	stats_settle(t, &w, 0, 150, 250, true);
	stats_depart(&other, &w, 160, 80, 210); /* not even sent */
	stats_settle(&other, &w, 0, 160, 220, true);
	stats_depart(&other, &w, 200, 80, 210); /* behind it */
	stats_settle(&other, &w, 0, 200, 220, true);
	stats_merge(t, &other);
	assert_int_equal(t->offered, 2);
	assert_int_equal(t->carried, 1);
	assert_int_equal(t->unfinished, 2);
	assert_int_equal(t->unsent, 1);
	assert_int_equal(t->response.count, 3);
	assert_int_equal(t->response.sum_ns, 30 + 50 + 40);
	assert_int_equal(t->send_lag.count, 3);
	assert_int_equal(t->send_lag.sum_ns, 20 + 0 + 40);
}

static void test_gravest_stays(void **state)
{
	(void)state;
	result.audit.established = 9;
	worker.cpu_share = 1;
	result_judge(&result);
	assert_int_equal(result.verdict, VERDICT_INVALID);
	assert_int_equal(result.reason_count, 2);
}

static void test_hold_only(void **state)
{
	(void)state;
	stats_init(&result.stats);
	result.stats.lifetime = 11;
	result.elapsed_s = 0;
	result_judge(&result);
	assert_int_equal(result.verdict, VERDICT_VALID);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_window),
		cmocka_unit_test_setup(test_last_answer, set_up),
		cmocka_unit_test_setup(test_samples_outside_do_not_count, set_up),
		cmocka_unit_test_setup(test_known_quantiles, set_up),
		cmocka_unit_test_setup(test_flawless, set_up),
		cmocka_unit_test_setup(test_audit, set_up),
		cmocka_unit_test_setup(test_slow_ones_are_apart, set_up),
		cmocka_unit_test_setup(test_targets_of_a_mix, set_up),
		cmocka_unit_test_setup(test_not_established, set_up),
		cmocka_unit_test_setup(test_errors, set_up),
		cmocka_unit_test_setup(test_nothing_completed, set_up),
		cmocka_unit_test_setup(test_gaps_between_requests, set_up),
		cmocka_unit_test_setup(test_starvation_is_no_error, set_up),
		cmocka_unit_test_setup(test_busy_client, set_up),
		cmocka_unit_test_setup(test_late_edges, set_up),
		cmocka_unit_test_setup(test_suspended, set_up),
		cmocka_unit_test_setup(test_open_loop, set_up),
		cmocka_unit_test_setup(test_overload_is_no_error, set_up),
		cmocka_unit_test_setup(test_not_even_one_that_lets_nobody_through, set_up),
		cmocka_unit_test_setup(test_late_client, set_up),
		cmocka_unit_test_setup(test_merge_of_open_loops, set_up),
		cmocka_unit_test_setup(test_gravest_stays, set_up),
		cmocka_unit_test_setup(test_hold_only, set_up),
	};
	return cmocka_run_group_tests_name("stats", tests, NULL, NULL);
}
