/*
 * measure.h: one cell: server and load generator started anew, the server read at the edges of the
 * measure window, both ended, the row judged.
 */
#ifndef MEASURE_H
#define MEASURE_H

#include "harness/backends.h"
#include "harness/memory.h"
#include "harness/paths.h"
#include "harness/process.h"
#include "harness/row.h"
#include "harness/servers.h"

struct measure_setup {
	const struct paths *paths;
	const char *log_folder;
	const struct backends *backends;
	struct cpu_list server_cpus;
	struct cpu_list client_cpus;
	struct memory_costs costs;   /* of kernel objects, see memory.h */
	uint64_t file_limit;         /* hard limit of files a process may hold */
	void (*on_tick)(void *context); /* every 50 ms or so, in the window 1 s; may be NULL */
	void *context;
};

/* Fills the row. False when a signal interrupted it: the row is then of no use. */
bool measure_cell(const struct measure_setup *setup, const struct cell *cell,
    const struct server_info *info, struct row *row);

#endif
