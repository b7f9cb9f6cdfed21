/*
 * merge.c: one result of several. Percentiles are never averaged: they come from the united
 * histograms, fairness from united sums of squares. Nothing is judged anew, since each client knows
 * best what spoiled its own part; but nothing is excused either by the others' being well.
 */
#include "merge.h"

#include <getopt.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "json_read.h"
#include "lib/sys/die.h"

static const double elapsed_difference_max = 0.01;

static const char help_text[] =
    "Example:\n"
    "  loadgen merge --json all.json a.json b.json\n"
    "\n"
    "Usage: loadgen merge [--json FILE|-] A.json B.json ...\n"
    "\n"
    "Results that --json wrote, of clients that loaded one server at the same time, as one:\n"
    "counts, connections and rates add, histograms are united bucket by bucket, the verdict is\n"
    "the gravest, and the client's CPU the busiest.\n"
    "\n"
    "      --json FILE   write the result as JSON; - for standard output instead of the report\n"
    "  -h, --help        this text\n"
    "\n"
    "Exit: 0 ok, 2 usage, or files that do not go together, 4 the result is invalid.\n";

static const char *loop_name(const struct options *o)
{
	if (!o->rate_per_s)
		return "a closed loop";
	return o->arrivals == ARRIVALS_POISSON ? "an open loop, poisson" : "an open loop, constant";
}

static bool is_same(const char *a, const char *b)
{
	return a && b ? strcmp(a, b) == 0 : a == b;
}

/* Can the result of `path` be part of the one that began with that of `first`? */
static void check_alike(const char *first, const struct options *o, const struct result *r,
    const char *path, const struct options *own, const struct result *part)
{
	if (strcmp(own->url, o->url) != 0)
		usage_die("%s is of %s, %s of %s: merge results of one URL", path, own->url, first,
		    o->url);
	if (strcmp(loop_name(own), loop_name(o)) != 0)
		usage_die("%s is %s, %s is %s: merge results of one kind", path, loop_name(own),
		    first, loop_name(o));
	const char *other = own->depth != o->depth ? "--pipeline"
	    : own->requests_per_connection != o->requests_per_connection
	    ? "--requests-per-connection"
	    : !is_same(own->body, o->body) ? "--body"
	    : !is_same(own->slow_target, o->slow_target) ? "--slow-target" : NULL;
	if (other)
		usage_die("%s and %s differ in %s: merge results of one kind", first, path, other);
	if (fabs(part->elapsed_s - r->elapsed_s) > elapsed_difference_max * r->elapsed_s)
		usage_die("%s measured for %.2f s, %s for %.2f s: merge runs that have the same -d",
		    path, part->elapsed_s, first, r->elapsed_s);
}

static void add_options(struct options *o, const struct options *own)
{
	o->active_count += own->active_count;
	o->idle_count += own->idle_count;
	o->slow_count += own->slow_count;
	o->rate_per_s += own->rate_per_s;
	o->worker_count += own->worker_count;
}

static void add_audit(struct audit *a, const struct audit *own)
{
	a->requested += own->requested;
	a->established += own->established;
	a->answered += own->answered;
	a->idle += own->idle;
	a->slow += own->slow;
	a->starved += own->starved;
	a->answer_sum += own->answer_sum;
	a->square_sum += own->square_sum;
}

static void add_workers(struct result *r, const struct result *part)
{
	if (!part->workers)
		return;
	uint32_t count = r->worker_count + part->worker_count;
	struct worker_cost *costs = calloc(count, sizeof *costs);
	if (!costs)
		die("no memory for %u workers", count);
	memcpy(costs, r->workers, r->worker_count * sizeof *costs);
	memcpy(costs + r->worker_count, part->workers, part->worker_count * sizeof *costs);
	free((void *)r->workers);
	free((void *)part->workers);
	r->workers = costs;
	r->worker_count = count;
}

static void add_result(struct result *r, const struct result *part)
{
	double rate_per_s = result_rate_per_s(r) + result_rate_per_s(part);
	stats_merge(&r->stats, &part->stats);
	if (rate_per_s > 0) /* so that the rates add, where the windows differ a little */
		r->elapsed_s = (double)r->stats.completed / rate_per_s;
	add_audit(&r->audit, &part->audit);
	add_workers(r, part);
	r->wanted_per_s += part->wanted_per_s;
	r->process_cpu_s += part->process_cpu_s;
	r->barrier_s = fmax(r->barrier_s, part->barrier_s);
	r->edge_delay_s = fmax(r->edge_delay_s, part->edge_delay_s);
	r->interrupted |= part->interrupted;
	if (part->verdict > r->verdict)
		r->verdict = part->verdict;
}

static void add_reasons(struct result *r, const char *path, const struct result *part)
{
	for (uint32_t i = 0; i < part->reason_count; i++)
		result_add_reason(r, "%s: %s", path, part->reasons[i]);
}

static void parse(struct options *o, int argc, char **argv)
{
	static const struct option long_options[] = {
		{ "json", required_argument, NULL, 'j' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 }
	};
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1;) {
		if (option == 'h') {
			fputs(help_text, stdout);
			exit(0);
		}
		if (option == ':')
			usage_die("merge: %s needs a value", argv[optind - 1]);
		if (option == '?')
			usage_die("merge: %s: no such option; merge -h lists them",
			    usage_refused(argv));
		o->json_path = optarg;
	}
	o->merged_paths = argv + optind;
	o->merged_count = argc - optind;
	if (o->merged_count < 2)
		usage_die("merge: give two results or more, as in: loadgen merge a.json b.json");
	for (int i = 0; i < o->merged_count; i++) {
		const char *path = o->merged_paths[i];
		if (o->json_path && strcmp(o->json_path, path) == 0)
			usage_die("merge: --json %s would overwrite what it is made of", path);
		for (int j = 0; j < i; j++)
			if (strcmp(o->merged_paths[j], path) == 0)
				usage_die("merge: %s is given twice: it would count twice", path);
	}
}

void merge_results(struct options *o, struct result *r, int argc, char **argv)
{
	static struct result part;
	struct options given = { 0 }, own;
	parse(&given, argc, argv);
	json_read(given.merged_paths[0], o, &part);
	*r = part;
	r->reason_count = 0;
	add_reasons(r, given.merged_paths[0], &part);
	for (int i = 1; i < given.merged_count; i++) {
		const char *path = given.merged_paths[i];
		json_read(path, &own, &part);
		check_alike(given.merged_paths[0], o, r, path, &own, &part);
		add_options(o, &own);
		add_result(r, &part);
		add_reasons(r, path, &part);
		free((void *)own.url);
		free((void *)own.expect);
		free((void *)own.body);
		free((void *)own.slow_target);
	}
	o->json_path = given.json_path;
	o->merged_paths = given.merged_paths;
	o->merged_count = given.merged_count;
}
