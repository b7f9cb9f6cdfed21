/*
 * measure.c: the course of a cell.
 *
 *     server ready, baseline of its memory
 *     barrier    memory again; the load generator goes on
 *     measure    counters, first reading of the server's tasks
 *     measured   counters, second reading of the tasks, while the load goes on
 *     ended      the server's own count, SIGTERM
 *
 * Without taskstats, reading 10,000 tasks takes 0.4 s of the load generator's CPU: then it stays
 * out of the window, and the first reading is taken near the end of the warm-up, under full load
 * too. Each difference is scaled from its own distance in time to the window's length.
 */
#include "harness/measure.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/batch.h"
#include "harness/client.h"
#include "harness/counters.h"
#include "harness/interrupt.h"
#include "harness/page_cache.h"
#include "harness/probe.h"
#include "harness/result.h"
#include "harness/target.h"
#include "harness/tasks.h"
#include "harness/verdict.h"
#include "lib/sys/clock.h"

enum {
	PORT_FIRST = 22000,
	PORT_COUNT = 1000,            /* below the kernel's range for outgoing connections */
	SPARE_FILES = 64,             /* of a server, beside its connections */
	CONNECTIONS_FOR_MEMORY = 100, /* with fewer the difference is noise */
};
static const double cached_cold_most = 0.01, cached_warm_least = 0.99;
static const uint64_t task_read_ns = 50000;
static const uint64_t connect_most_ns = 60000000000, end_most_ns = 30000000000;

struct run {
	const struct measure_setup *setup;
	const struct cell *cell;
	const struct server_info *info;
	struct row *row;
	struct target target;
	struct client client;
	char server_log[PATH_CAP], client_log[PATH_CAP], json_path[PATH_CAP];
	char series_path[PATH_CAP], hlog_path[PATH_CAP];
	struct memory memory_idle, memory_held;
	struct snapshot before, after;
	struct counters_reading edge[2];
	uint64_t window_ns[2];      /* the load generator's own edges */
	/*
	 * when the first reading of the tasks is due; 0: not, or done; UINT64_MAX: at the window's
	 * edge
	 */
	uint64_t snapshot_at_ns;
	uint64_t deadline_ns;
	uint64_t suspended_ns;      /* BOOTTIME - MONOTONIC at the start */
	bool held, measured;
};

static uint64_t suspended_time_ns(void)
{
	uint64_t monotonic_ns = clock_now_ns();
	return clock_read_ns(CLOCK_BOOTTIME) - monotonic_ns;
}

/* --- what cannot be done --------------------------------------------------------------------- */

static bool is_possible(
    const struct measure_setup *setup, const struct server_info *info, struct row *row)
{
	uint64_t wanted = cell_clients(row->cell);
	const char *problem = backends_problem(setup->backends, row->cell->experiment->kind);
	const char *lacking = server_lacks(info, row->cell);
	if (lacking)
		row_judge(row, VERDICT_UNSUPPORTED, "%s is a reference: it does not serve %s",
		    info->name, lacking);
	else if (problem)
		row_judge(row, VERDICT_UNSUPPORTED, "%s", problem);
	else if (!server_can_serve(info, row->cell))
		row_judge(row, VERDICT_UNSUPPORTED, "serves at most %u connection%s%s",
		    info->max_connections, info->max_connections == 1 ? "" : "s",
		    info->max_waiting ? " at a time" : "");
	else if (wanted + SPARE_FILES > setup->file_limit)
		row_judge(row, VERDICT_UNSUPPORTED,
		    "this machine lets a process hold %llu files (ulimit -Hn)",
		    (unsigned long long)setup->file_limit);
	else
		return true;
	return false;
}

/* Brings the data file into the state the cell wants. False when it will not have it. */
static bool prepare_cache(const struct measure_setup *setup, struct row *row)
{
	const char *data = setup->backends->data;
	bool cold = row->cell->cold;
	if (cold)
		page_cache_drop(data);
	else
		page_cache_fill(data);
	double share = row->metrics[METRIC_CACHED_START] = page_cache_share(data);
	if (cold ? share < cached_cold_most : share > cached_warm_least)
		return true;
	row_judge(row, VERDICT_UNSUPPORTED, "%.0f%% of the data file is in the page cache after %s",
	    share * 100, cold ? "it was dropped" : "it was read");
	return false;
}

