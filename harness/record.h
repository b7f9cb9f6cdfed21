/* record.h: what a run writes down about itself in table `run`, beside environment and provenance. */
#ifndef RECORD_H
#define RECORD_H

#include "harness/environment.h"
#include "harness/memory.h"
#include "harness/store.h"

/* Now, ISO 8601 in UTC. */
void record_time(struct store *store, const char *key);

/* What kernel_bytes_per_conn is made of: into the store, and back from it for a run that goes on. */
void record_costs(struct store *store, const struct memory_costs *costs);
void record_read_costs(struct store *store, struct memory_costs *costs);

/* The share of CPU time stolen since `before`; of a run in several parts that of the worst. */
void record_steal(struct store *store, struct cpu_ticks before);

/* That the run goes on: its status, and how often it was resumed. */
void record_resumed(struct store *store);

#endif
