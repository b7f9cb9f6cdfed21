/* window.h: the measure window, and what lies inside it. Times are of CLOCK_MONOTONIC. */
#ifndef LOADGEN_WINDOW_H
#define LOADGEN_WINDOW_H

#include <stdbool.h>
#include <stdint.h>

/* The measure window; both UINT64_MAX until it is known, so that nothing lies inside. */
struct window {
	uint64_t start_ns;
	uint64_t end_ns;
};

static inline bool window_holds(const struct window *w, uint64_t time_ns)
{
	return time_ns - w->start_ns <
	    w->end_ns - w->start_ns; /* one comparison: before start wraps */
}

/* How much of from..to lies inside. */
static inline uint64_t window_overlap_ns(const struct window *w, uint64_t from_ns, uint64_t to_ns)
{
	if (from_ns < w->start_ns)
		from_ns = w->start_ns;
	if (to_ns > w->end_ns)
		to_ns = w->end_ns;
	return to_ns > from_ns ? to_ns - from_ns : 0;
}

#endif