/* --- the edges ------------------------------------------------------------------------------- */

static void on_barrier(struct run *run)
{
	struct row *row = run->row;
	run->memory_held = memory_take(run->target.process.pid);
	run->held = true;
	row->metrics[METRIC_THREADS] = run->memory_held.threads;
	client_answer(&run->client);
	uint64_t now_ns = clock_now_ns();
	uint64_t reading_ns = (uint64_t)run->memory_held.threads * task_read_ns + 2000000;
	uint64_t warmup_ns = cell_warmup_ns(run->cell);
	if (run->cell->experiment->kind != EXPERIMENT_MEMORY)
		run->snapshot_at_ns = snapshot_is_cheap(run->target.process.pid) ? UINT64_MAX
		    : now_ns + (warmup_ns > reading_ns ? warmup_ns - reading_ns : 1);
	run->deadline_ns = now_ns + warmup_ns + run->cell->experiment->duration_ns +
	    run->cell->experiment->hold_ns + end_most_ns;
}

static void take_first_snapshot(struct run *run)
{
	run->snapshot_at_ns = 0;
	snapshot_take(&run->before, run->target.process.pid);
}

static void on_measured(struct run *run)
{
	run->edge[1] = counters_read(&run->target.counters);
	run->window_ns[1] = run->client.event_ns;
	run->measured = snapshot_take(&run->after, run->target.process.pid) &&
	    run->before.count > 0 && run->before.has_sums == run->after.has_sums;
	client_answer(&run->client);
}

/* NULL when the load generator ended, else why the cell cannot go on. */
static const char *follow(struct run *run)
{
	for (;;) {
		int timeout_ms = WAIT_SLICE_MS;
		uint64_t now_ns = clock_now_ns();
		if (run->snapshot_at_ns &&
		    run->snapshot_at_ns < now_ns + WAIT_SLICE_MS * UINT64_C(1000000))
			timeout_ms = run->snapshot_at_ns > now_ns
			    ? (int)((run->snapshot_at_ns - now_ns) / 1000000)
			    : 0;
		switch (client_wait(&run->client, timeout_ms)) {
		case CLIENT_BARRIER:
			on_barrier(run);
			break;
		case CLIENT_MEASURE:
			run->edge[0] = counters_read(&run->target.counters);
			run->window_ns[0] = run->client.event_ns;
			if (run->snapshot_at_ns)
				take_first_snapshot(run);
			break;
		case CLIENT_MEASURED:
			on_measured(run);
			break;
		case CLIENT_ENDED:
			if (process_has_ended(&run->client.process))
				return NULL;
			interrupt_sleep(1000000); /* it is about to */
			break;
		case CLIENT_NOTHING:
			break;
		}
		now_ns = clock_now_ns();
		if (run->snapshot_at_ns && now_ns >= run->snapshot_at_ns)
			take_first_snapshot(run);
		if (interrupt_signal())
			return "interrupted";
		if (process_has_ended(&run->target.process))
			return "the server ended";
		if (now_ns > run->deadline_ns)
			return run->held ? "the load generator did not end in time"
			                 : "the connections were not established within 60 s";
		if (run->setup->on_tick)
			run->setup->on_tick(run->setup->context);
	}
}

/* --- figures --------------------------------------------------------------------------------- */

