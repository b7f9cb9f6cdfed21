/*
 * figures_code.c: simplicity against speed. A point for each server: lines of its source, and the
 * CPU time of a request at 1,000 busy connections. Points are where they are, so their names must
 * give way to one another: each takes the first of a few places around its point that is free.
 */
#include "harness/figures.h"

#include <math.h>
#include <string.h>

enum {
	WIDTH = 1000, HEIGHT = 560,         /* of the figure, and of the plot in it: */
	LEFT = 70, RIGHT = 40, TOP = 46, BOTTOM = 64, /* as code.gp has them */
	LETTER = 7, LINE = 15, MARK = 7,    /* pixels of a letter, a line, around a point */
	CONNECTIONS = 1000,
};

struct box {
	double left, right, top, bottom;
};

struct mark {
	const struct report_point *point;
	double x, y;           /* pixels, y downwards */
	struct box box;        /* its name's */
	double line_x, line_y; /* where a line from there meets the name; the point itself: none */
};

static bool overlap(struct box a, struct box b)
{
	return a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
}

/* Is the box inside the plot, and clear of all points and of the names placed so far? */
static bool is_free(const struct mark *marks, size_t count, size_t placed, struct box box)
{
	if (box.left < LEFT || box.right > WIDTH || box.top < TOP || box.bottom > HEIGHT - BOTTOM)
		return false;
	for (size_t i = 0; i < count; i++) {
		const struct mark *m = &marks[i];
		struct box point = { m->x - MARK, m->x + MARK, m->y - MARK, m->y + MARK };
		if (overlap(box, point) || (i < placed && overlap(box, m->box)))
			return false;
	}
	return true;
}

/* To the right, left, above, below, and so on further out. */
static void place_name(struct mark *marks, size_t count, size_t at)
{
	static const int ways[][2] = { { 1, 0 }, { -1, 0 }, { 0, -1 }, { 0, 1 }, { 1, -1 },
		{ 1, 1 }, { -1, -1 }, { -1, 1 } };
	struct mark *m = &marks[at];
	double width = LETTER * (double)strlen(m->point->cells->server->name);
	for (int far = 0; far < 6; far++)
		for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
			double out = MARK + 3 + far * LINE;
			double x = ways[i][0] > 0 ? m->x + out
			    : ways[i][0] < 0      ? m->x - out - width
						  : m->x - width / 2;
			double y = m->y + ways[i][1] * (out + LINE / 2.0);
			struct box box = { x, x + width, y - LINE / 2.0, y + LINE / 2.0 };
			m->box = box;
			m->line_x = !far ? m->x : fmin(fmax(m->x, box.left), box.right);
			m->line_y = !far ? m->y : fmin(fmax(m->y, box.top), box.bottom);
			if (is_free(marks, count, at, box))
				return;
		}
}

static size_t take_marks(const struct report_data *data, struct mark marks[FIGURE_SERVERS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < data->point_count && count < FIGURE_SERVERS_MAX; i++) {
		const struct report_point *p = &data->points[i];
		if (!p->cells->twin && !strcmp(p->cells->experiment, "throughput")
		    && p->cells->connections == CONNECTIONS && p->cells->server->source_lines
		    && p->metric[METRIC_CPU_US_PER_REQ].low > 0)
			marks[count++] = (struct mark){ .point = p };
	}
	return count;
}

static void write_row(FILE *tsv, const struct mark *m)
{
	struct estimate e = m->point->metric[METRIC_CPU_US_PER_REQ];
	fprintf(tsv, "%s\t%ld\t%.6g\t%.6g\t%.6g\t%u\n", m->point->cells->server->name,
	    m->point->cells->server->source_lines, e.median, e.low, e.high, e.count);
}

/* From pixels to the axes. */
static double lines_at(const struct figure_head *h, double x)
{
	return (x - LEFT) / (WIDTH - LEFT - RIGHT) * h->x_max;
}

static double us_at(const struct figure_head *h, double y)
{
	return h->y_min * pow(h->y_max / h->y_min, (HEIGHT - BOTTOM - y) / (HEIGHT - TOP - BOTTOM));
}

/* The names' places as a block of gnuplot's: left end, middle, and the line from point to name. */
static const char *names_block(struct report_data *data, const struct figure_head *h,
    const struct mark *marks, size_t count)
{
	const char *block = "$names << EOD\n";
	for (size_t i = 0; i < count; i++) {
		const struct mark *m = &marks[i];
		double x = lines_at(h, m->x), y = us_at(h, m->y);
		block = report_printf(&data->pool, "%s%s\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\t%.6g\n",
		    block, m->point->cells->server->name, lines_at(h, m->box.left),
		    us_at(h, (m->box.top + m->box.bottom) / 2), x, y, lines_at(h, m->line_x),
		    us_at(h, m->line_y));
	}
	return report_printf(&data->pool, "%sEOD\n", block);
}

bool figures_code(struct report_data *data, const char *plots, struct figures *figures)
{
	struct mark marks[FIGURE_SERVERS_MAX];
	size_t count = take_marks(data, marks);
	struct figure_head h = { .name = "code", .script = "code.gp", .y_min = INFINITY,
		.y_log = true, .width = WIDTH, .height = HEIGHT, .server_count = count };
	FILE *tsv = figures_open(plots, data, h.name, "tsv");
	if (!tsv)
		return false;
	fputs("server\tlines\tmedian\tlow\thigh\truns\n", tsv);
	for (size_t i = 0; i < count; i++) {
		h.servers[i] = marks[i].point->cells->server;
		h.x_max = fmax(h.x_max, (double)h.servers[i]->source_lines);
		h.y_min = fmin(h.y_min, marks[i].point->metric[METRIC_CPU_US_PER_REQ].low);
		h.y_max = fmax(h.y_max, marks[i].point->metric[METRIC_CPU_US_PER_REQ].high);
		write_row(tsv, &marks[i]);
	}
	h.x_max = count ? h.x_max * 1.12 : 1;
	h.y_min = count ? h.y_min / 1.4 : 1;
	h.y_max = count ? h.y_max * 1.4 : 10;
	for (size_t i = 0; i < count; i++) {
		double lines = (double)h.servers[i]->source_lines,
		       us = marks[i].point->metric[METRIC_CPU_US_PER_REQ].median;
		marks[i].x = LEFT + lines / h.x_max * (WIDTH - LEFT - RIGHT);
		double share = log(us / h.y_min) / log(h.y_max / h.y_min);
		marks[i].y = HEIGHT - BOTTOM - share * (HEIGHT - TOP - BOTTOM);
	}
	for (size_t i = 0; i < count; i++)
		place_name(marks, count, i);
	h.extra = names_block(data, &h, marks, count);
	figures->item[figures->count++] = (struct figure){
		.name = "code",
		.title = "Simplicity against speed",
		.see = "Lines of a server's source, comments included, against the CPU time of a "
		       "request at 1,000 busy connections: below on the left is simple and cheap. "
		       "What a library or a runtime does for a server is not in its lines.",
		.misread = "A short file is not a simple program: what it calls counts, too. And at "
			   "saturation a loop is at its best; the price of a wait for few clients is "
			   "another.",
		.empty = count == 0,
	};
	return figures_close(tsv, h.name) && figures_write_script(plots, data, &h);
}
