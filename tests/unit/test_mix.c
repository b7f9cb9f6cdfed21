/* test_mix.c: what a mix says, and that each thing wrong with one is told with place and cure. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <unistd.h>

#include <cmocka.h>

#include "loadgen/mix.c"

static struct target targets[TARGETS_MAX];
static char message[MIX_MESSAGE_CAP];

/* The program keeps what targets point to for good; here it would pile up. */
static void forget_targets(void)
{
	for (int i = 0; i < TARGETS_MAX; i++) {
		free((void *)targets[i].path);
		free((void *)targets[i].body.ptr);
		free((void *)targets[i].expect.ptr);
		targets[i] = (struct target){ 0 };
	}
}

static uint32_t parse(const char *text)
{
	message[0] = '\0';
	forget_targets();
	return mix_parse(targets, "m.ini", text, message);
}

static void test_all_keys(void **state)
{
	(void)state;
	assert_int_equal(parse("; two of them\n"
		"[short]\ntarget = /\nweight=99.5\n\n"
		"[upload]\ntarget=/echo?x=1\nweight = 0.5\nbody = Hello\nexpect = Hello\n"
		"status = 201\n"), 2);
	assert_string_equal(targets[0].name, "short");
	assert_string_equal(targets[0].path, "/");
	assert_string_equal(targets[0].method, "GET");
	assert_true(targets[0].weight == 99.5);
	assert_null(targets[0].body.ptr);
	assert_null(targets[0].expect.ptr);
	assert_int_equal(targets[0].status, 0);
	assert_string_equal(targets[1].path, "/echo?x=1");
	assert_string_equal(targets[1].method, "POST"); /* as there is a body */
	assert_true(targets[1].weight == 0.5);
	assert_true(slice_equals(targets[1].body, SLICE("Hello")));
	assert_true(slice_equals(targets[1].expect, SLICE("Hello")));
	assert_int_equal(targets[1].status, 201);
}

static void test_defaults(void **state)
{
	(void)state;
	assert_int_equal(parse("[a]\ntarget = /\n[b]\nmethod = POST\ntarget = /b\n"), 2);
	assert_true(targets[0].weight == 1);
	assert_string_equal(targets[1].method, "POST");
	assert_null(targets[1].body.ptr);
}

static void test_most_targets(void **state)
{
	(void)state;
	char text[1024] = "";
	for (int i = 0; i < TARGETS_MAX; i++)
		snprintf(text + strlen(text), 64, "[t%d]\ntarget = /%d\n", i, i);
	assert_int_equal(parse(text), TARGETS_MAX);
	snprintf(text + strlen(text), 64, "[more]\ntarget = /\n");
	assert_int_equal(parse(text), 0);
	assert_string_equal(message, "m.ini:33: [more]: at most 16 targets");
}

static void test_complaints(void **state)
{
	(void)state;
	static const struct {
		const char *text;
		const char *words;
	} cases[] = {
		{ "", "m.ini:1: no target: add a section" },
		{ "target = /\n", "m.ini:1: \"target\" stands before any section" },
		{ "[a]\n", "m.ini:1: [a] needs a target, such as target = /" },
		{ "[a]\nweight = 1\n[b]\ntarget = /\n", "m.ini:1: [a] needs a target" },
		{ "[a]\ntarget = /\n[b]\n", "m.ini:3: [b] needs a target" },
		{ "[a]\ntarget = x\n", "m.ini:2: [a] target = x: give a path that starts with /" },
		{ "[a]\ntarget = /a b\n", "%XX" },
		{ "[a]\ntarget =\n", "m.ini:2: [a] target = : give a path" },
		{ "[a]\ntarget = /\ntarget = /\n", "m.ini:3: \"target\" is given twice" },
		{ "[a]\ntarget = /\nweight = 0\n", "m.ini:3: [a] weight = 0: give a number above" },
		{ "[a]\ntarget = /\nweight = -1\n", "weight = -1" },
		{ "[a]\ntarget = /\nweight = inf\n", "weight = inf" },
		{ "[a]\ntarget = /\nweight = nan\n", "weight = nan" },
		{ "[a]\ntarget = /\nweight = 1e3\n", "weight = 1e3" },
		{ "[a]\ntarget = /\nweight = 1.2.3\n", "weight = 1.2.3" },
		{ "[a]\ntarget = /\nweight = .\n", "weight = ." },
		{ "[a]\ntarget = /\nstatus = 99\n", "status = 99: give a number from 200 to 599" },
		{ "[a]\ntarget = /\nmethod = PUT\n", "method = PUT: give GET or POST" },
		{ "[a]\ntarget = /\nmethod = GET\nbody = x\n", "[a] has a body: method = POST" },
		{ "[a]\ntarget = /\nbody = @/no/file\n", "[a] body = @/no/file: cannot be read (" },
		{ "[a]\ntarget = /\nspeed = 3\n", "m.ini:3: unknown key \"speed\": use target" },
		{ "[a]\ntarget = /\n[a]\ntarget = /\n", "m.ini:3: [a] stands there twice" },
		{ "[]\ntarget = /\n", "m.ini:1: []: a name is 1 to 32 visible characters" },
		{ "[a b]\ntarget = /\n", "[a b]: a name is" },
		{ "[123456789012345678901234567890123]\ntarget = /\n", "a name is" },
		{ "[a]\ntarget = /\nnonsense\n", "m.ini:3: this is neither" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		uint32_t count = parse(cases[i].text);
		if (count || !strstr(message, cases[i].words) || strchr(message, '\n'))
			fail_msg("\"%s\": %u targets, \"%s\"", cases[i].text, count, message);
	}
}

static void test_long_line(void **state)
{
	(void)state;
	char text[1000] = "[a]\ntarget = /\nbody = ";
	memset(text + strlen(text), 'x', 600);
	assert_int_equal(parse(text), 0);
	assert_non_null(strstr(message, "m.ini:3: a line of more than"));
}

static void test_values_from_files(void **state)
{
	(void)state;
	char path[] = "/tmp/test_mix.XXXXXX", text[128];
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, "a\0b\r\n", 5), 5);
	close(fd);
	snprintf(text, sizeof text, "[a]\ntarget = /\nbody = @%s\n", path);
	assert_int_equal(parse(text), 1);
	assert_int_equal(targets[0].body.len, 5); /* as it is, a zero and the line's end included */
	assert_memory_equal(targets[0].body.ptr, "a\0b\r\n", 5);
	unlink(path);
	assert_int_equal(mix_read(targets, path, message), 0);
	assert_non_null(strstr(message, "cannot be read"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all_keys),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_most_targets),
		cmocka_unit_test(test_complaints),
		cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_values_from_files),
	};
	return cmocka_run_group_tests_name("mix", tests, NULL, NULL);
}
