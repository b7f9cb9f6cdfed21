/* test_report.c: what the report says about made rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report_answers.h"
#include "harness/report_fits.h"
#include "harness/report_phrases.h"

static struct report_server servers[] = {
	{ .name = "thread", .family = "thread", .style = 0, .source_lines = 100 },
	{ .name = "poll", .family = "readiness", .style = 1, .source_lines = 120 },
	{ .name = "epoll", .family = "readiness", .style = 2, .source_lines = 140 },
	{ .name = "nginx", .family = "reference", .style = 3 },
	{ .name = "libev", .family = "library", .style = 4, .source_lines = 200 },
	{ .name = "libuv", .family = "library", .style = 5, .source_lines = 250 },
	{ .name = "coro", .family = "coroutine", .style = 6, .source_lines = 100 },
	{ .name = "go", .family = "coroutine", .style = 7, .source_lines = 180 },
};
enum { THREAD, POLL, EPOLL, NGINX, LIBEV, LIBUV, CORO, GO, SERVERS, BLOCKS = 5, CELLS_MAX = 400 };

/* Rows of one test; nothing here is freed but the pool and what grouping allocates. */
static struct report_cell_row rows[CELLS_MAX];
static struct report_data data;

static int setup(void **state)
{
	(void)state;
	data = (struct report_data){ .servers = servers, .server_count = SERVERS, .cells = rows };
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(data.points);
	report_text_free(&data.pool);
	return 0;
}

/* One cell a block, at rates rate * (1 +- 0.4%), so that every interval is narrow. */
static struct report_cell_row *add_blocks(const char *experiment, int server, bool twin,
    long connections, long idle, double rate)
{
	struct report_cell_row *first = &rows[data.cell_count];
	for (long rep = 1; rep <= BLOCKS; rep++) {
		struct report_cell_row *cell = &rows[data.cell_count++];
		*cell = (struct report_cell_row){
			.experiment = experiment, .target = "/", .reason = "", .marks = "",
			.blank = "", .loadgen = "", .log = "", .server = &servers[server],
			.twin = twin, .connections = connections, .idle = idle, .rep = rep,
			.position = (long)data.cell_count, .verdict = VERDICT_VALID,
		};
		for (int m = 0; m < REPORT_METRICS; m++)
			cell->metric[m] = (double)NAN;
		cell->metric[METRIC_RATE_PER_S] = rate * (1 + 0.002 * (double)(rep - 3));
	}
	return first;
}

static void set_verdict(struct report_cell_row *first, enum verdict verdict, const char *reason)
{
	for (int i = 0; i < BLOCKS; i++) {
		first[i].verdict = verdict;
		first[i].reason = reason;
		if (verdict != VERDICT_CLIENT_LIMITED)
			first[i].metric[METRIC_RATE_PER_S] = (double)NAN;
	}
}

/* The answer to one topic; "" when there is none. */
static const char *answer(const char *topic)
{
	static struct report_answer answers[REPORT_ANSWERS_MAX];
	report_data_group(&data);
	size_t count = report_answers(&data, answers);
	for (size_t i = 0; i < count; i++)
		if (!strcmp(answers[i].topic, topic))
			return answers[i].text;
	return "";
}

static void assert_says(const char *text, const char *part)
{
	if (!text || !strstr(text, part))
		fail_msg("\"%s\" lacks \"%s\"", text ? text : "", part);
}

static void assert_silent(const char *text, const char *part)
{
	if (!text || strstr(text, part))
		fail_msg("\"%s\" says \"%s\"", text ? text : "", part);
}

/* The p99 of the light requests, and what it takes: times over time. */
static void add_mixed(int server, double p99_us)
{
	struct report_cell_row *first = add_blocks("mixed", server, false, 100, 0, 10000);
	for (int i = 0; i < BLOCKS; i++) {
		first[i].metric[METRIC_P99_US] = p99_us;
		first[i].metric[METRIC_OFFERED_PER_S] = 10000;
	}
}

static void test_mixed(void **state)
{
	(void)state;
	add_mixed(EPOLL, 30e3);
	assert_string_equal(answer("Heavy among light"), "");
	add_mixed(THREAD, 2e3);
	const char *text = answer("Heavy among light");
	assert_says(text, "at 10.0k requests/s on 100 connections: with {thread} the p99");
	assert_says(text, "behind the heavy one: {epoll} **15.0x [15.0, 15.0]**.");
	assert_silent(text, "Other threads");
	assert_silent(text, "Not shown");
	set_verdict(add_blocks("mixed", POLL, false, 100, 0, 10000), VERDICT_INVALID, "late");
	assert_says(answer("Heavy among light"), "Not shown: {poll} is invalid: late.");
}

