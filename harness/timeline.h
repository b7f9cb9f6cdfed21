/*
 * timeline.h: what each thread of a server did in a short while: it ran, it was preempted and could
 * have run, or it waited. From PERF_RECORD_SWITCH records (perf_event_open(2), context_switch): the
 * kernel writes one whenever a thread of ours is switched in or out.
 *
 * They do not tell when a waiting thread was woken, so one that is ready and has not had a CPU
 * since is among the waiting here. How long that was in all, schedstat tells: ready_ns.
 */
#ifndef TIMELINE_H
#define TIMELINE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "harness/counters.h"

enum { TIMELINE_THREADS_MAX = 256 };

enum timeline_state {
	TIMELINE_RUNNING,
	TIMELINE_PREEMPTED,
	TIMELINE_WAITING,
	TIMELINE_STATES
};

struct timeline_span {
	uint64_t length_ns;
	enum timeline_state state;
};

struct timeline_thread {
	pid_t tid;
	char name[16];
	struct timeline_span *spans; /* together the window, to the nanosecond */
	uint32_t span_count;
	uint64_t ready_ns; /* of its waiting: woken, without a CPU */
};

struct timeline {
	uint64_t begin_ns, end_ns;
	struct timeline_thread *threads; /* by rising tid; none: it was not recorded */
	uint32_t thread_count;
	uint64_t switches;         /* threads switched out, by the records */
	uint64_t switches_counted; /* by the server's counter in the same window */
	bool has_counted;
	char reason[160];          /* why there are no threads */
};

/*
 * Records the server and all it has started for length_ns from now. False, see `reason`, when that
 * is not permitted, or there are more than TIMELINE_THREADS_MAX threads.
 */
bool timeline_record(
    struct timeline *t, pid_t server, const struct counters *counters, uint64_t length_ns);

/* --- timeline_spans.c, pure ------------------------------------------------------------------ */

void timeline_deinit(struct timeline *t);

struct timeline_switch {
	uint64_t at_ns;
	pid_t tid;
	enum timeline_state to; /* what it is from then on */
};

/* By thread, each in the order of time. */
void timeline_sort(struct timeline_switch *switches, uint32_t count);
/*
 * The spans of a thread inside the window, from malloc, from its own switches in order. Without any
 * it was in `state` all the time; a first switch says what it was before, but for a thread that
 * then began to run: that was in `state`, or waiting if that is running.
 */
void timeline_make_spans(struct timeline_thread *thread, uint64_t begin_ns, uint64_t end_ns,
    const struct timeline_switch *switches, uint32_t count, enum timeline_state state);
/* "r1200 w80000 p300": running, waiting, preempted, each in ns. From malloc. */
char *timeline_format(const struct timeline_thread *thread);
/* And back: the thread's spans from that text, from malloc. */
void timeline_parse(struct timeline_thread *thread, const char *text);
/* How much of the spans a state has. */
uint64_t timeline_sum_ns(const struct timeline_thread *thread, enum timeline_state state);

#endif
