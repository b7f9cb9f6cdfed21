/*
 * conn_answer.c: the half of a connection that writes: heads, bodies, errors, and what is
 * answered only after a wait (a file, a key). Everything goes to the chain `out`, in the order of
 * the requests; the pattern of /bytes streams behind it from constant memory.
 *
 * Without memory for an answer the connection is closed: the only honest thing left.
 */
#include "lib/core/conn_private.h"
#include "lib/core/units.h"

static void next_request(struct conn *c)
{
	chain_drop(&c->body, &c->env->pool);
	c->body_len = 0;
	http_request_init(&c->request);
	if (c->state != CLOSED)
		c->state = c->closing ? FINISHED : HEAD;
}

static void put_head(struct conn *c, uint16_t status, struct slice type, uint64_t length)
{
	struct buffer *b = NULL;
	if (c->state != CLOSED)
		b = chain_room(&c->out, &c->env->pool, CONN_ANSWER_ROOM);
	if (!b) {
		conn_close_now(c);
		return;
	}
	/* asked now, not when the request came: what waited meanwhile is told too (RFC 9112 9.6) */
	c->closing |= atomic_load_explicit(&c->env->service->stopping, memory_order_relaxed) ||
	    c->env->others_wait;
	const char *allow = c->plan.allow;
	struct http_response response = {
		.status = status,
		.close = c->closing,
		.keep_alive = c->request.http10,
		.type = type,
		.allow = { allow, allow ? strlen(allow) : 0 },
		.content_length = length,
	};
	struct slice fixed = { c->env->fixed, c->env->fixed_len };
	b->end += (uint32_t)http_put_head(b->bytes + b->end, &response, fixed);
}

/* Bytes behind a head: none if that could not be written, none to HEAD. */
static void put_body(struct conn *c, struct slice body)
{
	if (c->state == CLOSED || c->request.method == HTTP_HEAD)
		return;
	if (!chain_append(&c->out, &c->env->pool, body))
		conn_close_now(c);
}

static void put_whole(struct conn *c, uint16_t status, struct slice type, struct slice body)
{
	put_head(c, status, type, body.len);
	put_body(c, body);
}

/* "404 Not Found: why" */
static void put_error(struct conn *c, uint16_t status, const char *reason)
{
	char text[160];
	const char *parts[] = { " ", http_status_text(status), ": ", reason, "\n" };
	size_t len = units_put_digits(text, status);
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		size_t part_len = strlen(parts[i]);
		if (part_len > sizeof text - len)
			part_len = sizeof text - len;
		memcpy(text + len, parts[i], part_len);
		len += part_len;
	}
	put_whole(c, status, SLICE("text/plain"), (struct slice){ text, len });
}

static void count_request(struct conn *c)
{
	atomic_fetch_add_explicit(&c->env->service->requests, 1, memory_order_relaxed);
}

void conn_fail(struct conn *c, uint16_t status, const char *reason)
{
	count_request(c);
	c->closing = true;
	c->plan.allow = NULL;
	put_error(c, status, reason);
	next_request(c);
}

void conn_put_continue(struct conn *c)
{
	if (!chain_append(&c->out, &c->env->pool, SLICE("HTTP/1.1 100 Continue\r\n\r\n")))
		conn_close_now(c);
}

static void answer_bytes(struct conn *c)
{
	uint64_t len = c->plan.number;
	put_head(c, 200, SLICE("application/octet-stream"), len);
	if (c->state == CLOSED || c->request.method == HTTP_HEAD)
		return;
	c->stream_offset = 0;
	if (len <= buffer_room(c->out.last)) /* a short one leaves with its head, in one send */
		put_body(c, service_pattern(0, len));
	else
		c->stream_left = len;
}

static void answer_echo(struct conn *c)
{
	put_head(c, 200, SLICE("application/octet-stream"), c->body_len);
	if (c->state != CLOSED)
		chain_move(&c->out, &c->body);
}