static void test_memory(void **state)
{
	(void)state;
	struct report_cell_row *thread = add_blocks("memory", THREAD, false, 1000, 0, 1);
	struct report_cell_row *epoll = add_blocks("memory", EPOLL, false, 1000, 0, 1);
	for (int i = 0; i < BLOCKS; i++) {
		thread[i].metric[METRIC_BYTES_PER_CONN] = 40960;
		epoll[i].metric[METRIC_BYTES_PER_CONN] = 4096;
	}
	set_verdict(add_blocks("memory", POLL, false, 1000, 0, 1), VERDICT_FAILED, "ended");
	assert_says(answer("Memory"),
	    "{thread} takes **10.0x [10.0, 10.0]** what {epoll} does.\nNot shown: {poll} is failed: ended.");
}

/* Two that are no loop among loops, and yet not simply preempted. */
static void test_mixed_sharing(void **state)
{
	(void)state;
	servers[POLL].name = "tokio", servers[EPOLL].name = "epoll-oneshot";
	add_mixed(THREAD, 2e3);
	add_mixed(POLL, 10e3);
	add_mixed(EPOLL, 24e3);
	const char *text = answer("Heavy among light");
	assert_says(text, "it is preempted for them: {tokio} **5.00x");
	assert_says(text, "in a batch with a heavy one waits for it: {epoll-oneshot} **12.0x");
	servers[POLL].name = "poll", servers[EPOLL].name = "epoll";
}

/* Once in five runs one was left out: no reason to name the server, nor to say it missed none. */
static void test_fairness(void **state)
{
	(void)state;
	static const double starved[] = { 0, 300, 0 };
	static const int who[] = { EPOLL, THREAD, POLL };
	for (int i = 0; i < 3; i++) {
		struct report_cell_row *first = add_blocks("throughput", who[i], false, 1000, 0, 1e5);
		for (int k = 0; k < BLOCKS; k++)
			first[k].metric[METRIC_STARVED] = starved[i] + (who[i] == POLL && k == 2);
	}
	const char *text = answer("Fairness");
	assert_says(text, "{thread} left **300");
	assert_says(text, "{epoll} answered every one");
	assert_silent(text, "{poll}");
}

static void test_ranked(void **state)
{
	(void)state;
	add_blocks("idle", EPOLL, false, 100, 10000, 200e3);
	add_blocks("idle", POLL, false, 100, 10000, 50e3);
	add_blocks("idle", EPOLL, false, 100, 0, 200e3);
	add_blocks("idle", POLL, false, 100, 0, 200e3);
	const char *text = answer("Mostly idle");
	assert_says(text, "{epoll} serves **4.00x [4.00, 4.00]** what {poll} does");
	assert_says(text, "they keep: {poll} 25.0% [25.0%, 25.0%]; at least 95%: {epoll}.");
}

static void test_tie(void **state)
{
	(void)state;
	add_blocks("throughput", EPOLL, false, 10000, 0, 150e3);
	add_blocks("throughput", POLL, false, 10000, 0, 149e3);
	add_blocks("throughput", THREAD, false, 10000, 0, 60e3);
	const char *text = answer("All busy");
	assert_says(text, "{epoll} has the highest median, **150k [149k, 151k] requests/s**");
	assert_says(text, "A tie with it: {poll}.");
	assert_says(text, "Against it: {thread} 0.40x");
}

/* Whatever it does, no sentence names it. */
static void test_reference(void **state)
{
	(void)state;
	add_blocks("throughput", EPOLL, false, 10000, 0, 150e3);
	add_blocks("throughput", POLL, false, 10000, 0, 149e3);
	add_blocks("throughput", NGINX, false, 10000, 0, 300e3);
	add_blocks("throughput", NGINX, false, 20000, 0, 300e3);
	const char *text = answer("All busy");
	assert_says(text, "With 10,000 busy connections {epoll} has the highest median");
	assert_says(text, "A tie with it: {poll}.");
	assert_silent(text, "nginx");
}

static void test_undecided(void **state)
{
	(void)state;
	add_blocks("throughput", EPOLL, false, 10000, 0, 150e3);
	struct report_cell_row *poll = add_blocks("throughput", POLL, false, 10000, 0, 145e3);
	poll[0].metric[METRIC_RATE_PER_S] *= 1.04; /* the interval reaches across the edge */
	assert_says(answer("All busy"), "Against it, but undecided: {poll} 0.9");
}

