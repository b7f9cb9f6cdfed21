/*
 * http.h: HTTP/1.1 as a server reads and writes it (RFC 9112, RFC 9110): strict, a line at a time.
 *
 * The caller finds the line ends and hands each line over with its LF; the parser keeps what the
 * message means, never the bytes. So it can stop between any two lines, and a request that arrives
 * whole is parsed where it lies. An error that makes the framing doubtful is `fatal`: answer,
 * then close. The others (405, 404, an unknown method) wait for the end of the message.
 */
#ifndef HTTP_H
#define HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/slice.h"

enum {
	HTTP_LINE_MAX = 8 * 1024,      /* request line: longer is 414 */
	HTTP_HEAD_MAX = 16 * 1024,     /* whole head: more is 431 */
	HTTP_FIELDS_MAX = 100,         /* more is 431 */
	HTTP_BODY_MAX = 1024 * 1024,   /* more is 413 */
	HTTP_METHOD_MAX = 32,          /* a longer method is 501 and close */
	HTTP_CHUNK_LINE_MAX = 256,     /* size and extension of a chunk */
	HTTP_LEADING_CRLF_MAX = 4,     /* empty lines before a request line (RFC 9112 2.2) */
	HTTP_RESPONSE_HEAD_MAX = 512   /* room that http_put_head() needs at most */
};

enum http_method {
	HTTP_GET, HTTP_HEAD, HTTP_POST, HTTP_OPTIONS, HTTP_PUT, HTTP_DELETE, HTTP_PATCH, HTTP_TRACE,
	HTTP_CONNECT, HTTP_UNKNOWN
};

struct http_request {
	const char *reason;      /* why `status` is an error, with the RFC's section; a literal */
	uint64_t content_length; /* valid with has_length */
	uint16_t status;         /* 0 while nothing is wrong, else what to answer */
	uint16_t field_count;
	uint16_t head_len;       /* bytes of head so far; HTTP_HEAD_MAX fits */
	uint8_t method;          /* enum http_method */
	uint8_t leading_crlf_count;
	bool fatal;              /* answer `status` now and close */
	bool http10;
	bool has_line;           /* the request line has been read */
	bool has_host;
	bool has_length;
	bool has_coding;         /* a Transfer-Encoding field was seen */
	bool chunked;            /* ... and its last coding is chunked */
	bool close;              /* Connection: close */
	bool keep_alive;         /* Connection: keep-alive (matters on 1.0) */
	bool expect_continue;
	bool expect_unknown;
};

enum http_step {
	HTTP_MORE,   /* give the next line */
	HTTP_TARGET, /* the request line is read: *target is valid until the line's memory goes */
	HTTP_END,    /* the head is complete; r->status tells whether it is good */
	HTTP_BAD,    /* r->status, r->fatal: answer and close */
};

void http_request_init(struct http_request *r);

/*
 * Reads one line of the head, which ends with its LF. For HTTP_TARGET, *target is the path with its
 * query, "*", or the authority of CONNECT; of an absolute-form the part after the authority.
 */
enum http_step http_head_line(struct http_request *r, struct slice line, struct slice *target);

/*
 * What to answer to `len` bytes without an LF: HTTP_MORE, or HTTP_BAD when no line may be so
 * long.
 */
enum http_step http_head_partial(struct http_request *r, const char *bytes, size_t len);

/* Does the answer end the connection (RFC 9112 9.3)? */
bool http_must_close(const struct http_request *r);

/* A chunk-size line with its LF: the size, or false when it is not well-formed (RFC 9112 7.1). */
bool http_chunk_line(struct slice line, uint64_t *size);

/* A trailer line with its LF: HTTP_MORE, HTTP_END at the empty line, HTTP_BAD. */
enum http_step http_trailer_line(struct http_request *r, struct slice line);

/* One response head. */
struct http_response {
	uint16_t status;
	bool close;          /* adds Connection: close */
	bool keep_alive;     /* adds Connection: keep-alive, which HTTP/1.0 clients need to see */
	struct slice type;   /* Content-Type; none when empty */
	struct slice allow;  /* Allow; none when empty */
	uint64_t content_length; /* left out for 1xx and 204 (RFC 9110 8.6) */
};

/*
 * Writes the head with its empty line to `out` (room for HTTP_RESPONSE_HEAD_MAX), returns its
 * length. `fixed` holds the Server and Date lines, rendered once a second.
 */
size_t http_put_head(char *out, const struct http_response *response, struct slice fixed);

/* "Not Found" and so on; "Error" for one this server never sends. */
const char *http_status_text(uint16_t status);

/* IMF-fixdate, "Sun, 06 Nov 1994 08:49:37 GMT" (RFC 9110 5.6.7): writes 29 bytes, no NUL. */
enum { HTTP_DATE_LEN = 29 };
void http_put_date(char *out, uint64_t unix_s);

#endif
