/*
 * report_points.c: cells of one server under one load become a point, and points are compared. All
 * statistics are estimate.h's; here is only which runs go in: usable ones, and for a ratio those of
 * the same block.
 *
 * A caution of our own beside the intervals: the A/A pair is the same program twice, so a
 * difference no larger than theirs under the same load decides nothing, however narrow its
 * interval.
 */
#include "harness/report_data.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BEYOND_P99_9_MIN = 100 };

const struct report_metric_info report_metrics[REPORT_METRICS] = {
	[METRIC_RATE_PER_S] = { "requests/s", REPORT_RATE },
	[METRIC_P50_US] = { "p50", REPORT_US },
	[METRIC_P90_US] = { "p90", REPORT_US },
	[METRIC_P99_US] = { "p99", REPORT_US },
	[METRIC_P99_9_US] = { "p99.9", REPORT_US },
	[METRIC_P99_99_US] = { "p99.99", REPORT_US },
	[METRIC_MAX_US] = { "max", REPORT_US },
	[METRIC_CTX_SWITCHES_PER_REQ] = { "switches/req", REPORT_PLAIN },
	[METRIC_CTX_VOLUNTARY_PER_REQ] = { "voluntary", REPORT_PLAIN },
	[METRIC_CTX_INVOLUNTARY_PER_REQ] = { "involuntary", REPORT_PLAIN },
	[METRIC_CPU_USER_US_PER_REQ] = { "user CPU/req", REPORT_US },
	[METRIC_CPU_SYS_US_PER_REQ] = { "system CPU/req", REPORT_US },
	[METRIC_RUNQUEUE_US_PER_REQ] = { "run-queue wait/req", REPORT_US },
	[METRIC_MINOR_FAULTS_PER_REQ] = { "minor faults/req", REPORT_PLAIN },
	[METRIC_MAJOR_FAULTS_PER_REQ] = { "major faults/req", REPORT_PLAIN },
	[METRIC_SYSCALLS_PER_REQ] = { "system calls/req", REPORT_PLAIN },
	[METRIC_SERVER_CPU] = { "server CPUs", REPORT_PLAIN },
	[METRIC_THREADS] = { "threads", REPORT_COUNT },
	[METRIC_USER_BYTES_PER_CONN] = { "user memory/conn", REPORT_BYTES },
	[METRIC_KERNEL_BYTES_PER_CONN] = { "kernel memory/conn", REPORT_BYTES },
	[METRIC_PAGE_TABLE_BYTES_PER_CONN] = { "page tables/conn", REPORT_BYTES },
	[METRIC_STACK_BYTES_PER_CONN] = { "kernel stacks/conn", REPORT_BYTES },
	[METRIC_SOCKET_BYTES_PER_CONN] = { "sockets/conn", REPORT_BYTES },
	[METRIC_ESTABLISHED] = { "established", REPORT_COUNT },
	[METRIC_ANSWERED] = { "answered", REPORT_COUNT },
	[METRIC_STARVED] = { "starved", REPORT_COUNT },
	[METRIC_FAIRNESS] = { "Jain index", REPORT_PLAIN },
	[METRIC_LITTLES_LAW_RESIDUAL] = { "Little's residual", REPORT_SHARE },
	[METRIC_CLIENT_CPU] = { "client CPU", REPORT_SHARE },
	[METRIC_HARNESS_CPU_SHARE] = { "harness CPU", REPORT_SHARE },
	[METRIC_ERRORS] = { "errors", REPORT_COUNT },
	[METRIC_CACHED_START] = { "file cached at start", REPORT_SHARE },
	[METRIC_CACHED_END] = { "file cached at end", REPORT_SHARE },
	[METRIC_ELAPSED_S] = { "window", REPORT_PLAIN },
	[METRIC_OFFERED_PER_S] = { "offered/s", REPORT_RATE },
	[METRIC_BATCH_MEAN_S] = { "batch, s", REPORT_PLAIN },
	[METRIC_CPU_US_PER_REQ] = { "CPU/req", REPORT_US },
	[METRIC_BYTES_PER_CONN] = { "memory/conn", REPORT_BYTES },
	[METRIC_ACHIEVED_SHARE] = { "achieved/offered", REPORT_SHARE },
};

const char *report_key(const struct report_data *data, const char *key)
{
	for (size_t i = 0; i < data->key_count; i++)
		if (!strcmp(data->keys[i].key, key))
			return data->keys[i].value;
	return "";
}

const struct report_server *report_server(const struct report_data *data, const char *name)
{
	for (size_t i = 0; i < data->server_count; i++)
		if (!strcmp(data->servers[i].name, name))
			return &data->servers[i];
	return NULL;
}

/* Experiments in the order of plan.h; unknown ones behind. */
static int experiment_order(const char *name)
{
	int i = 0;
	while (i < EXPERIMENT_COUNT && strcmp(experiment_names[i], name))
		i++;
	return i;
}

