/* row.c: names of columns and verdicts, once, for store, CSV and terminal. */
#include "harness/row.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

const char *const verdict_names[VERDICT_COUNT] = {
	[VERDICT_VALID] = "valid",
	[VERDICT_CLIENT_LIMITED] = "client-limited",
	[VERDICT_INVALID] = "invalid",
	[VERDICT_UNSUPPORTED] = "unsupported",
	[VERDICT_FAILED] = "failed",
};

const struct metric_column metric_columns[METRIC_COUNT] = {
	[METRIC_ELAPSED_S] = { "elapsed_s", false },
	[METRIC_REQUESTS] = { "requests", true },
	[METRIC_ERRORS] = { "errors", true },
	[METRIC_RATE_PER_S] = { "rate_per_s", false },
	[METRIC_P50_US] = { "p50_us", false },
	[METRIC_P90_US] = { "p90_us", false },
	[METRIC_P99_US] = { "p99_us", false },
	[METRIC_P99_9_US] = { "p99_9_us", false },
	[METRIC_P99_99_US] = { "p99_99_us", false },
	[METRIC_MAX_US] = { "max_us", false },
	[METRIC_MEAN_US] = { "mean_us", false },
	[METRIC_CTX_SWITCHES_PER_REQ] = { "ctx_switches_per_req", false },
	[METRIC_CTX_VOLUNTARY_PER_REQ] = { "ctx_voluntary_per_req", false },
	[METRIC_CTX_INVOLUNTARY_PER_REQ] = { "ctx_involuntary_per_req", false },
	[METRIC_CPU_USER_US_PER_REQ] = { "cpu_user_us_per_req", false },
	[METRIC_CPU_SYS_US_PER_REQ] = { "cpu_sys_us_per_req", false },
	[METRIC_RUNQUEUE_US_PER_REQ] = { "runqueue_us_per_req", false },
	[METRIC_MINOR_FAULTS_PER_REQ] = { "minor_faults_per_req", false },
	[METRIC_MAJOR_FAULTS_PER_REQ] = { "major_faults_per_req", false },
	[METRIC_SERVER_CPU] = { "server_cpu", false },
	[METRIC_HARNESS_CPU_SHARE] = { "harness_cpu_share", false },
	[METRIC_USER_BYTES_PER_CONN] = { "user_bytes_per_conn", false },
	[METRIC_KERNEL_BYTES_PER_CONN] = { "kernel_bytes_per_conn", false },
	[METRIC_PAGE_TABLE_BYTES_PER_CONN] = { "page_table_bytes_per_conn", false },
	[METRIC_STACK_BYTES_PER_CONN] = { "stack_bytes_per_conn", false },
	[METRIC_SOCKET_BYTES_PER_CONN] = { "socket_bytes_per_conn", false },
	[METRIC_SYSCALLS_PER_REQ] = { "syscalls_per_req", false },
	[METRIC_SNAPSHOT_US] = { "snapshot_us", false },
	[METRIC_THREADS] = { "threads", true },
	[METRIC_ESTABLISHED] = { "established", true },
	[METRIC_ANSWERED] = { "answered", true },
	[METRIC_STARVED] = { "starved", true },
	[METRIC_FAIRNESS] = { "fairness", false },
	[METRIC_LITTLES_LAW_RESIDUAL] = { "littles_law_residual", false },
	[METRIC_CLIENT_CPU] = { "client_cpu", false },
	[METRIC_SERVER_REQUESTS] = { "server_requests", true },
	[METRIC_CLIENT_REQUESTS] = { "client_requests", true },
	[METRIC_OFFERED_PER_S] = { "offered_per_s", true },
	[METRIC_BATCH_MEDIAN_S] = { "batch_median_s", false },
	[METRIC_BATCH_MEAN_S] = { "batch_mean_s", false },
	[METRIC_BATCH_STDDEV_S] = { "batch_stddev_s", false },
	[METRIC_BATCH_MIN_S] = { "batch_min_s", false },
	[METRIC_BATCH_MAX_S] = { "batch_max_s", false },
	[METRIC_CACHED_START] = { "cached_start", false },
	[METRIC_CACHED_END] = { "cached_end", false },
};

void row_init(struct row *row, const struct cell *cell)
{
	*row = (struct row){ .cell = cell };
	for (int i = 0; i < METRIC_COUNT; i++)
		row->metrics[i] = NAN;
	for (int i = 0; i < RAW_COUNT; i++)
		row->raw[i] = NAN;
	if (cell->offered_per_s)
		row->metrics[METRIC_OFFERED_PER_S] = cell->offered_per_s;
	time_t now = time(NULL);
	struct tm utc;
	gmtime_r(&now, &utc);
	strftime(row->started_at, sizeof(row->started_at), "%Y-%m-%dT%H:%M:%SZ", &utc);
}

void row_deinit(struct row *row)
{
	timeline_deinit(&row->timeline);
	free(row->loadgen);
	free(row->series);
	free(row->hlog);
	row->loadgen = row->series = row->hlog = NULL;
}

void row_blank(struct row *row, enum metric metric, const char *format, ...)
{
	size_t len = strlen(row->blank), cap = sizeof(row->blank);
	len += (size_t)snprintf(row->blank + len, cap - len, "%s%s: ", len ? "; " : "",
	    metric_columns[metric].name);
	if (len >= cap)
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(row->blank + len, cap - len, format, args);
	va_end(args);
}

void row_mark(struct row *row, const char *mark)
{
	size_t len = strlen(row->marks);
	snprintf(row->marks + len, sizeof(row->marks) - len, "%s%s", len ? "," : "", mark);
}

void row_judge(struct row *row, enum verdict verdict, const char *format, ...)
{
	row->verdict = verdict;
	va_list args;
	va_start(args, format);
	vsnprintf(row->reason, sizeof(row->reason), format, args);
	va_end(args);
}