/* By the ratios that are said: medians also differ by the blocks that they are from. */
static void test_nearest_first(void **state)
{
	(void)state;
	struct report_cell_row *epoll = add_blocks("throughput", EPOLL, false, 10000, 0, 200e3);
	struct report_cell_row *poll = add_blocks("throughput", POLL, false, 10000, 0, 90e3);
	struct report_cell_row *thread = add_blocks("throughput", THREAD, false, 10000, 0, 110e3);
	for (int i = 0; i < 3; i++)
		poll[i].verdict = VERDICT_INVALID;
	for (int i = 3; i < BLOCKS; i++)
		epoll[i].metric[METRIC_RATE_PER_S] /= 2;
	for (int i = 2; i < BLOCKS; i++)
		thread[i].verdict = VERDICT_INVALID;
	assert_says(answer("All busy"), "{poll} 0.90x [0.90, 0.90] and {thread} 0.55x [0.55, 0.55].");
}

/* One server's missing blocks are no reason to say that of the others. */
static void test_undecided_reasons(void **state)
{
	(void)state;
	add_blocks("throughput", EPOLL, false, 10000, 0, 150e3);
	struct report_cell_row *poll = add_blocks("throughput", POLL, false, 10000, 0, 145e3);
	struct report_cell_row *thread = add_blocks("throughput", THREAD, false, 10000, 0, 60e3);
	thread[0].metric[METRIC_RATE_PER_S] *= 3;
	for (int i = 1; i < BLOCKS; i++)
		poll[i].verdict = VERDICT_INVALID;
	const char *text = answer("All busy");
	assert_says(text, "but undecided: {thread} 0.40x [0.40, 1.20].");
	assert_says(text, "but too few blocks to decide: {poll} 0.97x.");
}

/* A batch that the load generator held up is no measure of the server. */
static void test_limited_batch(void **state)
{
	(void)state;
	set_verdict(add_blocks("batch", EPOLL, false, 100, 0, 1), VERDICT_CLIENT_LIMITED, "");
	add_blocks("batch", THREAD, false, 100, 0, 1);
	report_data_group(&data);
	assert_int_equal(data.point_count, 2);
	assert_true(report_compare(&data, &data.points[0], &data.points[1], METRIC_BATCH_MEAN_S).limited);
}

/* A point with figures says why it is a bound, not why another of its blocks was lost. */
static void test_reason_of_verdict(void **state)
{
	(void)state;
	struct report_cell_row *cells = add_blocks("throughput", EPOLL, false, 100, 0, 150e3);
	set_verdict(cells, VERDICT_CLIENT_LIMITED, "worker at 97%");
	cells[0].verdict = VERDICT_INVALID;
	cells[0].reason = "errors";
	report_data_group(&data);
	assert_string_equal(data.points[0].reason, "worker at 97%");
}

/* What the A/A pair shows at the same load decides nothing, however narrow the interval. */
static void test_within_drift(void **state)
{
	(void)state;
	add_blocks("throughput", EPOLL, false, 10000, 0, 150e3);
	add_blocks("throughput", EPOLL, true, 10000, 0, 140e3);
	add_blocks("throughput", POLL, false, 10000, 0, 140.2e3); /* a hair's breadth within */
	add_blocks("throughput", THREAD, false, 10000, 0, 60e3);
	const char *text = answer("All busy");
	assert_says(text, "\nAgainst it, but undecided: {poll} 0.93x [0.93, 0.93].\nAgainst it: {thread} 0.40x");
	const struct report_point *worst;
	assert_true(fabs(report_drift(&data, &worst) - 10.0 / 150) < 1e-9);
}

static void test_few_blocks(void **state)
{
	(void)state;
	add_blocks("throughput", EPOLL, false, 10000, 0, 150e3);
	data.cell_count = 1;
	add_blocks("throughput", THREAD, false, 10000, 0, 60e3);
	data.cell_count = 2;
	const char *text = answer("All busy");
	assert_says(text, "**149k requests/s**"); /* one run has no interval */
	assert_says(text, "too few blocks to decide: {thread} 0.40x.");
}

