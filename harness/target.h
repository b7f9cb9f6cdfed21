/*
 * target.h: the server under measurement: started anew, pinned, with counters opened before it
 * runs; asked for its own count; ended.
 */
#ifndef TARGET_H
#define TARGET_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/counters.h"
#include "harness/process.h"
#include "harness/servers.h"

struct target {
	struct process process;
	struct counters counters;
	uint16_t port;
	uint32_t probe_count; /* requests of the harness itself that the server has counted */
};

struct target_stats {
	bool valid;
	uint64_t requests; /* without the harness's own */
	uint64_t refused;
};

/* A server, and what it is told of; "" for nothing. */
struct target_options {
	const struct server_info *info;
	const char *data, *database;
	const char *strace_log; /* strace counts its system calls into this file; "": it does not */
	uint32_t workers; /* 0: 1 */
};

/* Starts it and waits until it answers GET /. False, and why in `problem`, when it does not. */
bool target_start(struct target *t, const struct target_options *options, uint16_t port,
    const struct cpu_list *cpus, int log_fd, char problem[256]);
/* GET /stats. */
struct target_stats target_stats(struct target *t);
/* SIGTERM, 2.5 s, SIGKILL. True when it drained and left with exit code 0. */
bool target_stop(struct target *t);

#endif
