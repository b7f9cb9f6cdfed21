/*
 * measure_private.h: a cell under way, as measure.c runs it and measure_costs.c reads its figures
 * off.
 */
#ifndef MEASURE_PRIVATE_H
#define MEASURE_PRIVATE_H

#include "harness/client.h"
#include "harness/counters.h"
#include "harness/measure.h"
#include "harness/result.h"
#include "harness/syscalls.h"
#include "harness/target.h"
#include "harness/tasks.h"

struct run {
	const struct measure_setup *setup;
	const struct cell *cell;
	const struct server_info *info;
	struct row *row;
	struct target target;
	struct client client;
	char server_log[PATH_CAP], client_log[PATH_CAP], json_path[PATH_CAP], strace_log[PATH_CAP];
	char series_path[PATH_CAP], hlog_path[PATH_CAP];
	struct memory memory_idle, memory_held;
	struct snapshot before, after;
	struct counters_reading edge[2];
	uint64_t harness_cpu_ns[2];      /* ours, at the edges of the window */
	struct syscall_counter syscalls; /* ledger */
	uint64_t counting_ns[2];         /* when it began and ended to count */
	uint64_t window_ns[2];      /* the load generator's own edges */
	uint64_t reading_ns;        /* so long do the readings before the window take */
	uint64_t read_at_ns;        /* when they are due; 0: not yet, or done */
	uint64_t deadline_ns;
	uint64_t suspended_ns;      /* BOOTTIME - MONOTONIC at the start */
	bool held, measured, counted;
	bool is_traced; /* by strace: a pass in which nothing but that counts */
};

/* Into the row: what a connection holds of memory. */
void measure_fill_memory(struct run *run);
/* Into the row: what a request costs in switches, CPU time, faults and system calls. */
void measure_fill_server(struct run *run, const struct result *result);
/* Into the row: system calls a request, of those counted and of what `raw` says of the counting. */
void measure_fill_syscalls(struct row *row, const char *source);

#endif
