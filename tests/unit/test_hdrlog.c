/*
 * test_hdrlog.c: what is encoded comes back bucket for bucket; what is damaged is refused. The
 * fixed blob was checked against HdrHistogram's own decoder, so that the format cannot drift with
 * its two halves.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/sys/hdrlog.h"

static struct histogram h, back;

static int set_up(void **state)
{
	(void)state;
	histogram_init(&h);
	histogram_init(&back);
	return 0;
}

static struct slice text_slice(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static void check_round_trip(void)
{
	char *text = hdrlog_encode(&h);
	assert_non_null(text);
	assert_int_equal(hdrlog_decode(text_slice(text), &back), 0);
	assert_memory_equal(back.buckets, h.buckets, sizeof h.buckets);
	assert_int_equal(back.count, h.count);
	free(text);
}

static void test_empty(void **state)
{
	(void)state;
	check_round_trip();
	assert_int_equal(back.min_ns, UINT64_MAX);
}

static void test_every_magnitude(void **state)
{
	(void)state;
	for (uint64_t value = 1; value <= HISTOGRAM_MAX_NS; value = value * 3 / 2 + 1)
		histogram_record(&h, value);
	check_round_trip();
	assert_int_equal(histogram_index(back.min_ns), histogram_index(h.min_ns));
	assert_int_equal(histogram_index(back.max_ns), histogram_index(h.max_ns));
	assert_true(histogram_mean_ns(&back) > 0.999 * histogram_mean_ns(&h));
	assert_true(histogram_mean_ns(&back) < 1.001 * histogram_mean_ns(&h));
}

static void test_ends(void **state)
{
	(void)state;
	histogram_record(&h, 0);
	histogram_record(&h, HISTOGRAM_MAX_NS);
	check_round_trip();
}

static void test_counts_of_every_length(void **state)
{
	(void)state;
	for (unsigned int bit = 0; bit < 63; bit++) { /* varints of 1 to 9 bytes */
		h.buckets[100 * bit] = UINT64_C(1) << bit;
		h.buckets[100 * bit + 1] = (UINT64_C(1) << bit) - 1;
		h.count += (UINT64_C(2) << bit) - 1;
	}
	check_round_trip();
}

static void test_known_blob(void **state)
{
	(void)state;
	static const char blob[] =
	    "HISTFAAAADt4nJNpmSzMwMAgzQABzFCaEYj5/wOB/QeIwHl+Jqb3xgJsr00c"
	    "Ghi52s04DpvY3Te5xfLTVAQAlJkP0Q==";
	for (uint64_t value = 1000; value <= 1000000000; value *= 10)
		for (uint64_t i = 0; i < value / 1000 % 997 + 1; i++)
			histogram_record(&h, value + i);
	assert_int_equal(hdrlog_decode(text_slice(blob), &back), 0);
	assert_memory_equal(back.buckets, h.buckets, sizeof h.buckets);
}

/* hdr-histogram-js writes an index offset of 1 and an integer for the ratio: both mean nothing. */
static void test_foreign_blob(void **state)
{
	(void)state;
	static const char blob[] =
	    "HISTFAAAADJ4nJNpmSzMwMDAz8DAwMjAwMDMAAEgNv//////w/lMp/lZHnow7cxj"
	    "aX3KyAQA0msKCg==";
	static const uint64_t values[] = { 1, 1000, 1000, 25000, 3000000, 3000001, 60000000000 };
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++)
		histogram_record(&h, values[i]);
	assert_int_equal(hdrlog_decode(text_slice(blob), &back), 0);
	assert_memory_equal(back.buckets, h.buckets, sizeof h.buckets);
}

static void test_damage_is_refused(void **state)
{
	(void)state;
	for (uint64_t value = 1; value < 1000000; value += 997)
		histogram_record(&h, value);
	char *text = hdrlog_encode(&h);
	size_t len = strlen(text);
	for (size_t cut = 0; cut < len; cut++)
		assert_int_not_equal(hdrlog_decode((struct slice){ text, cut }, &back), 0);
	/*
	 * most single changes break a cookie, a length or zlib's checksum; none may crash or hang
	 */
	int refused = 0;
	for (size_t i = 0; i < len; i++) {
		char kept = text[i];
		text[i] = kept == 'A' ? 'B' : 'A';
		refused += hdrlog_decode((struct slice){ text, len }, &back) != 0;
		text[i] = kept;
	}
	assert_true(refused > (int)len * 9 / 10);
	assert_int_not_equal(hdrlog_decode(text_slice("HISTFAAA!"), &back), 0);
	assert_int_not_equal(hdrlog_decode(text_slice("===="), &back), 0);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_empty, set_up),
		cmocka_unit_test_setup(test_every_magnitude, set_up),
		cmocka_unit_test_setup(test_ends, set_up),
		cmocka_unit_test_setup(test_counts_of_every_length, set_up),
		cmocka_unit_test_setup(test_known_blob, set_up),
		cmocka_unit_test_setup(test_foreign_blob, set_up),
		cmocka_unit_test_setup(test_damage_is_refused, set_up),
	};
	return cmocka_run_group_tests_name("hdrlog", tests, NULL, NULL);
}
