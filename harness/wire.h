/*
 * wire.h: the conformance cases as data, and the judge of what came back (RFC 9112, RFC 9110, RFC
 * 6585). Pure: bytes in, a verdict out. `c10k check` plays the cases against servers,
 * tests/unit/test_conn.c against the core alone; both ask the same judge.
 *
 * A message is bytes + fill x fill_count + rest, so that a long one needs no long text.
 */
#ifndef WIRE_H
#define WIRE_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/slice.h"

enum { WIRE_ANSWERS_MAX = 4 };

enum wire_flags {
	WIRE_CLOSE = 1, /* the server ends the connection after the last answer; else it is kept */
	WIRE_HEAD = 2,  /* the last answer is to HEAD: a Content-Length, no body */
	WIRE_FIN = 4,   /* the client ends its side after the message (half-close) */
	WIRE_CUT = 8,   /* the message is cut short: no answer, or an error; never one of success */
};

struct wire_case {
	const char *id;
	const char *section;
	const char *rule; /* what that section asks for, in our words */
	struct slice bytes;
	const char *fill;
	uint32_t fill_count;
	struct slice rest;
	uint16_t status[WIRE_ANSWERS_MAX]; /* in order; 0 behind the last */
	uint8_t flags;                     /* enum wire_flags */
	const char *body;                  /* of the last answer; NULL: any */
	uint32_t body_len; /* its length when `body` is NULL: the fill again, or the pattern of
			      /bytes; 0: any */
	const char *field; /* a line that the last head has: "Allow: POST, OPTIONS" */
};

extern const struct wire_case wire_cases[]; /* wire_cases.c */
extern const uint32_t wire_case_count;

/* Length of a case's message, and the message itself written to `out`. */
size_t wire_message_len(const struct wire_case *c);
void wire_put_message(char *out, const struct wire_case *c);

/* Goes with a case, to see whether the connection still serves: a request answered like no other. */
#define WIRE_NEXT "GET /bytes/7 HTTP/1.1\r\nHost: next\r\n\r\n"
#define WIRE_NEXT_BODY "0123456"

enum wire_sending {
	WIRE_WHOLE,     /* in one piece; then, when it is answered, WIRE_NEXT */
	WIRE_SPLIT,     /* the same, a byte at a time */
	WIRE_COALESCED, /* in one piece with WIRE_NEXT behind it; before it when the case is cut
			   short */
	WIRE_SENDING_COUNT
};
const char *wire_sending_name(enum wire_sending sending); /* "whole", "split", "coalesced" */

enum wire_verdict {
	WIRE_MORE,     /* go on receiving */
	WIRE_ANSWERED, /* the case is answered; WIRE_NEXT is not, and is to be sent now unless it
			  has been */
	WIRE_RIGHT,    /* all that was asked for, and nothing else */
	WIRE_WRONG     /* see `why` */
};

enum { WIRE_WHY_CAP = 256 };

/*
 * Judges all that has come since the connection began; `ended` when the server has ended it.
 * `server` is what the Server field must say, "c10k/epoll".
 */
enum wire_verdict wire_judge(const struct wire_case *c, enum wire_sending sending,
    struct slice came, bool ended, const char *server, char why[WIRE_WHY_CAP]);

#endif
