/*
 * bench.c: the course of a run: read the plan, ask the servers, show what will happen, prove that
 * the servers are equivalent, measure cell after cell, write what is derived.
 *
 * Each finished cell is in the store before the next begins. A signal ends the cell under way and
 * leads to the same end as a complete run, with the status `partial`.
 */
#include "harness/bench.h"

#include <errno.h>
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/bench_options.h"
#include "harness/capacity.h"
#include "harness/cpus.h"
#include "harness/csv.h"
#include "harness/environment.h"
#include "harness/gate.h"
#include "harness/interrupt.h"
#include "harness/measure.h"
#include "harness/plan_budget.h"
#include "harness/plan_table.h"
#include "harness/progress.h"
#include "harness/provenance.h"
#include "harness/record.h"
#include "harness/report.h"
#include "harness/results.h"
#include "harness/resume.h"
#include "harness/store.h"
#include "harness/summary.h"
#include "harness/undecided.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"

enum { EXIT_NOTHING_VALID = 4 };
static const uint64_t check_expected_ns = 1000000000, report_expected_ns = 8000000000;

struct bench {
	struct bench_options options;
	struct paths paths;
	struct server_names found;
	struct plan plan;
	struct server_info servers[PLAN_SERVERS_MAX];         /* as plan.servers */
	struct refusal *refusals;                             /* likewise */
	struct cell *cells;
	uint32_t cell_count;
	struct capacities capacities;
	struct measure_setup setup;
	struct backends backends;
	enum cpu_split split;
	struct store *store;
	struct progress progress;
	struct cpu_ticks ticks;
	char *plan_text;
	char run_name[PATH_CAP], run_folder[PATH_CAP], logs[PATH_CAP];
};

/* --- before it starts ------------------------------------------------------------------------ */

static void read_plan(struct bench *b)
{
	char message[PLAN_MESSAGE_CAP];
	servers_find(&b->paths, &b->found);
	if (b->found.count == 0)
		die("no servers in %s: run make all", b->paths.servers);
	struct plan_names known = servers_as_plan_names(&b->found);
	b->plan_text = b->options.resume ? store_get_run(b->store, "plan_text")
					 : file_read(b->options.plan_path);
	if (!b->plan_text)
		usage_die("%s: %s", b->options.plan_path, strerror(errno));
	if (!plan_parse(&b->plan, b->options.plan_path, b->plan_text, known, message) ||
	    !plan_change(&b->plan, &b->options.changes, known, message))
		usage_die("%s", message);
	if (b->options.until_decided && !undecided_has_reference(&b->plan))
		usage_die("--until-decided needs a server to compare with: give an experiment of %s "
		    "a `twin`, such as twin = epoll", b->options.plan_path);
}

static void ask_servers(struct bench *b)
{
	b->refusals = calloc(b->plan.server_count, sizeof(*b->refusals));
	if (!b->refusals)
		die("out of memory");
	for (uint32_t i = 0; i < b->plan.server_count; i++) {
		if (!plan_uses(&b->plan, i) ||
		    server_describe(&b->paths, &b->plan.servers[i], &b->servers[i]))
			continue;
		if (b->plan.servers[i].option[0])
			usage_die("%s: server %s[%s=%s]: %s", b->options.plan_path,
			    b->plan.servers[i].program, b->plan.servers[i].option,
			    b->plan.servers[i].value, b->servers[i].problem);
		b->refusals[i].verdict = VERDICT_FAILED;
		snprintf(b->refusals[i].reason, sizeof(b->refusals[i].reason), "%s",
		    b->servers[i].problem);
	}
}

static void choose_cpus(struct bench *b)
{
	b->setup.server_cpus = b->options.server_cpus;
	b->setup.client_cpus = b->options.client_cpus;
	if (b->options.server_cpus.count)
		b->split = cpus_judge(&b->setup.server_cpus, &b->setup.client_cpus);
	else
		b->split = cpus_choose(&b->setup.server_cpus, &b->setup.client_cpus);
}

