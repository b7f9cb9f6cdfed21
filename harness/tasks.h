/*
 * tasks.h: what the kernel tells about the tasks (threads) of a process and of all it has started
 * (tree.h): context switches by kind, CPU time, and time spent runnable but not running.
 * /proc/PID/status alone would be the main thread only.
 *
 * With taskstats (root) that is one question a process for its sums; else each task is read from
 * /proc, about 20 us each. A snapshot says how long it took.
 */
#ifndef TASKS_H
#define TASKS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/taskstats.h"
#include "harness/tree.h"

struct task {
	pid_t tid;            /* with has_sums a whole process: its pid */
	uint64_t voluntary;   /* it waited */
	uint64_t involuntary; /* it was preempted */
	uint64_t cpu_ns;      /* schedstat 1 */
	uint64_t wait_ns;     /* schedstat 2: on the run queue */
};

struct snapshot {
	bool has_sums;
	struct tree tree;
	struct task *tasks;    /* by rising tid; with has_sums a process each, else a thread each */
	uint32_t count;        /* of these */
	uint32_t cap;
	uint32_t thread_count; /* in either case */
	uint64_t begin_ns;
	uint64_t end_ns;
	uint64_t user_us;      /* as the clock tick saw it: good for a ratio */
	uint64_t system_us;
	uint64_t minor_faults; /* of the processes and the children they have reaped */
	uint64_t major_faults;
	bool has_schedstat;
};

struct snapshot_difference {
	uint64_t voluntary;
	uint64_t involuntary;
	uint64_t cpu_ns;
	uint64_t wait_ns;
	int64_t minor_faults; /* negative: a child has ended that nobody reaped */
	int64_t major_faults;
	int64_t user_us;      /* likewise */
	int64_t system_us;
	uint64_t distance_ns; /* from the middle of one to the middle of the other */
	bool has_schedstat;   /* cpu_ns and wait_ns are known */
};

/*
 * Takes a snapshot into *s, which begins as { 0 } and may be taken again. False when the process is
 * gone.
 */
bool snapshot_take(struct snapshot *s, pid_t pid);
void snapshot_deinit(struct snapshot *s);

/* How many tasks the process has; 0 when it is gone. */
uint32_t tasks_count(pid_t pid);

/*
 * What happened between them: a task that began in between counts in full, one that ended is lost
 * (its part since the first snapshot; perf counters have it).
 */
struct snapshot_difference snapshot_subtract(
    const struct snapshot *before, const struct snapshot *after);

#endif
