/* test_units.c: what people write, what it means, and how numbers come back in columns. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "lib/core/units.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

typedef bool parse_fn(struct slice text, uint64_t *value);

struct parse_case {
	const char *text;
	bool good;
	uint64_t value;
};

static void check_parse(parse_fn *parse, const struct parse_case *cases, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		const struct parse_case *c = &cases[i];
		uint64_t value = 4711;
		bool good = parse((struct slice){ c->text, strlen(c->text) }, &value);
		if (good != c->good || value != (c->good ? c->value : 4711))
			fail_msg("\"%s\" gave %d, %llu", c->text, good, (unsigned long long)value);
	}
}

static void test_parse_count(void **state)
{
	(void)state;
	static const struct parse_case cases[] = {
		{ "0", true, 0 },
		{ "250", true, 250 },
		{ "10k", true, 10000 },
		{ "1.5M", true, 1500000 },
		{ "2G", true, 2000000000 },
		{ "0.001k", true, 1 },
		{ "0.0019k", true, 1 },
		{ "1.123456789123G", true, 1123456789 },
		{ "007", true, 7 },
		{ "18446744073709551615", true, UINT64_MAX },
		{ "", false, 0 },
		{ "-1", false, 0 },
		{ "+1", false, 0 },
		{ " 1", false, 0 },
		{ "1 ", false, 0 },
		{ "1.", false, 0 },
		{ ".5k", false, 0 },
		{ "k", false, 0 },
		{ "10K", false, 0 },
		{ "10kk", false, 0 },
		{ "1.5.5", false, 0 },
		{ "0x10", false, 0 },
		{ "18446744073709551616", false, 0 },
		{ "99999999999G", false, 0 },
		{ "18446744073.709551616G", false, 0 },
		{ "1e3", false, 0 },
	};
	check_parse(units_parse_count, cases, COUNT(cases));
}

static void test_parse_time(void **state)
{
	(void)state;
	static const struct parse_case cases[] = {
		{ "100ns", true, 100 },
		{ "50us", true, 50000 },
		{ "300ms", true, 300000000 },
		{ "1.5s", true, 1500000000 },
		{ "2m", true, 120000000000 },
		{ "1h", true, 3600000000000 },
		{ "10", true, 10000000000 },
		{ "0.1", true, 100000000 },
		{ "0", true, 0 },
		{ "1.5ns", true, 1 },
		{ "0.25us", true, 250 },
		{ "s", false, 0 },
		{ "1 s", false, 0 },
		{ "1d", false, 0 },
		{ "5124096h", false, 0 },
	};
	check_parse(units_parse_time_ns, cases, COUNT(cases));
}

static void test_parse_size(void **state)
{
	(void)state;
	static const struct parse_case cases[] = {
		{ "4096", true, 4096 }, { "64k", true, 65536 }, { "64KiB", true, 65536 },
		{ "1MiB", true, 1048576 }, { "0.25KiB", true, 256 }, { "1.75KiB", true, 1792 },
		{ "3B", true, 3 }, { "1GiB", true, 1073741824 },
		{ "1KB", false, 0 }, { "1kib", false, 0 }, { "17179869184GiB", false, 0 },
	};
	check_parse(units_parse_size, cases, COUNT(cases));
}

static void test_parse_digits(void **state)
{
	(void)state;
	static const struct parse_case cases[] = {
		{ "0", true, 0 }, { "13", true, 13 }, { "18446744073709551615", true, UINT64_MAX },
		{ "", false, 0 }, { "+5", false, 0 }, { "-1", false, 0 }, { "0x5", false, 0 },
		{ "5 5", false, 0 }, { "5 ", false, 0 }, { "1k", false, 0 }, { "1.0", false, 0 },
		{ "18446744073709551616", false, 0 },
	};
	check_parse(units_parse_digits, cases, COUNT(cases));
}

typedef char *format_fn(char *out, size_t cap, double value);

struct format_case {
	double value;
	const char *text;
};

static void check_format(format_fn *format, const struct format_case *cases, size_t count)
{
	char out[UNITS_CAP];
	for (size_t i = 0; i < count; i++)
		assert_string_equal(format(out, sizeof out, cases[i].value), cases[i].text);
}

static void test_format(void **state)
{
	(void)state;
	static const struct format_case counts[] = {
		{ 0, "0" }, { 87, "87" }, { 87.5, "87.5" }, { 0.125, "0.13" }, { 312000, "312k" },
		{ 1020000, "1.02M" }, { 999, "999" }, { 999.7, "1.00k" }, { 999600, "1.00M" },
		{ 9.996, "10.0" }, { 99.96, "100" }, { 5e12, "5000G" }, { -1, "?" }, { 1e300, "?" },
	};
	static const struct format_case times[] = {
		{ 0, "0ns" }, { 850, "850ns" }, { 41200, "41.2us" }, { 999700, "1.00ms" },
		{ 1300000, "1.30ms" }, { 2e9, "2.00s" }, { 90e9, "90.0s" }, { 86400e9, "86400s" },
	};
	static const struct format_case sizes[] = {
		{ 512, "512 B" }, { 65536, "64.0 KiB" }, { 1023, "1023 B" }, { 1024, "1.00 KiB" },
		{ 1048576, "1.00 MiB" }, { 1572864, "1.50 MiB" },
	};
	check_format(units_format_count, counts, COUNT(counts));
	check_format(units_format_time_ns, times, COUNT(times));
	check_format(units_format_size, sizes, COUNT(sizes));
}

static void test_format_never_overruns(void **state)
{
	(void)state;
	char out[UNITS_CAP + 1];
	for (double value = 1e-6; value < 1e19; value *= 3) {
		out[UNITS_CAP] = 'x';
		units_format_size(out, UNITS_CAP, value);
		assert_true(strlen(out) < UNITS_CAP);
		assert_int_equal(out[UNITS_CAP], 'x');
	}
	char small[4];
	assert_string_equal(units_format_time_ns(small, sizeof small, 41200), "41.");
}

static void test_put_digits(void **state)
{
	(void)state;
	char out[20];
	assert_int_equal(units_put_digits(out, 0), 1);
	assert_memory_equal(out, "0", 1);
	assert_int_equal(units_put_digits(out, 1234567890), 10);
	assert_memory_equal(out, "1234567890", 10);
	assert_int_equal(units_put_digits(out, UINT64_MAX), 20);
	assert_memory_equal(out, "18446744073709551615", 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse_count),
		cmocka_unit_test(test_parse_time),
		cmocka_unit_test(test_parse_size),
		cmocka_unit_test(test_parse_digits),
		cmocka_unit_test(test_format),
		cmocka_unit_test(test_format_never_overruns),
		cmocka_unit_test(test_put_digits),
	};
	return cmocka_run_group_tests_name("units", tests, NULL, NULL);
}
