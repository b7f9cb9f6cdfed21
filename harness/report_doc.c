/*
 * report_doc.c: the writer. Its markup is a subset of Markdown, so the Markdown form is the text as
 * it stands, less the braces around a server's name; the HTML form is made by one pass over it.
 * Everything that reaches the HTML goes through report_html_escaped(): there is no second way in
 * for text.
 *
 * A table is kept until its end, since Markdown that reads well in a terminal needs the width of
 * every column.
 */
#include "harness/report_doc.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/die.h"

void report_html_escaped(FILE *out, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		switch (text[i]) {
		case '&': fputs("&amp;", out); break;
		case '<': fputs("&lt;", out); break;
		case '>': fputs("&gt;", out); break;
		case '"': fputs("&quot;", out); break;
		default: fputc(text[i], out);
		}
	}
}

/* Writes text up to the unescaped `end`, without backslashes; returns what follows it. */
static const char *html_until(FILE *out, const char *text, char end)
{
	while (*text && *text != end) {
		if (*text == '\\' && text[1])
			text++;
		report_html_escaped(out, text++, 1);
	}
	return *text ? text + 1 : text;
}

static const char *html_link(FILE *out, const char *text)
{
	const char *close = strchr(text, ']');
	const char *end = close && close[1] == '(' ? strchr(close, ')') : NULL;
	CHECK(end);
	fputs("<a href=\"", out);
	report_html_escaped(out, close + 2, (size_t)(end - close - 2));
	fputs("\">", out);
	html_until(out, text, ']');
	fputs("</a>", out);
	return end + 1;
}

void report_html_inline(FILE *out, const char *text)
{
	bool strong = false;
	while (*text) {
		if (*text == '`') {
			const char *end = strchr(text + 1, '`');
			CHECK(end);
			fputs("<code>", out);
			report_html_escaped(out, text + 1, (size_t)(end - text - 1));
			fputs("</code>", out);
			text = end + 1;
		} else if (text[0] == '*' && text[1] == '*') {
			fputs(strong ? "</strong>" : "<strong>", out);
			strong = !strong;
			text += 2;
		} else if (*text == '[' && strstr(text, "](")
		    && strchr(text, ']') == strstr(text, "](")) {
			text = html_link(out, text + 1);
		} else if (*text == '{') {
			const char *end = strchr(text, '}');
			CHECK(end);
			fprintf(
			    out, "<span class=\"server s-%.*s\">", (int)(end - text - 1), text + 1);
			text = html_until(out, text + 1, '}');
			fputs("</span>", out);
		} else {
			if (*text == '\\' && text[1])
				text++;
			report_html_escaped(out, text++, 1);
		}
	}
}

/* Markup as Markdown: only the braces go. Returns how many characters a terminal shows. */
static size_t md_inline(FILE *out, const char *text)
{
	size_t width = 0;
	bool code = false;
	for (; *text; text++) {
		if (*text == '`')
			code = !code;
		if (!code && (*text == '{' || *text == '}'))
			continue;
		if (*text == '\\' && text[1] && !code) {
			if (out)
				fputc(*text, out);
			width++;
			text++;
		}
		if (out)
			fputc(*text, out);
		width += ((unsigned char)*text & 0xc0)
		    != 0x80; /* UTF-8: continuation bytes take no room */
	}
	return width;
}

void report_heading(struct report_doc *d, int level, const char *id, const char *text)
{
	fprintf(d->html, "<h%d id=\"%s\">", level, id);
	report_html_inline(d->html, text);
	fprintf(d->html, "</h%d>\n", level);
	fprintf(d->md, "%.*s ", level, "####");
	md_inline(d->md, text);
	fputs("\n\n", d->md);
}

void report_paragraph(struct report_doc *d, const char *class, const char *text)
{
	if (class)
		fprintf(d->html, "<p class=\"%s\">", class);
	else
		fputs("<p>", d->html);
	report_html_inline(d->html, text);
	fputs("</p>\n", d->html);
	md_inline(d->md, text);
	fputs("\n\n", d->md);
}

void report_list_begin(struct report_doc *d, const char *class)
{
	fprintf(d->html, "<ul class=\"%s\">\n", class);
}

void report_item(struct report_doc *d, const char *text)
{
	fputs("<li>", d->html);
	report_html_inline(d->html, text);
	fputs("</li>\n", d->html);
	fputs("- ", d->md);
	md_inline(d->md, text);
	fputc('\n', d->md);
}

void report_list_end(struct report_doc *d)
{
	fputs("</ul>\n", d->html);
	fputc('\n', d->md);
}

void report_block(struct report_doc *d, const char *text)
{
	fputs("<pre>", d->html);
	report_html_escaped(d->html, text, strlen(text));
	fputs("</pre>\n", d->html);
	/* four-space blocks: no fence that the text could close */
	fputs("    ", d->md);
	for (; *text; text++) {
		fputc(*text, d->md);
		if (*text == '\n' && text[1])
			fputs("    ", d->md);
	}
	fputs("\n\n", d->md);
}

