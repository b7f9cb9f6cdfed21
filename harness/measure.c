/*
 * measure.c: the course of a cell.
 *
 *     server ready, baseline of its memory
 *     barrier    memory again; the load generator goes on
 *     warm       first reading of the server's tasks; the window begins only when it is done
 *     measure    counters, so that they are read when the window begins
 *     measured   counters, second reading of the tasks, while the load goes on
 *     ended      the server's own count, SIGTERM
 *
 * We run on the load generator's CPUs: so all readings are taken outside of the window, under full
 * load too, and in it we sleep. What is read quickly is read once more at its very edge; 10,000
 * threads are not (9 ms), and 10,000 processes even less (0.5 s).
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/batch.h"
#include "harness/cpus.h"
#include "harness/interrupt.h"
#include "harness/measure_private.h"
#include "harness/page_cache.h"
#include "harness/probe.h"
#include "harness/strace.h"
#include "harness/verdict.h"
#include "lib/sys/clock.h"

enum {
	PORT_FIRST = 22000,
	PORT_COUNT = 1000,            /* below the kernel's range for outgoing connections */
	SPARE_FILES = 64,             /* of a server, beside its connections */
	TIMELINE_CONNECTIONS = 100,
	WINDOW_SLICE_MS = 1000,       /* so rarely do we look up inside the window */
};
static const double cached_cold_most = 0.01, cached_warm_least = 0.99;
static const uint64_t quick_reading_ns = 5000000, wake_up_ns = 300000, timeline_ns = 50000000;
static const uint64_t connect_most_ns = 60000000000, end_most_ns = 30000000000;

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
	else if (info->max_cpus && row->cell->cpus > info->max_cpus)
		row_judge(row, VERDICT_UNSUPPORTED, "one loop: it has no workers");
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
	run->deadline_ns = clock_now_ns() + cell_warmup_ns(run->cell) +
	    run->cell->experiment->duration_ns + run->cell->experiment->hold_ns + end_most_ns;
}

static bool reads_quickly(const struct run *run)
{
	return run->before.end_ns - run->before.begin_ns < quick_reading_ns;
}

/* The tasks, and how long it takes to read what is to be read again at the window's edge. */
static void on_warm(struct run *run)
{
	uint64_t begin_ns = clock_now_ns();
	snapshot_take(&run->before, run->target.process.pid);
	if (!reads_quickly(run))
		begin_ns = clock_now_ns();
	counters_read(&run->target.counters);
	run->reading_ns = clock_now_ns() - begin_ns;
	client_answer(&run->client);
}

static void on_measure(struct run *run)
{
	run->window_ns[0] = run->client.event_ns;
	/* out of a cold cache it takes longer */
	run->read_at_ns = run->window_ns[0] - 2 * run->reading_ns - wake_up_ns;
}

/* Read just before the window; what we take of its time all the same is counted. */
static void read_before(struct run *run)
{
	uint64_t cpu_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	run->read_at_ns = 0;
	if (reads_quickly(run))
		snapshot_take(&run->before, run->target.process.pid);
	run->edge[0] = counters_read(&run->target.counters);
	uint64_t now_ns = clock_now_ns();
	run->harness_cpu_ns[0] = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	if (now_ns > run->window_ns[0]) {
		uint64_t inside_ns = now_ns - run->window_ns[0];
		uint64_t used_ns = run->harness_cpu_ns[0] - cpu_ns;
		run->harness_cpu_ns[0] -= inside_ns < used_ns ? inside_ns : used_ns;
	}
	if (run->syscalls.control) {
		run->counting_ns[0] = clock_now_ns();
		syscall_counter_switch(&run->syscalls, true);
	}
}

/* With few connections, so that the rows of a thread a connection can still be told apart. */
static bool has_timeline(const struct run *run)
{
	enum experiment_kind kind = run->cell->experiment->kind;
	return (kind == EXPERIMENT_LEDGER || kind == EXPERIMENT_COMPUTE) && !run->is_traced &&
	    cell_clients(run->cell) <= TIMELINE_CONNECTIONS;
}

/* Reads what was counted of all that the server has started. */
static void read_syscalls(struct run *run)
{
	struct tree tree = { 0 };
	tree_read(&tree, run->target.process.pid);
	run->counted = syscall_counter_read(&run->syscalls, &tree, &run->row->syscalls);
	syscall_counter_close(&run->syscalls);
	tree_deinit(&tree);
}

static void on_measured(struct run *run)
{
	if (run->syscalls.control) {
		syscall_counter_switch(&run->syscalls, false);
		run->counting_ns[1] = clock_now_ns();
	}
	run->harness_cpu_ns[1] = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	run->edge[1] = counters_read(&run->target.counters);
	run->window_ns[1] = run->client.event_ns;
	if (run->syscalls.control)
		read_syscalls(run);
	if (has_timeline(run))
		timeline_record(&run->row->timeline, run->target.process.pid, &run->target.counters,
		    timeline_ns);
	run->measured = snapshot_take(&run->after, run->target.process.pid) &&
	    run->before.count > 0 && run->before.has_sums == run->after.has_sums;
	client_answer(&run->client);
}

/* How long to wait for the load generator before we look at anything else. */
static uint64_t slice_ns(const struct run *run)
{
	uint64_t now_ns = clock_now_ns();
	if (run->read_at_ns)
		return run->read_at_ns > now_ns ? run->read_at_ns - now_ns : 0;
	bool is_inside = run->window_ns[0] && !run->window_ns[1];
	return (is_inside ? WINDOW_SLICE_MS : WAIT_SLICE_MS) * UINT64_C(1000000);
}

