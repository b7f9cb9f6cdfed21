/*
 * provenance.h: what a run's figures come from, as keys of table `run`: the machine and its limits, the
 * programs by their content, the plan. A run goes on only where all of it is as it was; two runs are
 * compared directly only on the same machine; what differs is the first answer to "why do my numbers?".
 */
#ifndef PROVENANCE_H
#define PROVENANCE_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/plan.h"
#include "harness/servers.h"
#include "harness/store.h"

/* The keys "sha256 plan", "sha256 loadgen", "sha256 servers/epoll" hold content hashes. */
#define PROVENANCE_HASH "sha256 "

enum provenance_part {
	PROVENANCE_MACHINE,    /* which one, and which CPUs of it */
	PROVENANCE_SYSTEM,     /* how it is set up */
	PROVENANCE_LIMITS,
	PROVENANCE_VERSIONS,
	PROVENANCE_CONDITIONS, /* what else went on: never equal, never a reason to refuse */
	PROVENANCE_PARTS
};

struct provenance_fact {
	const char *key;
	const char *name;
	enum provenance_part part;
	bool may_change; /* while a run is interrupted */
};
extern const struct provenance_fact provenance_facts[];
extern const size_t provenance_fact_count;

/* Hashes of the plan's text and of every program that the run uses. */
void provenance_store_hashes(struct store *store, const struct paths *paths, const struct plan *plan,
    const struct server_info *servers, const char *plan_text);

/*
 * May the run `before` go on where everything is as in `now`? Else false, and what has changed in
 * `changes`, in words.
 */
bool provenance_holds(struct store *before, struct store *now, char changes[1024]);

#endif
