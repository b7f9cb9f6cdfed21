/*
 * timers.c: see timers.h. The textbook binary heap: the parent of place i is i / 2, the children
 * are 2i and 2i + 1, places counted from 1 so that 0 can mean "not set". Each timer knows its
 * place, so it can be taken out from the middle.
 *
 * A heap, not a wheel: exact to the nanosecond, no tick to choose, and 10,000 timers are 14 steps
 * deep. Timers of the same deadline come out in no particular order.
 */
#include "lib/core/timers.h"

static void put(struct timers *t, uint32_t place, struct timer *timer)
{
	t->heap[place - 1] = timer;
	timer->place = place;
}

/* Fills the hole at `place` with `timer`, moving it towards the root while its parent is later. */
static void sift_up(struct timers *t, uint32_t place, struct timer *timer)
{
	while (place > 1 && t->heap[place / 2 - 1]->at_ns > timer->at_ns) {
		put(t, place, t->heap[place / 2 - 1]);
		place /= 2;
	}
	put(t, place, timer);
}

/* The same away from the root, while a child is earlier. */
static void sift_down(struct timers *t, uint32_t place, struct timer *timer)
{
	while (place <= t->count / 2) {
		uint32_t child = 2 * place;
		if (child < t->count && t->heap[child]->at_ns < t->heap[child - 1]->at_ns)
			child++;
		if (t->heap[child - 1]->at_ns >= timer->at_ns)
			break;
		put(t, place, t->heap[child - 1]);
		place = child;
	}
	put(t, place, timer);
}

void timers_init(struct timers *t, struct timer **storage, uint32_t cap)
{
	*t = (struct timers){ .heap = storage, .cap = cap };
}

bool timers_add(struct timers *t, struct timer *timer, uint64_t at_ns)
{
	if (t->count == t->cap)
		return false;
	timer->at_ns = at_ns;
	sift_up(t, ++t->count, timer);
	return true;
}

void timers_remove(struct timers *t, struct timer *timer)
{
	uint32_t place = timer->place;
	if (place == 0)
		return;
	timer->place = 0;
	struct timer *last = t->heap[--t->count];
	if (last == timer)
		return;
	/* the last one fills the hole, and may belong above it or below */
	if (place > 1 && t->heap[place / 2 - 1]->at_ns > last->at_ns)
		sift_up(t, place, last);
	else
		sift_down(t, place, last);
}

struct timer *timers_pop(struct timers *t, uint64_t now_ns)
{
	if (t->count == 0 || t->heap[0]->at_ns > now_ns)
		return NULL;
	struct timer *earliest = t->heap[0];
	timers_remove(t, earliest);
	return earliest;
}

uint64_t timers_wait_ns(const struct timers *t, uint64_t now_ns, uint64_t most_ns)
{
	if (t->count == 0)
		return most_ns;
	uint64_t at_ns = t->heap[0]->at_ns;
	if (at_ns <= now_ns)
		return 0;
	return at_ns - now_ns < most_ns ? at_ns - now_ns : most_ns;
}