/* Will the cell be run at all? One that will not takes no time. */
static bool is_runnable(const struct bench *b, const struct cell *cell)
{
	const struct server_info *info = &b->servers[cell->server_index];
	uint64_t wanted = cell_clients(cell);
	return !b->refusals[cell->server_index].reason[0] &&
	    server_can_serve(info, cell) && wanted < b->setup.file_limit;
}

/* Has a resumed run measured it before? */
static bool is_stored(const struct bench *b, const struct cell *cell)
{
	enum verdict verdict;
	double rate_per_s;
	return b->options.resume && store_find_row(b->store, cell, &verdict, &rate_per_s);
}

static uint32_t count_missing(const struct bench *b, uint32_t first)
{
	uint32_t count = 0;
	for (uint32_t i = first; i < b->cell_count; i++)
		count += !is_stored(b, &b->cells[i]);
	return count;
}

/* 0 for a cell that will not be run, or was before. */
static uint64_t takes_ns(const struct bench *b, const struct cell *cell)
{
	return is_runnable(b, cell) && !is_stored(b, cell) ? cell_expected_ns(cell) : 0;
}

static uint64_t expected_ns(const struct bench *b)
{
	uint64_t sum_ns = 0;
	for (uint32_t i = 0; i < b->cell_count; i++)
		sum_ns += takes_ns(b, &b->cells[i]);
	return sum_ns;
}

static struct plan_budget budget_of(const struct bench *b)
{
	struct plan_budget budget = { .other_ns = report_expected_ns };
	budget.cell_count = count_missing(b, 0);
	for (uint32_t i = 0; i < b->cell_count; i++)
		budget.experiment_ns[b->cells[i].experiment - b->plan.experiments] +=
		    takes_ns(b, &b->cells[i]);
	for (uint32_t i = 0; i < b->plan.server_count && !b->options.unchecked; i++)
		budget.other_ns += plan_uses(&b->plan, i) ? check_expected_ns : 0;
	return budget;
}

/* What a plan of ours leaves to `full`. */
static void print_left(const struct bench *b)
{
	char path[PATH_CAP], message[PLAN_MESSAGE_CAP];
	static struct plan full;
	size_t folder = strlen(b->paths.plans);
	path_make(path, "%s/full.ini", b->paths.plans);
	if (strncmp(b->options.plan_path, path, folder) != 0 || !strcmp(b->options.plan_path, path))
		return;
	char *text = file_read(path);
	if (text && plan_parse(&full, path, text, servers_as_plan_names(&b->found), message))
		plan_budget_print_left(&b->plan, &full);
	free(text);
}

static void print_plan(const struct bench *b)
{
	char server[1024], client[1024];
	plan_table_print(&b->plan, b->options.plan_path);
	struct cpu_list one = cpus_first(&b->setup.server_cpus, &b->setup.client_cpus, 1);
	cpus_format(&one, server, sizeof(server));
	cpus_format(&b->setup.client_cpus, client, sizeof(client));
	printf("  CPUs      server %s; load generator and harness %s\n", server, client);
	if (b->split == CPU_SPLIT_THREADS)
		printf("            these share a core: expect both to slow each other down\n");
	if (b->split == CPU_SPLIT_NONE)
		printf("            the same ones: rows are marked one-cpu, compare ratios only\n");
	printf("  seed      %" PRIu64 "\n", b->options.seed);
	struct plan_budget budget = budget_of(b);
	plan_budget_print(&b->plan, &budget);
	if (b->options.dry_run)
		print_left(b);
	putchar('\n');
	fflush(stdout);
}

