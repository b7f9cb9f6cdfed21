/*
 * conn_read.c: the half of a connection that reads: request line, fields, body, chunks, trailer.
 *
 * conn_take() works on the bytes where they lie, one line or one piece of body at a time, and
 * stops when the connection has to do something else first (send, sleep, compute) or when a line
 * is not complete.
 */
#include "lib/core/conn_private.h"

/* Puts bytes of the request aside for the answer. */
static void keep_body(struct conn *c, struct slice bytes)
{
	if (!chain_append(&c->body, &c->env->pool, bytes))
		conn_close_now(c);
}

static void request_line_done(struct conn *c, struct slice target)
{
	if (c->request.status) { /* an unknown method: answered when the message has ended */
		c->plan = (struct service_plan){ .status = c->request.status, .text = c->request.reason };
		return;
	}
	c->plan = service_plan((enum http_method)c->request.method, target);
	if (c->plan.kind == SERVICE_QUERY) /* the target's memory goes; the key must outlive it */
		keep_body(c, (struct slice){ target.ptr + c->plan.key_offset, c->plan.key_len });
}

static void head_done(struct conn *c)
{
	const struct http_request *r = &c->request;
	bool has_body = r->chunked || (r->has_length && r->content_length > 0);
	c->closing |= http_must_close(r);
	if (service_wants_body(&c->plan) && !r->chunked && !r->has_length) {
		conn_fail(c, 411, "POST needs Content-Length or chunked (RFC 9110 15.5.12)");
		return;
	}
	if (!has_body) {
		conn_begin(c);
		return;
	}
	if (r->expect_continue)
		conn_put_continue(c);
	c->body_left = r->content_length;
	if (c->state != CLOSED)
		c->state = r->chunked ? CHUNK_SIZE : BODY;
}

static void chunk_size_line(struct conn *c, struct slice line)
{
	if (!http_chunk_line(line, &c->body_left))
		conn_fail(c, 400, "chunk size is not a hexadecimal number and CR LF (RFC 9112 7.1)");
	else if (c->body_left > HTTP_BODY_MAX - c->body_len)
		conn_fail(c, 413, "body over 1 MiB (RFC 9110 15.5.14)");
	else
		c->state = c->body_left > 0 ? BODY : TRAILER;
}

/* One whole line, its LF included, in a state that reads lines. */
static void take_line(struct conn *c, struct slice line)
{
	struct slice target = { 0 };
	enum http_step step;
	if (c->state == CHUNK_SIZE) {
		chunk_size_line(c, line);
		return;
	}
	if (c->state == TRAILER)
		step = http_trailer_line(&c->request, line);
	else
		step = http_head_line(&c->request, line, &target);
	switch (step) {
	case HTTP_MORE:
		break;
	case HTTP_TARGET:
		request_line_done(c, target);
		break;
	case HTTP_BAD:
		conn_fail(c, c->request.status, c->request.reason);
		break;
	case HTTP_END:
		if (c->state == TRAILER)
			conn_begin(c);
		else
			head_done(c);
		break;
	}
}

/* Bytes that do not end a line: may a line be so long? */
static void check_partial(struct conn *c, const char *bytes, size_t len)
{
	if (c->state == CHUNK_SIZE) {
		if (len > HTTP_CHUNK_LINE_MAX)
			conn_fail(c, 400, "chunk size is not a hexadecimal number and CR LF (RFC 9112 7.1)");
	} else if (http_head_partial(&c->request, bytes, len) == HTTP_BAD) {
		conn_fail(c, c->request.status, c->request.reason);
	}
}

static size_t take_body(struct conn *c, const char *bytes, size_t len)
{
	size_t used = len < c->body_left ? len : (size_t)c->body_left;
	if (service_wants_body(&c->plan))
		keep_body(c, (struct slice){ bytes, used });
	c->body_left -= used;
	c->body_len += (uint32_t)used;
	if (c->body_left == 0 && c->state != CLOSED) {
		if (c->request.chunked)
			c->state = CHUNK_END;
		else
			conn_begin(c);
	}
	return used;
}

/* CR, then LF; body_left counts which of them is next. */
static size_t take_chunk_end(struct conn *c, const char *bytes)
{
	if (bytes[0] != "\r\n"[c->body_left]) {
		conn_fail(c, 400, "chunk data longer than its size (RFC 9112 7.1)");
	} else if (++c->body_left == 2) {
		c->body_left = 0;
		c->state = CHUNK_SIZE;
	}
	return 1;
}

/* May the next bytes be read, and is there room for what they may ask for? */
static bool is_reading(const struct conn *c)
{
	if (c->state > TRAILER || c->stream_left > 0)
		return false;
	return !c->out.first ||
	       (c->out.first == c->out.last && buffer_room(c->out.last) >= CONN_ANSWER_ROOM);
}

size_t conn_take(struct conn *c, const char *bytes, size_t len)
{
	size_t used = 0;
	while (used < len && is_reading(c)) {
		const char *at = bytes + used;
		size_t left = len - used;
		if (c->state == BODY) {
			used += take_body(c, at, left);
		} else if (c->state == CHUNK_END) {
			used += take_chunk_end(c, at);
		} else {
			const char *end = memchr(at, '\n', left);
			if (!end) {
				check_partial(c, at, left);
				break;
			}
			used += (size_t)(end - at) + 1;
			take_line(c, (struct slice){ at, (size_t)(end - at) + 1 });
		}
	}
	return c->state >= FINISHED ? len : used; /* what follows the last request is not ours */
}
