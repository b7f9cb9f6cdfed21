/*
 * figures_time.c: one cell of each server as it went in time, from what its load generator kept in
 * steps of 20 ms (see cell_keeps_course()). The series tells rate, p99 and open connections from
 * the connect phase on; the histograms of the measure window tell where every single answer was.
 * Time 0 is the window's beginning.
 */
#include "harness/figures.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/report_assets.h"
#include "lib/core/histogram.h"
#include "lib/sys/hdrlog.h"

enum { BINS_PER_DECADE = 8, SHADES = 6, FIELDS = 8, ROW_HEIGHT = 96 };
static const double before_most_s = 0.5; /* what is shown of the time before the window */
static const double step_s = 0.02;

/* The columns of the series. */
enum { FIELD_TIME, FIELD_PHASE, FIELD_RATE, FIELD_ERRORS, FIELD_P50, FIELD_P99, FIELD_OPEN };

/* One line of a text; returns the next, NULL at the end. */
static const char *take_line(const char *text, char line[256])
{
	size_t len = strcspn(text, "\n"), kept = len < 255 ? len : 255;
	memcpy(line, text, kept);
	line[kept] = '\0';
	return text[len] ? text + len + 1 : NULL;
}

/* Cuts a line at its commas; false when it has not all fields. */
static bool cut(char *line, char *fields[FIELDS])
{
	for (int i = 0; i < FIELDS; i++) {
		fields[i] = strsep(&line, ",");
		if (!fields[i])
			return false;
	}
	return true;
}

static double number(const char *field)
{
	return *field ? strtod(field, NULL) : (double)NAN;
}

static void put(FILE *tsv, double value)
{
	if (isfinite(value))
		fprintf(tsv, "\t%.6g", value);
	else
		fputc('\t', tsv);
}

/* When the measure window began; NAN when it did not. */
static double window_start(const char *series)
{
	char line[256], *fields[FIELDS];
	for (const char *at = series; at;) {
		at = take_line(at, line);
		if (cut(line, fields) && !strcmp(fields[FIELD_PHASE], "measure"))
			return number(fields[FIELD_TIME]);
	}
	return (double)NAN;
}

/* What the axes must hold. */
struct range {
	double x_min, x_max, rate, us_min, us_max, open;
};

static void write_series(FILE *tsv, const struct report_cell_row *cell, struct range *range)
{
	char line[256], *fields[FIELDS];
	double start = window_start(cell->series);
	for (const char *at = cell->series; at && isfinite(start);) {
		at = take_line(at, line);
		if (!cut(line, fields) || !strcmp(fields[FIELD_TIME], "time_s"))
			continue;
		double time = number(fields[FIELD_TIME]) - start, rate = number(fields[FIELD_RATE]),
		       open = number(fields[FIELD_OPEN]), p50 = number(fields[FIELD_P50]),
		       p99 = number(fields[FIELD_P99]);
		bool drain = !strcmp(fields[FIELD_PHASE], "drain");
		/* the grid begins anew at the window: the step before may be too short for a rate */
		bool cut_short = time < 0 && time > -step_s / 2;
		if (time < -before_most_s || drain || cut_short)
			continue;
		fprintf(tsv, "%s\t%s\t%.3f", cell->server->name, fields[FIELD_PHASE], time);
		put(tsv, rate);
		put(tsv, open);
		put(tsv, p50);
		put(tsv, p99);
		fputc('\n', tsv);
		range->x_min = fmin(range->x_min, time);
		range->x_max = fmax(range->x_max, time);
		range->rate = fmax(range->rate, rate);
		range->open = fmax(range->open, open);
		range->us_min = fmin(range->us_min, p50); /* fmin() takes the one that is a number */
		range->us_max = fmax(range->us_max, fmax(p50, p99));
	}
}

/* --- heat map ------------------------------------------------------------------------------------ */

/* Answers of one step of time, by latency; a bin is 1/8 of a decade, from 1 us on. */
enum { BINS = 8 * BINS_PER_DECADE };

static double bin_us(int bin)
{
	return pow(10, (double)bin / BINS_PER_DECADE);
}

static void count_bins(const struct histogram *h, uint64_t bins[BINS])
{
	memset(bins, 0, BINS * sizeof(*bins));
	for (uint32_t i = 0; i < HISTOGRAM_BUCKET_COUNT; i++) {
		if (!h->buckets[i])
			continue;
		double us = (double)histogram_bucket_low_ns(i) / 1e3;
		int bin = us > 1 ? (int)(log10(us) * BINS_PER_DECADE) : 0;
		bins[bin < BINS ? bin : BINS - 1] += h->buckets[i];
	}
}

/* A shade for each factor of the most: 1 for a single answer, SHADES for a full bin. */
static int shade(uint64_t count, double most)
{
	double share = most > 1 ? log((double)count) / log(most) : 1;
	int step = 1 + (int)(share * (SHADES - 1) + 0.5);
	return step < SHADES ? step : SHADES;
}

/* What takes a bin that holds something. */
struct heat {
	FILE *tsv;                   /* NULL: only look for the most */
	double most, y_min, y_max, x_max;
};

static void take_bins(struct heat *heat, const struct report_cell_row *cell, double from_s,
    double to_s, const uint64_t bins[BINS])
{
	for (int i = 0; i < BINS; i++) {
		if (!bins[i])
			continue;
		heat->most = fmax(heat->most, (double)bins[i]);
		heat->y_min = fmin(heat->y_min, bin_us(i));
		heat->y_max = fmax(heat->y_max, bin_us(i + 1));
		heat->x_max = fmax(heat->x_max, to_s);
		if (heat->tsv)
			fprintf(heat->tsv, "%s\t%.3f\t%.3f\t%.5g\t%.5g\t%llu\t%d\n", cell->server->name,
			    from_s, to_s, bin_us(i), bin_us(i + 1), (unsigned long long)bins[i],
			    shade(bins[i], heat->most));
	}
}

