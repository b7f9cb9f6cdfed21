/*
 * test_plan.c: plan files: what is accepted, and that each complaint names its place and the cure.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "harness/plan.h"

static const char *const names[] = { "thread", "select", "poll", "epoll" };
static const struct plan_names known = { names, 4 };
static struct plan plan;
static char message[PLAN_MESSAGE_CAP];

static bool parse(const char *text)
{
	message[0] = '\0';
	return plan_parse(&plan, "p.ini", text, known, message);
}

static void assert_complains(const char *text, const char *wanted)
{
	if (parse(text))
		fail_msg("accepted: %s", text);
	if (!strstr(message, wanted))
		fail_msg("\"%s\" lacks \"%s\"", message, wanted);
	assert_null(strchr(message, '\n'));
}

/* --- what is accepted ------------------------------------------------------------------------ */

static void test_defaults(void **state)
{
	(void)state;
	assert_true(parse("[plan]\n[throughput]\nconnections = 10\n"));
	assert_int_equal(plan.experiment_count, 1);
	const struct experiment *e = &plan.experiments[0];
	assert_int_equal(e->kind, EXPERIMENT_THROUGHPUT);
	assert_int_equal(e->server_count, 4);
	assert_int_equal(e->idle.count, 1);
	assert_int_equal(e->idle.values[0], 0);
	assert_string_equal(e->target, "/");
	assert_int_equal(e->blocks, 3);
	assert_int_equal(e->twin, PLAN_NO_TWIN);
}

static void test_everything(void **state)
{
	(void)state;
	assert_true(parse(
	    "; a comment\n[plan]\ntitle = T\nblocks=2\nduration = 1.5s\nwarmup=100ms\nservers = "
	    "epoll, poll\n"
	    "\n[idle] ; and another\nconnections = 1, 1k\nidle = 0, 10k\ntwin = epoll\nblocks = 5\n"
	    "[memory]\nservers = all\nconnections=1k\nhold = 2s\n"
	    "# so too\n[wait]\nconnections = 100\ntarget = /sleep/20"));
	assert_string_equal(plan.title, "T");
	assert_int_equal(plan.experiment_count, 3);
	const struct experiment *idle = &plan.experiments[0];
	assert_int_equal(idle->duration_ns, 1500000000);
	assert_int_equal(idle->warmup_ns, 100000000);
	assert_int_equal(idle->blocks, 5);
	assert_int_equal(idle->server_count, 2);
	assert_int_equal(idle->idle.values[1], 10000);
	assert_string_equal(plan.servers[idle->twin].name, "epoll");
	assert_int_equal(plan.experiments[1].server_count, 4);
	assert_int_equal(plan.experiments[1].hold_ns, 2000000000);
	assert_int_equal(plan.experiments[1].blocks, 2);
	assert_string_equal(plan.experiments[2].target, "/sleep/20");
}

static void test_wait_sleeps_by_default(void **state)
{
	(void)state;
	assert_true(parse("[plan]\n[wait]\nconnections = 1\n"));
	assert_string_equal(plan.experiments[0].target, "/sleep/100");
}