static int compare_long(long a, long b)
{
	return (a > b) - (a < b);
}

static long requests_order(const struct report_cell_row *cell)
{
	return cell->requests_per_conn ? cell->requests_per_conn : LONG_MAX;
}

static int compare_load(const struct report_cell_row *a, const struct report_cell_row *b)
{
	int order = experiment_order(a->experiment) - experiment_order(b->experiment);
	order = order ? order : strcmp(a->experiment, b->experiment);
	order = order ? order : strcmp(a->target, b->target);
	order = order ? order : compare_long(a->connections, b->connections);
	order = order ? order : compare_long(a->idle, b->idle);
	order = order ? order : compare_long(a->slow, b->slow);
	order = order ? order : compare_long(a->cpus, b->cpus);
	order = order ? order : compare_long(a->pipeline, b->pipeline);
	order = order ? order : a->cold - b->cold;
	/* 0, a connection that never ends, comes last */
	order = order ? order : compare_long(requests_order(a), requests_order(b));
	order = order ? order : compare_long(a->level_per_s, b->level_per_s);
	return order ? order : compare_long(a->level_percent, b->level_percent);
}

bool report_same_load(const struct report_cell_row *a, const struct report_cell_row *b)
{
	return compare_load(a, b) == 0;
}

/* Cells of one point compare equal. Servers stand in the order of their style, which is that of the
 * figures. */
static int compare_point(const struct report_cell_row *a, const struct report_cell_row *b)
{
	int order = compare_load(a, b);
	order = order ? order : a->twin - b->twin;
	return order ? order : compare_long((long)a->server->style, (long)b->server->style);
}

static int compare_cells(const void *left, const void *right)
{
	const struct report_cell_row *a = left, *b = right;
	int order = compare_point(a, b);
	return order ? order : compare_long(a->rep, b->rep);
}

static bool usable(const struct report_cell_row *cell)
{
	return cell->verdict == VERDICT_VALID || cell->verdict == VERDICT_CLIENT_LIMITED;
}

/* The same runs give the same interval in every report. */
static struct estimate_random seeded(void)
{
	return (struct estimate_random){ .state = 1 };
}

/* A percentile of a run rests on what lies beyond it: 100 samples for p99.9, or it is no figure of
 * the run. */
static bool rests_on_enough(const struct report_cell_row *cell, int metric)
{
	double requests = cell->metric[METRIC_REQUESTS];
	return metric != METRIC_P99_9_US || !isfinite(requests)
	    || requests * 0.001 >= BEYOND_P99_9_MIN;
}

static void estimate_point(struct report_point *point)
{
	for (int m = 0; m < REPORT_METRICS; m++) {
		double values[ESTIMATE_VALUES_MAX];
		uint32_t count = 0;
		for (size_t i = 0; i < point->cell_count && count < ESTIMATE_VALUES_MAX; i++) {
			const struct report_cell_row *cell = &point->cells[i];
			if (usable(cell) && isfinite(cell->metric[m]) && rests_on_enough(cell, m))
				values[count++] = cell->metric[m];
		}
		struct estimate_random random = seeded();
		point->metric[m] = estimate_values(values, count, &random);
	}
}

static void flag_outliers(struct report_cell_row *cells, size_t cell_count)
{
	double rates[ESTIMATE_VALUES_MAX];
	uint32_t count = 0;
	for (size_t i = 0; i < cell_count && count < ESTIMATE_VALUES_MAX; i++)
		if (usable(&cells[i]) && isfinite(cells[i].metric[METRIC_RATE_PER_S]))
			rates[count++] = cells[i].metric[METRIC_RATE_PER_S];
	for (size_t i = 0; i < cell_count; i++) {
		double rate = cells[i].metric[METRIC_RATE_PER_S];
		cells[i].outlier = usable(&cells[i]) && isfinite(rate)
		    && fabs(estimate_modified_z(rates, count, rate)) > ESTIMATE_OUTLIER_Z;
	}
}

/* A point with figures is valid or client-limited; one without has the verdict of its first cell.
 * The reason is that verdict's. */
static void judge_point(struct report_point *point)
{
	point->verdict = point->cells[0].verdict;
	point->reason = "";
	for (size_t i = 0; i < point->cell_count; i++) {
		const struct report_cell_row *cell = &point->cells[i];
		if (usable(cell)) {
			if (!point->usable_count++)
				point->verdict = cell->verdict;
			if (cell->verdict == VERDICT_CLIENT_LIMITED)
				point->verdict = VERDICT_CLIENT_LIMITED;
		}
	}
	for (size_t i = 0; i < point->cell_count && !*point->reason; i++)
		if (point->cells[i].verdict == point->verdict)
			point->reason = point->cells[i].reason;
}

