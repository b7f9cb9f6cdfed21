/* test_figures_style.c: a colour says whose it is, and the inks are nobody's. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/figures_style.c"

static void read_colour(const char *text, int rgb[3])
{
	assert_int_equal(sscanf(text, "#%2x%2x%2x", (unsigned *)&rgb[0], (unsigned *)&rgb[1],
			     (unsigned *)&rgb[2]), 3);
}

static void test_owner(void **state)
{
	(void)state;
	for (uint32_t style = 0; style < STYLES; style++) {
		int rgb[3];
		uint32_t owner;
		bool behind;
		read_colour(figures_colour(style), rgb);
		assert_true(figures_owner(rgb, &owner, &behind));
		assert_int_equal(owner, style);
		assert_false(behind);
		int base = colours[colour(style)];
		assert_in_range(rgb[0], base >> 16, base >> 16);
		assert_true(abs(rgb[1] - (base >> 8 & 255)) <= OWNER_MASK);
		assert_true(abs(rgb[2] - (base & 255)) <= OWNER_MASK);
		read_colour(figures_behind(style), rgb);
		assert_true(figures_owner(rgb, &owner, &behind));
		assert_int_equal(owner, style);
		assert_true(behind);
	}
}

static void test_inks(void **state)
{
	(void)state;
	static const char *const inks[] = { "#000000", "#ffffff", "#202428", "#6a7178", "#e3e5e8" };
	for (size_t i = 0; i < sizeof(inks) / sizeof(*inks); i++) {
		int rgb[3];
		uint32_t owner;
		bool behind;
		read_colour(inks[i], rgb);
		assert_false(figures_owner(rgb, &owner, &behind));
	}
}

/* Two runs look alike: a known server has its style wherever it stands, others the next free. */
static void test_assign(void **state)
{
	(void)state;
	struct report_server servers[] = { { .name = "zeta" }, { .name = "epoll" }, { .name = "alpha" } };
	figures_style_assign(servers, 3);
	assert_string_equal(servers[0].name, "epoll");
	assert_string_equal(figures_page_colour(servers[0].style), "var(--blue)");
	assert_string_equal(servers[1].name, "alpha");
	assert_int_equal(servers[1].style, KNOWN);
	assert_int_equal(servers[2].style, KNOWN + 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_owner),
		cmocka_unit_test(test_inks),
		cmocka_unit_test(test_assign),
	};
	return cmocka_run_group_tests_name("figures_style", tests, NULL, NULL);
}
