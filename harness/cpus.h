/*
 * cpus.h: who runs where. Server and load generator get CPUs of their own, half of the cores each,
 * the hyper-threads of a core kept together; the harness runs on the load generator's. The server
 * has the first ones: on two CPUs it has CPU 0 and its client CPU 1, as in `make perf`. What the
 * server's half has beyond its first CPU is used by experiment scaling alone.
 */
#ifndef CPUS_H
#define CPUS_H

#include <stdbool.h>
#include <stddef.h>

#include "harness/process.h"

/* How good the separation is. */
enum cpu_split {
	CPU_SPLIT_CORES,   /* cores of their own */
	CPU_SPLIT_THREADS, /* hyper-threads of one core: they slow each other down */
	CPU_SPLIT_NONE,    /* the same CPUs: both are measured together */
};

/* The first `count` CPUs of both: the server's own, and where these do not suffice the client's. */
struct cpu_list cpus_first(const struct cpu_list *server, const struct cpu_list *client, int count);

/* Pure: cpus[i] belongs to core core_of[i]. */
enum cpu_split cpus_split(const int *cpus, const int *core_of, int count, struct cpu_list *server,
    struct cpu_list *client);

/* The split of the CPUs this process may use. */
enum cpu_split cpus_choose(struct cpu_list *server, struct cpu_list *client);

/* How good a split given by hand is: of the server's first CPU, all that it has but in scaling. */
enum cpu_split cpus_judge(const struct cpu_list *server, const struct cpu_list *client);

/*
 * "0-3,8" into the list; false when it is no such list, or names a CPU twice, or one that this
 * process may not use.
 */
bool cpus_parse(const char *text, struct cpu_list *list);

/* "0,1,2" into `out`; returns it. */
char *cpus_format(const struct cpu_list *list, char *out, size_t cap);

/* Does a CPU that this process may use share its core with another one? */
bool cpus_have_siblings(void);

#endif
