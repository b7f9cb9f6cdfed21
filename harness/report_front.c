/*
 * report_front.c: what a reader needs before any figure: how far the run may be believed, what it
 * says, how to read it, on what it ran, and whether each cell measured what it claims.
 */
#include "harness/report_sections.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report_answers.h"

enum { CPUS_DRAWN_MAX = 64 };

const char *report_name(struct report *r, const struct report_server *server)
{
	return report_printf(&r->data->pool, "{%s}%s", server->name,
	    report_is_reference(server) ? " (reference, not equivalent)" : "");
}

void report_verdict_cell(struct report *r, enum verdict verdict)
{
	report_cell_class(r->doc, report_printf(&r->data->pool, "v v-%s", verdict_names[verdict]),
	    verdict_names[verdict]);
}

const char *report_load(struct report *r, const struct report_cell_row *cell)
{
	struct report_pool *pool = &r->data->pool;
	const char *load = report_whole(pool, (double)cell->connections);
	if (cell->idle)
		load = report_printf(pool, "%s + %s idle", load,
		    report_whole(pool, (double)cell->idle));
	if (cell->slow)
		load = report_printf(pool, "%s + %s slow", load,
		    report_whole(pool, (double)cell->slow));
	if (cell->cpus)
		load = report_printf(pool, "%s on %ld CPU%s", load, cell->cpus, cell->cpus == 1 ? "" : "s");
	if (cell->cold)
		load = report_printf(pool, "%s, cold", load);
	if (cell->pipeline > 1)
		load = report_printf(pool, "%s, %ld in flight each", load, cell->pipeline);
	if (cell->level_per_s)
		return report_printf(pool, "%s at %s/s", load,
		    report_value(pool, REPORT_RATE, (double)cell->level_per_s));
	return cell->level_percent ? report_printf(pool, "%s at %ld%%", load, cell->level_percent)
				   : load;
}

void report_section_grade(struct report *r)
{
	static const char *const meaning[] = { "clean", "noisy", "not comparable" };
	struct report_grade grade;
	report_grade(r->data, &grade);
	report_html(r->doc,
	    "<div class=\"grade grade-%c\"><p class=\"letter\" aria-label=\"grade "
	    "%c\">%c</p><div>\n",
	    grade.letter, grade.letter, grade.letter);
	report_paragraph(r->doc, "meaning",
	    report_printf(
		&r->data->pool, "**Grade %c: %s.**", grade.letter, meaning[grade.letter - 'A']));
	report_list_begin(r->doc, "plain");
	for (size_t i = 0; i < grade.reason_count; i++)
		report_item(r->doc, grade.reasons[i]);
	report_list_end(r->doc);
	report_html(r->doc, "</div></div>\n");
}

/* The first line is a paragraph, the others are a list. */
static void put_answer(struct report *r, const char *text)
{
	const char *end = strchrnul(text, '\n');
	report_paragraph(
	    r->doc, NULL, report_printf(&r->data->pool, "%.*s", (int)(end - text), text));
	if (!*end)
		return;
	report_list_begin(r->doc, "plain");
	for (const char *line = end; *line; line = end) {
		end = strchrnul(++line, '\n');
		report_item(
		    r->doc, report_printf(&r->data->pool, "%.*s", (int)(end - line), line));
	}
	report_list_end(r->doc);
}

void report_section_answers(struct report *r)
{
	struct report_answer answers[REPORT_ANSWERS_MAX];
	size_t count = report_answers(r->data, answers);
	if (!count)
		report_paragraph(r->doc, NULL,
		    "This run measured too little for an answer; the cells are below.");
	report_html(r->doc, "<div class=\"answers\">\n");
	for (size_t i = 0; i < count; i++) {
		report_html(r->doc, "<div class=\"answer\"><h3>");
		report_html_inline(r->doc->html, answers[i].topic);
		report_html(r->doc, "</h3>");
		report_markdown(r->doc, "**%s.** ", answers[i].topic);
		put_answer(r, answers[i].text);
		report_html(r->doc, "</div>\n");
	}
	report_html(r->doc, "</div>\n");
}

