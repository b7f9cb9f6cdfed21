/*
 * test_series.c: intervals are cut by the samples' own times, at the grid and at the window's
 * edges, however late a worker looks; what is stored sparsely and merged again is the histogram of
 * the union.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "loadgen/series.c"

#define US UINT64_C(1000)
#define MS UINT64_C(1000000)
#define S UINT64_C(1000000000)
#define STEP (100 * MS)

static const struct window unknown = { UINT64_MAX, UINT64_MAX };
static struct histogram a, b, both, merged;
static struct series_row row;

static uint64_t next_random(void)
{
	static uint64_t state = 88172645463325252u;
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return state;
}

/* Latencies of every magnitude, the longest beyond what a histogram can tell apart. */
static uint64_t random_latency_ns(void)
{
	return next_random() >> (next_random() % 40 + 24);
}

static void test_sparse_is_the_union(void **state)
{
	(void)state;
	struct sparse of_a, of_b;
	histogram_init(&a);
	histogram_init(&b);
	histogram_init(&both);
	histogram_init(&merged);
	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 5000; i++) {
			uint64_t ns = i ? random_latency_ns() : HISTOGRAM_MAX_NS + 5;
			histogram_record(i % 3 ? &a : &b, ns);
			histogram_record(&both, ns);
		}
		sparse_store(&of_a, &a);
		sparse_store(&of_b, &b);
		sparse_merge(&merged, &of_a);
		sparse_merge(&merged, &of_b);
		free(of_a.buckets);
		free(of_b.buckets);
	}
	assert_memory_equal(&merged, &both, sizeof both);
	histogram_init(&both);
	assert_memory_equal(&a, &both, sizeof both); /* emptied by storing it */
}

static void test_sparse_of_nothing(void **state)
{
	(void)state;
	struct sparse s;
	histogram_init(&a);
	histogram_init(&merged);
	sparse_store(&s, &a);
	assert_int_equal(s.bucket_count, 0);
	assert_null(s.buckets);
	sparse_merge(&merged, &s);
	assert_memory_equal(&merged, &a, sizeof a);
}

static void test_grid(void **state)
{
	(void)state;
	struct window w = unknown;
	assert_int_equal(series_edge_ns(S, STEP, &w, S), S + 100 * MS);
	assert_int_equal(series_edge_ns(S, STEP, &w, S + 100 * MS - 1), S + 100 * MS);
	assert_int_equal(series_edge_ns(S, STEP, &w, S + 100 * MS), S + 200 * MS);
	w = (struct window){ S + 330 * MS, S + 580 * MS };
	assert_int_equal(series_edge_ns(S, STEP, &w, S + 200 * MS), S + 300 * MS);
	assert_int_equal(series_edge_ns(S, STEP, &w, S + 300 * MS), S + 330 * MS);
	assert_int_equal(series_edge_ns(S, STEP, &w, S + 330 * MS), S + 430 * MS);
	assert_int_equal(series_edge_ns(S, STEP, &w, S + 530 * MS), S + 580 * MS);
	assert_int_equal(series_edge_ns(S, STEP, &w, S + 580 * MS), S + 680 * MS);
}

/* The row from..to of these workers. */
static void read_row(uint64_t from_ns, uint64_t to_ns, struct series *x, struct series *y)
{
	memset(&row, 0, sizeof row);
	histogram_init(&row.latencies);
	row.start_ns = from_ns;
	row.end_ns = to_ns;
	series_read(x, &row);
	if (y)
		series_read(y, &row);
}

static void test_a_late_look_changes_nothing(void **state)
{
	(void)state;
	struct series *prompt = series_create(S, STEP, false), *late = series_create(S, STEP, false);
	for (uint64_t ms = 0; ms < 1000; ms++) {
		uint64_t now_ns = S + ms * MS;
		if (ms % 100 == 0)
			series_tick(prompt, &unknown, now_ns);
		if (ms == 250 || ms == 850)
			series_error(prompt, 3, now_ns);
		if (ms < 300 || ms > 700) { /* no answer for 400 ms, and nobody looks */
			series_answer(prompt, now_ns, ms * US);
			series_answer(late, now_ns, ms * US);
		}
	}
	series_end(prompt, 2 * S);
	series_end(late, 2 * S);
	for (uint64_t i = 0; i < 10; i++) {
		uint64_t from_ns = S + i * STEP;
		read_row(from_ns, from_ns + STEP, prompt, late);
		uint64_t wanted = i < 3 || i > 7 ? 200 : i == 7 ? 198 : 0;
		assert_int_equal(row.answer_count, wanted);
		assert_int_equal(row.latencies.count, wanted);
		assert_int_equal(row.error_count, i == 2 || i == 8 ? 3 : 0);
		if (wanted)
			assert_int_equal(row.latencies.max_ns, (i * 100 + 99) * US);
	}
	series_destroy(prompt);
	series_destroy(late);
}

