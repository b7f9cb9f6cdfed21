/* test_verdict.c: which cells are believed; how snapshots are subtracted. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/tasks.h"
#include "harness/verdict.h"

static struct row row;
static double server_cpu; /* measured beside the facts */

/* A cell with nothing wrong. */
static struct verdict_facts good(void)
{
	return (struct verdict_facts){
		.requested = 1000, .established = 1000, .answered = 1000, .completed = 100000,
		.has_server_requests = true, .server_requests = 150000, .client_requests = 150000,
		.client_verdict = "valid", .client_reasons = "", .last_words = "",
	};
}

static void assert_verdict(struct verdict_facts facts, enum verdict verdict, const char *reason)
{
	row = (struct row){ .metrics[METRIC_SERVER_CPU] = server_cpu };
	verdict_judge(&row, &facts);
	assert_int_equal(row.verdict, verdict);
	if (!strstr(row.reason, reason) || (reason[0] == '\0' && row.reason[0]))
		fail_msg("\"%s\" lacks \"%s\"", row.reason, reason);
}

static void test_valid(void **state)
{
	(void)state;
	struct verdict_facts facts = good();
	assert_verdict(facts, VERDICT_VALID, "");
	facts.has_server_requests =
	    false; /* a server without /stats is judged by the client alone */
	facts.server_requests = 0;
	assert_verdict(facts, VERDICT_VALID, "");
}

static void test_connections(void **state)
{
	(void)state;
	struct verdict_facts facts = good();
	facts.established = 999;
	assert_verdict(facts, VERDICT_INVALID, "established 999 of 1000");
	facts = good();
	facts.answered = 1;
	assert_verdict(facts, VERDICT_INVALID, "answered 1 of 1000");
}

static void test_refused(void **state)
{
	(void)state;
	struct verdict_facts facts = good();
	facts.established = 1000;
	facts.answered = 600;
	facts.refused = 400;
	facts.last_words = "no more threads";
	assert_verdict(
	    facts, VERDICT_UNSUPPORTED, "refused 400 of 1000 connections: no more threads");
	facts.answered = 1000; /* it turned someone else away */
	assert_verdict(facts, VERDICT_VALID, "");
}

static void test_errors(void **state)
{
	(void)state;
	struct verdict_facts facts = good();
	facts.errors = 100;
	assert_verdict(facts, VERDICT_VALID, "");
	facts.errors = 101;
	assert_verdict(facts, VERDICT_INVALID, "101 errors in 100101 requests");
}

static void test_both_counts(void **state)
{
	(void)state;
	struct verdict_facts facts = good();
	facts.in_flight = 10;
	facts.server_requests -= 10;
	assert_verdict(facts, VERDICT_VALID, "");
	facts.server_requests -= 1;
	assert_verdict(
	    facts, VERDICT_INVALID, "the server counted 149989 requests, the client sent 150000");
	facts.server_requests = facts.client_requests + 11;
	assert_verdict(facts, VERDICT_INVALID, "the server counted 150011");
}

static void test_clock(void **state)
{
	(void)state;
	struct verdict_facts facts = good();
	facts.clock_step_ns = 2500000000;
	assert_verdict(facts, VERDICT_INVALID, "suspended for 2.500 s");
	facts.clock_step_ns = -40; /* two clocks are not read at once */
	assert_verdict(facts, VERDICT_VALID, "");
}

static void test_the_client_says(void **state)
{
	(void)state;
	struct verdict_facts facts = good();
	facts.client_verdict = "client-limited";
	facts.client_reasons = "a worker used 97% of its CPU";
	assert_verdict(facts, VERDICT_CLIENT_LIMITED, "97%");
	facts.answered = 999; /* the worse finding is the verdict */
	assert_verdict(facts, VERDICT_INVALID, "answered 999");
	facts = good();
	facts.client_verdict = "invalid";
	assert_verdict(facts, VERDICT_INVALID, "the load generator says so");
	facts.client_reasons = "Little's law is broken";
	facts.established = 1;
	assert_verdict(
	    facts, VERDICT_INVALID, "established 1 of 1000 connections; Little's law is broken");
}

/* An open loop that falls behind is a finding about a busy server, and nothing about an idle one. */
static void test_overload(void **state)
{
	(void)state;
	struct verdict_facts facts = good();
	facts.offered = 100000;
	facts.carried = 20;
	facts.unfinished = 900; /* fewer than 1% more than at the beginning */
	assert_verdict(facts, VERDICT_VALID, "");
	assert_string_equal(row.marks, "");
	facts.unfinished = 20020;
	server_cpu = 0.97;
	assert_verdict(facts, VERDICT_VALID, "");
	assert_string_equal(row.marks, "overloaded");
	server_cpu = 0.5;
	assert_verdict(
	    facts, VERDICT_INVALID, "80.0% of the rate was achieved while the server used 0.50 CPUs");
	facts.may_idle = true; /* a pool whose places slow clients hold */
	assert_verdict(facts, VERDICT_VALID, "");
	assert_string_equal(row.marks, "overloaded");
	facts.may_idle = false;
	facts.client_verdict = "invalid"; /* a client that cannot send is no finding either */
	facts.client_reasons = "the client cannot keep this rate";
	server_cpu = 0.97;
	assert_verdict(facts, VERDICT_INVALID, "the client cannot keep this rate");
	facts = good(); /* few requests: what is in flight at an edge varies by chance */
	facts.offered = 1000;
	facts.carried = 40;
	facts.unfinished = 60;
	server_cpu = 0.1;
	assert_verdict(facts, VERDICT_VALID, "");
	server_cpu = 0;
}

static void test_snapshots(void **state)
{
	struct task before[] = { { 10, 5, 1, 1000, 10 }, { 11, 7, 2, 2000, 20 },
		{ 12, 9, 9, 9000, 90 } };
	struct task after[] = { { 10, 15, 2, 1500, 11 }, { 12, 9, 9, 9000, 90 },
		{ 13, 3, 1, 700, 7 } };
	struct snapshot a = { .tasks = before,
		.count = 3,
		.begin_ns = 1000000000,
		.end_ns = 1200000000,
		.user_us = 100000,
		.system_us = 200000,
		.minor_faults = 100,
		.major_faults = 7,
		.has_schedstat = true };
	struct snapshot b = { .tasks = after,
		.count = 3,
		.begin_ns = 3000000000,
		.end_ns = 3400000000,
		.user_us = 400000,
		.system_us = 1100000,
		.minor_faults = 150,
		.major_faults = 8,
		.has_schedstat = true };
	(void)state;
	struct snapshot_difference d = snapshot_subtract(&a, &b);
	assert_int_equal(d.voluntary, 10 + 3); /* 11 has ended, 13 is new */
	assert_int_equal(d.involuntary, 1 + 1);
	assert_int_equal(d.cpu_ns, 500 + 700);
	assert_int_equal(d.wait_ns, 1 + 7);
	assert_int_equal(d.distance_ns, 2100000000);
	assert_int_equal(d.user_us, 300000);
	assert_int_equal(d.system_us, 900000);
	assert_int_equal(d.minor_faults, 50);
	assert_int_equal(d.major_faults, 1);
	b.system_us = 190000;
	assert_true(snapshot_subtract(&a, &b).system_us < 0); /* a child has ended unreaped */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_valid),
		cmocka_unit_test(test_connections),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_both_counts),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_the_client_says),
		cmocka_unit_test(test_overload),
		cmocka_unit_test(test_snapshots),
	};
	return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