/* What is to be known of experiments in which a connection has several requests in flight. */
static void pipelined_items(struct report *r)
{
	struct report_pool *pool = &r->data->pool;
	const char *told = "";
	for (size_t i = 0; i < r->data->cell_count; i++) {
		const struct report_cell_row *cell = &r->data->cells[i];
		if (cell->pipeline < 2 || !strcmp(told, cell->experiment))
			continue;
		told = cell->experiment;
		report_item(r->doc,
		    report_printf(pool,
			"In %s there are **%ld requests in flight a connection**: they are sent at "
			"once, the next %ld when all are answered. Latency counts from the sending "
			"to the end of each answer, the wait behind the answers before it included. "
			"A pool hands its places on after single answers, so here it serves no more "
			"connections than it has places.",
			report_code(pool, told), cell->pipeline, cell->pipeline));
	}
}

void report_section_reading(struct report *r)
{
	struct report_pool *pool = &r->data->pool;
	report_list_begin(r->doc, "reading");
	report_item(r->doc,
	    "**149k [145k, 152k]** is the median of the runs and its 95% bootstrap interval. The "
	    "unit is a run, not a request: the server is started anew for each. With fewer than 6 "
	    "runs the interval is simply their range.");
	report_item(r->doc,
	    report_printf(pool,
		"**4.7x [4.4, 5.0]** compares two servers block by block, so what disturbed a "
		"whole block cancels. They **tie** when the whole interval lies within 2%% of 1 "
		"(5%% for a percentile); it is **undecided** when it reaches across that edge, "
		"when there are fewer than %d blocks, when a few blocks differ too much from one "
		"another for the sign test or Student's t to be as sure, or when the same program "
		"measured twice differs as much.%s",
		ESTIMATE_PAIRS_MIN,
		strcmp(report_key(r->data, "until_decided"), "1")
		    ? ""
		    : " This run looked after each block and went on with what was undecided "
		      "(`--until-decided`), so its verdicts rest on intervals of 99.5%."));
	report_item(r->doc,
	    "**Client-limited** (hollow in figures, written >=): the load generator was the "
	    "bottleneck, so the server can do at least this much. Such figures are never ranked.");
	report_item(r->doc,
	    "**Unsupported** is a limit of the model, shown with its reason where the line ends; "
	    "**invalid** and **failed** cells have no figures at all. **-** is a value that this "
	    "machine could not give: it is not zero.");
	report_item(r->doc,
	    "**Load is closed-loop** but for `cost`, `latency`, `mixed` and `slow`: each connection sends "
	    "its next request when the last answer is complete. Latency is then service time at "
	    "saturation: it grows with the number of connections for every server, and is no "
	    "response time at a given rate. In these open loops requests come at random at a "
	    "given rate, whatever the server does, and latency is response time, from when they "
	    "were due.");
	pipelined_items(r);
	report_item(r->doc,
	    "**Rates in %** are of a server's capacity: its rate in `throughput` with as many "
	    "connections, in block 1; a lower bound where that was client-limited. In `cost` it is "
	    "the slowest server's, so that all do equal work; in `latency` each server's own. What "
	    "is **overloaded** (health, below) did not answer all that came, and was busy: its "
	    "latency grows with the window's length.");
	report_item(r->doc,
	    "**Client and server share one machine** and its loopback device: compare servers with "
	    "each other, not these figures with those of a network.");
	report_item(r->doc,
	    report_printf(pool,
		"**Grades**: A clean; B noisy (typical A/A difference over %g%%, or over %g%% at "
		"one load; steal over %g%%; CPU pressure over %g%%; lost cells; an unfinished run; "
		"fewer than %d blocks); C not comparable (typical A/A difference over %g%%, steal "
		"over %g%%, more than %g%% of the cells lost, or unchecked servers).",
		REPORT_DRIFT_NOISY * 100, REPORT_DRIFT_BROKEN * 100, REPORT_STEAL_NOISY * 100,
		REPORT_PRESSURE_NOISY, ESTIMATE_PAIRS_MIN, REPORT_DRIFT_BROKEN * 100,
		REPORT_STEAL_BROKEN * 100, REPORT_LOST_BROKEN * 100));
	report_list_end(r->doc);
}