/* Lines of the log: start, length, max, histogram. */
static void take_log(struct heat *heat, const struct report_cell_row *cell, struct histogram *h)
{
	uint64_t bins[BINS];
	double begin = (double)NAN;
	for (const char *line = cell->hlog; line && *line; line = strchr(line, '\n')) {
		line += *line == '\n';
		char *at;
		double start = strtod(line, &at), length = *at == ',' ? strtod(at + 1, &at) : 0;
		const char *text = *at == ',' ? strchr(at + 1, ',') : NULL;
		size_t len = text ? strcspn(text + 1, "\n") : 0;
		if (length <= 0 || hdrlog_decode((struct slice){ text + 1, len }, h) != 0)
			continue;
		begin = isfinite(begin) ? begin : start;
		count_bins(h, bins);
		take_bins(heat, cell, start - begin, start - begin + length, bins);
	}
}

static void each_course(
    const struct report_data *data, struct heat *heat, struct histogram *scratch)
{
	for (size_t i = 0; i < data->cell_count; i++)
		if (*data->cells[i].hlog)
			take_log(heat, &data->cells[i], scratch);
}

/* --- both ---------------------------------------------------------------------------------------- */

static bool make_time(struct report_data *data, const char *plots, struct figure_head *h)
{
	FILE *tsv = figures_open(plots, data, h->name, "tsv");
	if (!tsv)
		return false;
	struct range range = { .us_min = INFINITY };
	fputs("server\tphase\ttime_s\trate_per_s\topen_connections\tp50_us\tp99_us\n", tsv);
	for (size_t i = 0; i < data->cell_count; i++)
		if (*data->cells[i].series)
			write_series(tsv, &data->cells[i], &range);
	h->width = 1080;
	h->height = 80 + ROW_HEIGHT * (int)h->server_count;
	h->x_min = range.x_min;
	h->x_max = range.x_max > 0 ? range.x_max : 1;
	h->y_max = range.rate > 0 ? range.rate * 1.08 : 1;
	bool known = isfinite(range.us_min);
	h->extra = report_printf(&data->pool,
	    "us_min = %.9g\nus_max = %.9g\nopen_max = %.9g\n",
	    known ? pow(10, floor(log10(range.us_min))) / 1e6 : 1e-5,
	    known ? pow(10, ceil(log10(range.us_max))) / 1e6 : 1,
	    range.open > 0 ? range.open * 1.15 : 1);
	return figures_close(tsv, h->name) && figures_write_script(plots, data, h);
}

static bool make_heat(struct report_data *data, const char *plots, struct figure_head *h)
{
	FILE *tsv = figures_open(plots, data, h->name, "tsv");
	if (!tsv)
		return false;
	struct histogram *scratch = report_alloc(sizeof(*scratch));
	struct heat heat = { .y_min = INFINITY };
	fputs("server\tfrom_s\tto_s\tfrom_us\tto_us\tanswers\tshade\n", tsv);
	each_course(data, &heat, scratch);
	heat.tsv = tsv; /* now that the most is known */
	each_course(data, &heat, scratch);
	free(scratch);
	h->x_max = heat.x_max > 0 ? heat.x_max : 1;
	h->y_log = true;
	/* whole powers of ten, or the axis may have no mark */
	h->y_min = heat.x_max > 0 ? pow(10, floor(log10(heat.y_min))) : 10;
	h->y_max = heat.x_max > 0 ? pow(10, ceil(log10(heat.y_max))) : 1000;
	/* the axis is in seconds, so that its labels carry a unit */
	h->extra = report_printf(&data->pool,
	    "shades = %d\nmost = '%s'\ny_min = %.9g\ny_max = %.9g\n", SHADES,
	    report_whole(&data->pool, heat.most), h->y_min / 1e6, h->y_max / 1e6);
	return figures_close(tsv, h->name) && figures_write_script(plots, data, h);
}

bool figures_time(struct report_data *data, const char *plots, struct figures *figures)
{
	struct figure_head time = { .name = "time", .script = "time.gp" };
	for (size_t i = 0; i < data->cell_count; i++)
		if (*data->cells[i].series && time.server_count < FIGURE_SERVERS_MAX)
			time.servers[time.server_count++] = data->cells[i].server;
	struct figure_head heat = time;
	heat.name = "heatmap";
	heat.script = "heatmap.gp";
	heat.panels = true;
	if (!make_time(data, plots, &time) || !make_heat(data, plots, &heat))
		return false;
	figures->item[figures->count++] = (struct figure){
		.name = "time",
		.title = "A run in time, 1,000 connections",
		.see = "One run of each server, in steps of 20 ms: requests/s, service time and "
		       "open connections. Shaded is what is not measured (connecting, warm-up); "
		       "0 s is where measuring begins. A level line is a server that has settled.",
		.misread = "One run is no comparison: how servers differ is in the figures above, "
			   "which have many. A p99 is missing where a step has too few answers for one.",
		.empty = time.server_count == 0,
	};
	figures->item[figures->count++] = (struct figure){
		.name = "heatmap",
		.title = "Where the answers were: latency over time, 1,000 connections",
		.see = "Every answer of the same runs: its time to the right, its service time "
		       "upwards, the darker the more (each shade several times the last). One dark "
		       "band: all fare alike. Two bands, or a cloud far above: some wait much longer "
		       "than others. Stripes: answers come in bursts.",
		.misread = "The faintest shade is a single answer in 20 ms: a cloud of those is the "
			   "tail that a p99 hides, and may still be one request in a thousand.",
		.empty = heat.server_count == 0,
	};
	return true;
}