static void answer_found(struct conn *c)
{
	char text[SERVICE_STATS_MAX];
	struct slice type = SLICE("text/plain");
	struct slice body = { text, 0 };
	switch ((enum service_kind)c->plan.kind) {
	case SERVICE_TEXT:
		body = (struct slice){ c->plan.text, strlen(c->plan.text) };
		break;
	case SERVICE_STATS:
		type = SLICE("application/json");
		body.len = service_put_stats(text, c->env->service);
		break;
	case SERVICE_SLEEP:
		body = SLICE("slept\n");
		break;
	case SERVICE_COMPUTE:
		body.len = units_put_digits(text, c->result);
		break;
	case SERVICE_BYTES:
		answer_bytes(c);
		return;
	case SERVICE_ECHO:
		answer_echo(c);
		return;
	case SERVICE_FILE:  /* conn_file_done() */
	case SERVICE_QUERY: /* conn_query_done() */
		return;
	}
	put_whole(c, 200, type, body);
}

void conn_answer(struct conn *c)
{
	if (c->plan.status == 200)
		answer_found(c);
	else if (c->plan.status == 204)
		put_head(c, 204, (struct slice){ 0 }, 0);
	else
		put_error(c, c->plan.status, c->plan.text);
	next_request(c);
}

/* Answers with an error what was found to be a request for something. */
static void answer_instead(struct conn *c, uint16_t status, const char *reason)
{
	c->plan = (struct service_plan){ .status = status, .text = reason };
	conn_answer(c);
}

static void unavailable(struct conn *c, const char *reason)
{
	answer_instead(c, 503, reason);
}

void conn_begin(struct conn *c)
{
	const struct service *s = c->env->service;
	count_request(c);
	switch ((enum service_kind)c->plan.kind) {
	case SERVICE_SLEEP:
		c->state = SLEEP;
		break;
	case SERVICE_COMPUTE:
		c->state = COMPUTE;
		break;
	case SERVICE_FILE:
		if (s->file_len < c->plan.number || c->plan.number == 0) {
			unavailable(c, "no data file, or it is shorter than that");
			break;
		}
		c->stream_offset = 0;
		c->body_left = c->plan.number;
		c->state = FILE_READ;
		break;
	case SERVICE_QUERY:
		if (s->has_database)
			c->state = QUERY;
		else
			unavailable(c, "no database");
		break;
	case SERVICE_TEXT:
	case SERVICE_BYTES:
	case SERVICE_ECHO:
	case SERVICE_STATS:
		conn_answer(c);
		break;
	}
}

/* A file is answered in pieces of one buffer each: read into `body`, then moved to the output. */
struct file_read conn_file(struct conn *c)
{
	const struct service *s = c->env->service;
	struct buffer *b = chain_room(&c->body, &c->env->pool, POOL_BUFFER_CAP);
	if (!b)
		return (struct file_read){ 0 };
	if (c->body_left == c->plan.number) { /* the first piece: any aligned place will do */
		uint64_t blocks = (s->file_len - c->plan.number) / 4096 + 1;
		uint64_t count = atomic_load_explicit(&s->requests, memory_order_relaxed);
		/* a fraction of the whole: the multiples of the golden ratio visit all parts alike */
		c->stream_offset = ((count * 0x9e3779b97f4a7c15u >> 32) * blocks >> 32) * 4096;
	}
	size_t len = c->body_left < POOL_BUFFER_CAP ? (size_t)c->body_left : POOL_BUFFER_CAP;
	return (struct file_read){ c->stream_offset, b->bytes, len };
}

void conn_file_done(struct conn *c, ssize_t n)
{
	bool first = c->body_left == c->plan.number;
	if (n <= 0) {
		if (first)
			unavailable(c, "the data file cannot be read");
		else
			conn_close_now(c); /* the head has promised more: end short */
		conn_resume(c);
		return;
	}
	c->body.last->end += (uint32_t)n;
	c->stream_offset += (uint64_t)n;
	c->body_left -= (uint64_t)n;
	if (first)
		put_head(c, 200, SLICE("application/octet-stream"), c->plan.number);
	if (c->request.method == HTTP_HEAD)
		c->body_left = 0;
	else if (c->state != CLOSED)
		chain_move(&c->out, &c->body);
	if (c->body_left == 0)
		next_request(c);
	conn_resume(c);
}

struct slice conn_query_key(const struct conn *c)
{
	return buffer_slice(c->body.first);
}

void conn_query_done(struct conn *c, struct slice value)
{
	if (value.ptr) {
		put_whole(c, 200, SLICE("application/octet-stream"), value);
		next_request(c);
	} else if (value.len == CONN_NO_KEY) {
		answer_instead(c, 404, "the database has no such key");
	} else {
		unavailable(c, "the database gave no answer");
	}
	conn_resume(c);
}
