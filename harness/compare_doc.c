/* compare_doc.c: the report's writer, with one table an experiment. */
#include "harness/compare_doc.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report_assets.h"
#include "harness/report_sections.h"
#include "lib/sys/die.h"

const char *compare_run_words(struct report_data *data)
{
	const char *rest = strcmp(report_key(data, "status"), "complete")
	    ? report_printf(&data->pool, ", not complete: %zu of %s planned cells",
		  data->cell_count, report_key(data, "planned_cells")) : "";
	return report_printf(&data->pool, "%s: c10k %s, %.10s%s", data->folder_name,
	    report_key(data, "version"), report_key(data, "started_at"), rest);
}

const char *compare_sum_words(const struct compare_doc *d)
{
	const struct comparisons *c = d->comparisons;
	const uint32_t *n = c->counts;
	struct report_pool *pool = &d->b->pool;
	const char *text = report_printf(pool,
	    "%zu comparisons: %u better, %u worse, %u tie%s, %u undecided", c->count,
	    n[COMPARE_BETTER], n[COMPARE_WORSE], n[COMPARE_TIE], n[COMPARE_TIE] == 1 ? "" : "s",
	    n[COMPARE_UNDECIDED]);
	if (n[COMPARE_LIMITED])
		text = report_printf(pool, "%s, %u client-limited", text, n[COMPARE_LIMITED]);
	if (n[COMPARE_LOST])
		text = report_printf(pool, "%s, %u lost", text, n[COMPARE_LOST]);
	if (c->only_a || c->only_b)
		text = report_printf(
		    pool, "%s; only in A: %u, only in B: %u", text, c->only_a, c->only_b);
	return text;
}

const char *compare_gate_words(const struct compare_doc *d)
{
	uint32_t count = d->comparisons->regressions;
	double percent = d->threshold * 100;
	if (count == 0)
		return report_printf(
		    &d->b->pool, "Nothing is worse by more than %g%% with its whole interval.",
		    percent);
	return report_printf(&d->b->pool, "%u regression%s: worse by more than %g%%, or lost.",
	    count, count == 1 ? "" : "s", percent);
}

enum report_unit compare_unit(const struct compare_doc *d, const struct compared *item)
{
	return d->normalised ? REPORT_PLAIN : report_metrics[item->metric].unit;
}

static void write_head(struct report_doc *doc)
{
	report_html(doc,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	    "<meta name=\"color-scheme\" content=\"light dark\">\n"
	    "<title>Two runs compared - c10k</title>\n<style>\n%s"
	    "ul.plain{margin-bottom:1rem}td.better,td.worse{white-space:nowrap}"
	    "td.better{color:var(--good)}td.worse{color:var(--bad);font-weight:650}\n"
	    "</style>\n</head>\n<body>\n<main>\n<header>\n<p class=\"over\">c10k compare</p>\n",
	    report_asset("report.css"));
}

static void write_intro(const struct compare_doc *d, struct report_doc *doc)
{
	struct report_pool *pool = &d->b->pool;
	report_heading(doc, 1, "top", "Two runs compared");
	report_html(doc, "</header>\n");
	report_list_begin(doc, "plain");
	report_item(doc, report_printf(pool, "**A** %s", report_escape(pool, compare_run_words(d->a))));
	report_item(doc, report_printf(pool, "**B** %s", report_escape(pool, compare_run_words(d->b))));
	report_list_end(doc);
	report_paragraph(doc, NULL,
	    report_printf(pool, "**%s** %s.", compare_gate_words(d), compare_sum_words(d)));
	if (*d->differences)
		report_paragraph(doc, NULL,
		    report_printf(pool, "What else differs (`c10k diff-env` says how): %s.",
			report_escape(pool, d->differences)));
	report_paragraph(doc, NULL,
	    report_printf(pool,
		"B / A block by block, with 95%% intervals. A tie lies within 2%% of 1 (5%% for a "
		"percentile); undecided reaches across that edge, or is no larger than what the "
		"same program measured twice differs by.%s",
		d->normalised ? " Each figure is a share of that of `" COMPARE_REFERENCE
				"` in its own run, block and load." : ""));
}

static void write_row(const struct compare_doc *d, struct report *r, const struct compared *item)
{
	static const char *const classes[COMPARE_OUTCOMES] = {
		[COMPARE_BETTER] = "better", [COMPARE_WORSE] = "worse", [COMPARE_LOST] = "worse",
	};
	struct report_pool *pool = &d->b->pool;
	enum report_unit unit = compare_unit(d, item);
	const struct estimate *a = &item->a->metric[item->metric];
	const struct estimate *b = &item->b->metric[item->metric];
	const char *word = compare_word(item);
	report_cell(r->doc, report_load(r, item->a->cells));
	report_cell(r->doc, report_escape(pool, item->a->cells->server->name));
	report_cell(r->doc, report_metrics[item->metric].title);
	report_cell_class(r->doc, classes[item->outcome],
	    item->regression ? report_printf(pool, "**%s** (regression)", word) : word);
	report_cell_number(r->doc, item->ratio.median, report_ratio(pool, item->ratio));
	report_cell_number(r->doc, a->median, report_interval(pool, unit, *a));
	report_cell_number(r->doc, b->median, report_interval(pool, unit, *b));
	report_cell_number(r->doc, item->ratio.count, report_printf(pool, "%u", item->ratio.count));
}

static void write_tables(const struct compare_doc *d, struct report *r)
{
	static const struct report_column columns[] = { { "clients", true }, { "server", false },
		{ "metric", false }, { "verdict", false }, { "B / A", true }, { "A", true },
		{ "B", true }, { "blocks", true } };
	const struct comparisons *c = d->comparisons;
	for (size_t i = 0; i < c->count;) {
		const char *experiment = c->items[i].a->cells->experiment;
		report_heading(r->doc, 2, report_printf(&d->b->pool, "%.20s", experiment),
		    report_escape(&d->b->pool, experiment));
		report_table_begin(r->doc, columns, sizeof(columns) / sizeof(*columns));
		for (; i < c->count && !strcmp(c->items[i].a->cells->experiment, experiment); i++)
			write_row(d, r, &c->items[i]);
		report_table_end(r->doc, "compact", true);
	}
}

static FILE *open_file(const char *path)
{
	FILE *file = fopen(path ? path : "/dev/null", "we");
	if (!file)
		warn_line("compare: cannot write %s: %s", path, strerror(errno));
	return file;
}

static bool close_file(FILE *file, const char *path)
{
	bool written = !ferror(file);
	written &= fclose(file) == 0;
	if (!written)
		warn_line("compare: cannot write %s: %s", path, strerror(errno));
	return written;
}

bool compare_doc_write(const struct compare_doc *d, const char *markdown, const char *html)
{
	struct report_doc doc = { .pool = &d->b->pool };
	struct report r = { .data = d->b, .doc = &doc };
	doc.html = open_file(html);
	doc.md = doc.html ? open_file(markdown) : NULL;
	if (!doc.md) {
		if (doc.html)
			fclose(doc.html);
		return false;
	}
	write_head(&doc);
	write_intro(d, &doc);
	write_tables(d, &r);
	report_html(&doc, "</main>\n</body>\n</html>\n");
	free(doc.cells);
	bool written = close_file(doc.html, html);
	return close_file(doc.md, markdown) && written;
}
