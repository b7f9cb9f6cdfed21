/*
 * test_merge.c: results written as JSON and merged are the sum of what they were written from: in
 * every count and in every bucket. What merge refuses stands in tests/cli/loadgen.sh.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "loadgen/json.c"
#include "loadgen/json_read.c"
#include "loadgen/merge.c"
#include "loadgen/series.c"
#include "loadgen/stats.c"

static struct result results[2], merged;
static struct options options[2], merged_options;
static struct stats sum;
static char paths[2][32] = { "/tmp/test_merge.XXXXXX", "/tmp/test_merge.XXXXXX" };

static uint64_t next_random(void)
{
	static uint64_t state = 88172645463325252u;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

static void fill_histogram(struct histogram *h, int count)
{
	for (int i = 0; i < count; i++)
		histogram_record(h, next_random() >> (next_random() % 30 + 29));
}

/* A result whose every number is another; the open loop's only with a rate. */
static void make_result(int i, uint32_t rate_per_s)
{
	static struct worker_cost costs[2][2];
	struct result *r = &results[i];
	uint64_t seed = (uint64_t)(i + 1) * 1000;
	*r = (struct result){ .elapsed_s = 2, .worker_count = 2, .workers = costs[i] };
	stats_init(&r->stats);
	struct stats *t = &r->stats;
	fill_histogram(&t->service, 20000 * (i + 1));
	t->sent = seed + 1;
	t->completed = t->service.count;
	t->bytes_sent = seed + 2;
	t->bytes_received = seed + 3;
	t->lifetime = seed + 4;
	t->in_flight_at_end = seed + 5;
	for (int kind = 0; kind < ERROR_KIND_COUNT; kind++)
		t->errors[kind] = seed + 10 + (uint64_t)kind;
	if (rate_per_s) {
		fill_histogram(&t->response, 30000);
		fill_histogram(&t->send_lag, 7);
		t->offered = seed + 6;
		t->carried = seed + 7;
		t->unfinished = seed + 8;
		t->unsent = seed + 9;
		t->late = 3;
	}
	r->wanted_per_s = rate_per_s;
	r->process_cpu_s = 0.5 * (i + 1);
	r->barrier_s = 0.5 * (i + 1);
	r->edge_delay_s = 0.001 * (i + 1);
	costs[i][1].cpu_share = 0.2 * (i + 1);
	costs[i][0].run_delay_share = 0.1 * (i + 1);
	r->audit = (struct audit){
		.requested = 13, .idle = 3, .established = 12, .answered = 11, .starved = 1,
		.answer_sum = t->completed,
		.square_sum = (double)t->completed * (double)t->completed / 10 / 0.8,
	};
	options[i] = (struct options){ .url = "http://a/", .active_count = 10, .idle_count = 3,
		.worker_count = 2, .rate_per_s = rate_per_s, .duration_ns = 2000000000 };
	stats_merge(&sum, t);
}

static void merge_both(void)
{
	for (int i = 0; i < 2; i++) {
		FILE *file = fopen(paths[i], "w");
		assert_non_null(file);
		assert_true(json_write(file, &options[i], &results[i]));
		fclose(file);
	}
	char *argv[] = { "merge", paths[0], paths[1], NULL };
	optind = 0; /* getopt starts anew */
	merge_results(&merged_options, &merged, 3, argv);
}

static void check_histogram(const struct histogram *found, const struct histogram *wanted)
{
	assert_memory_equal(found->buckets, wanted->buckets, sizeof wanted->buckets);
	assert_int_equal(found->count, wanted->count);
	assert_int_equal(found->min_ns, wanted->min_ns);
	assert_int_equal(found->max_ns, wanted->max_ns);
	double difference = histogram_mean_ns(found) - histogram_mean_ns(wanted);
	assert_true(fabs(difference) <= 1e-9 * histogram_mean_ns(wanted)); /* ten digits in JSON */
}

