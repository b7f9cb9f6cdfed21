/*
 * raw.h: what the kernel counted of a server, as table `raw` of harness/schema.sql holds it, and
 * the figures of a cell that follow from it. Pure: the run that measures a cell and `c10k verify`
 * years later derive them by the same function.
 *
 * A count is the difference of two readings, and stands beside the time between these. What the
 * machine could not give is NAN here and NULL there, and so is every figure made of it.
 */
#ifndef RAW_H
#define RAW_H

enum raw {
	RAW_WINDOW_NS,    /* the measure window, by the load generator's edges */
	RAW_COMPLETED,    /* requests answered inside it, 1 or more */
	RAW_PERF_NS,      /* between the readings of perf's counters; they are there with it */
	RAW_PERF_SWITCHES,
	RAW_PERF_CPU_NS,
	RAW_TASKS_NS,     /* between the readings of the tasks (tasks.h), middle to middle */
	RAW_VOLUNTARY,
	RAW_INVOLUNTARY,
	RAW_TASK_CPU_NS,
	RAW_TASK_WAIT_NS, /* runnable, without a CPU */
	RAW_TICK_USER_US, /* as the clock tick saw it: good for a ratio */
	RAW_TICK_SYSTEM_US,
	RAW_MINOR_FAULTS,
	RAW_MAJOR_FAULTS,
	RAW_HARNESS_CPU_NS,
	RAW_SYSCALL_NS,       /* BPF: how long table `syscall` was counted */
	RAW_SYSCALL_REQUESTS, /* strace: requests of the server's life, in which it was counted */
	RAW_CLIENTS,          /* connections held at the barrier */
	RAW_PSS_BYTES,        /* gained from when it was idle until then, as the next six are */
	RAW_PAGE_TABLE_BYTES,
	RAW_NEW_THREADS,
	RAW_NEW_PROCESSES,
	RAW_NEW_SOCKETS,
	RAW_NEW_EPOLL_ITEMS,
	RAW_NEW_URING_REQUESTS,
	RAW_BYTES_PER_THREAD, /* of the kernel's, see memory.h */
	RAW_BYTES_PER_PROCESS,
	RAW_BYTES_PER_SOCKET,
	RAW_BYTES_PER_EPOLL_ITEM,
	RAW_COUNT
};

/* Their columns in table `raw`. */
extern const char *const raw_columns[RAW_COUNT];

/* Sets metrics[METRIC_RAW_FIRST] to metrics[METRIC_RAW_LAST] (row.h), and no other. */
void raw_derive(const double raw[RAW_COUNT], double metrics[]);

/* How many of a request's system calls each one counted stands for: 1 / requests. */
double raw_syscall_share(const double raw[RAW_COUNT]);

#endif