static void prepare(struct bench *b, int argc, char **argv)
{
	paths_find(&b->paths);
	bench_options_parse(&b->options, &b->paths, argc, argv);
	if (b->options.resume)
		b->store = resume_open(&b->options, b->run_name, b->run_folder);
	read_plan(b);
	if (access(b->paths.loadgen, X_OK) != 0)
		die("%s is missing: run make all", b->paths.loadgen);
	ask_servers(b);
	choose_cpus(b);
	b->setup.paths = &b->paths;
	b->setup.file_limit = environment_file_limit();
	struct cpu_list all =
	    cpus_first(&b->setup.server_cpus, &b->setup.client_cpus, PLAN_CPUS_MAX);
	plan_fit_cpus(&b->plan, (uint32_t)all.count);
	b->cell_count = cells_make(&b->plan, b->options.seed, NULL);
	b->cells = calloc(b->cell_count, sizeof(*b->cells));
	if (!b->cells)
		die("out of memory for %u cells", b->cell_count);
	cells_make(&b->plan, b->options.seed, b->cells);
}

/* --- the run's own record -------------------------------------------------------------------- */

/* What must not change between a run's beginning and its end. */
static void put_provenance(const struct bench *b, struct store *store)
{
	char cpus[1024];
	struct cpu_list one = cpus_first(&b->setup.server_cpus, &b->setup.client_cpus, 1);
	cpus_format(&one, cpus, sizeof(cpus));
	store_put_run(store, "server_cpus", cpus);
	cpus_format(&b->setup.client_cpus, cpus, sizeof(cpus));
	store_put_run(store, "client_cpus", cpus);
	environment_store(store, &b->paths);
	provenance_store_hashes(store, &b->paths, &b->plan, b->servers, b->plan_text);
}

static void open_run(struct bench *b, int argc, char **argv)
{
	char path[PATH_CAP];
	results_lock(b->options.results);
	results_make_run(b->options.results, b->options.plan_name, b->run_name, b->run_folder);
	path_make(path, "%s/run.sqlite", b->run_folder);
	b->store = store_create(path);
	store_begin(b->store);
	store_put_run(b->store, "status", "running");
	store_put_run(b->store, "plan", b->options.plan_name);
	store_put_run(b->store, "plan_text", b->plan_text);
	store_put_run(b->store, "title", b->plan.title);
	store_put_run(b->store, "command", b->options.command);
	resume_store(b->store, &b->options, argc, argv);
	store_format_run(b->store, "seed", "%" PRIu64, b->options.seed);
	record_time(b->store, "started_at");
	store_format_run(b->store, "planned_cells", "%u", b->cell_count);
	for (uint32_t i = 0; i < b->plan.experiment_count; i++)
		if (b->plan.experiments[i].kind == EXPERIMENT_LATENCY)
			store_format_run(b->store, "slo_us", "%.0f",
			    (double)b->plan.experiments[i].slo_ns / 1e3);
	store_put_run(b->store, "unchecked", b->options.unchecked ? "1" : "0");
	store_put_run(b->store, "until_decided", b->options.until_decided ? "1" : "0");
	memory_measure_costs(&b->setup.costs);
	record_costs(b->store, &b->setup.costs);
	put_provenance(b, b->store);
	for (uint32_t i = 0; i < b->plan.server_count; i++)
		if (plan_uses(&b->plan, i))
			store_put_server(b->store, &b->servers[i]);
	store_commit(b->store);
	results_set_latest(b->options.results, b->run_name); /* a run from here on: it can be resumed */
}

static void reopen_run(struct bench *b)
{
	struct store *now = store_create(":memory:");
	put_provenance(b, now);
	resume_check(b->store, now, &b->options);
	store_close(now);
	record_read_costs(b->store, &b->setup.costs);
	record_resumed(b->store);
	resume_clear(b->run_folder);
	printf("  %s: %u of %u planned cells are missing\n\n", b->run_name, count_missing(b, 0),
	    b->cell_count);
}

/* --- conformance ----------------------------------------------------------------------------- */

