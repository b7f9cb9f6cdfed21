/*
 * report.c: the report as a whole: opens the store, draws the figures, writes the two forms of the
 * text aside and puts them in place. Nothing in the output depends on the clock, the machine it is
 * made on, or the order of rows.
 */
#include "harness/report.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/figures_style.h"
#include "harness/report_assets.h"
#include "harness/report_sections.h"
#include "lib/sys/die.h"

static const struct section {
	const char *id, *title, *short_title;
	void (*write)(struct report *);
} sections[] = {
	{ "grade", "Grade", "Grade", report_section_grade },
	{ "answers", "Answers first", "Answers", report_section_answers },
	{ "reading", "How to read this", "How to read this", report_section_reading },
	{ "setup", "Setup", "Setup", report_section_setup },
	{ "health", "Measurement health", "Health", report_section_health },
	{ "figures", "Figures", "Figures", report_section_figures },
	{ "servers", "Servers", "Servers", report_section_servers },
	{ "conformance", "Conformance", "Conformance", report_section_conformance },
	{ "cells", "All cells", "All cells", report_section_cells },
	{ "reproduce", "Reproduce", "Reproduce", report_section_reproduce },
	{ "coursework", "Coursework", "Coursework", report_section_coursework },
};
enum { SECTIONS = sizeof(sections) / sizeof(*sections) };

/* Each server's mark, as style rules; a name may hold characters that a selector must escape. */
static void write_marks(struct report *r)
{
	for (size_t i = 0; i < r->data->server_count; i++) {
		const struct report_server *s = &r->data->servers[i];
		report_html(r->doc, ".s-");
		for (const char *ch = s->name; *ch; ch++)
			report_html(r->doc, "%s%c", *ch == '+' || *ch == '.' ? "\\" : "", *ch);
		report_html(r->doc, "::before{content:\"\\%s\";color:%s}\n", figures_mark(s->style),
		    figures_page_colour(s->style));
	}
}

static void write_contents(struct report *r)
{
	report_html(r->doc, "<nav aria-label=\"Contents\"><ol start=\"0\">\n");
	for (size_t i = 0; i < SECTIONS; i++) {
		report_html(
		    r->doc, "<li><a href=\"#%s\">%s</a>", sections[i].id, sections[i].short_title);
		if (!strcmp(sections[i].id, "figures")) {
			report_html(r->doc, "<ul>");
			for (size_t k = 0; k < r->figures->count; k++)
				if (!r->figures->item[k].folded && !r->figures->item[k].empty)
					report_html(r->doc,
					    "<li><a href=\"#figure-%s\">%s</a></li>",
					    r->figures->item[k].name, r->figures->item[k].name);
			report_html(r->doc, "</ul>");
		}
		if (!strcmp(sections[i].id, "servers")) {
			report_html(r->doc, "<ul>");
			for (size_t k = 0; k < r->data->server_count; k++)
				report_html(r->doc, "<li><a href=\"#server-%s\">%s</a></li>",
				    r->data->servers[k].name, r->data->servers[k].name);
			report_html(r->doc, "</ul>");
		}
		report_html(r->doc, "</li>\n");
	}
	report_html(r->doc, "</ol></nav>\n");
}

static void write_header(struct report *r)
{
	struct report_pool *pool = &r->data->pool;
	const char *title = report_key(r->data, "title");
	title = *title ? title : "c10k";
	report_html(r->doc,
	    "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta "
	    "name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n<meta "
	    "name=\"color-scheme\" content=\"light dark\">\n<title>");
	report_html_escaped(r->doc->html, title, strlen(title));
	report_html(r->doc, " - c10k</title>\n<style>\n%s", report_asset("report.css"));
	write_marks(r);
	report_html(r->doc, "</style>\n</head>\n<body>\n");
	write_contents(r);
	report_html(r->doc, "<main>\n<header>\n<p class=\"over\">c10k report</p>\n");
	report_heading(r->doc, 1, "top", report_escape(pool, title));
	report_paragraph(r->doc, "under",
	    report_printf(pool, "%zu servers, %zu cells, plan %s, on %s (%s CPUs, %s), %s.",
		r->data->server_count, r->data->cell_count,
		report_escape(pool, report_key(r->data, "plan")),
		report_escape(pool, report_key(r->data, "cpu_model")),
		report_escape(pool, report_key(r->data, "cpu_count")),
		report_escape(pool, report_key(r->data, "kernel")),
		report_printf(
		    pool, "%.10s", report_escape(pool, report_key(r->data, "started_at")))));
	report_html(r->doc, "</header>\n");
}

static void write_all(struct report *r)
{
	write_header(r);
	for (size_t i = 0; i < SECTIONS; i++) {
		report_html(r->doc, "<section id=\"section-%s\">\n", sections[i].id);
		report_heading(r->doc, 2, sections[i].id,
		    report_printf(&r->data->pool, "%zu. %s", i, sections[i].title));
		sections[i].write(r);
		report_html(r->doc, "</section>\n");
	}
	report_html(r->doc, "</main>\n<script>\n%s</script>\n</body>\n</html>\n",
	    report_asset("report.js"));
}

/* "RUN/report.html.tmp" open for writing; NULL after a line on standard error. */
static FILE *open_aside(struct report_data *data, const char *run_folder, const char *name)
{
	const char *path = report_printf(&data->pool, "%s/%s.tmp", run_folder, name);
	FILE *file = fopen(path, "w");
	if (!file)
		warn_line("report: cannot write %s: %s", path, strerror(errno));
	return file;
}

static bool put_in_place(
    struct report_data *data, const char *run_folder, const char *name, FILE *file)
{
	const char *path = report_printf(&data->pool, "%s/%s", run_folder, name);
	const char *aside = report_printf(&data->pool, "%s.tmp", path);
	if (!figures_close(file, path))
		return false;
	if (rename(aside, path) == 0)
		return true;
	warn_line("report: cannot write %s: %s", path, strerror(errno));
	return false;
}

static bool write_report(struct report_data *data, const char *run_folder)
{
	struct figures figures;
	if (!figures_make(data, run_folder, &figures))
		return false;
	if (figures.no_gnuplot)
		warn_line("report: gnuplot is not installed, so there are no figures: apt-get "
			  "install gnuplot-nox");
	struct report_doc doc = { .pool = &data->pool };
	struct report r = { data, &doc, &figures, run_folder };
	doc.html = open_aside(data, run_folder, "report.html");
	doc.md = doc.html ? open_aside(data, run_folder, "report.md") : NULL;
	if (!doc.md) {
		if (doc.html)
			fclose(doc.html);
		return false;
	}
	write_all(&r);
	free(doc.cells);
	bool html = put_in_place(data, run_folder, "report.html", doc.html);
	bool md = put_in_place(data, run_folder, "report.md", doc.md);
	return html && md && figures.failed == 0;
}

int report_run(const char *run_folder)
{
	struct report_data data;
	bool written = report_data_open(&data, run_folder) && write_report(&data, run_folder);
	report_data_close(&data);
	return written ? 0 : 1;
}

int report_main(int argc, char **argv)
{
	if (argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		puts("c10k report results/latest\n\nMakes report.html, report.md and plots/ of a "
		     "run again, from its run.sqlite alone.");
		return 0;
	}
	if (argc != 2 || argv[1][0] == '-')
		usage_die("report: give one folder of a run: c10k report results/latest");
	if (report_run(argv[1]) != 0)
		return 1;
	printf("%s/report.html\n%s/report.md\n", argv[1], argv[1]);
	return 0;
}