static void fill_memory(struct run *run)
{
	struct row *row = run->row;
	uint32_t connections = cell_clients(run->cell);
	if (!run->held)
		return;
	if (run->info->max_waiting && connections > run->info->max_connections) {
		row_blank(row, METRIC_USER_BYTES_PER_CONN, "it does not hold them all at a time");
		row_blank(row, METRIC_KERNEL_BYTES_PER_CONN, "it does not hold them all at a time");
		return;
	}
	if (connections < CONNECTIONS_FOR_MEMORY) {
		row_blank(row, METRIC_USER_BYTES_PER_CONN, "fewer than %d connections",
		    CONNECTIONS_FOR_MEMORY);
		row_blank(row, METRIC_KERNEL_BYTES_PER_CONN, "fewer than %d connections",
		    CONNECTIONS_FOR_MEMORY);
		return;
	}
	double user = memory_user_bytes(&run->memory_idle, &run->memory_held);
	double kernel = memory_kernel_bytes(&run->setup->costs, &run->memory_idle,
	    &run->memory_held);
	if (isfinite(user))
		row->metrics[METRIC_USER_BYTES_PER_CONN] = user / connections;
	else
		row_blank(row, METRIC_USER_BYTES_PER_CONN, "no /proc/PID/smaps_rollup");
	if (isfinite(kernel))
		row->metrics[METRIC_KERNEL_BYTES_PER_CONN] = kernel / connections;
	else
		row_blank(row, METRIC_KERNEL_BYTES_PER_CONN,
		    "the cost of a socket or a thread could not be measured (file limit?)");
}

static void fill_tasks(struct run *run, const struct snapshot_difference *d, double scale)
{
	struct row *row = run->row;
	row->metrics[METRIC_SNAPSHOT_US] = (double)(run->after.end_ns - run->after.begin_ns) / 1e3;
	row->metrics[METRIC_THREADS] = run->after.thread_count;
	row->metrics[METRIC_CTX_VOLUNTARY_PER_REQ] = (double)d->voluntary * scale;
	row->metrics[METRIC_CTX_INVOLUNTARY_PER_REQ] = (double)d->involuntary * scale;
	if (d->has_schedstat)
		row->metrics[METRIC_RUNQUEUE_US_PER_REQ] = (double)d->wait_ns * scale / 1e3;
	else
		row_blank(row, METRIC_RUNQUEUE_US_PER_REQ, "no schedstat in this kernel");
}

/* Without perf the total is what the tasks counted themselves: those that ended are missing. */
static void fill_switches_from_tasks(struct run *run)
{
	struct row *row = run->row;
	if (run->measured)
		row->metrics[METRIC_CTX_SWITCHES_PER_REQ] =
		    row->metrics[METRIC_CTX_VOLUNTARY_PER_REQ] +
		    row->metrics[METRIC_CTX_INVOLUNTARY_PER_REQ];
	row_blank(row, METRIC_CTX_SWITCHES_PER_REQ, "%s%s", run->measured ? "summed over tasks, " : "",
	    run->target.counters.reason);
}

/* CPU time: the total is exact (perf, else schedstat); /proc/PID/stat splits it. */
static void fill_cpu(
    struct run *run, const struct snapshot_difference *d, double window_s, double completed)
{
	struct row *row = run->row;
	double cpu_s;
	if (run->edge[0].valid && run->edge[1].valid) {
		double distance_s = (double)(run->edge[1].at_ns - run->edge[0].at_ns) / 1e9;
		double scale = window_s / distance_s / completed;
		row->metrics[METRIC_CTX_SWITCHES_PER_REQ] =
		    (double)(run->edge[1].switches - run->edge[0].switches) * scale;
		cpu_s = (double)(run->edge[1].cpu_ns - run->edge[0].cpu_ns) / 1e9 * window_s /
		    distance_s;
	} else {
		fill_switches_from_tasks(run);
		cpu_s = run->measured && d->has_schedstat
		    ? (double)d->cpu_ns / 1e9 * window_s / d->distance_s
		    : NAN;
	}
	if (isnan(cpu_s)) {
		row_blank(row, METRIC_SERVER_CPU, "neither perf counters nor schedstat");
		return;
	}
	row->metrics[METRIC_SERVER_CPU] = cpu_s / window_s;
	if (!run->measured || d->user_share < 0) {
		row_blank(row, METRIC_CPU_USER_US_PER_REQ, "too few clock ticks to split CPU time");
		row_blank(row, METRIC_CPU_SYS_US_PER_REQ, "too few clock ticks to split CPU time");
		return;
	}
	row->metrics[METRIC_CPU_USER_US_PER_REQ] = cpu_s * 1e6 / completed * d->user_share;
	row->metrics[METRIC_CPU_SYS_US_PER_REQ] = cpu_s * 1e6 / completed * (1 - d->user_share);
}

