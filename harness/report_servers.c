/*
 * report_servers.c: one section for each server: where to read it, how its model waits in the words
 * of its source, and its key figures, each with a small curve over the loads in which the other
 * servers stand behind in grey.
 */
#include "harness/report_sections.h"

#include <math.h>
#include <string.h>

#include "harness/figures_style.h"

static const char reference_note[]
    = "A program from elsewhere under the same load and the same measuring: **not equivalent**. It "
      "does not run the core, was not checked, serves less, and is neither ranked nor compared; it "
      "stands here for orientation.";

/* What the source says of itself: a paragraph each, its first words ("Cost:") set off. The first
 * one is the file's title, which the summary has told. */
static void how_it_waits(struct report *r, const struct report_server *server)
{
	struct report_pool *pool = &r->data->pool;
	const char *at = strstr(server->about, "\n\n");
	report_html(r->doc, "<div class=\"about\">\n");
	while (at) {
		at += strspn(at, "\n");
		const char *end = strstr(at, "\n\n");
		int len = end ? (int)(end - at) : (int)strlen(at);
		int lead = (int)strcspn(at, ":.,;");
		const char *text = report_escape(pool, report_printf(pool, "%.*s", len, at));
		if (lead < len && at[lead] == ':' && lead < 24)
			text = report_printf(pool, "**%.*s**%s", lead, text, text + lead);
		report_paragraph(r->doc, NULL, text);
		at = end;
	}
	report_html(r->doc, "</div>\n");
}

struct key_figure {
	const char *label, *experiment;
	int metric;
};
static const struct key_figure key_figures[] = {
	{ "requests/s", "throughput", METRIC_RATE_PER_S },
	{ "requests/s beside idle", "idle", METRIC_RATE_PER_S },
	{ "p99", "throughput", METRIC_P99_US },
	{ "switches per request", "throughput", METRIC_CTX_SWITCHES_PER_REQ },
	{ "CPU per request", "throughput", METRIC_CPU_US_PER_REQ },
	{ "memory per connection", "memory", METRIC_BYTES_PER_CONN },
	{ "requests/s while waiting", "wait", METRIC_RATE_PER_S },
};
enum {
	KEY_FIGURES = sizeof(key_figures) / sizeof(*key_figures),
	SPARK_WIDTH = 132,
	SPARK_HEIGHT = 40
};

/* A key figure's frame: all servers on the same axes. */
struct frame {
	double x_min, x_max, y_min, y_max; /* logarithms where log is set */
	bool log;
};

static bool shows(const struct key_figure *k, const struct report_point *p)
{
	return !p->cells->twin && !strcmp(p->cells->experiment, k->experiment)
	    && p->metric[k->metric].count;
}

static double spark_x(const struct report_point *p)
{
	return log10((double)(p->cells->connections + p->cells->idle) + 1);
}

static double spark_y(const struct frame *f, double value)
{
	return f->log ? log10(value > 1e-4 ? value : 1e-4) : value;
}

static struct frame make_frame(struct report *r, const struct key_figure *k)
{
	struct frame f = { INFINITY, -INFINITY, INFINITY, -INFINITY,
		k->metric == METRIC_CTX_SWITCHES_PER_REQ || k->metric == METRIC_P99_US
		    || k->metric == METRIC_BYTES_PER_CONN || !strcmp(k->experiment, "wait") };
	for (size_t i = 0; i < r->data->point_count; i++) {
		const struct report_point *p = &r->data->points[i];
		if (!shows(k, p))
			continue;
		double x = spark_x(p), y = spark_y(&f, p->metric[k->metric].median);
		f.x_min = fmin(f.x_min, x), f.x_max = fmax(f.x_max, x);
		f.y_min = fmin(f.y_min, y), f.y_max = fmax(f.y_max, y);
	}
	if (!f.log)
		f.y_min = fmin(f.y_min, 0);
	return f;
}

static void spark_line(struct report *r, const struct key_figure *k, const struct frame *f,
    const struct report_server *server, const char *class)
{
	double width = f->x_max > f->x_min ? f->x_max - f->x_min : 1,
	       height = f->y_max > f->y_min ? f->y_max - f->y_min : 1;
	double x = 0, y = 0;
	bool first = true;
	for (size_t i = 0; i < r->data->point_count; i++) {
		const struct report_point *p = &r->data->points[i];
		if (!shows(k, p) || p->cells->server != server)
			continue;
		x = 4 + (spark_x(p) - f->x_min) / width * (SPARK_WIDTH - 8);
		y = SPARK_HEIGHT - 4
		    - (spark_y(f, p->metric[k->metric].median) - f->y_min) / height
			* (SPARK_HEIGHT - 8);
		report_html(r->doc, "%s%.1f %.1f", first ? "<path d=\"M" : "L", x, y);
		if (first && f->x_max <= f->x_min) /* a dot */
			report_html(r->doc, "h0");
		first = false;
	}
	if (first)
		return;
	if (class)
		report_html(r->doc,
		    "\" class=\"%s\" stroke=\"%s\"/><circle cx=\"%.1f\" cy=\"%.1f\" r=\"2.6\" "
		    "fill=\"%s\"/>",
		    class, figures_page_colour(server->style), x, y,
		    figures_page_colour(server->style));
	else
		report_html(r->doc, "\"/>");
}

