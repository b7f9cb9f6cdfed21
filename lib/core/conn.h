/*
 * conn.h: one server connection without any I/O: bytes in, bytes out, and between them the one
 * thing it waits for. The shell asks conn_wants(), waits for that in its own way, tells the
 * outcome, asks again.
 *
 *     for (;;)
 *         switch (conn_wants(c)) {
 *         case CONN_WANT_RECV:  n = recv(...); n > 0 ? conn_feed(c, bytes, n) : conn_feed_eof(c); break;
 *         case CONN_WANT_SEND:  out = conn_output(c); conn_sent(c, send(out)); break;
 *         case CONN_WANT_SLEEP: wait(conn_sleep_ns(c)); conn_woke(c); break;
 *         ...
 *         case CONN_WANT_CLOSE: conn_deinit(c); close(fd); return;
 *         }
 *
 * Pipelined requests are answered in order. While output or other work is outstanding the
 * connection does not want RECV: the client's further bytes stay in the socket, TCP pushes back,
 * memory stays bounded. An idle connection owns no buffer. Nothing here allocates, blocks, or
 * reads a clock.
 */
#ifndef CONN_H
#define CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/core/chain.h"
#include "lib/core/http.h"
#include "lib/core/pool.h"
#include "lib/core/service.h"
#include "lib/core/slice.h"

enum conn_want {
	CONN_WANT_RECV,     /* offer bytes: conn_feed(), or conn_feed_eof() */
	CONN_WANT_SEND,     /* send some of conn_output(): conn_sent() */
	CONN_WANT_SLEEP,    /* wait conn_sleep_ns(): conn_woke() */
	CONN_WANT_COMPUTE,  /* call conn_compute(), here or on another thread, then conn_computed() */
	CONN_WANT_FILE,     /* read conn_file(): conn_file_done() */
	CONN_WANT_QUERY,    /* get conn_query_key() from the database: conn_query_done() */
	CONN_WANT_SHUTDOWN, /* end the sending side (shutdown SHUT_WR): conn_shut(). Then it wants RECV until the client ends too:
	                       closing with bytes unread would reset, and the client might lose the answer (RFC 9112 9.6) */
	CONN_WANT_CLOSE,    /* conn_deinit(), then close */
};

enum {
	CONN_FEED_MAX = 16 * 1024,       /* most bytes one conn_feed() takes */
	/* never less than this long, up to a second longer: the clock tells whole seconds */
	CONN_HEAD_TIMEOUT_S = 10,        /* a head must be complete so long after its first byte: 408 */
	CONN_BODY_TIMEOUT_S = 10,        /* between two pieces of a body: 408 */
	CONN_IDLE_TIMEOUT_S = 60,        /* keep-alive without a request: silent close (see env) */
	CONN_SEND_TIMEOUT_S = 60,        /* output that the client does not take: close */
	CONN_LINGER_TIMEOUT_S = 2,       /* after our FIN, for the client's */
	CONN_LINGER_MAX = 2 * 1024 * 1024, /* bytes thrown away while waiting for it */
};

/* What the connections of one worker share. */
struct conn_env {
	struct service *service;
	struct pool pool;
	uint64_t wall_s;      /* second that `fixed` was rendered for */
	uint32_t now_s;       /* monotonic seconds: what timeouts are measured with */
	uint32_t idle_timeout_s; /* CONN_IDLE_TIMEOUT_S unless set after conn_env_init() */
	bool others_wait;     /* for the place of this connection: each answer from now on is its last */
	uint32_t fixed_len;
	char fixed[128];      /* "Server: c10k/epoll\r\nDate: ...\r\n" */
};

void conn_env_init(struct conn_env *e, struct service *s, void *(*grow)(size_t), void (*shrink)(void *));
void conn_env_deinit(struct conn_env *e);
/* Tells the time; cheap when the second is the same. Call it after every wait. */
void conn_env_tick(struct conn_env *e, uint64_t wall_s, uint32_t monotonic_s);

struct file_read {
	uint64_t offset;
	char *into; /* room for len bytes */
	size_t len;
};

struct conn {
	struct conn_env *env;     /* between two calls it may become another thread's */
	struct buffer *in;        /* an incomplete line, or pipelined requests not yet answered; else NULL */
	struct chain out;         /* what is to be sent, before the stream */
	struct chain body;        /* of a request that is still coming (echo); a key; a piece of file */
	uint64_t stream_offset;   /* /bytes: next byte of the pattern to send ... */
	uint64_t stream_left;     /* ... and how many */
	uint64_t body_left;       /* bytes still to come of the body or the chunk */
	uint64_t result;          /* /compute: checksum */
	struct http_request request;
	struct service_plan plan;
	uint32_t body_len;        /* bytes of body taken so far: bounded by HTTP_BODY_MAX */
	uint32_t deadline_s;      /* monotonic second at which it has waited too long */
	uint8_t state;            /* enum conn_state, private */
	bool closing;             /* this answer is the last */
	bool head_timed;          /* deadline_s counts from the head's first byte */
};

/* A new connection, in the caller's memory. */
void conn_init(struct conn *c, struct conn_env *e);
/* Gives every buffer back. The connection may be in any state. */
void conn_deinit(struct conn *c);

enum conn_want conn_wants(const struct conn *c);

/*
 * CONN_WANT_RECV: consumes all of 1..CONN_FEED_MAX bytes, from memory of any kind; keeps no
 * pointer.
 */
void conn_feed(struct conn *c, const void *bytes, size_t len);
/* The client's end of file, or a broken socket: in any state, it now wants to be closed. */
void conn_feed_eof(struct conn *c);

/* CONN_WANT_SEND: at least one byte; stable until conn_sent(), which takes 1..len of it. */
struct slice conn_output(const struct conn *c);
void conn_sent(struct conn *c, size_t len);

uint64_t conn_sleep_ns(const struct conn *c);
void conn_woke(struct conn *c);

/*
 * Burns CPU. May run on another thread while the connection is left alone; then, on its own:
 * conn_computed().
 */
void conn_compute(struct conn *c);
void conn_computed(struct conn *c);

/* A read of the data file; n is the bytes read, negative when it failed: 503. */
struct file_read conn_file(struct conn *c);
void conn_file_done(struct conn *c, ssize_t n);

/* Why there is no value. */
enum conn_no_value {
	CONN_NO_ANSWER, /* the database cannot be asked, or gave no answer to that: 503 */
	CONN_NO_KEY,    /* there is no such key: 404 */
};
/* The key; the value, or a slice with a NULL ptr, whose len is an enum conn_no_value. */
struct slice conn_query_key(const struct conn *c);
void conn_query_done(struct conn *c, struct slice value);

void conn_shut(struct conn *c);

/*
 * True when the deadline has passed by env->now_s; conn_expire() then answers 408 or closes: ask
 * conn_wants() anew.
 */
bool conn_is_late(const struct conn *c);
void conn_expire(struct conn *c);

/* Holds no request: nothing is lost if it is closed now. */
bool conn_is_idle(const struct conn *c);

#endif