/* NULL when the load generator ended, else why the cell cannot go on. */
static const char *follow(struct run *run)
{
	for (;;) {
		switch (client_wait(&run->client, slice_ns(run))) {
		case CLIENT_BARRIER:
			on_barrier(run);
			break;
		case CLIENT_WARM:
			on_warm(run);
			break;
		case CLIENT_MEASURE:
			on_measure(run);
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
		uint64_t now_ns = clock_now_ns();
		if (run->read_at_ns && now_ns >= run->read_at_ns)
			read_before(run);
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
 * window's edges: then the connections have fared alike, and it is no finding. Pipelined requests
 * have no such residual: there only what is grossly unequal is one.
 */
static bool is_unfair(const struct row *row)
{
	const double *m = row->metrics;
	if (row->cell->experiment->pipeline > 1)
		return m[METRIC_FAIRNESS] < 0.9;
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
	measure_fill_server(run, &result);
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
	if (run->cell->cpus > (uint32_t)run->setup->server_cpus.count)
		row_mark(row, "shared-cpus");
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
}

static struct cpu_list server_cpus(const struct measure_setup *setup, const struct cell *cell)
{
	/* one CPU for every model, or threads would have as many as the machine, and a loop one */
	int count = cell->cpus ? (int)cell->cpus : 1;
	return cpus_first(&setup->server_cpus, &setup->client_cpus, count);
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
		.workers = run->info->max_workers ? run->info->max_workers : run->cell->cpus,
		.strace_log = run->is_traced ? run->strace_log : "",
	};
	struct cpu_list cpus = server_cpus(run->setup, run->cell);
	if (port == 0) {
		snprintf(problem, 256,
		    "ports %d to %d are all in use: end what listens there (ss -ltnp)", PORT_FIRST,
		    PORT_FIRST + 2 * PORT_COUNT);
		stopped = problem;
	} else if (!target_start(&run->target, &target, port, &cpus, server_log, problem)) {
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

static void init_run(struct run *run, const struct measure_setup *setup, const struct cell *cell,
    const struct server_info *info, struct row *row)
{
	*run = (struct run){
		.setup = setup, .cell = cell, .info = info, .row = row,
		.suspended_ns = suspended_time_ns(), .client.sync_fd = -1,
	};
	path_make(run->server_log, "%s/server.log", setup->log_folder);
	path_make(run->client_log, "%s/loadgen.log", setup->log_folder);
	path_make(run->json_path, "%s/loadgen.json", setup->log_folder);
	path_make(run->series_path, "%s/loadgen.series", setup->log_folder);
	path_make(run->hlog_path, "%s/loadgen.hlog", setup->log_folder);
	path_make(run->strace_log, "%s/strace.log", setup->log_folder);
	unlink(run->json_path);
	unlink(run->strace_log);
}

/* Runs and ends both; NULL, or why it could not go on. */
static const char *course(struct run *run, char problem[256], struct target_stats *stats)
{
	const char *stopped = run_both(run, problem);
	client_stop(&run->client);
	if (run->cell->experiment->kind == EXPERIMENT_FILE)
		run->row->metrics[METRIC_CACHED_END] = page_cache_share(run->setup->backends->data);
	if (!stopped)
		*stats = target_stats(&run->target);
	target_stop(&run->target);
	return stopped;
}

static void deinit_run(struct run *run)
{
	snapshot_deinit(&run->before);
	snapshot_deinit(&run->after);
	unlink(run->json_path);
	unlink(run->series_path);
	unlink(run->hlog_path);
	unlink(run->strace_log);
}

/*
 * Without BPF the cell is run again under strace, which counts over the server's whole life: so the
 * requests of all its life are what it is divided by. NULL, or why there is nothing.
 */
static const char *count_by_strace(const struct run *measured)
{
	char problem[256];
	struct run run;
	struct row scratch, *row = measured->row;
	struct target_stats stats = { 0 };
	if (strace_problem())
		return strace_problem();
	row_init(&scratch, measured->cell);
	init_run(&run, measured->setup, measured->cell, measured->info, &scratch);
	run.is_traced = true;
	const char *failure = NULL;
	if (course(&run, problem, &stats))
		failure = "the cell failed under strace";
	if (!failure && (stats.requests == 0 || !strace_read(run.strace_log, &row->syscalls)))
		failure = "strace gave no summary";
	if (!failure) {
		row->raw[RAW_SYSCALL_REQUESTS] = (double)stats.requests;
		measure_fill_syscalls(row, "strace");
	}
	deinit_run(&run);
	return failure;
}

bool measure_cell(const struct measure_setup *setup, const struct cell *cell,
    const struct server_info *info, struct row *row)
{
	char problem[256];
	struct run run;
	struct target_stats stats = { 0 };
	row_init(row, cell);
	bool has_file = cell->experiment->kind == EXPERIMENT_FILE;
	if (!is_possible(setup, info, row) || (has_file && !prepare_cache(setup, row)))
		return true;
	if (cell->experiment->kind == EXPERIMENT_BATCH)
		return batch_measure(setup, cell, info, row);
	init_run(&run, setup, cell, info, row);
	bool counts = cell->experiment->kind == EXPERIMENT_LEDGER;
	if (counts)
		syscall_counter_open(&run.syscalls);
	const char *stopped = course(&run, problem, &stats);
	if (!interrupt_signal()) {
		measure_fill_memory(&run);
		judge_run(&run, stopped, &stats);
		keep_course(&run);
	}
	if (counts && !stopped && !row->syscall_source) {
		const char *failure = run.counted ? "it came too late" : count_by_strace(&run);
		if (failure)
			row_blank(row, METRIC_SYSCALLS_PER_REQ, "BPF: %s, %s",
			    run.counted ? "counted" : run.syscalls.reason, failure);
	}
	if (counts)
		syscall_counter_close(&run.syscalls);
	deinit_run(&run);
	return !interrupt_signal();
}