static void test_client_limited(void **state)
{
	(void)state;
	add_blocks("throughput", POLL, false, 10000, 0, 100e3);
	set_verdict(add_blocks("throughput", EPOLL, false, 10000, 0, 150e3), VERDICT_CLIENT_LIMITED,
	    "worker at 97%");
	set_verdict(add_blocks("idle", EPOLL, false, 100, 10000, 200e3), VERDICT_CLIENT_LIMITED, "");
	add_blocks("idle", POLL, false, 100, 10000, 50e3);
	const char *text = answer("All busy");
	assert_says(text, "the bottleneck for {epoll} >= 150k [149k, 151k] requests/s: lower bounds");
	assert_says(text, "{poll} has the highest median, **100k [99.6k, 100k] requests/s**, below 1 of those");
	assert_silent(text, "{epoll} 1.5");
	assert_says(answer("Mostly idle"), "{epoll} serves >= **4.00x [4.00, 4.00]** what {poll} does");
}

/* Of many bounds the ends are said; those that are ranked stand in their order. */
static void test_many_client_limited(void **state)
{
	(void)state;
	add_blocks("throughput", THREAD, false, 10000, 0, 60e3);
	add_blocks("throughput", POLL, false, 10000, 0, 80e3);
	add_blocks("throughput", GO, false, 10000, 0, 100e3);
	const char *text = answer("All busy");
	assert_says(text, "Against it: {poll} 0.80x [0.80, 0.80] and {thread} 0.60x");
	static const int limited[] = { LIBEV, EPOLL, CORO, LIBUV };
	for (size_t i = 0; i < 4; i++)
		set_verdict(add_blocks("throughput", limited[i], false, 10000, 0, 150e3 + (double)i * 1e3),
		    VERDICT_CLIENT_LIMITED, "worker at 97%");
	text = answer("All busy");
	assert_says(text, "bottleneck for {libuv} >= 153k [152k, 154k], {coro} >= 152k");
	data.cell_count = 0;
	add_blocks("throughput", GO, false, 10000, 0, 100e3);
	static const int more[] = { LIBEV, EPOLL, CORO, LIBUV, POLL };
	for (size_t i = 0; i < 5; i++)
		set_verdict(add_blocks("throughput", more[i], false, 10000, 0, 150e3 + (double)i * 10e3),
		    VERDICT_CLIENT_LIMITED, "worker at 97%");
	text = answer("All busy");
	assert_says(text, "for 5 of 6 servers, from {libev} >= 150k [149k, 151k] to {poll} >= 190k");
	assert_says(text, "Of the others {go} has the highest median, **100k [99.6k, 100k] requests/s**, below 5 of");
	assert_silent(text, "{coro}");
}

static void test_client_limited_below(void **state)
{
	(void)state;
	add_blocks("throughput", POLL, false, 10000, 0, 100e3);
	set_verdict(add_blocks("throughput", EPOLL, false, 10000, 0, 80e3), VERDICT_CLIENT_LIMITED, "");
	const char *text = answer("All busy");
	assert_says(text, "{poll} has the highest median of those that can be ranked");
	assert_says(text, "\nClient-limited, so not ranked: {epoll} >= 80.0k [79.7k, 80.3k].");
}

static void test_all_client_limited(void **state)
{
	(void)state;
	set_verdict(add_blocks("throughput", EPOLL, false, 10, 0, 150e3), VERDICT_CLIENT_LIMITED, "");
	const char *text = answer("All busy");
	assert_says(text, "so none is ranked: {epoll} >= 150k");
}

static void test_missing(void **state)
{
	(void)state;
	add_blocks("throughput", EPOLL, false, 10000, 0, 150e3);
	set_verdict(add_blocks("throughput", POLL, false, 10000, 0, 1), VERDICT_UNSUPPORTED,
	    "<b>1,020</b> | *at most*");
	assert_says(answer("All busy"),
	    "Not shown: {poll} is unsupported: \\<b\\>1,020\\</b\\> \\| \\*at most\\*.");
	assert_string_equal(answer("Memory"), "");
	assert_string_equal(answer("Context switches"), "");
}

/* An outlier is flagged and stays; a p99.9 on fewer than 100 samples beyond it is no figure. */
static void test_weak_figures(void **state)
{
	(void)state;
	struct report_cell_row *cells = add_blocks("throughput", EPOLL, false, 100, 0, 100e3);
	cells[4].metric[METRIC_RATE_PER_S] = 50e3;
	for (int i = 0; i < BLOCKS; i++) {
		cells[i].metric[METRIC_P99_9_US] = 500;
		cells[i].metric[METRIC_REQUESTS] = i < 3 ? 99e3 : 100e3;
	}
	report_data_group(&data);
	assert_true(cells[4].outlier);
	assert_false(cells[0].outlier);
	assert_int_equal(data.points[0].metric[METRIC_RATE_PER_S].count, BLOCKS);
	assert_true(data.points[0].metric[METRIC_RATE_PER_S].low == 50e3);
	assert_int_equal(data.points[0].metric[METRIC_P99_9_US].count, 2);
}