static void test_pipeline(void **state)
{
	(void)state;
	assert_true(parse("[plan]\n[stream]\nconnections = 1\n[throughput]\nconnections = 1\n"));
	assert_int_equal(plan.experiments[0].pipeline, 16);
	assert_int_equal(plan.experiments[1].pipeline, 1);
	assert_true(parse("[plan]\n[stream]\nconnections = 1\npipeline = 1\n"
			  "[ledger]\nconnections = 1\npipeline = 64\n"));
	assert_int_equal(plan.experiments[0].pipeline, 1);
	assert_int_equal(plan.experiments[1].pipeline, 64);
	/* sections that go into one figure are alike in it */
	assert_true(parse("[plan]\n[stream]\nconnections = 1\n[stream]\nconnections = 2\npipeline = 16\n"));
	assert_complains("[plan]\n[stream]\nconnections = 1\n[stream]\nconnections = 2\npipeline = 4\n",
	    "p.ini:4: [stream] has another pipeline than [stream] before: give both the same");
	assert_complains("[plan]\n[throughput]\nconnections = 1\npipeline = 2\n[latency]\nconnections = 1\n",
	    "p.ini:5: rates in % are of the capacity that [throughput] finds: put one before [latency], "
	    "with target / and no idle connections, not pipelined");
	assert_complains("[plan]\n[stream]\npipeline = 0\n",
	    "p.ini:3: pipeline \"0\": use a number from 1 to 64");
	assert_complains("[plan]\n[stream]\npipeline = 65\n", "pipeline \"65\"");
	assert_complains("[plan]\n[stream]\npipeline = 1, 16\n", "pipeline \"1, 16\"");
	assert_complains("[plan]\n[stream]\npipeline = 2\npipeline = 2\n", "is given twice");
	/* what the load generator refuses beside it, and what sends nothing */
	static const char *const others[] = { "mixed", "slow", "cost", "latency", "churn", "batch", "memory" };
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
		char text[64];
		snprintf(text, sizeof(text), "[plan]\n[%s]\npipeline = 4\n", others[i]);
		assert_complains(text, "p.ini:3: \"pipeline\" has no meaning here: only in a closed loop");
	}
	assert_complains("[plan]\npipeline = 4\n", "p.ini:2: \"pipeline\" has no meaning here");
}

static void test_a_variant(void **state)
{
	(void)state;
	assert_true(parse(
	    "[plan]\n[idle]\nconnections=1\nservers = all, select[fd-setsize=16384], epoll\n"));
	const struct experiment *e = &plan.experiments[0];
	assert_int_equal(e->server_count, 5);
	const struct plan_server *s = &plan.servers[e->servers[4]];
	assert_string_equal(s->name, "select+");
	assert_string_equal(s->program, "select");
	assert_string_equal(s->option, "fd-setsize");
	assert_string_equal(s->value, "16384");
}

static const char paced[] =
    "[plan]\nblocks = 2\n[throughput]\nconnections = 10, 1k\ntwin = epoll\n"
    "[cost]\nconnections = 1k\nrates = 10k, 50%, 90%\n"
    "[latency]\nservers = poll, epoll\nconnections = 1k\nrates = 10%, 150%\nslo = 5ms\n";

static void test_rates(void **state)
{
	(void)state;
	assert_true(parse(paced));
	const struct experiment *cost = &plan.experiments[1], *latency = &plan.experiments[2];
	assert_int_equal(cost->rates.count, 3);
	assert_int_equal(cost->rates.values[0].per_s, 10000);
	assert_int_equal(cost->rates.values[1].per_s, 0);
	assert_int_equal(cost->rates.values[1].percent, 50);
	assert_int_equal(latency->rates.values[1].percent, 150);
	assert_int_equal(latency->slo_ns, 5000000);
	assert_true(parse("[plan]\n[throughput]\nconnections=1\n[latency]\nconnections = 1\n"));
	assert_int_equal(plan.experiments[1].rates.count, 8);
	assert_int_equal(plan.experiments[1].slo_ns, 10000000);
	/* numbers alone need no capacity; mixed has one of them */
	assert_true(parse("[plan]\n[cost]\nconnections = 1\nrates = 1, 2k\n[mixed]\nconnections=1\n"));
	assert_int_equal(plan.experiments[1].rates.count, 1);
	assert_int_equal(plan.experiments[1].rates.values[0].per_s, 10000);
}

/* As other systems' editors leave it. */
static void test_marked_and_with_cr(void **state)
{
	(void)state;
	assert_true(parse("\xef\xbb\xbf[plan]\r\nblocks = 2\r\n[idle]\r\nconnections = 1, 2\r\n"));
	assert_int_equal(plan.experiments[0].blocks, 2);
	assert_int_equal(plan.experiments[0].connections.count, 2);
}

