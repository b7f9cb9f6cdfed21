/*
 * report_back.c: the figures, then what stands behind them: the proof that the servers are
 * equivalent, every point with its interval, and how to make it all again.
 */
#include "harness/report_sections.h"

#include <math.h>
#include <string.h>

static void one_figure(struct report *r, const struct figure *f, bool with_symbols)
{
	struct report_pool *pool = &r->data->pool;
	report_heading(r->doc, 3, report_printf(pool, "figure-%s", f->name), f->title);
	report_html(r->doc, "<figure>\n");
	if (f->drawn) {
		report_html(r->doc, "<div class=\"scroll\">");
		figures_inline(r->doc->html, r->data, r->run_folder, f, with_symbols);
		report_html(r->doc, "</div>\n");
		report_markdown(r->doc, "![%s](plots/%s.svg)\n\n", f->title, f->name);
	} else {
		report_paragraph(r->doc, "missing",
		    r->figures->no_gnuplot ? "Not drawn: gnuplot is not installed. `apt-get "
					     "install gnuplot-nox`, then make the report again."
					   : "**Not drawn: gnuplot failed on it.** What it said "
					     "stands on standard error of the report.");
	}
	report_html(r->doc, "<figcaption>\n");
	report_paragraph(r->doc, NULL, f->see);
	report_paragraph(
	    r->doc, "misread", report_printf(pool, "**Not to be misread:** %s", f->misread));
	report_paragraph(r->doc, "files",
	    report_printf(pool, "[data](plots/%s.tsv) [script](plots/%s.gp)%s", f->name, f->name,
		f->drawn ? report_printf(pool, " [picture](plots/%s.svg)", f->name) : ""));
	report_html(r->doc, "</figcaption></figure>\n");
	if (!strcmp(f->name, "throughput"))
		report_table_usl(r);
	if (!strcmp(f->name, "latency"))
		report_table_slo(r);
}

/* All servers with their marks; the script makes switches of them. */
static void legend(struct report *r)
{
	report_html(r->doc, "<div class=\"legend\">");
	for (size_t i = 0; i < r->data->server_count; i++)
		report_html(r->doc, "<span class=\"server s-%s\">%s</span>\n",
		    r->data->servers[i].name, r->data->servers[i].name);
	report_html(r->doc, "</div>\n");
}

void report_section_figures(struct report *r)
{
	bool symbols = true;
	const char *unmeasured = "";
	if (r->figures->failed)
		report_paragraph(r->doc, "alarm",
		    report_printf(
			&r->data->pool, "**%zu figures could not be drawn.**", r->figures->failed));
	report_paragraph(r->doc, NULL,
	    "A server has one colour and one mark in all figures. Where there are many servers each "
	    "has a panel of its own, on the same axes, with the others in grey behind it; where a "
	    "figure has a single load, each has a row.");
	legend(r);
	for (size_t i = 0; i < r->figures->count; i++) {
		const struct figure *f = &r->figures->item[i];
		if (f->empty) {
			unmeasured = report_printf(&r->data->pool, "%s%s[%s](plots/%s.tsv)",
			    unmeasured, *unmeasured ? ", " : "", f->name, f->name);
			continue;
		}
		bool opens = f->folded && !(i && r->figures->item[i - 1].folded);
		bool closes
		    = f->folded && (i + 1 == r->figures->count || !r->figures->item[i + 1].folded);
		if (opens)
			report_details_begin(r->doc, "The same at smaller loads", true);
		one_figure(r, f, symbols);
		symbols = symbols && !f->drawn;
		if (closes)
			report_details_end(r->doc);
	}
	if (*unmeasured)
		report_paragraph(r->doc, "missing",
		    report_printf(&r->data->pool, "Not measured in this run: %s.", unmeasured));
}

static size_t count_cases(
    struct report *r, const char *server, const char *sending, bool passed_only)
{
	size_t count = 0;
	for (size_t i = 0; i < r->data->case_count; i++) {
		const struct report_case_row *c = &r->data->cases[i];
		count += !strcmp(c->server, server) && !strcmp(c->sending, sending)
		    && (c->passed || !passed_only);
	}
	return count;
}