/* "0-2,5" as a set of CPUs. */
static void take_cpus(const char *list, bool set[CPUS_DRAWN_MAX])
{
	while (*list) {
		char *end;
		long first = strtol(list, &end, 10), last = first;
		if (end == list)
			return;
		if (*end == '-')
			last = strtol(end + 1, &end, 10);
		for (long cpu = first; cpu >= 0 && cpu <= last && cpu < CPUS_DRAWN_MAX; cpu++)
			set[cpu] = true;
		list = *end ? end + 1 : end;
	}
}

/* The CPUs of one side, drawn as a box of small squares. */
struct cpu_box {
	const char *class, *title;
	bool set[CPUS_DRAWN_MAX];
	int count, columns, width, height;
};
enum { CPU_STEP = 40, BOX_COLUMNS_MIN = 5, BOX_COLUMNS_MAX = 8 };

static struct cpu_box measure_box(const char *class, const char *title, const char *cpus)
{
	struct cpu_box box = { .class = class, .title = title };
	take_cpus(cpus, box.set);
	for (int i = 0; i < CPUS_DRAWN_MAX; i++)
		box.count += box.set[i];
	box.columns = box.count < BOX_COLUMNS_MIN ? BOX_COLUMNS_MIN
	    : box.count > BOX_COLUMNS_MAX         ? BOX_COLUMNS_MAX
						  : box.count;
	box.width = box.columns * CPU_STEP + 32;
	box.height = 54 + CPU_STEP * ((box.count + box.columns - 1) / box.columns);
	return box;
}

static void draw_box(struct report *r, const struct cpu_box *box, int x)
{
	report_html(r->doc,
	    "<g class=\"%s\"><rect class=\"box\" x=\"%d\" y=\"6\" width=\"%d\" height=\"%d\" "
	    "rx=\"10\"/><text x=\"%d\" y=\"34\">%s</text>\n",
	    box->class, x, box->width, box->height, x + 18, box->title);
	for (int i = 0, at = 0; i < CPUS_DRAWN_MAX; i++) {
		if (!box->set[i])
			continue;
		int left = x + 18 + at % box->columns * CPU_STEP,
		    top = 48 + at / box->columns * CPU_STEP;
		report_html(r->doc,
		    "<rect class=\"cpu\" x=\"%d\" y=\"%d\" width=\"34\" height=\"32\" "
		    "rx=\"5\"/><text class=\"cpu\" x=\"%d\" y=\"%d\">%d</text>\n",
		    left, top, left + 17, top + 21, i);
		at++;
	}
	report_html(r->doc, "</g>\n");
}

static void draw_split(struct report *r)
{
	struct cpu_box client
	    = measure_box("client", "load generator, harness", report_key(r->data, "client_cpus"));
	struct cpu_box server
	    = measure_box("serving", "one server at a time", report_key(r->data, "server_cpus"));
	int left = client.width + 18, right = left + 130,
	    height = client.height > server.height ? client.height : server.height;
	report_html(r->doc,
	    "<div class=\"scroll\"><svg class=\"split\" viewBox=\"0 0 820 %d\" role=\"img\" "
	    "aria-label=\"Which CPUs the load generator and the server have\">\n",
	    height + 14);
	draw_box(r, &client, 2);
	report_html(r->doc,
	    "<path class=\"wire\" d=\"M%d 44H%dm-7 -5 7 5-7 5M%d 70H%dm7 -5-7 5 7 5\"/><text "
	    "class=\"note\" x=\"%d\" y=\"32\">requests</text><text class=\"note\" x=\"%d\" "
	    "y=\"90\">answers</text>\n",
	    left, right, right, left, (left + right) / 2, (left + right) / 2);
	draw_box(r, &server, right + 16);
	report_html(r->doc, "</svg></div>\n");
}

