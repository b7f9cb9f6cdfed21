/*
 * verify_cell.c: numbers that were copied must be equal; percentiles too, since a histogram gives the same
 * one each time. A mean was taken from the samples, of which the histogram knows 3 digits.
 */
#include "harness/verify_cell.h"

#include <jansson.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/cell_digest.h"
#include "harness/result.h"
#include "lib/core/estimate.h"
#include "lib/sys/hdrlog.h"

enum { WHERE_CAP = 256, PATH_SHOWN_CAP = 128 };
static const double bucket_error = 1.0 / 1024, digits_error = 1e-9, seconds_error = 1e-4;

void verify_differ(struct verify *v, const char *where, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	printf("  %s: ", where);
	vprintf(format, args);
	putchar('\n');
	va_end(args);
	v->differences++;
}

static int column_of(sqlite3_stmt *row, const char *name)
{
	int i = 0, count = sqlite3_column_count(row);
	while (i < count && strcmp(sqlite3_column_name(row, i), name) != 0)
		i++;
	return i;
}

static const char *text_of(sqlite3_stmt *row, const char *name)
{
	const char *text = (const char *)sqlite3_column_text(row, column_of(row, name));
	return text ? text : "";
}

static double number_of(sqlite3_stmt *row, const char *name)
{
	int column = column_of(row, name);
	return sqlite3_column_type(row, column) == SQLITE_NULL ? (double)NAN
							       : sqlite3_column_double(row, column);
}

static void describe(sqlite3_stmt *row, char where[WHERE_CAP])
{
	static const struct {
		const char *column, *words;
		double usual;
	} loads[] = {
		{ "idle", "idle", 0 }, { "slow", "slow", 0 }, { "pipeline", "in flight each", 1 },
		{ "requests_per_conn", "requests a connection", 0 },
		{ "level_per_s", "a second", 0 }, { "level_percent", "% of capacity", 0 },
	};
	size_t len = (size_t)snprintf(where, WHERE_CAP, "cell %s (%.16s, %.32s%s, %s connections",
	    text_of(row, "id"), text_of(row, "experiment"), text_of(row, "server"),
	    number_of(row, "twin") > 0 ? " A/A" : "", text_of(row, "connections"));
	for (size_t i = 0; i < sizeof(loads) / sizeof(*loads) && len < WHERE_CAP; i++)
		if (number_of(row, loads[i].column) > loads[i].usual)
			len += (size_t)snprintf(where + len, WHERE_CAP - len, ", %.0f %s",
			    number_of(row, loads[i].column), loads[i].words);
	if (len < WHERE_CAP)
		snprintf(where + len, WHERE_CAP - len, ", block %s)", text_of(row, "rep"));
}

/* Equal, or equal but for a share of it; both blank is equal, too. */
static bool agree(double a, double b, double share)
{
	return (isnan(a) && isnan(b)) || fabs(a - b) <= share * fmax(fabs(a), fabs(b));
}

static void compare(struct verify *v, const char *where, const char *name, double stored,
    double computed, double share)
{
	v->numbers++;
	if (!agree(stored, computed, share))
		verify_differ(v, where, "%s is %.10g, recomputed it is %.10g", name, stored, computed);
}

/* --- the load generator's result ------------------------------------------------------------- */

static double member(const json_t *object, const char *name)
{
	const json_t *value = json_object_get(object, name);
	return json_is_number(value) ? json_number_value(value) : (double)NAN;
}

