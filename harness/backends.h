/*
 * backends.h: what stands behind the servers in two experiments: the data file of `file`, the Redis
 * server of `query`. Made once for a run, the same for all servers.
 */
#ifndef BACKENDS_H
#define BACKENDS_H

#include <stdbool.h>

#include "harness/paths.h"
#include "harness/plan.h"
#include "harness/process.h"

struct backends {
	char data[PATH_CAP];        /* the data file; "" when it is not needed or not there */
	char database[64];          /* redis://127.0.0.1:PORT; likewise */
	const char *data_problem, *database_problem; /* why it is not there, with the cure; or NULL */
	char mix[PATH_CAP];         /* what experiment mixed asks for, as --mix reads it */
	struct process redis;
};

/*
 * Starts what the plan needs; what cannot be had is a problem of the cells that need it. The Redis
 * server runs on `cpus`, those of the load generator: its work is not the server's. Its log and the
 * mix lie in `folder`.
 */
void backends_start(struct backends *b, const struct paths *paths, const struct plan *plan,
    const struct cpu_list *cpus, const char *folder);
void backends_stop(struct backends *b);

/* Why this experiment cannot be measured; NULL when it can. */
const char *backends_problem(const struct backends *b, enum experiment_kind kind);

#endif
