/*
 * environment.h: the machine and its state, as far as a reader needs them to compare a run with his
 * own. Each function writes a short text to `out` and returns it; "unknown" where the machine does
 * not tell.
 */
#ifndef ENVIRONMENT_H
#define ENVIRONMENT_H

#include <stddef.h>
#include <stdint.h>

#include "harness/paths.h"
#include "harness/store.h"

char *environment_governor(char *out, size_t cap);
char *environment_virtualisation(char *out, size_t cap);

/* Share of CPU time that the hypervisor took since `before` (both from environment_ticks). */
struct cpu_ticks {
	uint64_t steal;
	uint64_t all;
};
struct cpu_ticks environment_ticks(void);
double environment_steal_share(struct cpu_ticks before, struct cpu_ticks now);

/*
 * PSI: share of time in which some task waited for a CPU over the last 10 s, in percent; negative:
 * unknown.
 */
double environment_pressure(void);

/* Hard limit of files for this process. */
uint64_t environment_file_limit(void);

/* All of it into table `run`. */
void environment_store(struct store *store, const struct paths *paths);

#endif