static void test_wait_and_fairness(void **state)
{
	(void)state;
	struct report_cell_row *thread = add_blocks("wait", THREAD, false, 1000, 0, 5000);
	struct report_cell_row *epoll = add_blocks("wait", EPOLL, false, 1000, 0, 9900);
	for (int i = 0; i < BLOCKS; i++)
		thread[i].target = epoll[i].target = "/sleep/100";
	const char *text = answer("Waiting for others");
	assert_says(text, "at most **10.0k requests/s**. {epoll} reaches it");
	assert_says(text, "Below it otherwise: {thread} 50.0% [49.8%, 50.2%].");
	for (int i = 0; i < BLOCKS; i++)
		thread[i].metric[METRIC_SERVER_CPU] = 0.95;
	assert_says(answer("Waiting for others"), "CPU-bound below it: {thread} 50.0%");
	/* what prints as 95.0% reaches it; a bound below it may be the load generator's */
	for (int i = 0; i < BLOCKS; i++)
		epoll[i].metric[METRIC_RATE_PER_S] = 9499;
	set_verdict(thread, VERDICT_CLIENT_LIMITED, "worker at 97%");
	text = answer("Waiting for others");
	assert_says(text, "{epoll} reaches it (95.0% or more)");
	assert_says(text, "Client-limited, so perhaps not below it: {thread} >= 50.0%");
	assert_silent(text, "CPU-bound");
	struct report_cell_row *poll = add_blocks("wait", POLL, false, 1000, 0, 1);
	set_verdict(poll, VERDICT_FAILED, "ended");
	for (int i = 0; i < BLOCKS; i++)
		poll[i].target = "/sleep/100";
	assert_says(answer("Waiting for others"), "Not shown: {poll} is failed: ended.");

	thread = add_blocks("throughput", THREAD, false, 10000, 0, 5000);
	epoll = add_blocks("throughput", EPOLL, false, 10000, 0, 9900);
	for (int i = 0; i < BLOCKS; i++) {
		thread[i].metric[METRIC_STARVED] = 3000 + i;
		thread[i].metric[METRIC_REQUESTS] = 7500;
		thread[i].metric[METRIC_FAIRNESS] = 0.5;
		epoll[i].metric[METRIC_STARVED] = 0;
	}
	set_verdict(add_blocks("throughput", POLL, false, 10000, 0, 1), VERDICT_UNSUPPORTED, "too many");
	text = answer("Fairness");
	assert_says(text, "Not shown: {poll} is unsupported: too many.");
	assert_says(text, "{thread} left **3,002 [3,000, 3,004]** of them without one of its 7,500 answers");
	assert_says(text, "{epoll} answered every one");
}

static void test_grade(void **state)
{
	(void)state;
	struct report_key keys[] = { { "status", "complete" }, { "steal_share", "0.001" } };
	struct report_grade grade;
	data.keys = keys;
	data.key_count = 2;
	add_blocks("throughput", EPOLL, false, 100, 0, 150e3);
	struct report_cell_row *twin = add_blocks("throughput", EPOLL, true, 100, 0, 151e3);
	report_data_group(&data);
	report_grade(&data, &grade);
	assert_int_equal(grade.letter, 'A');

	keys[0].value = "partial";
	report_grade(&data, &grade);
	assert_int_equal(grade.letter, 'B');
	assert_says(grade.reasons[0], "The run is partial");

	keys[1].value = "0.2";
	report_grade(&data, &grade);
	assert_int_equal(grade.letter, 'C');

	keys[0].value = "complete";
	keys[1].value = "0";
	for (int i = 0; i < BLOCKS; i++)
		twin[i].metric[METRIC_RATE_PER_S] *= 0.8;
	report_data_group(&data);
	report_grade(&data, &grade);
	assert_int_equal(grade.letter, 'C');
	data.keys = NULL;
}

static char letter_of(void)
{
	struct report_grade grade;
	report_data_group(&data);
	report_grade(&data, &grade);
	return grade.letter;
}

/* Epoll and its twin, which differs by so much. */
static void add_pair(long connections, double drift)
{
	add_blocks("throughput", EPOLL, false, connections, 0, 150e3);
	add_blocks("throughput", EPOLL, true, connections, 0, 150e3 * (1 + drift));
}

