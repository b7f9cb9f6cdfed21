/*
 * report_doc.h: one text, two forms. A section is written once, in the markup of report_text.h; the
 * writer puts it out as HTML and as Markdown. What only one form can show goes through
 * report_html() or report_markdown().
 *
 * Every text is markup: escape what comes from outside with report_escape(). Strings must live
 * until the call returns, those of table cells until report_table_end().
 */
#ifndef REPORT_DOC_H
#define REPORT_DOC_H

#include <stdbool.h>
#include <stdio.h>

#include "harness/report_text.h"

enum { REPORT_COLUMNS_MAX = 40 };

struct report_column {
	const char *title; /* markup */
	bool number;       /* aligned to the right */
};

struct report_cell {
	const char *text;  /* markup */
	const char *class; /* of the HTML cell; may be NULL */
	double sort;       /* number to sort by; NAN: by the text */
};

struct report_doc {
	FILE *html;
	FILE *md;
	struct report_pool *pool;
	const struct report_column *columns; /* of the open table */
	size_t column_count;
	struct report_cell *cells;
	size_t cell_count, cell_cap;
};

void report_heading(struct report_doc *d, int level, const char *id, const char *text);
/* `class` is of the HTML paragraph; may be NULL. */
void report_paragraph(struct report_doc *d, const char *class, const char *text);
void report_list_begin(struct report_doc *d, const char *class);
void report_item(struct report_doc *d, const char *text);
void report_list_end(struct report_doc *d);
/* Text as it stands, in a fixed-width block. Not markup. */
void report_block(struct report_doc *d, const char *text);

/* `sortable` adds what the script needs. Cells follow row by row. */
void report_table_begin(struct report_doc *d, const struct report_column *columns, size_t count);
void report_cell(struct report_doc *d, const char *text);
void report_cell_class(struct report_doc *d, const char *class, const char *text);
void report_cell_number(struct report_doc *d, double sort, const char *text);
/* `class`: "sortable", "compact"... of the HTML table. `in_markdown` false leaves it to the HTML.
 */
void report_table_end(struct report_doc *d, const char *class, bool in_markdown);

/* What is folded away in HTML; in Markdown the summary is a line of its own. */
void report_details_begin(struct report_doc *d, const char *summary, bool in_markdown);
void report_details_end(struct report_doc *d);

__attribute__((format(printf, 2, 3))) void report_html(
    struct report_doc *d, const char *format, ...);
__attribute__((format(printf, 2, 3))) void report_markdown(
    struct report_doc *d, const char *format, ...);
/* Bytes with HTML's four characters escaped. */
void report_html_escaped(FILE *out, const char *text, size_t len);
/* Markup as HTML, without a surrounding element. */
void report_html_inline(FILE *out, const char *markup);

#endif