/* The server's figure at the largest load it did; of idle, one with idle connections. */
static const struct report_point *key_point(
    struct report *r, const struct key_figure *k, const struct report_server *server)
{
	const struct report_point *last = NULL;
	for (size_t i = 0; i < r->data->point_count; i++) {
		const struct report_point *p = &r->data->points[i];
		if (shows(k, p) && p->cells->server == server
		    && (p->cells->idle || strcmp(k->experiment, "idle")))
			last = p;
	}
	return last;
}

static void tile(struct report *r, const struct key_figure *k, const struct report_server *server,
    const struct report_point *p)
{
	struct report_pool *pool = &r->data->pool;
	struct frame f = make_frame(r, k);
	struct estimate e = p->metric[k->metric];
	report_html(r->doc, "<div class=\"tile\"><dt>%s</dt><dd><b>%s%s</b>", k->label,
	    k->metric == METRIC_RATE_PER_S && p->verdict == VERDICT_CLIENT_LIMITED ? "&ge;&thinsp;"
										   : "",
	    report_value(pool, report_metrics[k->metric].unit, e.median));
	report_html(r->doc, "<small>");
	if (e.count > 1)
		report_html(r->doc, "%s to %s<br>",
		    report_value(pool, report_metrics[k->metric].unit, e.low),
		    report_value(pool, report_metrics[k->metric].unit, e.high));
	report_html(r->doc, "at %s</small><svg viewBox=\"0 0 %d %d\" aria-hidden=\"true\"%s>",
	    report_load(r, p->cells), SPARK_WIDTH, SPARK_HEIGHT,
	    f.x_max > f.x_min ? "" : " class=\"dots\"");
	for (size_t i = 0; i < r->data->server_count; i++)
		if (&r->data->servers[i] != server)
			spark_line(r, k, &f, &r->data->servers[i], NULL);
	spark_line(r, k, &f, server, "own");
	report_html(r->doc, "</svg></dd></div>\n");
}

static void key_row(struct report *r, const struct report_server *server)
{
	struct report_pool *pool = &r->data->pool;
	const struct report_point *points[KEY_FIGURES];
	size_t count = 0;
	report_html(r->doc, "<dl class=\"tiles\">\n");
	for (size_t i = 0; i < KEY_FIGURES; i++) {
		points[i] = key_point(r, &key_figures[i], server);
		if (points[i])
			tile(r, &key_figures[i], server, points[i]);
		count += points[i] != NULL;
	}
	report_html(r->doc, "</dl>\n");
	for (size_t i = 0; i < KEY_FIGURES && count; i++)
		if (points[i])
			report_markdown(r->doc, "- %s: %s%s (at %s)\n", key_figures[i].label,
			    key_figures[i].metric == METRIC_RATE_PER_S
				    && points[i]->verdict == VERDICT_CLIENT_LIMITED
				? ">= "
				: "",
			    report_interval(pool, report_metrics[key_figures[i].metric].unit,
				points[i]->metric[key_figures[i].metric]),
			    report_load(r, points[i]->cells));
	report_markdown(r->doc, "\n");
}

/* What it did not do, each reason once. */
static void not_done(struct report *r, const struct report_server *server)
{
	const char *told = NULL;
	for (size_t i = 0; i < r->data->point_count; i++) {
		const struct report_point *p = &r->data->points[i];
		if (p->cells->server != server || report_usable(p) || p->cells->twin
		    || (told && !strcmp(told, p->reason)))
			continue;
		told = p->reason;
		report_paragraph(r->doc, "stop",
		    report_printf(&r->data->pool, "In %s with %s: %s%s%s.",
			report_escape(&r->data->pool, p->cells->experiment),
			report_load(r, p->cells),
			verdict_names[p->verdict], *told ? ": " : "",
			report_escape(&r->data->pool, told)));
	}
}

static void one_server(struct report *r, const struct report_server *server)
{
	struct report_pool *pool = &r->data->pool;
	report_heading(
	    r->doc, 3, report_printf(pool, "server-%s", server->name), report_name(r, server));
	report_paragraph(r->doc, "summary", report_escape(pool, server->summary));
	const char *source = *server->source ? report_printf(pool, " Source: [%s](../../%s)",
				 report_escape(pool, server->source), server->source)
					     : "";
	const char *lines = *source && server->source_lines
	    ? report_printf(pool, "%s, %ld lines.", source, server->source_lines)
	    : *source ? report_printf(pool, "%s.", source)
		      : "";
	const char *cap = server->max_connections
	    ? report_printf(pool, " Holds at most %s connection%s.",
		report_whole(pool, (double)server->max_connections),
		server->max_connections == 1 ? "" : "s")
	    : " No limit of its own on connections.";
	report_paragraph(r->doc, "facts",
	    report_printf(pool, "Family: %s. Waits with: %s. Language: %s.%s%s",
		report_escape(pool, server->family), report_code(pool, server->api),
		report_escape(pool, server->language), cap, lines));
	if (!strcmp(server->family, "reference"))
		report_paragraph(r->doc, NULL, reference_note);
	how_it_waits(r, server);
	not_done(r, server);
	key_row(r, server);
	report_ledger_of(r, server);
	report_timelines(r, server);
}

void report_section_servers(struct report *r)
{
	report_paragraph(r->doc, NULL,
	    "Key figures are those at the largest load that the server did; the small curves run "
	    "over all loads of the experiment, the other servers in grey behind. "
	    "[docs/MODELS.md](../../docs/MODELS.md) says more about each model.");
	report_ledger(r);
	for (size_t i = 0; i < r->data->server_count; i++)
		one_server(r, &r->data->servers[i]);
}
