/*
 * memory.h: what a server's connections cost in bytes, in the process and in the kernel: the
 * difference of two samples, one with the server idle, one at the hold barrier.
 *
 *   user     PSS (smaps_rollup)
 *   kernel   page tables (VmPTE), and its threads, sockets, epoll registrations and armed
 *            io_uring requests, each counted in /proc/PID and multiplied with what one costs
 *
 * All of it summed over the server's processes (tree.h); a socket that several have open is one.
 *
 * What one costs is measured once per run (memory_costs.c). The kernel's own totals cannot say it
 * while a server runs: they hold both ends of a connection, everyone else's objects, and remains of
 * the cell before. Buffers of data in flight are not counted: nothing is in flight at the barrier.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <sys/types.h>

/* Bytes of kernel memory; NAN where they could not be measured. */
struct memory_costs {
	double socket;     /* one end of an established TCP connection, with its inode and file */
	double epoll_item; /* registered with an epoll instance */
	double thread;     /* kernel stack, task_struct and what belongs to it */
	double process;    /* what a process has beside its first thread and its page tables */
};

/* Takes 0.3 s, and for that time 8,000 descriptors, or what the limit gives, 2,000 threads and 500 processes. */
void memory_measure_costs(struct memory_costs *costs);

struct memory {
	double pss;            /* bytes; negative: not available */
	double page_tables;    /* bytes */
	double threads;
	double processes;      /* 0: none is there */
	double sockets;
	double epoll_items;
	double uring_requests; /* armed, as multishot receives are */
};

struct memory memory_take(pid_t pid);

/* Bytes behind "Name:   123 kB" in a file of /proc; negative when there is no such line. */
double memory_read_kilobytes(const char *path, const char *name);

#endif
