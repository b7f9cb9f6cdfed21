/* affinity.h: which CPUs may I run on, and pinning a thread to one of them. */
#ifndef AFFINITY_H
#define AFFINITY_H

#include <stdint.h>

/*
 * The CPUs this process may use, as the kernel numbers them, into cpus[cap]; returns how many (at
 * least 1).
 */
int affinity_allowed(int *cpus, int cap);
/* Pins the calling thread. 0 or -errno. */
int affinity_pin(int cpu);
/* Could it be pinned to it? 0 or -errno; it may run where it could before. */
int affinity_try(int cpu);
/* A kernel CPU list, "0-3,8". Returns the count, or -1 when it is none. */
int affinity_parse_list(const char *text, int *cpus, int cap);

#endif