void report_data_group(struct report_data *data)
{
	if (data->cell_count)
		qsort(data->cells, data->cell_count, sizeof(*data->cells), compare_cells);
	data->point_count = 0;
	for (size_t i = 0, next; i < data->cell_count; i = next) {
		for (next = i + 1; next < data->cell_count; next++)
			if (compare_point(&data->cells[i], &data->cells[next]))
				break;
		data->points = report_grow(
		    data->points, &data->point_cap, data->point_count, sizeof(*data->points));
		struct report_point *point = &data->points[data->point_count++];
		*point = (struct report_point){ .cells = &data->cells[i], .cell_count = next - i };
		judge_point(point);
		estimate_point(point);
		flag_outliers(&data->cells[i], next - i);
	}
}

const struct report_point *report_point(const struct report_data *data, const char *experiment,
    const char *server, long connections, long idle)
{
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_cell_row *cell = data->points[i].cells;
		if (cell->connections == connections && cell->idle == idle && !cell->twin
		    && !strcmp(cell->experiment, experiment) && !strcmp(cell->server->name, server))
			return &data->points[i];
	}
	return NULL;
}

/* A metric of two points over the blocks in which both are usable. */
struct pairs {
	double left[ESTIMATE_VALUES_MAX], right[ESTIMATE_VALUES_MAX];
	uint32_t count;
};

static void pair(
    const struct report_point *a, const struct report_point *b, int metric, struct pairs *pairs)
{
	uint32_t count = 0;
	for (size_t i = 0; i < a->cell_count; i++)
		for (size_t k = 0; k < b->cell_count && count < ESTIMATE_VALUES_MAX; k++) {
			const struct report_cell_row *x = &a->cells[i], *y = &b->cells[k];
			if (x->rep != y->rep || !usable(x) || !usable(y))
				continue;
			if (!(x->metric[metric] > 0 && y->metric[metric] > 0))
				continue;
			pairs->left[count] = x->metric[metric];
			pairs->right[count++] = y->metric[metric];
		}
	pairs->count = count;
}

static struct estimate ratio_of(const struct pairs *pairs)
{
	struct estimate_random random = seeded();
	return estimate_ratio(pairs->left, pairs->right, pairs->count, &random);
}

/* Twin / own over their blocks; without a block in common its count is 0. */
static struct estimate twin_ratio(
    const struct report_data *data, const struct report_point *point, int metric)
{
	const struct report_point *twin = NULL, *own = NULL;
	for (size_t i = 0; i < data->point_count; i++)
		if (data->points[i].cells->twin && report_same_load(data->points[i].cells, point->cells))
			twin = &data->points[i];
	for (size_t i = 0; twin && i < data->point_count; i++) {
		const struct report_cell_row *cell = data->points[i].cells;
		if (!cell->twin && cell->server == twin->cells->server
		    && report_same_load(cell, twin->cells))
			own = &data->points[i];
	}
	struct pairs pairs = { .count = 0 };
	if (own)
		pair(twin, own, metric, &pairs);
	return ratio_of(&pairs);
}

double report_drift_at(const struct report_data *data, const struct report_point *point, int metric)
{
	return fabs(twin_ratio(data, point, metric).median - 1);
}

bool report_within_drift(
    const struct report_data *data, const struct report_point *point, int metric, double ratio)
{
	/* on logarithms, so that it is the same for b / a */
	return fabs(log(ratio)) <= fabs(log(twin_ratio(data, point, metric).median));
}

static double margin_of(int metric)
{
	bool latency = metric >= METRIC_P50_US && metric <= METRIC_MAX_US;
	return latency ? ESTIMATE_MARGIN_LATENCY : ESTIMATE_MARGIN_RATE;
}

/* Is it measured by the load generator, whose limits then limit it? */
static bool is_clients(int metric)
{
	return (metric >= METRIC_RATE_PER_S && metric <= METRIC_MAX_US)
	    || metric == METRIC_BATCH_MEAN_S;
}

struct report_comparison report_compare(const struct report_data *data,
    const struct report_point *a, const struct report_point *b, int metric)
{
	struct pairs pairs;
	pair(a, b, metric, &pairs);
	struct report_comparison c = {
		.ratio = ratio_of(&pairs),
		.limited = is_clients(metric)
		    && (a->verdict == VERDICT_CLIENT_LIMITED
			|| b->verdict == VERDICT_CLIENT_LIMITED),
	};
	bool repeated = !strcmp(report_key(data, "until_decided"), "1");
	struct estimate_random random = seeded();
	c.verdict = estimate_decide(pairs.left, pairs.right, pairs.count, margin_of(metric),
	    repeated ? ESTIMATE_ERROR_REPEATED : ESTIMATE_ERROR, &random);
	bool ranked = c.verdict == ESTIMATE_HIGHER || c.verdict == ESTIMATE_LOWER;
	if (ranked && report_within_drift(data, a, metric, c.ratio.median))
		c.verdict = ESTIMATE_UNDECIDED;
	return c;
}

double report_wait_s(const char *target)
{
	double ms = 0;
	return sscanf(target, "/sleep/%lf", &ms) == 1 ? ms / 1000 : 0;
}
