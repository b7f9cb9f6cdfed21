/*
 * series.h: the run in equal intervals, for --series and --hlog. No clock and no I/O.
 *
 * All workers share one grid: it begins with the run, and anew at each edge of the measure window,
 * so that no interval lies across an edge and those of the window hold just what the result holds.
 * An interval is cut by the times of the samples themselves, not by when a worker gets to look: how
 * late that is makes no difference to what an interval holds.
 *
 * A worker has one histogram for the interval under way and keeps of those gone by only the buckets
 * that hold something: 64 bytes an interval, and 8 bytes for each bucket.
 */
#ifndef LOADGEN_SERIES_H
#define LOADGEN_SERIES_H

#include <stddef.h>

#include "lib/core/histogram.h"
#include "window.h"

/* A histogram's buckets that hold something, in rising order; heap memory. */
struct sparse {
	uint64_t min_ns, max_ns, sum_ns;
	struct bucket {
		uint32_t index;
		uint32_t count;
	} *buckets;
	uint32_t bucket_count;
};

/* Moves what *h holds into *s: *h is empty then. Fewer than 2^32 samples. */
void sparse_store(struct sparse *s, struct histogram *h);
void sparse_merge(struct histogram *into, const struct sparse *s);

/* Of one worker, one interval that has gone by. */
struct interval {
	uint64_t start_ns;
	uint32_t answer_count;
	uint32_t error_count;
	uint32_t open_count;     /* connections at its end */
	uint32_t answered_count; /* connections that were ever answered, likewise */
	struct sparse latencies;
};

struct series {
	uint64_t begin_ns;        /* of the run */
	uint64_t step_ns;         /* of the grid */
	struct window window;     /* the worker's copy */
	bool of_response;         /* open loop: latencies count from when a request was due */
	uint64_t start_ns;        /* of the interval under way ... */
	uint64_t end_ns;
	uint32_t answer_count, error_count;
	uint32_t open_count, answered_count;
	struct histogram latencies;  /* ... and what is in it */
	struct histogram unfinished; /* open loop: due and not answered at the window's end */
	struct interval *intervals;
	size_t count, cap;
	size_t read_count;        /* of `count`, those that series_read() has passed */
};

/* On the heap; NULL when memory is short. */
struct series *series_create(uint64_t begin_ns, uint64_t step_ns, bool of_response);
void series_destroy(struct series *s);

/* The grid: the first edge behind time_ns, in a run that began at begin_ns. */
uint64_t series_edge_ns(
    uint64_t begin_ns, uint64_t step_ns, const struct window *w, uint64_t time_ns);

/* --- what the worker tells; dies when memory is short ----------------------------------------- */

/* It is now_ns, and the measure window is this one. At least once an interval. */
void series_tick(struct series *s, const struct window *w, uint64_t now_ns);

/* A good answer is complete at now_ns, service_ns after its request was sent. */
void series_answer(struct series *s, uint64_t now_ns, uint64_t service_ns);

/* Open loop: a request is answered or timed out at now_ns, response_ns after it was due. */
void series_response(struct series *s, uint64_t now_ns, uint64_t response_ns);

/* ... or was due before the window's end and was age_ns old there. */
void series_unfinished(struct series *s, uint64_t age_ns);

void series_error(struct series *s, uint32_t count, uint64_t now_ns);

/* The run is over at now_ns. */
void series_end(struct series *s, uint64_t now_ns);

/* --- afterwards ------------------------------------------------------------------------------- */

/* When the run's phases began; UINT64_MAX when it did not come so far. */
struct course {
	uint64_t begin_wall_ns; /* CLOCK_REALTIME at begin_ns, to tell when that was */
	uint64_t begin_ns;      /* connect */
	uint64_t hold_ns;       /* hold: from the barrier on */
	uint64_t run_ns;        /* warm-up */
	struct window window;   /* measure */
	uint64_t drain_ns;
	uint64_t end_ns;
};

/* An interval of all workers together. */
struct series_row {
	uint64_t start_ns, end_ns;
	uint64_t answer_count, error_count;
	uint64_t open_count, answered_count;
	struct histogram latencies;
};

/* Adds this worker's share: all that began before row->end_ns and was not read yet. */
void series_read(struct series *s, struct series_row *row);

#endif