static void conformance_totals(struct report *r)
{
	static const struct report_column columns[] = {
		{ "server", false },
		{ "whole", true },
		{ "split at every byte", true },
		{ "coalesced with the next", true },
		{ "", false },
	};
	static const char *const sendings[] = { "whole", "split", "coalesced" };
	struct report_pool *pool = &r->data->pool;
	report_table_begin(r->doc, columns, 5);
	for (size_t i = 0; i < r->data->server_count; i++) {
		const char *name = r->data->servers[i].name;
		size_t all = 0, passed = 0;
		report_cell(r->doc, report_name(r, &r->data->servers[i]));
		for (size_t k = 0; k < 3; k++) {
			size_t of = count_cases(r, name, sendings[k], false),
			       ok = count_cases(r, name, sendings[k], true);
			report_cell(r->doc, of ? report_printf(pool, "%zu / %zu", ok, of) : "-");
			all += of;
			passed += ok;
		}
		if (!all)
			report_cell_class(r->doc, "v v-unsupported",
			    report_is_reference(&r->data->servers[i]) ? "reference: not checked"
								      : "not checked");
		else if (passed == all)
			report_cell_class(r->doc, "v v-valid", "passes");
		else
			report_cell_class(
			    r->doc, "v v-failed", report_printf(pool, "%zu failed", all - passed));
	}
	report_table_end(r->doc, "compact", true);
}

static void conformance_failures(struct report *r)
{
	static const struct report_column columns[] = {
		{ "server", false },
		{ "case", false },
		{ "section", false },
		{ "sending", false },
		{ "what happened", false },
	};
	struct report_pool *pool = &r->data->pool;
	report_table_begin(r->doc, columns, 5);
	size_t count = 0;
	for (size_t i = 0; i < r->data->case_count; i++) {
		const struct report_case_row *c = &r->data->cases[i];
		if (c->passed)
			continue;
		const struct report_server *server = report_server(r->data, c->server);
		report_cell(
		    r->doc, server ? report_name(r, server) : report_escape(pool, c->server));
		report_cell(r->doc, report_code(pool, c->case_id));
		report_cell(r->doc, report_escape(pool, c->section));
		report_cell(r->doc, report_escape(pool, c->sending));
		report_cell_class(r->doc, "reason", report_escape(pool, c->detail));
		count++;
	}
	if (count)
		report_table_end(r->doc, "sortable dense", true);
}

/* Case by server; a cell counts the ways of sending that passed. */
static void conformance_matrix(struct report *r)
{
	struct report_pool *pool = &r->data->pool;
	struct report_column columns[REPORT_COLUMNS_MAX]
	    = { { "case", false }, { "section", false } };
	size_t servers = r->data->server_count < REPORT_COLUMNS_MAX - 2 ? r->data->server_count
									: REPORT_COLUMNS_MAX - 2,
	       cases = 0;
	for (size_t i = 0; i < servers; i++)
		columns[i + 2].title = report_name(r, &r->data->servers[i]);
	report_table_begin(r->doc, columns, servers + 2);
	for (size_t i = 0, next; i < r->data->case_count; i = next) {
		const char *id = r->data->cases[i].case_id;
		for (next = i;
		     next < r->data->case_count && !strcmp(r->data->cases[next].case_id, id);
		     next++)
			;
		report_cell(r->doc, report_code(pool, id));
		report_cell(r->doc, report_escape(pool, r->data->cases[i].section));
		for (size_t s = 0; s < servers; s++) {
			size_t of = 0, ok = 0;
			for (size_t k = i; k < next; k++)
				if (!strcmp(r->data->cases[k].server, r->data->servers[s].name)) {
					of++;
					ok += r->data->cases[k].passed;
				}
			report_cell_class(r->doc,
			    !of            ? "none"
				: ok == of ? "pass"
					   : "fail",
			    of ? report_printf(pool, "%zu/%zu", ok, of) : "-");
		}
		cases++;
	}
	report_details_begin(r->doc,
	    report_printf(
		pool, "All %zu cases, server by server (ways of sending that passed)", cases),
	    false);
	report_table_end(r->doc, "matrix", false);
	report_details_end(r->doc);
}

void report_section_conformance(struct report *r)
{
	if (!r->data->case_count) {
		report_paragraph(r->doc, NULL,
		    "The servers were not checked in this run: nothing here proves that they are "
		    "equivalent.");
		return;
	}
	report_paragraph(r->doc, NULL,
	    "A comparison needs servers that do the same. Each case sends bytes, whole, split at "
	    "every byte, and coalesced with a following request, and demands the status and the "
	    "state of the connection that the RFC asks for.");
	conformance_totals(r);
	conformance_failures(r);
	conformance_matrix(r);
}

/* A cell's reasons stand one behind the other, "p99_us: why; rate_per_s: why"; each is said once. */
static void blanks(struct report *r)
{
	const char *told[16];
	size_t count = 0;
	for (size_t i = 0; i < r->data->cell_count; i++)
		for (const char *at = r->data->cells[i].blank, *end; *at; at = end) {
			at += strspn(at, "; ");
			end = strstr(at, "; ");
			end = end ? end : at + strlen(at);
			const char *reason
			    = report_printf(&r->data->pool, "%.*s", (int)(end - at), at);
			size_t k = 0;
			while (k < count && strcmp(told[k], reason))
				k++;
			if (*reason && k == count && count < sizeof(told) / sizeof(*told))
				told[count++] = reason;
		}
	if (!count)
		return;
	report_paragraph(r->doc, NULL, "Why some values are blank, or come from elsewhere:");
	report_list_begin(r->doc, "plain");
	for (size_t i = 0; i < count; i++)
		report_item(r->doc, report_escape(&r->data->pool, told[i]));
	report_list_end(r->doc);
}