/* Bytes a request and its answer take on the wire, from a cell's own count. */
static void wire_bytes(struct report *r)
{
	for (size_t i = 0; i < r->data->cell_count; i++) {
		const struct report_cell_row *cell = &r->data->cells[i];
		json_t *root
		    = cell->verdict == VERDICT_VALID ? json_loads(cell->loadgen, 0, NULL) : NULL;
		json_t *bytes = json_object_get(root, "bytes"),
		       *requests = json_object_get(root, "requests");
		double sent = json_number_value(json_object_get(bytes, "sent"));
		double received = json_number_value(json_object_get(bytes, "received"));
		double completed = json_number_value(json_object_get(requests, "completed"));
		json_decref(root);
		if (completed <= 0 || sent <= 0 || strcmp(cell->experiment, "throughput"))
			continue;
		report_paragraph(r->doc, NULL,
		    report_printf(&r->data->pool,
			"A request for %s is %.0f bytes on the wire, its answer %.0f, both without "
			"TCP's headers. Every answer is verified: framing, status, length, body.",
			report_code(&r->data->pool, cell->target), sent / completed,
			received / completed));
		return;
	}
}

void report_section_setup(struct report *r)
{
	static const struct {
		const char *key, *title;
	} shown[] = {
		{ "plan", "Plan" },
		{ "cpu_model", "CPU" },
		{ "cpu_count", "CPUs" },
		{ "server_cpus", "Server's CPUs" },
		{ "client_cpus", "Load generator's CPUs" },
		{ "memory_bytes", "Memory" },
		{ "virtualisation", "Virtualisation" },
		{ "kernel", "Kernel" },
		{ "mitigations", "Mitigations" },
		{ "governor", "Frequency governor" },
		{ "clock_source", "Clock source" },
		{ "file_limit", "File limit" },
		{ "somaxconn", "somaxconn" },
		{ "perf_event_paranoid", "perf_event_paranoid" },
		{ "compiler", "Compiler" },
		{ "version", "c10k" },
	};
	static const struct report_column columns[] = { { "what", false }, { "here", false } };
	draw_split(r);
	wire_bytes(r);
	report_table_begin(r->doc, columns, 2);
	for (size_t i = 0; i < sizeof(shown) / sizeof(*shown); i++) {
		const char *value = report_key(r->data, shown[i].key);
		if (!*value)
			continue;
		report_cell(r->doc, report_escape(&r->data->pool, shown[i].title));
		if (!strcmp(shown[i].key, "memory_bytes"))
			value = report_value(&r->data->pool, REPORT_BYTES, strtod(value, NULL));
		report_cell(r->doc, report_escape(&r->data->pool, value));
	}
	json_t *libraries = json_loads(report_key(r->data, "libraries"), 0, NULL), *version;
	const char *name;
	json_object_foreach(libraries, name, version)
	{
		report_cell(r->doc, report_escape(&r->data->pool, name));
		report_cell(r->doc,
		    report_escape(&r->data->pool,
			json_is_string(version) ? json_string_value(version) : "-"));
	}
	report_table_end(r->doc, "facts", true);
	json_decref(libraries);
}

/* 0 for the worst. */
static int health_rank(const struct report_cell_row *cell)
{
	switch (cell->verdict) {
	case VERDICT_FAILED: return 0;
	case VERDICT_INVALID: return 1;
	case VERDICT_CLIENT_LIMITED: return 2;
	case VERDICT_UNSUPPORTED: return 4;
	case VERDICT_VALID:
	case VERDICT_COUNT: break;
	}
	return *cell->marks || cell->outlier ? 3 : 5;
}
enum { HEALTH_RANKS = 6, HEALTH_BAD = 4 };

static const struct report_column health_columns[] = {
	{ "#", true },
	{ "experiment", false },
	{ "server", false },
	{ "connections", true },
	{ "block", true },
	{ "verdict", false },
	{ "marks", false },
	{ "reason", false },
	{ "established", true },
	{ "answered", true },
	{ "starved", true },
	{ "errors", true },
	{ "Jain", true },
	{ "Little", true },
	{ "achieved/offered", true },
	{ "client CPU", true },
	{ "harness", true },
};