static void fill_server_metrics(struct run *run, const struct result *result)
{
	double window_s = (double)(run->window_ns[1] - run->window_ns[0]) / 1e9;
	double completed = (double)result->completed;
	if (run->window_ns[0] == 0 || run->window_ns[1] <= run->window_ns[0] || completed < 1)
		return;
	struct snapshot_difference d = { .user_share = -1 };
	if (run->measured) {
		d = snapshot_subtract(&run->before, &run->after);
		fill_tasks(run, &d, window_s / d.distance_s / completed);
	} else {
		row_blank(run->row, METRIC_CTX_VOLUNTARY_PER_REQ,
		    "/proc/PID/task could not be read");
	}
	fill_cpu(run, &d, window_s, completed);
}

/* --- the cell -------------------------------------------------------------------------------- */

static int open_log(const char *path)
{
	return open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
}

/* Last words of both, and the one line of the server's that a reason can carry. */
static void keep_words(struct run *run, char line[256])
{
	char server[900], client[900];
	last_words(run->server_log, server, sizeof(server));
	last_words(run->client_log, client, sizeof(client));
	snprintf(run->row->log, sizeof(run->row->log), "%s%s%s%s%s", server[0] ? "server: " : "",
	    server, server[0] && client[0] ? "\n" : "", client[0] ? "loadgen: " : "", client);
	const char *last = strrchr(server, '\n');
	snprintf(line, 256, "%.255s", last ? last + 1 : server);
}

/*
 * Little's law over completed requests alone misses those that never completed: some connections
 * were served at the cost of others. Requests that all wait equally long can miss it too, at the
 * window's edges: then the connections have fared alike, and it is no finding.
 */
static bool is_unfair(const struct row *row)
{
	const double *m = row->metrics;
	return m[METRIC_LITTLES_LAW_RESIDUAL] > 0.05 &&
	    (m[METRIC_STARVED] > 0 || m[METRIC_FAIRNESS] < 0.95);
}

static void judge_run(struct run *run, const char *stopped, const struct target_stats *stats)
{
	struct row *row = run->row;
	struct result result;
	struct verdict_facts facts = { 0 };
	char words[256], end[64], problem[256];
	facts.may_idle = run->cell->slow > 0;
	facts.requested = cell_clients(run->cell);
	keep_words(run, words);
	if (stopped) {
		bool died = run->target.process.ended && strcmp(stopped, "the server ended") == 0;
		row_judge(row, VERDICT_FAILED, "%s%s%s%s%s", stopped, died ? " with " : "",
		    died ? process_describe_end(&run->target.process, end, sizeof(end)) : "",
		    words[0] ? ": " : "", words);
		return;
	}
	row->loadgen = file_read(run->json_path);
	if (!row->loadgen || !row->loadgen[0]) {
		const char *own = strstr(row->log, "loadgen: ");
		row_judge(row, VERDICT_FAILED, "the load generator gave no result, %s%s%.300s",
		    process_describe_end(&run->client.process, end, sizeof(end)), own ? ": " : "",
		    own ? own + strlen("loadgen: ") : "");
		return;
	}
	if (!result_read(&result, row, &facts, problem)) {
		row_judge(row, VERDICT_FAILED, "%s", problem);
		return;
	}
	fill_server_metrics(run, &result);
	facts.has_server_requests = stats->valid;
	facts.server_requests = stats->requests;
	facts.refused = stats->valid ? stats->refused : 0;
	facts.clock_step_ns = (int64_t)(suspended_time_ns() - run->suspended_ns);
	facts.last_words = words;
	if (stats->valid)
		row->metrics[METRIC_SERVER_REQUESTS] = (double)stats->requests;
	else
		row_blank(row, METRIC_SERVER_REQUESTS, server_is_reference(run->info)
			? "a reference has no /stats: what it counted is not compared"
			: "the server did not answer GET /stats");
	verdict_judge(row, &facts);
	if (is_unfair(row))
		row_mark(row, "unfair");
}