void report_section_cells(struct report *r)
{
	static const int metrics[] = {
		METRIC_RATE_PER_S,
		METRIC_P50_US,
		METRIC_P99_US,
		METRIC_P99_9_US,
		METRIC_MAX_US,
		METRIC_CTX_SWITCHES_PER_REQ,
		METRIC_CTX_VOLUNTARY_PER_REQ,
		METRIC_CTX_INVOLUNTARY_PER_REQ,
		METRIC_CPU_USER_US_PER_REQ,
		METRIC_CPU_SYS_US_PER_REQ,
		METRIC_RUNQUEUE_US_PER_REQ,
		METRIC_USER_BYTES_PER_CONN,
		METRIC_KERNEL_BYTES_PER_CONN,
		METRIC_THREADS,
		METRIC_STARVED,
		METRIC_FAIRNESS,
	};
	enum { METRICS = sizeof(metrics) / sizeof(*metrics), LEADING = 5 };
	struct report_pool *pool = &r->data->pool;
	struct report_column columns[LEADING + METRICS] = {
		{ "experiment", false },
		{ "server", false },
		{ "connections", true },
		{ "n", true },
		{ "verdict", false },
	};
	for (size_t i = 0; i < METRICS; i++)
		columns[LEADING + i]
		    = (struct report_column){ report_metrics[metrics[i]].title, true };
	report_paragraph(r->doc, NULL,
	    "Median and 95% interval over n runs. A percentile here is the median of the runs' "
	    "own; the figures merge their histograms. Every single run, with all columns: "
	    "[cells.csv](cells.csv).");
	report_table_begin(r->doc, columns, LEADING + METRICS);
	for (size_t i = 0; i < r->data->point_count; i++) {
		const struct report_point *p = &r->data->points[i];
		report_cell(r->doc, report_escape(pool, p->cells->experiment));
		report_cell(r->doc,
		    report_printf(pool, "%s%s", report_name(r, p->cells->server),
			p->cells->twin ? " (twin)" : ""));
		report_cell_number(r->doc, (double)(p->cells->connections + p->cells->idle + p->cells->slow),
		    report_load(r, p->cells));
		report_cell_number(
		    r->doc, (double)p->usable_count, report_whole(pool, (double)p->usable_count));
		report_verdict_cell(r, p->verdict);
		for (size_t k = 0; k < METRICS; k++) {
			struct estimate e = p->metric[metrics[k]];
			const char *bound = metrics[k] == METRIC_RATE_PER_S && e.count
				&& p->verdict == VERDICT_CLIENT_LIMITED
			    ? ">= "
			    : "";
			report_cell_number(r->doc, e.count ? e.median : (double)NAN,
			    report_printf(pool, "%s%s", bound,
				report_interval(pool, report_metrics[metrics[k]].unit, e)));
		}
	}
	report_table_end(r->doc, "sortable filter dense", true);
	blanks(r);
}

void report_section_reproduce(struct report *r)
{
	struct report_pool *pool = &r->data->pool;
	report_paragraph(r->doc, NULL,
	    "The command that made this run, from a clone of the project at the version named "
	    "under Setup:");
	report_block(r->doc, report_printf(pool, "build/%s", report_key(r->data, "command")));
	report_paragraph(r->doc, NULL,
	    report_printf(pool,
		"Version %s, seed %s (it fixes the order within the blocks), started %s, ended %s. "
		"The page, the Markdown and the figures are made again from the store alone by "
		"`build/c10k report RUN`, RUN being this folder; a single figure by `gnuplot NAME.gp` "
		"in its folder plots.",
		report_escape(pool, report_key(r->data, "version")),
		report_escape(pool, report_key(r->data, "seed")),
		report_escape(pool, report_key(r->data, "started_at")),
		report_escape(pool, report_key(r->data, "finished_at"))));
	report_paragraph(r->doc, NULL,
	    "When your figures differ, compare in this order: the grade, Setup (CPU, kernel, "
	    "mitigations, governor, virtualisation), the CPU split, then ratios between servers "
	    "rather than absolute rates: ratios carry over between machines far better.");
	report_details_begin(r->doc, "The plan", true);
	report_block(r->doc, report_key(r->data, "plan_text"));
	report_details_end(r->doc);
}