static void check_servers(struct bench *b)
{
	char note[128];
	uint32_t checked = 0, passed = 0;
	for (uint32_t i = 0; i < b->plan.server_count && !interrupt_signal(); i++) {
		if (!plan_uses(&b->plan, i) || b->refusals[i].reason[0] ||
		    server_is_reference(&b->servers[i]))
			continue;
		checked++;
		if (b->options.resume && store_has_passed(b->store, b->servers[i].name)) {
			passed++;
			continue;
		}
		snprintf(note, sizeof(note), " checking that %s speaks HTTP like the others ...",
		    b->plan.servers[i].name);
		progress_note(&b->progress, note);
		passed += gate_check(b->store, &b->servers[i], &b->setup.server_cpus,
		    &b->refusals[i]);
	}
	progress_clear(&b->progress);
	printf("  %u of %u servers passed the conformance check\n\n", passed, checked);
	fflush(stdout);
}

/* --- cells ----------------------------------------------------------------------------------- */

static void on_tick(void *context)
{
	progress_tick(context);
}

/* False when a signal came. */
static bool run_cell(struct bench *b, struct cell *cell)
{
	struct row row;
	bool complete = true;
	progress_begin(&b->progress, cell);
	const struct refusal *refusal = &b->refusals[cell->server_index];
	row_init(&row, cell);
	if (refusal->reason[0]) {
		row_judge(&row, refusal->verdict, "%s", refusal->reason);
	} else if (capacities_offer(&b->capacities, cell, &row)) {
		complete = measure_cell(&b->setup, cell, &b->servers[cell->server_index], &row);
	}
	if (b->options.unchecked)
		row_mark(&row, "unchecked");
	if (b->split == CPU_SPLIT_NONE)
		row_mark(&row, "one-cpu");
	if (complete) {
		capacities_take(&b->capacities, cell, row.verdict, row.metrics[METRIC_RATE_PER_S]);
		store_put_row(b->store, &row);
		progress_end(&b->progress, &row, is_runnable(b, cell) ? cell_expected_ns(cell) : 0);
	}
	row_deinit(&row);
	return complete;
}

/* False when it has yet to be measured. Later cells may ask for its capacity. */
static bool take_stored(struct bench *b, const struct cell *cell)
{
	enum verdict verdict;
	double rate_per_s;
	if (!b->options.resume || !store_find_row(b->store, cell, &verdict, &rate_per_s))
		return false;
	capacities_take(&b->capacities, cell, verdict, rate_per_s);
	return true;
}

static void run_cells(struct bench *b, uint32_t first)
{
	for (uint32_t i = first; i < b->cell_count && !interrupt_signal(); i++)
		if (!take_stored(b, &b->cells[i]) && !run_cell(b, &b->cells[i]))
			break;
	progress_clear(&b->progress);
}

/* What a resumed run has counts as done. */
static void count_stored(struct bench *b)
{
	struct progress *p = &b->progress;
	store_count_verdicts(b->store, p->verdicts);
	for (int i = 0; i < VERDICT_COUNT; i++)
		p->done_count += p->verdicts[i];
	p->cell_count += p->done_count;
}

/* Takes the block into cells[] and measures it. The store knows where it began: see resume.h. */
static void run_block(struct bench *b, struct undecided *u)
{
	uint32_t first = b->cell_count;
	b->cells = realloc(b->cells, (first + u->cell_count) * sizeof(*b->cells));
	if (!b->cells)
		die("out of memory for %u cells", first + u->cell_count);
	memcpy(b->cells + first, u->cells, u->cell_count * sizeof(*u->cells));
	b->cell_count += u->cell_count;
	progress_extend(&b->progress, u->open, u->compared, count_missing(b, first), u->most_ns);
	store_begin(b->store);
	store_format_run(b->store, "planned_cells", "%u", b->progress.cell_count);
	store_format_run(b->store, "extended_from", "%u", u->position);
	store_commit(b->store);
	run_cells(b, first);
}

