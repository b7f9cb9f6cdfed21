/*
 * counters.h: the kernel's software counters over a process and all it will ever start
 * (perf_event_open(2) with inherit). They need no PMU. Opened before exec they are exact, threads
 * that ended included; opened later they would miss every thread that exists already.
 */
#ifndef COUNTERS_H
#define COUNTERS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct counters {
	int switches_fd; /* -1: not available */
	int clock_fd;
	char reason[160]; /* why not; "" when they are */
};

struct counters_reading {
	uint64_t at_ns;
	uint64_t switches; /* context switches, since the process began */
	uint64_t cpu_ns;   /* CPU time */
	bool valid;
};

/*
 * Counters on `pid`, which must not have started any thread. Not being permitted is no error: see
 * `reason`.
 */
void counters_open(struct counters *c, pid_t pid);
void counters_close(struct counters *c);
/* Never resets them: readings are subtracted. */
struct counters_reading counters_read(const struct counters *c);

#endif
