/*
 * worker.h: a thread that owns its connections, its file table and its counters. The main thread
 * leads it through the phases of `struct control` and reads `struct live`; nothing else is shared
 * while it runs.
 */
#ifndef LOADGEN_WORKER_H
#define LOADGEN_WORKER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "options.h"
#include "session.h"
#include "stats.h"

enum phase {
	PHASE_CONNECT, /* open every connection and have it answered once; then silence */
	PHASE_RUN,     /* active connections send: one request after the other, or what is due */
	PHASE_DRAIN,   /* no new request: the answers under way come in */
	PHASE_QUIT
};

/* What the main thread tells. A worker looks when it is kicked, after the batch at hand; at
   the window before each recv(), too. */
struct control {
	_Atomic int phase;
	_Atomic uint64_t schedule_ns; /* an open loop's begins; set before PHASE_RUN */
	_Atomic uint64_t start_ns; /* the measure window; both UINT64_MAX until it is known */
	_Atomic uint64_t end_ns;
	uint64_t begin_ns;         /* of the run; set before the workers start */
};

/* What a worker tells, brought up to date after each batch of events. */
struct live {
	_Atomic uint64_t lifetime;
	_Atomic uint64_t errors;
	_Atomic uint64_t completed;  /* inside the window */
	_Atomic uint64_t waits;      /* epoll_wait calls */
	_Atomic uint64_t full_waits; /* ... that filled the event array */
	_Atomic uint64_t spin_ns;    /* awake only because a request is nearly due */
	_Atomic uint32_t answered;   /* connections that were answered at least once */
	_Atomic uint32_t abandoned;  /* connections that could not be opened before the barrier */
	_Atomic uint32_t in_flight;  /* requests, counted at each kick of PHASE_DRAIN */
	_Atomic int last_error;      /* enum error_kind of the last connection that broke */
	_Atomic int connect_errno;   /* of the last connect that failed */
};

/*
 * Where exchanges stand: that of target i at 2 * i, and at 2 * i + 1 with --requests-per-connection
 * the one that closes its connection; at EXCHANGE_SLOW that of --slow-target.
 */
enum { EXCHANGE_SLOW = 2 * TARGETS_MAX, EXCHANGES_MAX };

struct load {
	const struct options *options;
	const struct exchange *exchanges;
	uint32_t asked_count; /* requests of the preflight */
	struct sockaddr_storage address;
	socklen_t address_len;
};

/* Connections, of all or of one worker. */
struct crowd {
	uint32_t active, idle, slow;
	uint32_t requests; /* --requests: of the active ones together; 0: as many as it lasts */
};

struct worker;

/*
 * Worker `index` with its share of the connections and, in an open loop, of the schedule; `cpu` is
 * -1 for any. Dies when memory is short.
 */
struct worker *worker_start(const struct load *load, struct control *control, uint32_t index,
    struct crowd crowd, int cpu);

/* Makes it look at `control`, at the ages of its requests, and at closed connections. */
void worker_kick(struct worker *w);

struct live *worker_live(struct worker *w);
pthread_t worker_thread(const struct worker *w);
/* Time ready to run and not running: field 2 of schedstat in proc(5); 0 where there is none. */
uint64_t worker_run_delay_ns(const struct worker *w);

/*
 * After PHASE_QUIT: waits for its end and adds what it counted; the worker is gone then. Returns
 * its series, for series_destroy(), or NULL when none was wanted.
 */
struct series *worker_finish(struct worker *w, struct stats *stats, struct audit *audit);

#endif