static void check_sum(void)
{
	const struct stats *t = &merged.stats;
	assert_int_equal(t->sent, sum.sent);
	assert_int_equal(t->completed, sum.completed);
	assert_int_equal(t->bytes_sent, sum.bytes_sent);
	assert_int_equal(t->bytes_received, sum.bytes_received);
	assert_int_equal(t->lifetime, sum.lifetime);
	assert_int_equal(t->in_flight_at_end, sum.in_flight_at_end);
	assert_int_equal(t->offered, sum.offered);
	assert_int_equal(t->carried, sum.carried);
	assert_int_equal(t->unfinished, sum.unfinished);
	assert_int_equal(t->unsent, sum.unsent);
	assert_int_equal(t->late, sum.late);
	assert_memory_equal(t->errors, sum.errors, sizeof sum.errors);
	check_histogram(&t->service, &sum.service);
	check_histogram(&t->response, &sum.response);
	check_histogram(&t->send_lag, &sum.send_lag);
}

static int set_up(void **state)
{
	(void)state;
	stats_init(&sum);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free((void *)merged.workers);
	free((void *)merged_options.url);
	return 0;
}

static void test_closed_loops(void **state)
{
	(void)state;
	make_result(0, 0);
	make_result(1, 0);
	merge_both();
	check_sum();
	assert_int_equal(merged.audit.requested, 26);
	assert_int_equal(merged.audit.idle, 6);
	assert_int_equal(merged.audit.established, 24);
	assert_int_equal(merged.audit.answered, 22);
	assert_int_equal(merged.audit.starved, 2);
	/* 60,000^2 / (20 x (20,000^2 + 40,000^2) / 8) */
	assert_true(fabs(audit_fairness(&merged.audit) - 0.72) < 1e-9);
	assert_true(fabs(result_rate_per_s(&merged) - 30000) < 1e-6); /* 10,000 and 20,000 */
	assert_true(fabs(result_cpu_us_per_request(&merged) - 25) < 1e-6); /* 1.5 s for 60,000 */
	assert_int_equal(merged.worker_count, 4);
	assert_true(fabs(result_busiest(&merged).cpu_share - 0.4) < 1e-9);
	assert_true(fabs(result_busiest(&merged).run_delay_share - 0.2) < 1e-9);
	assert_true(fabs(merged.edge_delay_s - 0.002) < 1e-9); /* the later of the two */
	assert_int_equal(merged_options.active_count, 20);
	assert_int_equal(merged_options.worker_count, 4);
	assert_int_equal(merged.verdict, VERDICT_VALID);
}

static void test_open_loops(void **state)
{
	(void)state;
	make_result(0, 1000);
	make_result(1, 500);
	merge_both();
	check_sum();
	assert_int_equal(merged.wanted_per_s, 1500);
	assert_int_equal(merged_options.rate_per_s, 1500);
	assert_int_equal(merged.audit.starved, 2); /* those that had no answer in the window */
	assert_true(fabs(merged.barrier_s - 1) < 1e-9); /* the later of the two */
}

static void test_gravest_verdict_and_all_reasons(void **state)
{
	(void)state;
	make_result(0, 0);
	make_result(1, 0);
	find(&results[0], VERDICT_INVALID, "one");
	find(&results[0], VERDICT_CLIENT_LIMITED, "two");
	find(&results[1], VERDICT_CLIENT_LIMITED, "three");
	results[1].interrupted = true;
	merge_both();
	assert_int_equal(merged.verdict, VERDICT_INVALID);
	assert_true(merged.interrupted);
	assert_int_equal(merged.reason_count, 3);
	char wanted[64];
	snprintf(wanted, sizeof wanted, "%s: one", paths[0]);
	assert_string_equal(merged.reasons[0], wanted);
	snprintf(wanted, sizeof wanted, "%s: three", paths[1]);
	assert_string_equal(merged.reasons[2], wanted);
}

static int make_files(void **state)
{
	(void)state;
	for (int i = 0; i < 2; i++) {
		int fd = mkstemp(paths[i]);
		if (fd < 0)
			return -1;
		close(fd);
	}
	return 0;
}

static int remove_files(void **state)
{
	(void)state;
	return unlink(paths[0]) | unlink(paths[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_closed_loops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_open_loops, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_gravest_verdict_and_all_reasons, set_up, tear_down),
	};
	return cmocka_run_group_tests_name("merge", tests, make_files, remove_files);
}
