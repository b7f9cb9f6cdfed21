/*
 * session.h: one connection of the load generator without any I/O: request out, answer in, verdict.
 *
 * The worker owns sockets and clocks and tells the session what happened. What all sessions share
 * (the request's bytes, the first answer) is an `exchange`, which nobody changes during a run.
 */
#ifndef LOADGEN_SESSION_H
#define LOADGEN_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/reply.h"
#include "lib/core/slice.h"

struct exchange {
	struct slice request;     /* `depth` of them in a row */
	struct slice answer;      /* the first one of the run; without end when it is no pattern */
	struct slice before_date; /* ... up to the value of its Date, which may differ later ... */
	struct slice behind_date; /* ... and from there on: these bytes must be the same */
	struct slice body;        /* its body: every later one must be equal */
	uint16_t status;          /* wanted; 0: any 2xx */
	uint8_t depth;            /* requests that go out together; as many answers come back */
	bool closes;              /* it asks the server to end the connection after the answer */
} __attribute__((aligned(128))); /* a shift finds one among many */

enum population {
	POPULATION_ACTIVE,      /* asks and asks again */
	POPULATION_IDLE,        /* is answered once, then silent */
	POPULATION_SLOW_WRITER, /* sends its requests byte by byte */
	POPULATION_SLOW_READER, /* takes its answers so */
};

/* What an answer turned out to be. */
enum session_step {
	SESSION_MORE,         /* the answer goes on */
	SESSION_ANSWERED,     /* complete and as it should be */
	SESSION_WRONG_STATUS, /* complete, in frame, with another status */
	SESSION_WRONG_BODY,   /* ... with other bytes or another length */
	SESSION_MALFORMED,    /* no answer, or more than one: the connection is of no use */
};

enum session_state {
	SESSION_CLOSED,
	SESSION_CONNECTING,
	SESSION_RESTING,   /* established and silent: nothing may arrive */
	SESSION_SENDING,   /* part of the request is still to be sent */
	SESSION_AWAITING,  /* the request is out */
	SESSION_ENDING,    /* answered for the last time: the server is to end the connection */
	SESSION_ABANDONED, /* could not be opened before the barrier: never tried again */
};

/* 64 bytes, one cache line: what a connection costs. */
struct session {
	uint64_t sent_ns;        /* when its request, or its connect, was started */
	struct reply reply;      /* of the answer under way */
	int fd;
	uint32_t window_count;   /* answers inside the measure window */
	uint32_t sent_len;       /* bytes of the request that are out */
	uint16_t request_count;  /* of those that --requests-per-connection counts, here */
	uint8_t state;           /* enum session_state */
	uint8_t population;      /* enum population */
	uint8_t exchange;        /* which of the load's it has under way, or had last */
	uint8_t due_count;       /* answers still to come of that */
	uint8_t attempt_count;   /* connects since it was last answered */
	bool established;        /* has ever been connected */
	bool answered;           /* has ever been answered */
	bool opening;            /* connected, or about to be, and not answered since */
	bool wrong_body;         /* the answer under way has already differed */
} __attribute__((aligned(64)));

/*
 * Completes *x, whose request, status, depth and closes are set, from the first answer to one such
 * request, which must be whole and well-formed and stays the caller's.
 */
void exchange_init(struct exchange *x, struct slice answer);

/* Is it the wanted status? */
bool exchange_likes(const struct exchange *x, uint16_t status);

/* A request (a batch) starts at now_ns: returns the bytes to send; session_sent() hears of them. */
static inline struct slice session_start(struct session *s, const struct exchange *x,
    uint64_t now_ns)
{
	s->sent_ns = now_ns;
	s->sent_len = 0;
	s->due_count = x->depth;
	s->state = SESSION_SENDING;
	return x->request;
}

static inline void session_sent(struct session *s, const struct exchange *x, size_t len)
{
	s->sent_len += (uint32_t)len;
	if (s->sent_len == x->request.len)
		s->state = SESSION_AWAITING;
}

/* The request's bytes that are still to be sent. */
static inline struct slice session_unsent(const struct session *s, const struct exchange *x)
{
	return slice_skip(x->request, s->sent_len);
}

/* Is a request under way? */
static inline bool session_in_flight(const struct session *s)
{
	return s->state == SESSION_SENDING || s->state == SESSION_AWAITING;
}

/* Does something go on that takes time: a request, a connect, or the end of a connection? */
static inline bool session_is_busy(const struct session *s)
{
	return session_in_flight(s) || s->state == SESSION_CONNECTING || s->state == SESSION_ENDING;
}

static inline bool session_is_slow(const struct session *s)
{
	return s->population >= POPULATION_SLOW_WRITER;
}

/* Is the answer just completed the last on this connection? Valid until the next request. */
static inline bool session_must_end(const struct session *s, const struct exchange *x)
{
	return x->closes || s->reply.close;
}

/* Do these bytes begin with the first answer over again, its Date apart? */
static inline bool exchange_repeats(const struct exchange *x, struct slice bytes)
{
	return bytes.len >= x->answer.len && slice_starts_with(bytes, x->before_date)
	    && memcmp(bytes.ptr + x->answer.len - x->behind_date.len, x->behind_date.ptr,
		x->behind_date.len) == 0;
}

/* An answer is complete, `rest` stands behind it; that must be the next one, if one is due. */
static inline enum session_step session_settle(struct session *s, struct slice rest,
    enum session_step step)
{
	if (s->due_count > 1) {
		s->due_count--;
		return step;
	}
	if (rest.len)
		return SESSION_MALFORMED;
	s->due_count = 0;
	s->state = SESSION_RESTING;
	return step;
}

/* session_feed() for all other answers. */
enum session_step session_parse(struct session *s, const struct exchange *x, struct slice *bytes);

/*
 * Bytes have arrived: takes those of one answer from the front of *bytes. When the last that is due
 * is complete the session is at rest. Nearly every answer is the first one over again: comparing it
 * is stricter than parsing, and quicker.
 */
static inline enum session_step session_feed(struct session *s, const struct exchange *x,
    struct slice *bytes)
{
	if (s->state != SESSION_AWAITING || s->reply.head_len || !exchange_repeats(x, *bytes)) {
		struct slice rest = *bytes; /* a copy: the caller's can stay in registers */
		enum session_step step = session_parse(s, x, &rest);
		*bytes = rest;
		return step;
	}
	*bytes = slice_skip(*bytes, x->answer.len);
	return session_settle(s, *bytes, SESSION_ANSWERED);
}

/* The socket is gone; what was under way is forgotten. */
void session_close(struct session *s);

#endif