void report_table_begin(struct report_doc *d, const struct report_column *columns, size_t count)
{
	CHECK(count <= REPORT_COLUMNS_MAX);
	d->columns = columns;
	d->column_count = count;
	d->cell_count = 0;
}

static void add_cell(struct report_doc *d, const char *text, const char *class, double sort)
{
	d->cells = report_grow(d->cells, &d->cell_cap, d->cell_count, sizeof(*d->cells));
	d->cells[d->cell_count++] = (struct report_cell){ text, class, sort };
}

void report_cell(struct report_doc *d, const char *text)
{
	add_cell(d, text, NULL, NAN);
}

void report_cell_class(struct report_doc *d, const char *class, const char *text)
{
	add_cell(d, text, class, NAN);
}

void report_cell_number(struct report_doc *d, double sort, const char *text)
{
	add_cell(d, text, NULL, sort);
}

static void table_html(const struct report_doc *d, const char *class)
{
	FILE *out = d->html;
	fprintf(out, "<div class=\"scroll\"><table class=\"%s\"><thead><tr>", class);
	for (size_t i = 0; i < d->column_count; i++) {
		fputs(
		    d->columns[i].number ? "<th class=\"n\" scope=\"col\">" : "<th scope=\"col\">",
		    out);
		report_html_inline(out, d->columns[i].title);
		fputs("</th>", out);
	}
	fputs("</tr></thead><tbody>\n", out);
	for (size_t i = 0; i < d->cell_count; i++) {
		const struct report_cell *cell = &d->cells[i];
		size_t column = i % d->column_count;
		const char *number = d->columns[column].number ? "n" : "";
		if (column == 0)
			fputs("<tr>", out);
		fputs("<td", out);
		if (*number || cell->class)
			fprintf(out, " class=\"%s%s%s\"", number, *number && cell->class ? " " : "",
			    cell->class ? cell->class : "");
		if (isfinite(cell->sort))
			fprintf(out, " data-v=\"%.9g\"", cell->sort);
		fputc('>', out);
		report_html_inline(out, cell->text);
		fputs("</td>", out);
		if (column + 1 == d->column_count)
			fputs("</tr>\n", out);
	}
	fputs("</tbody></table></div>\n", out);
}

/* One long text does not push a whole column out of the terminal. */
enum { MD_WIDTH_MAX = 76 };

static void md_padded(FILE *out, const char *text, size_t width, bool right)
{
	size_t own = md_inline(NULL, text);
	int padding = own < width ? (int)(width - own) : 0;
	fputs("| ", out);
	if (right)
		fprintf(out, "%*s", padding, "");
	md_inline(out, text);
	if (!right)
		fprintf(out, "%*s", padding, "");
	fputc(' ', out);
}

static void table_md(const struct report_doc *d)
{
	size_t width[REPORT_COLUMNS_MAX];
	for (size_t i = 0; i < d->column_count; i++) {
		width[i] = md_inline(NULL, d->columns[i].title);
		width[i] = width[i] < 3 ? 3 : width[i];
	}
	for (size_t i = 0; i < d->cell_count; i++) {
		size_t own = md_inline(NULL, d->cells[i].text);
		size_t *most = &width[i % d->column_count];
		*most = own > *most && own <= MD_WIDTH_MAX ? own : *most;
	}
	for (size_t i = 0; i < d->column_count; i++)
		md_padded(d->md, d->columns[i].title, width[i], d->columns[i].number);
	fputs("|\n", d->md);
	for (size_t i = 0; i < d->column_count; i++) {
		fputs("| ", d->md);
		for (size_t dash = d->columns[i].number; dash < width[i]; dash++)
			fputc('-', d->md);
		fputs(d->columns[i].number ? ": " : " ", d->md);
	}
	fputs("|\n", d->md);
	for (size_t i = 0; i < d->cell_count; i++) {
		size_t column = i % d->column_count;
		md_padded(d->md, d->cells[i].text, width[column], d->columns[column].number);
		if (column + 1 == d->column_count)
			fputs("|\n", d->md);
	}
	fputc('\n', d->md);
}

void report_table_end(struct report_doc *d, const char *class, bool in_markdown)
{
	CHECK(d->cell_count % d->column_count == 0);
	table_html(d, class);
	if (in_markdown)
		table_md(d);
}

void report_details_begin(struct report_doc *d, const char *summary, bool in_markdown)
{
	fputs("<details><summary>", d->html);
	report_html_inline(d->html, summary);
	fputs("</summary>\n", d->html);
	if (in_markdown) {
		md_inline(d->md, summary);
		fputs("\n\n", d->md);
	}
}

void report_details_end(struct report_doc *d)
{
	fputs("</details>\n", d->html);
}

void report_html(struct report_doc *d, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vfprintf(d->html, format, args);
	va_end(args);
}

void report_markdown(struct report_doc *d, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vfprintf(d->md, format, args);
	va_end(args);
}
