/*
 * worker_private.h: how the parts of a worker fit together: worker.c (the loop), worker_paced.c and
 * worker_slow.c (what open loops and slow connections do there), worker_thread.c (its thread).
 */
#ifndef LOADGEN_WORKER_PRIVATE_H
#define LOADGEN_WORKER_PRIVATE_H

#include <sys/epoll.h>

#include "choice.h"
#include "lib/sys/clock.h"
#include "pace.h"
#include "worker.h"

enum {
	EVENTS_CAP = 4096,
	BUFFER_CAP = 64 * 1024,
	SLOW_RECEIVE_CAP = 4096, /* of a slow reader's socket */
	OPENING_MAX = 2000, /* connections of all workers that are being opened at a time */
};

struct worker {
	struct session *sessions; /* active ones first, slow ones last */
	const struct exchange *exchanges;
	struct window window;     /* this worker's copy of the control's */
	enum phase phase;         /* likewise */
	bool follows_up;          /* closed loop in PHASE_RUN: an answer makes the next request */
	uint64_t quota;           /* --requests: this worker's share; else UINT64_MAX */
	bool chooses;             /* in PHASE_RUN: requests are not all the same */
	int epoll_fd;
	int kick_fd;
	uint64_t unclaimed_len;   /* bytes received since an answer was complete */
	struct stats stats;

	struct pace *pace;        /* NULL in a closed loop */
	struct choice choice;     /* with a mix */
	uint64_t spin_ns;         /* awake because a request is nearly due, with nothing to do */
	const struct load *load;
	struct control *control;
	uint32_t index;           /* among the workers */
	uint32_t session_count;
	uint32_t active_count;
	uint32_t started_count;   /* closed loop: so many active ones have begun ... */
	uint64_t run_ns;          /* ... since PHASE_RUN has; 0: not yet */
	uint32_t first_slow;        /* sessions from here on are slow ... */
	uint64_t *slow_progress_ns; /* ... when they last were a byte further; NULL for none */
	uint32_t opening_count;   /* sessions with `opening` set */
	uint32_t opening_max;
	uint32_t open_count;      /* established and not closed */
	uint32_t next_to_open;    /* sessions from here on have never been opened */
	uint32_t answered_count;  /* sessions that were ever answered ... */
	uint32_t abandoned_count; /* ... and that were given up before */
	uint64_t waits, full_waits;
	enum error_kind last_error; /* that closed a connection */
	int cpu;
	pthread_t thread;
	_Atomic pid_t tid;

	struct live live __attribute__((aligned(64)));
	struct epoll_event events[EVENTS_CAP];
	char buffer[BUFFER_CAP];
};

/* From the first connect to PHASE_QUIT, and the last account; every socket is closed then. */
void worker_loop(struct worker *w);

/* --- what the parts of the loop know of one another ------------------------------------------- */

/* At a kick, and before each recv(): a batch of long answers may outlast the time it is set ahead. */
static inline void worker_look_at_window(struct worker *w)
{
	uint64_t end_ns = atomic_load(&w->control->end_ns); /* first: it is set last */
	uint64_t start_ns = atomic_load(&w->control->start_ns);
	if (start_ns == w->window.start_ns && end_ns == w->window.end_ns)
		return;
	w->window = (struct window){ start_ns, end_ns };
	if (w->stats.series)
		series_tick(w->stats.series, &w->window, clock_now_ns());
}

/* Sends some of the request under way. False when the connection broke over it. */
bool worker_send(struct worker *w, struct session *s, const struct exchange *x,
    struct slice bytes);
/* The next request of this connection, at rest. As worker_send(). */
bool worker_start_request(struct worker *w, struct session *s, uint64_t now_ns);
/* One recv(): how many bytes came; 0 for none, or when the socket is this session's no more. */
size_t worker_receive(struct worker *w, struct session *s, size_t cap);
/* The connection has come to its end: an error of this kind, unless it was to end. */
void worker_break(struct worker *w, struct session *s, enum error_kind kind);

/* The open loop begins; sends what is due as long as a connection is free; and waits for events
   until the next can be sent: returns how many there are. */
void start_schedule(struct worker *w);
void send_due(struct worker *w, uint64_t now_ns);
int wait_paced(struct worker *w);
/* A closed loop: sends the first requests of PHASE_RUN, when they are due, and waits for events. */
int wait_closed(struct worker *w);

/* Is that no error, but a server that ends what is slow? */
bool slow_was_ended(const struct worker *w, const struct session *s, enum error_kind kind);
/* A slow connection is answered well. */
void slow_answered(struct worker *w, const struct session *s, uint64_t now_ns);
/* At a kick: is it a slow connection, and its turn? */
bool slow_goes_on(const struct worker *w, const struct session *s);
void slow_turn(struct worker *w, struct session *s, uint64_t now_ns);

#endif
