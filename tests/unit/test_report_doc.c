/* test_report_doc.c: how the report's words and numbers are written down. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report_doc.h"

/* Markup as HTML, and as a table in Markdown. */
static void test_forms(void **state)
{
	(void)state;
	struct report_pool pool = { 0 };
	char *html = NULL, *md = NULL;
	size_t html_len, md_len;
	static const struct report_column columns[] = { { "name", false }, { "rate", true } };
	struct report_doc doc = { .html = open_memstream(&html, &html_len),
		.md = open_memstream(&md, &md_len), .pool = &pool };
	report_paragraph(&doc, NULL, report_printf(&pool, "**{epoll}** %s %s [a](b.c) [4.4, 5.0]",
	    report_escape(&pool, "<i>x_y*"), report_code(&pool, "a`<b")));
	report_table_begin(&doc, columns, 2);
	report_cell(&doc, "{epoll}");
	report_cell_number(&doc, 1500, "1.50k");
	report_table_end(&doc, "sortable", true);
	fclose(doc.html);
	fclose(doc.md);
	assert_non_null(strstr(html, "<p><strong><span class=\"server s-epoll\">epoll</span></strong> "
	    "&lt;i&gt;x_y* <code>a'&lt;b</code> <a href=\"b.c\">a</a> [4.4, 5.0]</p>"));
	assert_non_null(strstr(html, "<td class=\"n\" data-v=\"1500\">1.50k</td>"));
	assert_string_equal(md, "**epoll** \\<i\\>x_y\\* `a'<b` [a](b.c) [4.4, 5.0]\n\n"
	    "| name  |  rate |\n| ----- | ----: |\n| epoll | 1.50k |\n\n");
	free(html);
	free(md);
	free(doc.cells);
	report_text_free(&pool);
}

static void test_numbers(void **state)
{
	(void)state;
	struct report_pool texts = { 0 }, *pool = &texts;
	assert_string_equal(report_whole(pool, 1234567), "1,234,567");
	assert_string_equal(report_whole(pool, 999), "999");
	assert_string_equal(report_value(pool, REPORT_PLAIN, 0.0213), "0.021");
	assert_string_equal(report_value(pool, REPORT_PLAIN, 0.00001), "<0.0005");
	assert_string_equal(report_value(pool, REPORT_SHARE, 0.985), "98.5%");
	assert_string_equal(report_value(pool, REPORT_BYTES, -2048), "-2.00 KiB");
	assert_string_equal(report_value(pool, REPORT_US, (double)NAN), "-");
	struct estimate e = { 4.7, 4.4, 5.0, 5 };
	assert_string_equal(report_ratio(pool, e), "4.70x [4.40, 5.00]");
	e.count = 1;
	assert_string_equal(report_interval(pool, REPORT_PLAIN, e), "4.70");
	report_text_free(pool);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_forms),
		cmocka_unit_test(test_numbers),
	};
	return cmocka_run_group_tests_name("report_doc", tests, NULL, NULL);
}
