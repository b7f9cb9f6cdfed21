/*
 * batch.c: see batch.h. The server runs on through all batches; a batch before the first is not
 * timed. hyperfine ends at the first batch whose exit code is not 0, so one that is invalid is
 * never averaged away. What the last batch says of itself becomes the row's other figures.
 */
#include "harness/batch.h"

#include <fcntl.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/cpus.h"
#include "harness/interrupt.h"
#include "harness/probe.h"
#include "harness/result.h"
#include "harness/target.h"
#include "harness/verdict.h"
#include "lib/sys/clock.h"

enum { PORT_FIRST = 22000, PORT_COUNT = 1000, COMMAND_CAP = 2 * PATH_CAP + 2048 };
static const uint64_t batches_most_ns = 120000000000;
static char hyperfine[] = "/usr/bin/hyperfine";

struct batch {
	const struct measure_setup *setup;
	const struct cell *cell;
	struct target target;
	struct process process;
	char server_log[PATH_CAP], client_log[PATH_CAP], times_path[PATH_CAP], json_path[PATH_CAP];
};

const char *batch_problem(void)
{
	return access(hyperfine, X_OK) == 0 ? NULL
	                                    : "hyperfine is not installed: apt-get install hyperfine";
}

/* What hyperfine runs, without a shell; it splits words as a shell does. */
static void format_command(const struct batch *b, char command[COMMAND_CAP])
{
	const struct cpu_list *cpus = &b->setup->client_cpus;
	uint32_t threads = cpus->count > 0 ? (uint32_t)cpus->count : 1;
	char list[1024];
	cpus_format(cpus, list, sizeof(list));
	if (threads > b->cell->connections)
		threads = b->cell->connections;
	snprintf(command, COMMAND_CAP,
	    "'%s' -c %u -t %u --requests %u%s%s --json '%s' http://127.0.0.1:%u%s",
	    b->setup->paths->loadgen, b->cell->connections, threads,
	    b->cell->experiment->batch_requests, list[0] ? " --cpu " : "", list, b->json_path,
	    b->target.port, b->cell->experiment->target);
}

static const char *start(struct batch *b, char problem[256])
{
	char command[COMMAND_CAP], runs[16];
	static char no_shell[] = "--shell=none", warmup[] = "--warmup=1", style[] = "--style=none",
		    export_json[] = "--export-json";
	char *argv[] = { hyperfine, no_shell, warmup, runs, style, export_json, b->times_path,
		command, NULL };
	snprintf(runs, sizeof(runs), "--runs=%u", BATCH_RUNS);
	format_command(b, command);
	struct process_options options = {
		.argv = argv,
		.cpus = &b->setup->client_cpus,
		.output_fd = open(b->client_log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644),
		.keep_fd = -1,
	};
	int error = process_spawn(&b->process, &options);
	if (error == 0)
		error = process_release(&b->process);
	close(options.output_fd);
	if (error)
		snprintf(problem, 256, "%s cannot be started: %s", hyperfine, strerror(-error));
	return error ? problem : NULL;
}

/* NULL when all batches are over, else why the cell cannot go on. */
static const char *follow(struct batch *b)
{
	uint64_t until_ns = clock_now_ns() + batches_most_ns;
	while (!process_has_ended(&b->process)) {
		if (interrupt_signal())
			return "interrupted";
		if (process_has_ended(&b->target.process))
			return "the server ended";
		if (clock_now_ns() > until_ns)
			return "the batches did not end within 2 minutes";
		interrupt_sleep(20000000);
		if (b->setup->on_tick)
			b->setup->on_tick(b->setup->context);
	}
	return NULL;
}

static bool read_times(const struct batch *b, struct row *row)
{
	static const struct {
		enum metric metric;
		const char *name;
	} moves[] = {
		{ METRIC_BATCH_MEDIAN_S, "median" },
		{ METRIC_BATCH_MEAN_S, "mean" },
		{ METRIC_BATCH_STDDEV_S, "stddev" },
		{ METRIC_BATCH_MIN_S, "min" },
		{ METRIC_BATCH_MAX_S, "max" },
	};
	json_t *json = json_load_file(b->times_path, 0, NULL);
	const json_t *result = json_array_get(json_object_get(json, "results"), 0);
	const json_t *times = json_object_get(result, "times");
	for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++)
		row->metrics[moves[i].metric] =
		    result ? json_number_value(json_object_get(result, moves[i].name)) : NAN;
	char *text = json_dumps(times, JSON_COMPACT | JSON_REAL_PRECISION(6));
	snprintf(row->batch_times, sizeof(row->batch_times), "%s", text ? text : "");
	free(text);
	bool complete = json_array_size(times) == BATCH_RUNS;
	json_decref(json);
	return complete;
}

static void judge(struct batch *b, const char *stopped, struct row *row)
{
	struct verdict_facts facts = { .requested = b->cell->connections };
	struct result result;
	char words[900], problem[256];
	last_words(stopped ? b->server_log : b->client_log, words, sizeof(words));
	snprintf(row->log, sizeof(row->log), "%s", words);
	row->loadgen = file_read(b->json_path);
	if (stopped)
		row_judge(row, VERDICT_FAILED, "%s%s%s", stopped, words[0] ? ": " : "", words);
	else if (!read_times(b, row) || !row->loadgen)
		row_judge(row, VERDICT_FAILED, "a batch failed: %s", words);
	else if (!result_read(&result, row, &facts, problem))
		row_judge(row, VERDICT_FAILED, "%s", problem);
	else
		verdict_judge(row, &facts);
}

static const char *run_both(struct batch *b, const struct server_info *info, char problem[256])
{
	uint16_t first = (uint16_t)(PORT_FIRST + b->cell->position % PORT_COUNT);
	uint16_t port = probe_free_port(first, PORT_COUNT);
	int log = open(b->server_log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct target_options options = { .info = info, .data = "", .database = "",
		.strace_log = "" };
	const char *stopped = NULL;
	if (port == 0)
		stopped = "all ports are in use: end what listens there (ss -ltnp)";
	else if (!target_start(&b->target, &options, port, &b->setup->server_cpus, log, problem))
		stopped = problem;
	close(log);
	if (!stopped)
		stopped = start(b, problem);
	return stopped ? stopped : follow(b);
}

bool batch_measure(const struct measure_setup *setup, const struct cell *cell,
    const struct server_info *info, struct row *row)
{
	char problem[256];
	struct batch b = { .setup = setup, .cell = cell };
	path_make(b.server_log, "%s/server.log", setup->log_folder);
	path_make(b.client_log, "%s/hyperfine.log", setup->log_folder);
	path_make(b.times_path, "%s/hyperfine.json", setup->log_folder);
	path_make(b.json_path, "%s/loadgen.json", setup->log_folder);
	unlink(b.times_path);
	unlink(b.json_path);
	const char *stopped = run_both(&b, info, problem);
	process_kill(&b.process);
	target_stop(&b.target);
	bool complete = !interrupt_signal();
	if (complete)
		judge(&b, stopped, row);
	unlink(b.times_path);
	unlink(b.json_path);
	return complete;
}