/* Of a run that came to its end. */
static void keep_course(struct run *run)
{
	if (!run->row->loadgen || !cell_keeps_course(run->cell))
		return;
	run->row->series = file_read(run->series_path);
	run->row->hlog = file_read(run->hlog_path);
	unlink(run->series_path);
	unlink(run->hlog_path);
}

/* Starts both and follows them. NULL, or why it could not go on. */
static const char *run_both(struct run *run, char problem[256])
{
	uint16_t first = (uint16_t)(PORT_FIRST + run->cell->position % PORT_COUNT);
	uint16_t port = probe_free_port(first, PORT_COUNT);
	int server_log = open_log(run->server_log), client_log = open_log(run->client_log);
	const char *stopped = NULL;
	enum experiment_kind kind = run->cell->experiment->kind;
	struct target_options target = {
		.info = run->info,
		.data = kind == EXPERIMENT_FILE ? run->setup->backends->data : "",
		.database = kind == EXPERIMENT_QUERY ? run->setup->backends->database : "",
	};
	if (port == 0) {
		snprintf(problem, 256,
		    "ports %d to %d are all in use: end what listens there (ss -ltnp)", PORT_FIRST,
		    PORT_FIRST + 2 * PORT_COUNT);
		stopped = problem;
	} else if (!target_start(&run->target, &target, port, &run->setup->server_cpus, server_log,
		       problem)) {
		stopped = problem;
	} else {
		run->memory_idle = memory_take(run->target.process.pid);
		struct client_options options = {
			.program = run->setup->paths->loadgen,
			.json_path = run->json_path,
			.series_path = cell_keeps_course(run->cell) ? run->series_path : NULL,
			.hlog_path = run->hlog_path,
			.mix_path = run->setup->backends->mix,
			.cell = run->cell,
			.cpus = &run->setup->client_cpus,
			.port = port,
			.log_fd = client_log,
		};
		run->deadline_ns = clock_now_ns() + connect_most_ns;
		int error = client_start(&run->client, &options);
		if (error)
			snprintf(problem, 256, "%s cannot be started: %s", options.program,
			    strerror(-error));
		stopped = error ? problem : follow(run);
	}
	close(server_log);
	close(client_log);
	return stopped;
}

bool measure_cell(const struct measure_setup *setup, const struct cell *cell,
    const struct server_info *info, struct row *row)
{
	char problem[256];
	struct target_stats stats = { 0 };
	row_init(row, cell);
	bool has_file = cell->experiment->kind == EXPERIMENT_FILE;
	if (!is_possible(setup, info, row) || (has_file && !prepare_cache(setup, row)))
		return true;
	if (cell->experiment->kind == EXPERIMENT_BATCH)
		return batch_measure(setup, cell, info, row);
	struct run run = {
		.setup = setup, .cell = cell, .info = info, .row = row, .suspended_ns = suspended_time_ns(),
		.client.sync_fd = -1,
	};
	path_make(run.server_log, "%s/server.log", setup->log_folder);
	path_make(run.client_log, "%s/loadgen.log", setup->log_folder);
	path_make(run.json_path, "%s/loadgen.json", setup->log_folder);
	path_make(run.series_path, "%s/loadgen.series", setup->log_folder);
	path_make(run.hlog_path, "%s/loadgen.hlog", setup->log_folder);
	unlink(run.json_path);

	const char *stopped = run_both(&run, problem);
	client_stop(&run.client);
	if (has_file)
		row->metrics[METRIC_CACHED_END] = page_cache_share(setup->backends->data);
	if (!stopped)
		stats = target_stats(&run.target);
	target_stop(&run.target);
	bool complete = !interrupt_signal();
	if (complete) {
		fill_memory(&run);
		judge_run(&run, stopped, &stats);
		keep_course(&run);
	}
	snapshot_deinit(&run.before);
	snapshot_deinit(&run.after);
	unlink(run.json_path);
	return complete;
}