static void verify_histogram(struct verify *v, const char *where, const char *path,
    const json_t *json)
{
	static const struct {
		const char *name;
		double quantile;
	} quantiles[] = { { "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99_9", 0.999 },
		{ "p99_99", 0.9999 } };
	static struct histogram h; /* 216 KiB */
	char name[PATH_SHOWN_CAP + 16];
	const char *hdr = json_string_value(json_object_get(json, "hdr"));
	v->histograms++;
	if (hdrlog_decode((struct slice){ hdr, strlen(hdr) }, &h) != 0) {
		verify_differ(v, where, "%s.hdr is no histogram", path);
		return;
	}
	double max = member(json, "max"), min = member(json, "min");
	snprintf(name, sizeof(name), "%s.count", path);
	compare(v, where, name, member(json, "count"), (double)h.count, 0);
	snprintf(name, sizeof(name), "%s.mean", path);
	compare(v, where, name, member(json, "mean"), histogram_mean_ns(&h), bucket_error);
	snprintf(name, sizeof(name), "%s.min", path);
	compare(v, where, name, min, (double)h.min_ns, bucket_error);
	snprintf(name, sizeof(name), "%s.max", path);
	if (max <= (double)HISTOGRAM_MAX_NS) {
		compare(v, where, name, max, (double)h.max_ns, bucket_error);
		h.max_ns = (uint64_t)max; /* which the percentiles do not exceed */
	}
	for (size_t i = 0; i < sizeof(quantiles) / sizeof(*quantiles); i++) {
		double stored = member(json, quantiles[i].name);
		snprintf(name, sizeof(name), "%s.%s", path, quantiles[i].name);
		if (!isnan(stored)) /* else it rests on too few samples */
			compare(v, where, name, stored,
			    (double)histogram_quantile_ns(&h, quantiles[i].quantile), 0);
	}
}

/* Every object with a member "hdr", however deep. */
static void verify_histograms(struct verify *v, const char *where, const char *path, json_t *json)
{
	char below[PATH_SHOWN_CAP];
	const char *key;
	json_t *value;
	size_t index;
	if (json_is_string(json_object_get(json, "hdr")))
		verify_histogram(v, where, path, json);
	json_object_foreach(json, key, value) {
		snprintf(below, sizeof(below), "%.80s%s%.40s", path, *path ? "." : "", key);
		verify_histograms(v, where, below, value);
	}
	json_array_foreach(json, index, value) {
		snprintf(below, sizeof(below), "%.80s.%zu", path, index);
		verify_histograms(v, where, below, value);
	}
}

static void verify_result(struct verify *v, const char *where, const char *text)
{
	json_t *json = json_loads(text, 0, NULL);
	double elapsed_s = member(json, "elapsed_s"), rate = member(json, "rate_per_s");
	double completed = member(json_object_get(json, "requests"), "completed");
	if (rate > 0)
		compare(v, where, "the result's rate_per_s", rate, completed / elapsed_s,
		    digits_error);
	verify_histograms(v, where, "", json);
	json_decref(json);
}

/* --- the row --------------------------------------------------------------------------------- */

/* What result_read() makes of the result now must be what it made of it then. */
static void verify_row(struct verify *v, const char *where, sqlite3_stmt *stored)
{
	static struct row row;
	struct experiment experiment = { .kind = EXPERIMENT_COUNT };
	double offered = number_of(stored, "offered_per_s");
	struct cell cell = {
		.experiment = &experiment,
		.offered_per_s = offered > 0 ? (uint32_t)offered : 0,
	};
	struct result result;
	struct verdict_facts facts = { 0 };
	char problem[256];
	for (int i = 0; i < EXPERIMENT_COUNT; i++)
		if (strcmp(experiment_names[i], text_of(stored, "experiment")) == 0)
			experiment.kind = (enum experiment_kind)i;
	row_init(&row, &cell);
	row.loadgen = strdup(text_of(stored, "loadgen"));
	if (!row.loadgen || !result_read(&result, &row, &facts, problem)) {
		verify_differ(v, where, "%s", row.loadgen ? problem : "memory is short");
	} else {
		for (int i = 0; i < METRIC_COUNT; i++)
			if (isfinite(row.metrics[i]))
				compare(v, where, metric_columns[i].name,
				    number_of(stored, metric_columns[i].name), row.metrics[i], 0);
	}
	row_deinit(&row);
}

