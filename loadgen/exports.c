/*
 * exports.c: the run in time, as two files. Both are written in one pass over the rows of the grid
 * (series.h), each of which is put together from what the workers kept of it.
 *
 * The time series has a row for each interval of the whole run: what an answer to "and then?" needs.
 * The log holds the measure window alone, a second or --step a line, so that what HdrHistogram's tools make
 * of all its lines is what the result says: in a closed loop the service times of all completed
 * requests, in an open loop their response times, the timed out and unfinished ones included. The
 * latter, which are known only when the window is over, stand in its last line. Format 1.3 as
 * HistogramLogWriter of HdrHistogram writes it: times in seconds since StartTime, Interval_Max in
 * milliseconds, values in nanoseconds.
 */
#include "exports.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "lib/sys/die.h"
#include "lib/sys/hdrlog.h"

FILE *export_open(const char *path)
{
	FILE *file = fopen(path, "we");
	if (!file)
		die_errno(errno, "cannot write %s", path);
	return file;
}

static double seconds_since(uint64_t begin_ns, uint64_t time_ns)
{
	return (double)(time_ns - begin_ns) / 1e9;
}

/* --- time series ------------------------------------------------------------------------------ */

static const char *phase_name(const struct course *c, uint64_t time_ns)
{
	if (time_ns >= c->drain_ns || time_ns >= c->window.end_ns)
		return "drain";
	if (time_ns >= c->window.start_ns)
		return "measure";
	if (time_ns >= c->run_ns)
		return "warm-up";
	return time_ns >= c->hold_ns ? "hold" : "connect";
}

static void write_quantile_us(FILE *file, const struct histogram *h, double quantile)
{
	if (stats_quantile_is_known(h, quantile))
		fprintf(file, ",%.3f", (double)histogram_quantile_ns(h, quantile) / 1e3);
	else
		fputc(',', file);
}

static void write_series_legend(FILE *file)
{
	fputs("time_s,phase,rate_per_s,errors,p50_us,p99_us,"
	      "open_connections,answered_connections\n", file);
}

static void write_series_row(FILE *file, const struct course *c, const struct series_row *row)
{
	double length_s = seconds_since(row->start_ns, row->end_ns);
	fprintf(file, "%.3f,%s,%.1f,%llu", seconds_since(c->begin_ns, row->start_ns),
	    phase_name(c, row->start_ns), (double)row->answer_count / length_s,
	    (unsigned long long)row->error_count);
	write_quantile_us(file, &row->latencies, 0.5);
	write_quantile_us(file, &row->latencies, 0.99);
	fprintf(file, ",%llu,%llu\n", (unsigned long long)row->open_count,
	    (unsigned long long)row->answered_count);
}

/* --- interval log ----------------------------------------------------------------------------- */

/* The line under way. */
struct log_line {
	uint64_t start_ns;
	struct histogram latencies;
};

static void write_log_head(FILE *file, const struct options *o, const struct course *c)
{
	time_t began_at = (time_t)(c->begin_wall_ns / 1000000000);
	struct tm calendar;
	char date[64];
	gmtime_r(&began_at, &calendar);
	strftime(date, sizeof date, "%a %b %d %H:%M:%S UTC %Y", &calendar);
	fprintf(file, "#[%s time in ns, of %s by loadgen of c10k]\n",
	    o->rate_per_s ? "Response" : "Service", o->url);
	fprintf(file, "#[Histogram log format version 1.3]\n");
	fprintf(file, "#[StartTime: %.3f (seconds since epoch), %s]\n",
	    (double)c->begin_wall_ns / 1e9, date);
	fprintf(file, "\"StartTimestamp\",\"Interval_Length\",\"Interval_Max\","
		      "\"Interval_Compressed_Histogram\"\n");
}

static void write_log_line(FILE *file, const struct course *c, const struct log_line *line,
    uint64_t end_ns)
{
	char *hdr = hdrlog_encode(&line->latencies);
	if (!hdr)
		die_errno(ENOMEM, "a line of the log");
	fprintf(file, "%.3f,%.3f,%.3f,%s\n", seconds_since(c->begin_ns, line->start_ns),
	    seconds_since(line->start_ns, end_ns), (double)line->latencies.max_ns / 1e6, hdr);
	free(hdr);
}

/* Adds a row of the window; a line is written when it is long enough, or the last one. */
static void add_to_log(FILE *file, const struct result *r, uint64_t step_ns,
    const struct series_row *row, struct log_line *line)
{
	const struct window *w = &r->course.window;
	if (!window_holds(w, row->start_ns))
		return;
	if ((row->start_ns - w->start_ns) % step_ns == 0) {
		line->start_ns = row->start_ns;
		histogram_init(&line->latencies);
	}
	histogram_merge(&line->latencies, &row->latencies);
	bool last = row->end_ns == w->end_ns;
	for (uint32_t i = 0; last && i < r->worker_count; i++)
		histogram_merge(&line->latencies, &r->series[i]->unfinished);
	if (last || (row->end_ns - w->start_ns) % step_ns == 0)
		write_log_line(file, &r->course, line, row->end_ns);
}

/* --- both ------------------------------------------------------------------------------------- */

static void read_row(
    const struct result *r, uint64_t step_ns, uint64_t start_ns, struct series_row *row)
{
	const struct course *c = &r->course;
	memset(row, 0, sizeof *row);
	histogram_init(&row->latencies);
	row->start_ns = start_ns;
	row->end_ns = series_edge_ns(c->begin_ns, step_ns, &c->window, start_ns);
	bool last = row->end_ns >= c->end_ns;
	if (last) /* and what the workers saw before they heard of the end */
		row->end_ns = UINT64_MAX;
	for (uint32_t i = 0; i < r->worker_count; i++)
		series_read(r->series[i], row);
	if (last)
		row->end_ns = c->end_ns;
}

static bool close_written(FILE *file, const char *path)
{
	bool failed = ferror(file) != 0;
	if (fclose(file) == 0 && !failed)
		return true;
	warn_line("cannot write %s: %s", path, strerror(errno));
	return false;
}

bool exports_write(FILE *series, FILE *hlog, const struct options *o, const struct result *r)
{
	static struct series_row row;
	static struct log_line line;
	const struct course *c = &r->course;
	bool written = true;
	if (!series && !hlog)
		return written;
	if (series)
		write_series_legend(series);
	if (hlog)
		write_log_head(hlog, o, c);
	for (uint64_t at_ns = c->begin_ns; at_ns < c->end_ns; at_ns = row.end_ns) {
		read_row(r, o->series_step_ns, at_ns, &row);
		if (series)
			write_series_row(series, c, &row);
		if (hlog)
			add_to_log(hlog, r, o->hlog_step_ns, &row, &line);
	}
	if (series)
		written &= close_written(series, o->series_path);
	if (hlog)
		written &= close_written(hlog, o->hlog_path);
	return written;
}