/* --- what is not ----------------------------------------------------------------------------- */

static void test_complaints(void **state)
{
	static const struct {
		const char *text, *wanted;
	} cases[] = {
		{ "", "p.ini:1: no experiment" },
		{ "[plan]\n", "no experiment" },
		{ "x = 1\n", "p.ini:1: \"x\" stands before any section" },
		{ "[throughput]\nconnections=1\n", "p.ini:1: begin with [plan]" },
		{ "[plan]\n\n[speed]\n",
		    "p.ini:3: unknown experiment [speed]: use throughput, idle, memory, wait, churn" },
		{ "[plan]\n[plan]\n", "p.ini:2: [plan] comes first" },
		{ "[plan]\n[idle]\nconnections=1\n[idle]\nconnections=2,1\n",
		    "p.ini:4: [idle] stands there twice with the same connections" },
		{ "[plan]\ncolour = red\n",
		    "p.ini:2: unknown key \"colour\" here: use title, servers" },
		{ "[plan]\nconnections = 1\n", "p.ini:2: unknown key \"connections\"" },
		{ "[plan]\n[memory]\nduration = 1s\n", "p.ini:3: unknown key \"duration\"" },
		{ "[plan]\n[idle]\nslow = 1\n", "p.ini:3: unknown key \"slow\"" },
		{ "[plan]\n[file]\ncache = hot\n", "p.ini:3: cache \"hot\": use warm, cold or both" },
		{ "[plan]\n[file]\ncache = cold, cold\n", "cache: cold stands there twice" },
		{ "[plan]\n[idle]\nhold = 1s\n", "p.ini:3: unknown key \"hold\"" },
		{ "[plan]\nblocks = 1\nblocks = 2\n", "p.ini:3: \"blocks\" is given twice" },
		{ "[plan]\nblocks = 0\n", "p.ini:2: blocks \"0\": use a number from 1 to 100" },
		{ "[plan]\nblocks = many\n", "blocks \"many\"" },
		{ "[plan]\nduration = 5 parsecs\n", "p.ini:2: duration \"5 parsecs\": use a time" },
		{ "[plan]\nduration = 1ms\n", "from 100ms to 1h" },
		{ "[plan]\nservers = epol\n",
		    "p.ini:2: server \"epol\" does not exist: use all, or of thread, select" },
		{ "[plan]\nservers = \n", "p.ini:2: no server" },
		{ "[plan]\nservers = select[fd=1\n", "is not written NAME[option=value]" },
		{ "[plan]\nservers = select[a=1], select[a=2]\n", "one variant" },
		{ "[plan]\n[idle]\nconnections = 1, 0\n",
		    "p.ini:3: connections \"0\": use counts from 1" },
		{ "[plan]\n[idle]\nconnections = 1 2\n", "connections \"1 2\"" },
		{ "[plan]\n[idle]\nconnections = 1k, 1000\n", "1000 stands there twice" },
		{ "[plan]\n[idle]\nconnections = ,\n", "give at least one" },
		{ "[plan]\n[idle]\nconnections=1\ntarget = sleep\n", "p.ini:4: target \"sleep\"" },
		{ "[plan]\n[idle]\nidle = 1\n", "p.ini:2: [idle] needs \"connections\"" },
		{ "[plan]\n[idle]\n[wait]\nconnections = 1\n", "p.ini:2: [idle] needs" },
		{ "[plan]\n[idle]\nconnections=1\ntwin = nginx\n",
		    "p.ini:2: twin \"nginx\" is none" },
		{ "[plan]\nservers=poll\n[idle]\nconnections=1\ntwin = epoll\n",
		    "twin \"epoll\" is none" },
		{ "[plan]\n[idle]\nconnections=1\nrates = 10k\n", "unknown key \"rates\"" },
		{ "[plan]\n[cost]\nconnections=1\nslo = 1ms\n", "unknown key \"slo\"" },
		{ "[plan]\n[cost]\nconnections=1\nrates = 10k, 0\n", "p.ini:4: rate \"0\": use" },
		{ "[plan]\n[cost]\nconnections=1\nrates = 2000%\n", "rate \"2000%\": use" },
		{ "[plan]\n[cost]\nconnections=1\nrates = %\n", "rate \"%\": use" },
		{ "[plan]\n[cost]\nconnections=1\nrates = 1k, 1000\n", "1000 stands there twice" },
		{ "[plan]\n[mixed]\nconnections=1\nrate = 50%\n", "use one number" },
		{ "[plan]\n[cost]\nconnections=1\nrates = 50%\n",
		    "p.ini:2: rates in % are of the capacity that [throughput] finds: put one before" },
		{ "[plan]\n[latency]\nconnections=1\n[throughput]\nconnections=1\n",
		    "p.ini:2: rates in %" },
		{ "[plan]\n[throughput]\nconnections=10\n[cost]\nconnections=1k\n",
		    "p.ini:4: rates in % of [cost] need the capacity with 1k connections: add 1k" },
		{ "[plan]\n[throughput]\nconnections=1\nservers=poll\n[cost]\nconnections=1\n",
		    "need the capacity of thread: add it" },
		{ "[plan]\n[throughput]\nconnections=1\ntarget=/bytes/9\n[cost]\nconnections=1\n",
		    "with target / and no idle" },
		{ "[plan]\nhello\n", "p.ini:2: this is neither" },
		{ "[plan\n", "p.ini:1: no ] behind [plan" },
		{ "[plan]\n[idle\nconnections=1\n", "p.ini:2: no ] behind [idle" },
		{ "[plan]\n[latency]\nslo = 0\n", "p.ini:3: slo \"0\": use a time from 0.01ms" },
		{ "[plan]\n[idle]\nconnections=1\n[idle]\nconnections=2\ntarget=/bytes/9\n",
		    "p.ini:4: [idle] has another target than [idle] before" },
		{ "[plan]\n[mixed]\nconnections=1\n[mixed]\nconnections=2\nrate=2k\n",
		    "another rate" },
		{ "[plan]\n[latency]\nconnections=1\nrates=1k\nslo=1ms\n"
		  "[latency]\nconnections=2\nrates=2k\n", "another slo" },
	};
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_complains(cases[i].text, cases[i].wanted);
}

