/*
 * pace.h: the open loop of one worker without any I/O: which arrival is due, which connection takes
 * it, and what became of it.
 *
 * The schedule (lib/core/arrivals.h) is the queue: arrivals that wait for a free connection are
 * those between its position and now, so a backlog of any length costs nothing and none is ever
 * forgotten. Free connections stand in a row; the one that is free for longest goes first, so that
 * all of them are used, as in a closed loop.
 *
 *   response time  from when a request was due to the end of its answer: what a user sees
 *   service time   from when it was sent: what the server says it took
 *   send lag       between the two: the wait for a free connection, and the client's own lateness
 *
 * What was due before the window's end and not answered there is not lost: it counts in response
 * time at the age it had then, and in send lag too when it was not even sent. A request that timed
 * out counts at its full age.
 */
#ifndef LOADGEN_PACE_H
#define LOADGEN_PACE_H

#include <stdbool.h>
#include <stdint.h>

#include "choice.h"
#include "lib/core/arrivals.h"
#include "session.h"
#include "stats.h"

#define PACE_NEVER UINT64_MAX

/* What the open loop knows of a session. */
struct turn {
	uint64_t due_ns;  /* of the arrival under way; 0: there is none */
	uint64_t free_ns; /* stands in the row since then; 0: does not */
};

struct pace {
	struct arrivals arrivals;
	struct choice *choice;    /* of the worker; NULL without a mix */
	const struct session *sessions;
	struct turn *turns;       /* one for each session */
	uint32_t *row;            /* a ring of session indices */
	uint32_t row_cap;
	uint32_t row_first, row_count;
	uint64_t margin_ns;       /* a sleep ends so much before the next request is due */
};

/* turns and row have `count` zeroed items, as sessions has, and stay the caller's. */
void pace_init(struct pace *p, const struct session *sessions, struct turn *turns, uint32_t *row,
    uint32_t count);

/* Session `index` is at rest and may take an arrival. One that breaks needs no word. */
void pace_free(struct pace *p, uint32_t index, uint64_t now_ns);

/* When the next request can be sent, now or later; PACE_NEVER while no connection is free. */
uint64_t pace_next_ns(struct pace *p);

/* The first free session takes the next arrival, which is due at now_ns: returns its index. */
uint32_t pace_send(struct pace *p, struct stats *t, const struct window *w, uint64_t now_ns);

/*
 * The arrival that session `index` has taken, if any, has come to its end: `counts` when it was
 * answered well or timed out, and not when it broke, which is an error and has no response time.
 */
void pace_settle(struct pace *p, struct stats *t, const struct window *w, uint32_t index,
    uint64_t now_ns, bool counts);

/* The run is over: all that was due before the window's end and is not settled comes to account. */
void pace_finish(struct pace *p, struct stats *t, const struct window *w, uint64_t now_ns);

/*
 * How long to sleep before a request due at due_ns; 0: not worth it, look for events until then. A
 * sleep that ended by itself is told to pace_woke(): sleeps are ended as much too early as nine in
 * ten were found to end late, so that no more time is spent awake than this machine needs.
 */
uint64_t pace_sleep_ns(const struct pace *p, uint64_t due_ns, uint64_t now_ns);
void pace_woke(struct pace *p, uint64_t late_ns);

#endif
