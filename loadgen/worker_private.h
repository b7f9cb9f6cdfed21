/* worker_private.h: how worker.c (the loop) and worker_thread.c (its thread) fit together. */
#ifndef LOADGEN_WORKER_PRIVATE_H
#define LOADGEN_WORKER_PRIVATE_H

#include <sys/epoll.h>

#include "pace.h"
#include "worker.h"

enum {
	EVENTS_CAP = 4096,
	BUFFER_CAP = 64 * 1024,
	OPENING_MAX = 2000, /* connections of all workers that are being opened at a time */
};

struct worker {
	struct session *sessions; /* active ones first */
	const struct exchange *exchange;
	struct window window;     /* this worker's copy of the control's */
	enum phase phase;         /* likewise */
	bool follows_up;          /* closed loop in PHASE_RUN: an answer makes the next request */
	int epoll_fd;
	int kick_fd;
	uint64_t unclaimed_len;   /* bytes received since the last answer was complete */
	struct stats stats;

	struct pace *pace;        /* NULL in a closed loop */
	uint64_t spin_ns;         /* awake because a request is nearly due, with nothing to do */
	const struct load *load;
	struct control *control;
	uint32_t index;           /* among the workers */
	uint32_t session_count;
	uint32_t opening_count;   /* sessions with `opening` set */
	uint32_t opening_max;
	uint32_t open_count;      /* established and not closed */
	uint32_t next_to_open;    /* sessions from here on have never been opened */
	uint32_t answered_count;  /* sessions that were ever answered ... */
	uint32_t abandoned_count; /* ... and that were given up before */
	uint64_t waits, full_waits;
	enum error_kind last_error; /* that closed a connection */
	int connect_errno;
	int cpu;
	pthread_t thread;
	_Atomic pid_t tid;

	struct live live __attribute__((aligned(64)));
	struct epoll_event events[EVENTS_CAP];
	char buffer[BUFFER_CAP];
};

/* From the first connect to PHASE_QUIT, and the last account; every socket is closed then. */
void worker_loop(struct worker *w);

#endif
