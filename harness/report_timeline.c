/*
 * report_timeline.c: a server's threads in 50 ms, a row each, drawn by hand: thousands of spans
 * would be large in any general form. A column is 1/2000 of the window; one in which a thread ran
 * at all is drawn as running, one in which it was preempted as that: so nothing is too short to be
 * seen, and the shares beside the row, which are exact, say how much it was.
 */
#include "harness/report_sections.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
	COLUMNS = 2000,
	ROWS_MAX = 16,
	ROW_HEIGHT = 22,
	LEFT = 150, /* the names; a column is half a unit wide */
	RIGHT = 190,
	TOP = 6,
	BOTTOM = 34
};

static const char letters[] = "rpw"; /* running, preempted, waiting: as the store has them */

/* What each column is drawn as: a place in `letters`. */
static void read_columns(char columns[COLUMNS], const char *spans, double window_ns)
{
	double at_ns = 0;
	memset(columns, 2, COLUMNS);
	while (*spans) {
		const char *letter = strchr(letters, *spans);
		char *end;
		double length_ns = strtod(spans + 1, &end);
		if (!letter || end == spans + 1)
			return;
		int state = (int)(letter - letters);
		int first = (int)(at_ns / window_ns * COLUMNS);
		at_ns += length_ns;
		int last = (int)ceil(at_ns / window_ns * COLUMNS);
		for (int i = first; i < last && i < COLUMNS; i++)
			if (state < columns[i])
				columns[i] = (char)state;
		spans = end + strspn(end, " ");
	}
}

/* All columns of one state as one path, a line each stretch. */
static void draw_state(
    struct report *r, const char columns[COLUMNS], int state, const char *class, int y)
{
	bool any = false;
	for (int i = 0, next; i < COLUMNS; i = next) {
		for (next = i + 1; next < COLUMNS && columns[next] == columns[i];)
			next++;
		if (columns[i] != state)
			continue;
		report_html(r->doc, "%sM%g %dh%g", any ? "" : "<path d=\"", LEFT + i / 2.0, y,
		    (next - i) / 2.0);
		any = true;
	}
	if (any)
		report_html(r->doc, "\" class=\"%s\"/>", class);
}

static void draw_row(struct report *r, const struct report_thread *thread, double window_ns, int y)
{
	struct report_pool *pool = &r->data->pool;
	char columns[COLUMNS];
	read_columns(columns, thread->spans, window_ns);
	report_html(r->doc, "<text x=\"%d\" y=\"%d\" class=\"name\">", LEFT - 10, y + 5);
	report_html_escaped(r->doc->html, thread->name, strlen(thread->name));
	report_html(r->doc, "</text>");
	double waiting_ns = window_ns - thread->running_ns - thread->preempted_ns;
	draw_state(r, columns, 2, thread->ready_ns > waiting_ns / 2 ? "t-w t-q" : "t-w", y);
	draw_state(r, columns, 1, "t-p", y);
	draw_state(r, columns, 0, "t-r", y);
	report_html(r->doc, "<text x=\"%d\" y=\"%d\">%s ran, %s ready</text>\n",
	    LEFT + COLUMNS / 2 + 12, y + 5,
	    report_value(pool, REPORT_SHARE, thread->running_ns / window_ns),
	    report_value(pool, REPORT_SHARE,
		(thread->preempted_ns + thread->ready_ns) / window_ns));
}

static void draw_axis(struct report *r, const struct report_timeline *t, int y)
{
	for (int ms = 0; ms * 1e6 <= t->window_ns; ms += 10)
		report_html(r->doc, "<text x=\"%.1f\" y=\"%d\" class=\"tick\">%d ms</text>",
		    LEFT + ms * 1e6 / t->window_ns * COLUMNS / 2, y + 20, ms);
}

static void draw(struct report *r, const struct report_timeline *t)
{
	size_t rows = t->thread_count < ROWS_MAX ? t->thread_count : ROWS_MAX;
	int height = TOP + (int)rows * ROW_HEIGHT;
	report_html(r->doc,
	    "<figure class=\"timeline\"><div class=\"scroll\"><svg viewBox=\"0 0 %d %d\" "
	    "role=\"img\" aria-label=\"Threads of %s over time\">\n",
	    LEFT + COLUMNS / 2 + RIGHT, height + BOTTOM, t->server->name);
	int y = TOP + ROW_HEIGHT / 2;
	for (size_t i = 0; i < rows; i++, y += ROW_HEIGHT)
		draw_row(r, &t->threads[i], t->window_ns, y);
	draw_axis(r, t, height);
	report_html(r->doc, "</svg></div>\n");
}

static void tell(struct report *r, const struct report_timeline *t)
{
	struct report_pool *pool = &r->data->pool;
	double running_ns = 0, ready_ns = 0;
	for (size_t i = 0; i < t->thread_count; i++) {
		running_ns += t->threads[i].running_ns;
		ready_ns += t->threads[i].preempted_ns + t->threads[i].ready_ns;
	}
	const char *what = report_printf(pool,
	    "`GET` %s at %s connections, %.0f ms: %zu thread%s%s, %s context switches. On average "
	    "%s ran, and %s could have, but had no CPU.",
	    report_code(pool, t->target), report_whole(pool, (double)t->connections),
	    t->window_ns / 1e6, t->thread_count, t->thread_count == 1 ? "" : "s",
	    t->thread_count > ROWS_MAX
		? report_printf(pool, " (drawn are the %d that ran most)", ROWS_MAX) : "",
	    report_whole(pool, t->switches),
	    report_value(pool, REPORT_PLAIN, running_ns / t->window_ns),
	    report_value(pool, REPORT_PLAIN, ready_ns / t->window_ns));
	report_html(r->doc, "<figcaption><p>");
	report_html_inline(r->doc->html, what);
	report_html(r->doc, "</p></figcaption></figure>\n");
	report_markdown(r->doc, "Threads: %s\n\n", what);
}

void report_timelines(struct report *r, const struct report_server *server)
{
	for (size_t i = 0; i < r->data->timeline_count; i++) {
		const struct report_timeline *t = &r->data->timelines[i];
		if (t->server != server)
			continue;
		if (t->thread_count == 0) {
			report_paragraph(r->doc, "stop",
			    report_printf(&r->data->pool, "No threads recorded at %s: %s.",
				report_code(&r->data->pool, t->target),
				report_escape(&r->data->pool, t->reason)));
			continue;
		}
		draw(r, t);
		tell(r, t);
	}
}
