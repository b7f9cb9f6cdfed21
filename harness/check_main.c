/*
 * check_main.c: `c10k check`: which servers, and the results as lines for people or as JSON for
 * programs.
 */
#include <getopt.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/check.h"
#include "harness/paths.h"
#include "harness/servers.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_SKIPPED = 77 };
enum { FAILURES_SHOWN = 10 }; /* of a server: one mistake fails hundreds of cases */

static const char usage[] =
    "  c10k check all               every server in build/servers\n"
    "  c10k check epoll             one of them\n"
    "  c10k check ./my-server       any program that keeps docs/CONTRACT.md\n"
    "\n"
    "Sends each case of harness/wire_cases.c whole, split at every byte, and coalesced with a next "
    "request.\n"
    "\n"
    "usage: c10k check SERVER...|all [--json] [--verbose]\n"
    "  --json      every result as JSON, to standard output\n"
    "  --verbose   a line for every result, not only for the first failures\n"
    "  -h, --help\n"
    "Exit code: 0 all passed, 1 some failed, 2 usage, 77 none can run on this machine\n";

struct output {
	bool json;
	bool verbose;
	uint32_t failures;
	json_t *results; /* of the server being checked, with json */
};

/* `detail` with each of its lines indented. */
static void print_indented(const char *detail)
{
	for (const char *line = detail; *line;) {
		int len = (int)strcspn(line, "\n");
		printf("      %.*s\n", len, line);
		line += len + (line[len] == '\n');
	}
}

static void on_result(void *context, const struct check_result *result)
{
	struct output *output = context;
	if (output->json) {
		json_array_append_new(output->results,
		    json_pack("{s:s, s:s, s:s, s:b, s:s?}", "case", result->case_id, "section",
			result->section, "sending", result->sending, "passed", result->passed,
			"detail", result->detail));
		return;
	}
	output->failures += !result->passed;
	if (!output->verbose && (result->passed || output->failures > FAILURES_SHOWN))
		return;
	printf("  %s %s, %s (%s)\n", result->passed ? "ok    " : "FAILED", result->case_id,
	    result->sending, result->section);
	if (!result->passed)
		print_indented(result->detail);
}

static void print_summary(const char *name, const struct check_summary *summary, double elapsed_s,
    bool verbose)
{
	if (summary->failed > FAILURES_SHOWN && !verbose)
		printf("  and %u more: --verbose shows them\n", summary->failed - FAILURES_SHOWN);
	if (summary->skipped)
		printf("%-10s skipped: %s\n", name, summary->reason);
	else
		printf("%-10s %u cases: %u passed, %u failed (%.1f s)\n", name, summary->cases,
		    summary->passed, summary->failed, elapsed_s);
	fflush(stdout);
}

/* Nobody says that it is equivalent. */
static bool is_reference(const struct paths *paths, const char *name)
{
	struct plan_server server = { 0 };
	struct server_info info;
	snprintf(server.program, sizeof(server.program), "%s", name);
	return !strchr(name, '/') && server_describe(paths, &server, &info) &&
	    server_is_reference(&info);
}

/* Checks one server; adds to *failed and *skipped. */
static json_t *check_one(
    const char *name, const char *program, struct output *output, int *failed, int *skipped)
{
	struct check_options options = { .on_result = on_result, .context = output };
	struct check_summary summary;
	output->results = output->json ? json_array() : NULL;
	output->failures = 0;
	uint64_t start_ns = clock_now_ns();
	bool passed = check_run(program, &options, &summary);
	*skipped += summary.skipped;
	*failed += !passed && !summary.skipped;
	if (!output->json) {
		print_summary(name, &summary, (double)(clock_now_ns() - start_ns) / 1e9,
		    output->verbose);
		return NULL;
	}
	return json_pack("{s:s, s:b, s:b, s:s, s:i, s:i, s:o}", "server", name, "passed", passed,
	    "skipped", summary.skipped, "reason", summary.reason, "passed_count",
	    (int)summary.passed, "failed_count", (int)summary.failed, "results", output->results);
}

static void find_program(const struct paths *paths, const char *server, char program[PATH_CAP])
{
	if (strchr(server, '/'))
		path_make(program, "%s", server);
	else
		path_make(program, "%s/%s", paths->servers, server);
	if (access(program, X_OK) != 0)
		usage_die("no server %s: `c10k list` shows those that are built; make builds them",
		    server);
}

int check_main(int argc, char **argv)
{
	static const struct option options[] = { { "json", no_argument, NULL, 'j' },
		{ "verbose", no_argument, NULL, 'v' }, { "help", no_argument, NULL, 'h' }, { 0 } };
	struct output output = { 0 };
	struct server_names found;
	struct paths paths;
	int failed = 0, skipped = 0, option;
	optind = 1;
	opterr = 0;
	while ((option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		switch (option) {
		case 'j':
			output.json = true;
			break;
		case 'v':
			output.verbose = true;
			break;
		case 'h':
			fputs(usage, stdout);
			return EXIT_OK;
		default:
			usage_die("bad option '%s'; `c10k check --help` shows them",
			    usage_refused(argv));
		}
	}
	if (optind == argc)
		usage_die("which server? `c10k check all`, or a name of `c10k list`");
	paths_find(&paths);
	servers_find(&paths, &found);
	json_t *document = output.json ? json_array() : NULL;
	bool all = strcmp(argv[optind], "all") == 0;
	int count = all ? (int)found.count : argc - optind;
	if (count == 0)
		die("no servers in %s: `make` builds them", paths.servers);
	for (int i = 0; i < count; i++) {
		const char *name = all ? found.names[i] : argv[optind + i];
		char program[PATH_CAP];
		find_program(&paths, name, program);
		if (is_reference(&paths, name)) {
			fprintf(stderr, "%-10s a reference, not equivalent: not checked\n", name);
			skipped++;
			continue;
		}
		json_t *one = check_one(name, program, &output, &failed, &skipped);
		if (output.json)
			json_array_append_new(document, one);
	}
	if (output.json) {
		json_dumpf(document, stdout, JSON_INDENT(1));
		putchar('\n');
		json_decref(document);
	}
	return failed ? EXIT_FAILED : skipped == count ? EXIT_SKIPPED : EXIT_OK;
}
