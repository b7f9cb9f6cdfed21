/*
 * syscalls.h: how often a process and all it has started make each system call, between two
 * moments. A BPF program at the raw tracepoint sys_enter (bpf(2)) counts for everybody, by process
 * and call; those of interest are added up afterwards. It needs no tracefs, but root, or CAP_BPF
 * and CAP_PERFMON.
 *
 * It costs each system call of the machine some 200 ns: a pass of its own, never one that is timed.
 * A child that ends in between is not in the tree (tree.h) any more, and its calls are not found.
 */
#ifndef SYSCALLS_H
#define SYSCALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/tree.h"

enum { SYSCALLS_MAX = 64 };

struct syscall_count {
	char name[32]; /* "recvfrom" */
	uint64_t calls;
};

/* The most frequent first. */
struct syscall_list {
	struct syscall_count items[SYSCALLS_MAX];
	uint32_t count;
};

/* Adds `calls` to the item of that name; beyond SYSCALLS_MAX names to the last, "others". */
void syscall_list_add(struct syscall_list *list, const char *name, uint64_t calls);
void syscall_list_sort(struct syscall_list *list);

struct syscall_counter {
	int counts_fd, control_fd, program_fd, link_fd; /* -1: not available */
	struct syscall_control *control;                /* shared with the program */
	char reason[128];                               /* why not; "" when it is */
};

/* Attaches it, not counting yet. Not being permitted is no error: false, see `reason`. */
bool syscall_counter_open(struct syscall_counter *c);
void syscall_counter_switch(struct syscall_counter *c, bool on);
/*
 * What was counted of the processes in `tree`, into *list. False, and why in `reason`, when some
 * were not.
 */
bool syscall_counter_read(
    struct syscall_counter *c, const struct tree *tree, struct syscall_list *list);
void syscall_counter_close(struct syscall_counter *c);

#endif
