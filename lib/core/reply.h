/*
 * reply.h: the client's side of HTTP/1.1: one answer, from its first byte to its last (RFC 9112).
 *
 * A state machine over bytes: it keeps what an answer means and none of its bytes, so that a
 * connection in the middle of an answer costs 32 bytes and no buffer, and an answer may be cut
 * anywhere. It is strict, because it judges servers: CRLF line ends, one Content-Length, no
 * Transfer-Encoding (what is measured here always announces its length).
 *
 *     while ((step = reply_feed(&r, &bytes, &piece)) == REPLY_BODY)
 *         ... look at the piece ...
 */
#ifndef REPLY_H
#define REPLY_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/slice.h"

enum { REPLY_HEAD_MAX = 16 * 1024 }; /* interim (1xx) heads included */

enum reply_fault {
	REPLY_FAULT_NONE,
	REPLY_FAULT_STATUS_LINE, /* not "HTTP/1.1 200 reason" */
	REPLY_FAULT_FIELD,       /* no colon, an empty name, or a byte that may not stand there */
	REPLY_FAULT_LINE_END,    /* a line that does not end with CRLF */
	REPLY_FAULT_LENGTH,      /* Content-Length is no number, or stands twice */
	REPLY_FAULT_CODING,      /* Transfer-Encoding */
	REPLY_FAULT_NO_LENGTH,   /* a body without Content-Length */
	REPLY_FAULT_TOO_LONG,    /* head over REPLY_HEAD_MAX */
};

enum reply_step {
	REPLY_MORE, /* all bytes are taken; the answer goes on */
	REPLY_BODY, /* *piece is the next part of the body: call again with what is left */
	REPLY_DONE, /* complete; what is left of *bytes stands behind the answer */
	REPLY_BAD   /* r->fault says why; nothing more can be read from this connection */
};

struct reply {
	uint64_t body_len;  /* Content-Length, valid once the head is complete */
	uint64_t body_left; /* of it, still to come */
	uint16_t head_len;  /* bytes of head so far, interim heads included */
	uint16_t status;
	uint8_t fault;      /* enum reply_fault */
	uint8_t state;      /* private from here on */
	uint8_t place;      /* byte within the version, the status, a name or a token */
	uint8_t candidates; /* one bit for each known field name that still fits */
	bool close;         /* the server closes the connection after this answer */
	bool has_length;
};

void reply_init(struct reply *r);

/*
 * Takes bytes from the front of *bytes. The piece of a REPLY_BODY points into them. After
 * REPLY_DONE call reply_init() before the next answer.
 */
enum reply_step reply_feed(struct reply *r, struct slice *bytes, struct slice *piece);

/* In words, for people: "no Content-Length". */
const char *reply_fault_text(enum reply_fault fault);

#endif
