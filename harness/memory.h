/*
 * memory.h: what a server's connections cost in bytes, in the process and in the kernel: the difference of
 * two samples, one with the server idle, one at the hold barrier.
 *
 *   user     PSS of the process (smaps_rollup)
 *   kernel   its page tables (VmPTE) + kernel stacks and task_structs of its threads + its sockets
 *
 * On loopback the kernel holds both ends of a connection, and only totals over the machine can be read; both
 * ends have a socket, an inode and a file, so half of that is the server's. What only one end has is taken
 * whole: task_structs (the server's threads), and epoll registrations less the client's, which has one per connection.
 * Buffers of data in flight are not counted: nothing is in flight at the barrier.
 */
#ifndef MEMORY_H
#define MEMORY_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum memory_source {
	MEMORY_NONE,
	MEMORY_SLABINFO, /* objects by name: needs root */
	MEMORY_MEMINFO,  /* the total of all slabs: an estimate, good to some percent from 1,000 connections */
};

struct memory {
	double pss;         /* bytes; negative: not available */
	double page_tables;
	double tasks;       /* threads of the process */
	double both_ends;   /* sockets, inodes, files: bytes over the machine */
	double task_structs;
	double epoll_items; /* objects, and the size of each */
	double epoll_item_size;
	enum memory_source source;
};

struct memory memory_take(pid_t pid);

/* Bytes over `connections` held; negative: not available. */
double memory_user_bytes(const struct memory *before, const struct memory *after);
double memory_kernel_bytes(const struct memory *before, const struct memory *after, uint32_t connections);

/* Bytes of one thread's kernel stack on this machine, 0 when unknown. */
double memory_kernel_stack_size(void);

const char *memory_source_name(enum memory_source source);

#endif