static void test_window_is_cut_out(void **state)
{
	(void)state;
	struct window w = { S + 250 * MS, S + 470 * MS };
	struct series *s = series_create(S, STEP, false);
	for (uint64_t ms = 0; ms < 600; ms++) {
		if (ms == 210)
			series_tick(s, &w, S + ms * MS); /* from now on it is known */
		series_answer(s, S + ms * MS, 1);
	}
	series_end(s, S + 600 * MS);
	static const uint64_t edges_ms[] = { 0, 100, 200, 250, 350, 450, 470, 570, 600 };
	for (size_t i = 0; i + 1 < sizeof edges_ms / sizeof edges_ms[0]; i++) {
		read_row(S + edges_ms[i] * MS, S + edges_ms[i + 1] * MS, s, NULL);
		assert_int_equal(row.answer_count, edges_ms[i + 1] - edges_ms[i]);
	}
	series_destroy(s);
}

static void test_end_that_comes_earlier(void **state)
{
	(void)state;
	struct window w = { S + 100 * MS, S + 900 * MS };
	struct series *s = series_create(S, STEP, false);
	series_tick(s, &w, S);
	series_answer(s, S + 310 * MS, 1);
	w.end_ns = S + 330 * MS; /* interrupted */
	series_tick(s, &w, S + 312 * MS);
	series_answer(s, S + 329 * MS, 1);
	series_answer(s, S + 330 * MS, 1);
	series_end(s, S + 340 * MS);
	read_row(S, S + 300 * MS, s, NULL);
	assert_int_equal(row.answer_count, 0);
	read_row(S + 300 * MS, S + 330 * MS, s, NULL);
	assert_int_equal(row.answer_count, 2);
	read_row(S + 330 * MS, S + 340 * MS, s, NULL);
	assert_int_equal(row.answer_count, 1);
	series_destroy(s);
}

/* In an open loop an answer counts, and the time since it was due is its latency. */
static void test_response_times(void **state)
{
	(void)state;
	struct series *s = series_create(S, STEP, true);
	series_answer(s, S + MS, 10 * US);
	series_response(s, S + MS, 300 * US);
	series_response(s, S + 2 * MS, 5 * MS); /* timed out: no answer */
	series_error(s, 1, S + 2 * MS);
	series_unfinished(s, 7 * MS);
	series_end(s, S + 3 * MS);
	read_row(S, S + 3 * MS, s, NULL);
	assert_int_equal(row.answer_count, 1);
	assert_int_equal(row.error_count, 1);
	assert_int_equal(row.latencies.count, 2);
	assert_int_equal(row.latencies.min_ns, 300 * US);
	assert_int_equal(s->unfinished.count, 1);
	series_destroy(s);
}

/* Connections are those at an interval's end; of two intervals in a row, of the later one. */
static void test_connections_are_the_last_known(void **state)
{
	(void)state;
	struct series *x = series_create(S, STEP, false), *y = series_create(S, STEP, false);
	x->open_count = 5;
	series_tick(x, &unknown, S + 100 * MS);
	x->open_count = 8;
	series_tick(x, &unknown, S + 200 * MS);
	y->open_count = 2;
	y->answered_count = 1;
	series_end(y, S + 50 * MS);
	series_end(x, S + 250 * MS);
	read_row(S, S + 100 * MS, x, y);
	assert_int_equal(row.open_count, 7);
	read_row(S + 100 * MS, UINT64_MAX, x, y); /* y has ended */
	assert_int_equal(row.open_count, 10);
	assert_int_equal(row.answered_count, 1);
	series_destroy(x);
	series_destroy(y);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sparse_is_the_union),
		cmocka_unit_test(test_sparse_of_nothing),
		cmocka_unit_test(test_grid),
		cmocka_unit_test(test_a_late_look_changes_nothing),
		cmocka_unit_test(test_window_is_cut_out),
		cmocka_unit_test(test_end_that_comes_earlier),
		cmocka_unit_test(test_response_times),
		cmocka_unit_test(test_connections_are_the_last_known),
	};
	return cmocka_run_group_tests_name("series", tests, NULL, NULL);
}