static void health_row(struct report *r, const struct report_cell_row *cell)
{
	static const int metrics[] = {
		METRIC_ESTABLISHED,
		METRIC_ANSWERED,
		METRIC_STARVED,
		METRIC_ERRORS,
		METRIC_FAIRNESS,
		METRIC_LITTLES_LAW_RESIDUAL,
		METRIC_ACHIEVED_SHARE,
		METRIC_CLIENT_CPU,
		METRIC_HARNESS_CPU_SHARE,
	};
	struct report_pool *pool = &r->data->pool;
	report_cell_number(
	    r->doc, (double)cell->position, report_whole(pool, (double)cell->position));
	report_cell(r->doc, report_escape(pool, cell->experiment));
	report_cell(r->doc,
	    report_printf(pool, "%s%s", report_name(r, cell->server), cell->twin ? " (twin)" : ""));
	report_cell_number(r->doc, (double)(cell->connections + cell->idle + cell->slow),
	    report_load(r, cell));
	report_cell_number(r->doc, (double)cell->rep, report_whole(pool, (double)cell->rep));
	report_verdict_cell(r, cell->verdict);
	report_cell(r->doc,
	    report_printf(pool, "%s%s%s", report_escape(pool, cell->marks),
		*cell->marks && cell->outlier ? ", " : "", cell->outlier ? "outlier" : ""));
	report_cell_class(r->doc, "reason", report_escape(pool, cell->reason));
	for (size_t i = 0; i < sizeof(metrics) / sizeof(*metrics); i++)
		report_cell_number(r->doc, cell->metric[metrics[i]],
		    report_value(pool, report_metrics[metrics[i]].unit, cell->metric[metrics[i]]));
}

/* Cells of the ranks first..last, worst first. */
static size_t health_table(struct report *r, int first, int last, bool in_markdown)
{
	size_t count = 0;
	report_table_begin(
	    r->doc, health_columns, sizeof(health_columns) / sizeof(*health_columns));
	for (int rank = first; rank <= last; rank++)
		for (size_t i = 0; i < r->data->cell_count; i++)
			if (health_rank(&r->data->cells[i]) == rank) {
				health_row(r, &r->data->cells[i]);
				count++;
			}
	if (count)
		report_table_end(r->doc, "sortable filter dense", in_markdown);
	return count;
}

void report_section_health(struct report *r)
{
	struct report_pool *pool = &r->data->pool;
	report_paragraph(r->doc, NULL,
	    "Whether each cell measured what it claims: connections established and answered at "
	    "least once, errors, Jain's fairness index, the completed-only residual of Little's "
	    "law, answers over what came due in an open loop (more than 100% where a backlog "
	    "from before the window was worked off), the CPU use of the load generator's busiest "
	    "worker, and the harness's own CPU time inside the window as a "
	    "share of the server's. Failed and invalid cells "
	    "stand first, then client-limited ones, then those with a mark: unfair (Little's law), "
	    "overloaded, unchecked, or outlier (a rate far from the other blocks'; it stays in the median).");
	if (!health_table(r, 0, HEALTH_BAD - 1, true))
		report_paragraph(
		    r->doc, NULL, "No cell is failed, invalid, client-limited or marked.");
	size_t rest = 0;
	for (size_t i = 0; i < r->data->cell_count; i++)
		rest += health_rank(&r->data->cells[i]) >= HEALTH_BAD;
	report_details_begin(r->doc,
	    report_printf(pool, "The other %zu cells: valid, or unsupported by the model", rest),
	    false);
	health_table(r, HEALTH_BAD, HEALTH_RANKS - 1, false);
	report_details_end(r->doc);
	report_markdown(r->doc,
	    "The other %zu cells are valid, or unsupported by the model: see "
	    "[cells.csv](cells.csv).\n\n",
	    rest);
}
