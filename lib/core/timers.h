/*
 * timers.h: a binary heap of deadlines. Time is passed in; the heap never reads a clock.
 * The timer lives in its owner (16 bytes), the heap's array of pointers in the caller's memory.
 * Add, remove and pop cost O(log n); the next deadline O(1).
 */
#ifndef TIMERS_H
#define TIMERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct timer {
	uint64_t at_ns;
	uint32_t place; /* 1 + index in the heap; 0 when not set */
};

struct timers {
	struct timer **heap;
	uint32_t count;
	uint32_t cap;
};

/* `storage` holds `cap` pointers and stays the caller's. */
void timers_init(struct timers *t, struct timer **storage, uint32_t cap);
/* Sets a timer that is not set. False when the heap is full. */
bool timers_add(struct timers *t, struct timer *timer, uint64_t at_ns);
/* Takes a timer out before its time; no effect on one that is not set. */
void timers_remove(struct timers *t, struct timer *timer);
/* The earliest timer if it is due at now_ns, taken out of the heap; else NULL. */
struct timer *timers_pop(struct timers *t, uint64_t now_ns);
/* Nanoseconds from now_ns to the earliest deadline, 0 if past, at most `most_ns`. */
uint64_t timers_wait_ns(const struct timers *t, uint64_t now_ns, uint64_t most_ns);

#endif
