/*
 * tree.h: a process and all that it has started and that lives: its children, theirs, and so on, as
 * /proc/PID/task/PID/children tells them (proc(5)): those that a main thread has forked. A kernel
 * without CONFIG_PROC_CHILDREN tells of none.
 */
#ifndef TREE_H
#define TREE_H

#include <stdint.h>
#include <sys/types.h>

struct tree {
	pid_t *pids; /* parents before their children */
	uint32_t count;
	uint32_t cap;
};

/* Reads it into *t, which begins as { 0 } and may be read again. The first is `pid` itself. */
void tree_read(struct tree *t, pid_t pid);
void tree_deinit(struct tree *t);

#endif