static void test_grade_of_the_machine(void **state)
{
	static const struct {
		const char *steal, *pressure;
		char letter;
	} machines[] = { { "0.0099", "9.9", 'A' }, { "0.011", "0", 'B' }, { "0.049", "0", 'B' },
		{ "0.051", "0", 'C' }, { "0", "10.1", 'B' } };
	struct report_key keys[] = { { "status", "complete" }, { "steal_share", "" },
		{ "pressure", "" } };
	(void)state;
	data.keys = keys;
	data.key_count = 3;
	add_pair(100, 0);
	for (size_t i = 0; i < sizeof machines / sizeof *machines; i++) {
		keys[1].value = machines[i].steal;
		keys[2].value = machines[i].pressure;
		assert_int_equal(letter_of(), machines[i].letter);
	}
}

static void test_grade_of_the_pair(void **state)
{
	static const struct {
		double drifts[3];
		char letter;
	} pairs[] = { { { 0.02, 0.029, 0.09 }, 'A' }, { { 0.02, 0.031, 0.09 }, 'B' },
		{ { 0, 0, 0.11 }, 'B' }, { { 0, 0.11, 0.11 }, 'C' } };
	struct report_key status = { "status", "complete" };
	(void)state;
	data.keys = &status;
	data.key_count = 1;
	for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++) {
		data.cell_count = 0;
		for (int k = 0; k < 3; k++)
			add_pair(100 + k, pairs[i].drifts[k]);
		assert_int_equal(letter_of(), pairs[i].letter);
	}
}

static void test_grade_of_the_cells(void **state)
{
	struct report_key status = { "status", "complete" };
	(void)state;
	data.keys = &status;
	data.key_count = 1;
	for (int lost = 0; lost <= 3; lost++) { /* of 20: two are 10% */
		data.cell_count = 0;
		add_pair(100, 0);
		add_pair(200, 0);
		for (int i = 0; i < lost; i++)
			rows[i].verdict = i ? VERDICT_FAILED : VERDICT_INVALID;
		assert_int_equal(letter_of(), lost == 0 ? 'A' : lost <= 2 ? 'B' : 'C');
	}
	for (size_t blocks = 2; blocks <= 3; blocks++) {
		data.cell_count = 0;
		add_blocks("throughput", EPOLL, false, 100, 0, 150e3);
		data.cell_count = blocks;
		add_blocks("throughput", EPOLL, true, 100, 0, 150e3);
		data.cell_count = 2 * blocks;
		assert_int_equal(letter_of(), blocks < 3 ? 'B' : 'A');
	}
}

/* 4% are more than chance moves a rate, and no difference between two percentiles. */
static void test_margins(void **state)
{
	(void)state;
	struct report_cell_row *both[] = { add_blocks("throughput", EPOLL, false, 100, 0, 104e3),
		add_blocks("throughput", POLL, false, 100, 0, 100e3) };
	for (int i = 0; i < BLOCKS; i++) {
		both[0][i].metric[METRIC_P99_US] = 1040;
		both[1][i].metric[METRIC_P99_US] = 1000;
	}
	report_data_group(&data);
	const struct report_point *epoll = report_point(&data, "throughput", "epoll", 100, 0);
	const struct report_point *poll = report_point(&data, "throughput", "poll", 100, 0);
	assert_int_equal(
	    report_compare(&data, epoll, poll, METRIC_RATE_PER_S).verdict, ESTIMATE_HIGHER);
	assert_int_equal(report_compare(&data, epoll, poll, METRIC_P99_US).verdict, ESTIMATE_TIE);
}

/* A rate far from the others' is marked; one bound among five makes the median a bound. */
static void test_one_of_five(void **state)
{
	(void)state;
	struct report_cell_row *cells = add_blocks("throughput", EPOLL, false, 100, 0, 100e3);
	cells[4].metric[METRIC_RATE_PER_S] = 104e3; /* 20 times the median distance */
	cells[2].verdict = VERDICT_CLIENT_LIMITED;
	report_data_group(&data);
	assert_int_equal(data.points[0].verdict, VERDICT_CLIENT_LIMITED);
	assert_false(cells[4].outlier);
	cells[4].metric[METRIC_RATE_PER_S] = 105e3; /* 25 times: beyond 14.8 / 0.6745 */
	report_data_group(&data);
	assert_true(cells[4].outlier);
	assert_false(cells[0].outlier);
}

