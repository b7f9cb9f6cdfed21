/* gate.h: only a server that passes the conformance check is measured: equivalence is a test. */
#ifndef GATE_H
#define GATE_H

#include <stdbool.h>

#include "harness/process.h"
#include "harness/row.h"
#include "harness/servers.h"
#include "harness/store.h"

/* Why a server's cells are not measured. */
struct refusal {
	enum verdict verdict;
	char reason[640]; /* "" when they are */
};

/*
 * Checks the server, every result into the store. False, and the refusal filled, when it is not to
 * be measured.
 */
bool gate_check(struct store *store, const struct server_info *info, const struct cpu_list *cpus,
    struct refusal *refusal);

#endif
