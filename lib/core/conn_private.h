/*
 * conn_private.h: how conn.c (the API), conn_read.c (bytes in) and conn_answer.c (bytes out) fit
 * together.
 */
#ifndef CONN_PRIVATE_H
#define CONN_PRIVATE_H

#include "lib/core/conn.h"

enum conn_state {
	HEAD,       /* the request line and the fields */
	BODY,       /* body_left bytes of a body, or of a chunk when request.chunked */
	CHUNK_SIZE, /* the line before a chunk */
	CHUNK_END,  /* the CR LF behind it, body_left of which have come */
	TRAILER,    /* fields after the last chunk; up to here bytes are read */
	SLEEP,
	COMPUTE,
	FILE_READ,
	QUERY,
	FINISHED,   /* the last answer is written: to be sent, then shut down */
	LINGER,     /* our FIN is sent; the client's is awaited, its bytes thrown away */
	CLOSED,
};

/* What the answer to any request needs at most, a long body apart. */
enum { CONN_ANSWER_ROOM = HTTP_RESPONSE_HEAD_MAX + SERVICE_STATS_MAX };

static inline bool conn_has_output(const struct conn *c)
{
	return c->out.first || c->stream_left > 0;
}

/* Goes on with the bytes that were put aside, now that something has changed; sets the deadline. */
void conn_resume(struct conn *c);
/* Drops what is to be sent; it only wants to be closed. */
void conn_close_now(struct conn *c);

/* Reads what it can of `len` bytes; returns how many are used up. */
size_t conn_take(struct conn *c, const char *bytes, size_t len);

/* A whole request is there: answers it, or begins to wait for what the answer needs. */
void conn_begin(struct conn *c);
/* What the answer needed is there. */
void conn_answer(struct conn *c);
/* The message cannot be trusted: answers with the error and reads no more. */
void conn_fail(struct conn *c, uint16_t status, const char *reason);
/* 100 Continue: the client may send its body. */
void conn_put_continue(struct conn *c);

#endif
