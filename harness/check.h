/*
 * check.h: proves that servers are equivalent. Runs every case of harness/cases.c against one
 * server, in three ways of sending (whole, one byte at a time, coalesced with a following request),
 * and says for each whether it held. The server is started, watched and ended here.
 *
 * Beside the table there are cases of the process itself, named as sent `whole`: "describe"
 * (--describe is JSON with the contract's fields), "start" (it answers GET / within 5 s), "date"
 * (it knows the time), "stats" (it counts) and "stop" (SIGTERM with a connection open: exit 0
 * within 2 s).
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/process.h"

struct check_result {
	const char *case_id;
	const char *section; /* "RFC 9112 3.2" */
	const char *sending; /* "whole", "split", "coalesced": as table `conformance` stores it */
	bool passed;
	const char *
	    detail; /* why not, in lines: what was wrong, asked for, sent, came; NULL when passed */
};

/* Called for every case and sending, in order; the strings are valid during the call. */
typedef void check_on_result(void *context, const struct check_result *result);

struct check_options {
	char *const
	    *arguments; /* options for the server besides host, port and workers; NULL for none */
	const struct cpu_list *cpus; /* where the server may run; NULL: wherever the harness may */
	check_on_result *on_result;  /* may be NULL */
	void *context;
};

struct check_summary {
	uint32_t cases;  /* rows of the table and of the process */
	uint32_t passed; /* results: cases x sendings */
	uint32_t failed;
	bool skipped;     /* the server cannot run on this machine (it exited with 77) */
	char reason[512]; /* its last words, when it was skipped or did not start */
};

/* Checks one program. True when every case passed; *summary is always filled. */
bool check_run(
    const char *program, const struct check_options *options, struct check_summary *summary);

/* `c10k check SERVER...|all [--json] [--verbose]`: argv[0] is "check". Returns the exit code. */
int check_main(int argc, char **argv);

#endif