/* One rate of an open loop: CPU time, p99 and achieved share in every block. */
static void add_paced(const char *experiment, int server, long percent, double offered, double cpu_us,
    double p99_us, double achieved)
{
	struct report_cell_row *cells = add_blocks(experiment, server, false, 1000, 0, offered);
	for (int i = 0; i < BLOCKS; i++) {
		cells[i].level_percent = percent;
		cells[i].metric[METRIC_OFFERED_PER_S] = offered;
		cells[i].metric[METRIC_CPU_US_PER_REQ] = cpu_us * (1 + 0.001 * i);
		cells[i].metric[METRIC_P99_US] = p99_us * (1 + 0.001 * i);
		cells[i].metric[METRIC_ACHIEVED_SHARE] = achieved;
	}
}

static void test_equal_work(void **state)
{
	(void)state;
	add_paced("cost", EPOLL, 90, 20e3, 5, 200, 1);
	add_paced("cost", POLL, 90, 20e3, 5.05, 200, 1);
	add_paced("cost", THREAD, 90, 20e3, 10, 200, 1);
	add_paced("cost", EPOLL, 25, 5e3, 9, 200, 1); /* another load: no part of the comparison */
	const char *text = answer("CPU time");
	assert_says(text, "20.0k requests/s on 1,000 connections, {epoll} has the lowest median");
	assert_says(text, "A tie with it: {poll}.");
	assert_says(text, "Against it: {thread} 2.00x");
}

/* Levels stand there in the order of the plan, which need not be that of their rates. */
static void test_slo(void **state)
{
	(void)state;
	static struct report_key keys[] = { { "slo_us", "10000" } };
	data.keys = keys, data.key_count = 1;
	add_paced("latency", EPOLL, 150, 150e3, 5, 500e3, 0.7);
	add_paced("latency", EPOLL, 10, 10e3, 5, 200, 1);
	add_paced("latency", EPOLL, 90, 90e3, 5, 9900, 1);
	add_paced("latency", POLL, 10, 5e3, 5, 200, 1);
	add_paced("latency", POLL, 50, 25e3, 5, 9990, 1); /* the interval reaches over the limit */
	add_paced("latency", POLL, 90, 45e3, 5, 300, 1);  /* too late: a lower rate broke it */
	add_paced("latency", THREAD, 10, 1e3, 5, 300, 0.9); /* in time, but not all of it */
	const char *text = answer("Latency");
	assert_says(text, "up to which, at every rate measured, 99 of 100 requests are answered within 10.0ms");
	assert_says(text, "of when they were due: {poll} **5.00k/s** (10%) and {epoll} **90.0k/s** (90%).\nIn brackets");
	assert_says(text, "At no rate measured: {thread}.");
	data.cell_count = 0;
	add_paced("latency", THREAD, 10, 1e3, 5, 300, 0.9);
	assert_says(answer("Latency"), "At no rate measured are 99 of 100 requests answered within 10.0ms");
	data.keys = NULL, data.key_count = 0;
}

/* Without a valid cell at the next rate the limit is somewhere above; at the first, anywhere. */
static void test_slo_bounds(void **state)
{
	(void)state;
	static struct report_key keys[] = { { "slo_us", "10000" } };
	data.keys = keys, data.key_count = 1;
	add_paced("latency", EPOLL, 10, 10e3, 5, 200, 1);
	add_paced("latency", EPOLL, 50, 50e3, 5, 200, 1);
	set_verdict(&rows[data.cell_count - BLOCKS], VERDICT_INVALID, "late");
	add_paced("latency", POLL, 10, 5e3, 5, 200, 1);
	add_paced("latency", THREAD, 10, 1e3, 5, 300, 1);
	set_verdict(&rows[data.cell_count - BLOCKS], VERDICT_INVALID, "late");
	const char *text = answer("Latency");
	assert_says(text, "{epoll} >= **10.0k/s** (10%)");
	assert_says(text, "{poll} >= **5.00k/s** (10%)");
	assert_says(text, "Unknown, for want of a figure at the lowest rate: {thread} is invalid: late.");
	data.keys = NULL, data.key_count = 0;
}