/* The plan's cells, and with --until-decided further blocks; first what is left of one under way. */
static void run_blocks(struct bench *b)
{
	struct undecided u;
	uint32_t planned = b->cell_count, before = UINT32_MAX;
	progress_init(&b->progress, count_missing(b, 0), expected_ns(b));
	if (b->options.resume) {
		before = resume_block(b->store);
		count_stored(b);
	}
	b->setup.on_tick = on_tick;
	b->setup.context = &b->progress;
	progress_head(&b->progress);
	run_cells(b, 0);
	while (b->options.until_decided && !interrupt_signal() &&
	    undecided_find(&u, b->run_folder, b->cells, planned, b->options.seed, before) &&
	    u.open) {
		run_block(b, &u);
		free(u.cells);
		before = UINT32_MAX;
	}
}

/* --- the end --------------------------------------------------------------------------------- */

static void close_run(struct bench *b)
{
	bool complete = b->progress.done_count == b->progress.cell_count;
	store_begin(b->store);
	store_put_run(b->store, "status", complete ? "complete" : "partial");
	record_time(b->store, "finished_at");
	record_steal(b->store, b->ticks);
	store_commit(b->store);
	store_close(b->store);
}

static int exit_code(const struct bench *b, int csv_code, int report_code)
{
	if (interrupt_signal())
		return 128 + interrupt_signal();
	if (csv_code || report_code)
		return 1;
	const uint32_t *verdicts = b->progress.verdicts;
	bool any = verdicts[VERDICT_VALID] + verdicts[VERDICT_CLIENT_LIMITED] > 0;
	return any ? 0 : EXIT_NOTHING_VALID;
}

/* The harness keeps off the server's CPUs while it measures, and may use all of them afterwards. */
static void stay_on(const struct cpu_list *cpus, cpu_set_t *before)
{
	cpu_set_t set;
	sched_getaffinity(0, sizeof(*before), before);
	CPU_ZERO(&set);
	for (int i = 0; i < cpus->count; i++)
		CPU_SET((size_t)cpus->cpus[i], &set);
	sched_setaffinity(0, sizeof(set), &set);
}

int bench_main(int argc, char **argv)
{
	static struct bench b; /* some 100 KiB */
	uint64_t began_ns = clock_now_ns();
	cpu_set_t all_cpus;
	prepare(&b, argc, argv);
	if (b.options.dry_run) {
		print_plan(&b);
		return 0;
	}
	if (b.options.resume)
		reopen_run(&b);
	else
		open_run(&b, argc, argv);
	path_make(b.logs, "%s/logs", b.run_folder);
	b.setup.log_folder = b.logs;
	b.ticks = environment_ticks();
	print_plan(&b);
	interrupt_install();
	stay_on(&b.setup.client_cpus, &all_cpus);
	progress_init(&b.progress, b.cell_count, 0);
	if (!b.options.unchecked)
		check_servers(&b);
	backends_start(&b.backends, &b.paths, &b.plan, &b.setup.client_cpus, b.logs);
	b.setup.backends = &b.backends;
	run_blocks(&b);
	backends_stop(&b.backends);
	sched_setaffinity(0, sizeof(all_cpus), &all_cpus);
	close_run(&b);
	results_set_latest(b.options.results, b.run_name);
	progress_note(&b.progress, " writing the report ...");
	int report_code = report_run(b.run_folder);
	int csv_code = csv_write(b.run_folder);
	progress_clear(&b.progress);
	if (b.options.until_decided)
		undecided_print(b.run_folder, b.cells, b.cell_count);
	summary_print_answers(b.run_folder, b.progress.colour);
	summary_print_cells(
	    &b.progress, b.run_folder, clock_now_ns() - began_ns, report_code == 0);
	free(b.refusals);
	free(b.cells);
	free(b.plan_text);
	return exit_code(&b, csv_code, report_code);
}
