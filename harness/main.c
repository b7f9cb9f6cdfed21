/* main.c: the harness's subcommands. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/bench.h"
#include "harness/check.h"
#include "harness/compare.h"
#include "harness/csv.h"
#include "harness/diff_env.h"
#include "harness/doctor.h"
#include "harness/list.h"
#include "harness/report.h"
#include "harness/verify.h"
#include "lib/sys/die.h"
#include "lib/sys/version.h"

static const char help_text[] =
    "Examples:\n"
    "  c10k doctor                 is this machine fit to measure?\n"
    "  c10k bench quick            measure every server, briefly\n"
    "  c10k bench                  measure every server, 10 minutes\n"
    "  c10k report results/latest  make the report of a run again\n"
    "  c10k verify results/latest  is it true to what was measured?\n"
    "  c10k compare A B            is run B faster or slower than run A?\n"
    "  c10k check epoll            does a server behave as all must?\n"
    "\n"
    "Usage: c10k COMMAND [options]\n"
    "\n"
    "  bench     run a plan and write its report to results/\n"
    "  report    make a run's report again from its run.sqlite\n"
    "  verify    recompute a run from its histograms, and compare\n"
    "  compare   two runs, with intervals, as a gate\n"
    "  diff-env  why the numbers of two runs may differ\n"
    "  check     prove that servers are equivalent\n"
    "  list      servers, plans and experiments\n"
    "  doctor    what on this machine will spoil a measurement, and the cure\n"
    "\n"
    "c10k COMMAND --help shows examples and options. NO_COLOR is honoured.\n"
    "Exit: 0 ok, 1 failed, 2 usage, 3 a regression, 4 results invalid, 5 another run holds the\n"
    "lock, 77 skipped, 130/143 interrupted.\n";

/* cells.csv is derived from the store like the report, and made again with it. */
static int make_report_again(int argc, char **argv)
{
	int code = report_main(argc, argv);
	bool is_run = argc == 2 && argv[1][0] != '-';
	return code == 0 && is_run ? csv_write(argv[1]) : code;
}

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} commands[] = {
	{ "bench", bench_main },
	{ "report", make_report_again },
	{ "verify", verify_main },
	{ "compare", compare_main },
	{ "diff-env", diff_env_main },
	{ "check", check_main },
	{ "list", list_main },
	{ "doctor", doctor_main },
};

/* Started with one of the three closed, a file or pipe of ours would take its number, and what we print. */
static void keep_standard_files(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDONLY); /* writing to it fails, as to one that is closed */
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

/* Whoever redirects what a command prints must not take the half of it for all. */
static void check_output(void)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return;
	fprintf(stderr, "c10k: standard output cannot be written: free some space, or send it elsewhere\n");
	_exit(1);
}

int main(int argc, char **argv)
{
	die_program = "c10k";
	keep_standard_files();
	atexit(check_output);
	const char *name = argc > 1 ? argv[1] : "";
	if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "help") == 0) {
		fputs(help_text, stdout);
		return 0;
	}
	if (strcmp(name, "--version") == 0) {
		puts("c10k " C10K_VERSION);
		return 0;
	}
	for (size_t i = 0; i < sizeof(commands) / sizeof(*commands); i++)
		if (strcmp(commands[i].name, name) == 0)
			return commands[i].run(argc - 1, argv + 1);
	usage_die("%s%s%s: use bench, report, verify, compare, diff-env, check, list or doctor (c10k --help)",
	    name[0] ? "unknown command \"" : "which command", name, name[0] ? "\"" : "");
}