/* A rate that was not measured says nothing against the higher ones that were. */
static void test_slo_gap(void **state)
{
	(void)state;
	static struct report_key keys[] = { { "slo_us", "10000" } };
	data.keys = keys, data.key_count = 1;
	add_paced("latency", EPOLL, 10, 10e3, 5, 200, 1);
	set_verdict(&rows[data.cell_count - BLOCKS], VERDICT_INVALID, "late");
	add_paced("latency", EPOLL, 50, 50e3, 5, 200, 1);
	add_paced("latency", EPOLL, 90, 90e3, 5, 20e3, 1);
	add_paced("latency", POLL, 10, 5e3, 5, 200, 1);
	add_paced("latency", POLL, 50, 25e3, 5, 200, 1);
	set_verdict(&rows[data.cell_count - BLOCKS], VERDICT_INVALID, "late");
	add_paced("latency", POLL, 90, 45e3, 5, 20e3, 1);
	add_paced("latency", THREAD, 10, 1e3, 5, 300, 1);
	set_verdict(&rows[data.cell_count - BLOCKS], VERDICT_INVALID, "late");
	add_paced("latency", THREAD, 50, 5e3, 5, 20e3, 1);
	add_paced("latency", THREAD, 90, 9e3, 5, 200, 1); /* too late: a lower rate broke it */
	add_paced("latency", LIBEV, 10, 100, 5, (double)NAN, 1); /* too few answers */
	add_paced("latency", LIBEV, 50, 500, 5, 200, 1);
	add_paced("latency", LIBEV, 90, 900, 5, (double)NAN, 1);
	const char *text = answer("Latency");
	assert_says(text, "{epoll} **50.0k/s** (50%)");
	assert_says(text, "{poll} >= **5.00k/s** (10%)");
	assert_says(text, "{libev} >= **500/s** (50%)");
	assert_says(text, "Unknown, for want of a figure at the lowest rate: {thread} is invalid: late.");
	data.keys = NULL, data.key_count = 0;
}

/* A law is fitted to the points that allow it. */
static void test_fits(void **state)
{
	(void)state;
	const struct usl law = { 9000, 0.1, 1e-6, 0 };
	const struct mmc queue = { 1, 80e3, 50e-6, 0 };
	struct usl usl;
	struct mmc mmc;
	for (long n = 1; n <= 1000; n *= 10)
		add_blocks("throughput", EPOLL, false, n, 0, usl_rate(&law, (double)n));
	add_blocks("throughput", POLL, false, 10, 0, 9000);
	for (long percent = 10; percent <= 130; percent += 40) { /* at 130 it does not keep up */
		struct report_cell_row *cells = &rows[data.cell_count];
		double offered = 800.0 * (double)percent;
		add_paced("latency", EPOLL, percent, offered, 5,
		    percent > 100 ? 1 : mmc_time_s(&queue, offered, 0.99) * 1e6,
		    percent > 100 ? 0.7 : 1);
		for (int i = 0; i < BLOCKS; i++)
			cells[i].metric[METRIC_P50_US]
			    = percent > 100 ? 1 : mmc_time_s(&queue, offered, 0.5) * 1e6;
	}
	report_data_group(&data);
	assert_true(report_fit_usl(&data, &servers[EPOLL], &usl));
	assert_true(fabs(usl.contention / law.contention - 1) < 0.01 && usl.residual < 0.01);
	assert_false(report_fit_usl(&data, &servers[POLL], &usl));
	assert_true(report_fit_mmc(&data, &servers[EPOLL], &mmc));
	assert_true(mmc.servers == 1 && fabs(mmc.per_server_per_s / 80e3 - 1) < 0.01);
	assert_false(report_fit_mmc(&data, &servers[POLL], &mmc));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_mixed), TEST(test_mixed_sharing), TEST(test_memory), TEST(test_fairness),
		TEST(test_ranked), TEST(test_tie), TEST(test_reference), TEST(test_undecided),
		TEST(test_within_drift), TEST(test_reason_of_verdict), TEST(test_nearest_first),
		TEST(test_undecided_reasons), TEST(test_limited_batch),
		TEST(test_few_blocks), TEST(test_client_limited), TEST(test_many_client_limited),
		TEST(test_client_limited_below),
		TEST(test_all_client_limited), TEST(test_missing), TEST(test_weak_figures),
		TEST(test_wait_and_fairness), TEST(test_grade), TEST(test_grade_of_the_machine),
		TEST(test_grade_of_the_pair), TEST(test_grade_of_the_cells), TEST(test_margins),
		TEST(test_one_of_five), TEST(test_equal_work), TEST(test_slo),
		TEST(test_slo_bounds), TEST(test_slo_gap), TEST(test_fits),
	};
	return cmocka_run_group_tests_name("report", tests, NULL, NULL);
}