static void test_a_long_line(void **state)
{
	(void)state;
	char text[1024];
	int len = snprintf(text, sizeof(text), "[plan]\ntitle = ");
	memset(text + len, 'x', 900);
	text[len + 900] = '\0';
	assert_complains(text, "p.ini:2: line of more than");
}

/* Whatever stands in the file: an answer, no crash; a complaint is one line. */
static void test_noise(void **state)
{
	static const char alphabet[] =
	    "[]=;# \n\n,plan idle throughput connections servers 10k epoll 1s/";
	(void)state;
	srand(7);
	for (int i = 0; i < 20000; i++) {
		char text[200];
		int len = snprintf(text, sizeof(text), "[plan]\n[idle]\nconnections = 1\n");
		int more = rand() % 100;
		for (int k = 0; k < more; k++)
			text[len++] = alphabet[(size_t)rand() % (sizeof(alphabet) - 1)];
		text[len] = '\0';
		if (!parse(text))
			assert_true(strncmp(message, "p.ini:", 6) == 0 && !strchr(message, '\n'));
	}
}

/* --- the command line's changes -------------------------------------------------------------- */

static const char two_experiments[] =
    "[plan]\n[throughput]\nconnections = 1, 10\ntwin = epoll\nservers = all, select[fd-setsize=9]\n"
    "[idle]\nconnections = 100\nidle = 0, 1k\ntwin = epoll\nblocks = 1\n";