/* Server and memory: what raw_derive() gives now must be what it gave then. */
static void verify_raw(struct verify *v, const char *where, sqlite3_stmt *stored)
{
	double raw[RAW_COUNT], metrics[METRIC_COUNT];
	for (int i = 0; i < RAW_COUNT; i++)
		raw[i] = number_of(stored, raw_columns[i]);
	raw_derive(raw, metrics);
	for (int i = METRIC_RAW_FIRST; i <= METRIC_RAW_LAST; i++) {
		double number = number_of(stored, metric_columns[i].name);
		if (!isnan(number) || !isnan(metrics[i]))
			compare(v, where, metric_columns[i].name, number, metrics[i], digits_error);
	}
	double per_req = number_of(stored, "syscalls_per_req");
	if (isnan(per_req))
		return;
	compare(v, where, "syscalls_per_req", per_req,
	    number_of(stored, "syscall_calls") * raw_syscall_share(raw), digits_error);
	compare(v, where, "the sum of its system calls a request", number_of(stored, "syscall_sum"),
	    per_req, digits_error);
}

/* What a thread did in all against its spans. */
static void verify_threads(struct verify *v, const char *where, sqlite3_stmt *stored)
{
	static const char *const sums[TIMELINE_STATES] = {
		[TIMELINE_RUNNING] = "running_ns",
		[TIMELINE_PREEMPTED] = "preempted_ns",
		[TIMELINE_WAITING] = "waiting_ns",
	};
	json_t *threads = json_loads(text_of(stored, "threads_of_it"), 0, NULL), *item;
	size_t index;
	char name[64];
	json_array_foreach(threads, index, item) {
		struct timeline_thread thread = { 0 };
		const char *spans = json_string_value(json_object_get(item, "spans"));
		timeline_parse(&thread, spans ? spans : "");
		for (int state = 0; state < TIMELINE_STATES; state++) {
			snprintf(name, sizeof(name), "%s of thread %.0f", sums[state],
			    member(item, "tid"));
			compare(v, where, name, member(item, sums[state]),
			    (double)timeline_sum_ns(&thread, (enum timeline_state)state), 0);
		}
		free(thread.spans);
	}
	json_decref(threads);
}

static void verify_batch(struct verify *v, const char *where, sqlite3_stmt *stored)
{
	double times[ESTIMATE_VALUES_MAX], sum = 0, least = INFINITY, most = 0;
	json_t *list = json_loads(text_of(stored, "batch_times"), 0, NULL);
	uint32_t count = 0;
	for (size_t i = 0; i < json_array_size(list) && count < ESTIMATE_VALUES_MAX; i++) {
		times[count] = json_number_value(json_array_get(list, i));
		sum += times[count];
		least = fmin(least, times[count]);
		most = fmax(most, times[count++]);
	}
	json_decref(list);
	if (count == 0)
		return;
	compare(v, where, "batch_median_s", number_of(stored, "batch_median_s"),
	    estimate_median(times, count), seconds_error);
	compare(v, where, "batch_mean_s", number_of(stored, "batch_mean_s"), sum / count,
	    seconds_error);
	compare(v, where, "batch_min_s", number_of(stored, "batch_min_s"), least, seconds_error);
	compare(v, where, "batch_max_s", number_of(stored, "batch_max_s"), most, seconds_error);
}

void verify_cell(struct verify *v, sqlite3_stmt *row)
{
	char where[WHERE_CAP], digest[DIGEST_CAP];
	describe(row, where);
	cell_digest(row, digest);
	v->cells++;
	if (strcmp(digest, text_of(row, CELL_DIGEST_COLUMN)) != 0)
		verify_differ(v, where, "its content is not what was stored: the SHA-256 differs");
	/* what failed may have left half a result, which gave the row no figures */
	if (*text_of(row, "loadgen") && strcmp(text_of(row, "verdict"), "failed") != 0) {
		verify_result(v, where, text_of(row, "loadgen"));
		verify_row(v, where, row);
	}
	verify_raw(v, where, row);
	verify_threads(v, where, row);
	if (*text_of(row, "batch_times"))
		verify_batch(v, where, row);
}
