/* test_opening.c: the comment that a file opens with, without its marks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/opening.c"

static const char *opening(const char *source)
{
	static char out[64];
	opening_read(source, out, sizeof(out));
	return out;
}

static void test_block(void **state)
{
	(void)state;
	assert_string_equal(opening("/*\n * a.c: one\n * loop.\n *\n *  Cost: 2 * 3. \n */\nint x;"),
	    "a.c: one loop.\n\nCost: 2 * 3.");
	assert_string_equal(opening("/* short: all in a line. */\n/* not this */"), "short: all in a line.");
	assert_string_equal(opening("/*\n *\n */\n"), "");
}

static void test_lines(void **state)
{
	(void)state;
	assert_string_equal(opening("//! a.rs: tasks\n//! that wait.\n//!\n//! Cost: few.\nuse x;\n// no\n"),
	    "a.rs: tasks that wait.\n\nCost: few.");
	assert_string_equal(opening("// a.go: goroutines.\npackage main\n"), "a.go: goroutines.");
}

static void test_none(void **state)
{
	(void)state;
	assert_string_equal(opening(""), "");
	assert_string_equal(opening("#include <x.h>\n/* late */"), "");
	assert_string_equal(opening("/* without an end"), "without an end");
}

/* What does not fit is cut off, within the room. */
static void test_room(void **state)
{
	(void)state;
	char out[8] = ".......";
	opening_read("/* 123456789 */", out, 6);
	assert_string_equal(out, "12345");
	assert_int_equal(out[6], '.');
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_room),
	};
	return cmocka_run_group_tests_name("opening", tests, NULL, NULL);
}