static void test_all_but_one(void **state)
{
	(void)state;
	assert_true(parse("[plan]\nservers = all, -poll\n[idle]\nconnections=1\n"));
	const struct experiment *e = &plan.experiments[0];
	assert_int_equal(e->server_count, 3);
	for (uint32_t i = 0; i < e->server_count; i++)
		assert_string_not_equal(plan.servers[e->servers[i]].name, "poll");
	assert_complains("[plan]\nservers = epoll, -poll\n[idle]\nconnections=1\n",
	    "-poll: no such server stands before it");
}

static void test_sections_of_one_experiment(void **state)
{
	(void)state;
	assert_true(parse("[plan]\n[idle]\nconnections=1\nidle=1k\nblocks=5\n"
	    "[wait]\nconnections=1\n[idle]\nconnections=1\nidle=0\nblocks=1\n"));
	assert_int_equal(plan.experiment_count, 3);
	struct plan_changes changes = { .experiments = "idle" };
	assert_true(plan_change(&plan, &changes, known, message));
	assert_int_equal(plan.experiment_count, 2);
	assert_int_equal(plan.experiments[1].blocks, 1);
}

static void test_changes(void **state)
{
	(void)state;
	assert_true(parse(two_experiments));
	struct plan_changes changes = {
		.servers = "poll, select+", .experiments = "throughput", .blocks = 7
	};
	assert_true(plan_change(&plan, &changes, known, message));
	assert_int_equal(plan.experiment_count, 1);
	assert_int_equal(plan.experiments[0].blocks, 7);
	assert_int_equal(plan.experiments[0].server_count, 2);
	assert_string_equal(plan.servers[plan.experiments[0].servers[1]].value, "9");
	assert_int_equal(
	    plan.experiments[0].twin, PLAN_NO_TWIN); /* epoll is not there to be repeated */
}

static void test_changes_that_make_no_sense(void **state)
{
	(void)state;
	assert_true(parse(two_experiments));
	struct plan_changes changes = { .servers = "nginx" };
	assert_false(plan_change(&plan, &changes, known, message));
	assert_non_null(strstr(message, "--servers: server \"nginx\" does not exist"));
	changes = (struct plan_changes){ .experiments = "wait" };
	assert_false(plan_change(&plan, &changes, known, message));
	assert_non_null(
	    strstr(message, "--experiments: the plan has no \"wait\": use throughput, idle"));
	changes = (struct plan_changes){ .experiments = "," };
	assert_false(plan_change(&plan, &changes, known, message));
	assert_true(parse(paced));
	changes = (struct plan_changes){ .experiments = "cost" };
	assert_false(plan_change(&plan, &changes, known, message));
	assert_non_null(strstr(message, "put one before [cost]"));
	assert_true(parse(paced));
	changes = (struct plan_changes){ .experiments = "cost, throughput", .servers = "epoll" };
	assert_true(plan_change(&plan, &changes, known, message));
}

static void test_counts(void **state)
{
	static const struct {
		uint32_t count;
		const char *text;
	} cases[] = {
		{ 0, "0" },
		{ 1, "1" },
		{ 999, "999" },
		{ 1000, "1k" },
		{ 1020, "1020" },
		{ 1500, "1.5k" },
		{ 10000, "10k" },
		{ 16384, "16384" },
		{ 1000000, "1M" },
		{ 2500000, "2.5M" },
	};
	char out[PLAN_NAME_CAP];
	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		assert_string_equal(plan_format_count(out, cases[i].count), cases[i].text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_everything),
		cmocka_unit_test(test_all_but_one),
		cmocka_unit_test(test_sections_of_one_experiment),
		cmocka_unit_test(test_wait_sleeps_by_default),
		cmocka_unit_test(test_pipeline),
		cmocka_unit_test(test_a_variant),
		cmocka_unit_test(test_rates),
		cmocka_unit_test(test_marked_and_with_cr),
		cmocka_unit_test(test_complaints),
		cmocka_unit_test(test_a_long_line),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_changes_that_make_no_sense),
		cmocka_unit_test(test_counts),
	};
	return cmocka_run_group_tests_name("plan", tests, NULL, NULL);
}
