/* bench_options.h: the command line of `c10k bench`. */
#ifndef BENCH_OPTIONS_H
#define BENCH_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/paths.h"
#include "harness/plan.h"
#include "harness/process.h"

struct bench_options {
	char plan_path[PATH_CAP];
	char plan_name[PLAN_TEXT_CAP]; /* "quick": the file's name without folder and .ini */
	char results[PATH_CAP];
	char command[1024];            /* the whole line, for the record */
	struct plan_changes changes;
	const char *resume;            /* the folder of a run to go on with; NULL for a new one */
	uint64_t seed;
	bool dry_run;
	bool unchecked;
	bool until_decided;            /* further blocks, see undecided.h */
	struct cpu_list server_cpus;   /* count 0: not given */
	struct cpu_list client_cpus;
};

/*
 * Parses and checks; prints help and exits 0, or one line on what is wrong and exits 2. With `resume`
 * nothing else is set: see resume.h.
 */
void bench_options_parse(struct bench_options *o, const struct paths *paths, int argc, char **argv);

/* The options of an earlier command line, its plan apart, into *o. */
void bench_options_repeat(struct bench_options *o, int argc, char **argv);

#endif
