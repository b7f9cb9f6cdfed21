/*
 * conn.c: the server's side of a connection as a state machine over bytes.
 *
 * take() is the heart: it reads what it can of the bytes at hand, in place, one line or one piece of body at a
 * time, and stops when the connection has to do something else first (send, sleep, compute ...) or when a line
 * is not complete. Only what is left then is copied, to a buffer that goes back as soon as it is used up.
 *
 * Output is a chain of buffers, then the stream of /bytes. No request is read while there is no room for its
 * answer: that is the bound on memory and the back-pressure in one.
 */
#include "lib/core/conn.h"

#include "lib/core/units.h"

enum conn_state {
	HEAD,       /* the request line and the fields */
	BODY,       /* body_left bytes of a body, or of a chunk when request.chunked */
	CHUNK_SIZE, /* the line before a chunk */
	CHUNK_END,  /* the CRLF behind it */
	TRAILER,    /* fields after the last chunk */
	SLEEP, COMPUTE, FILE_READ, QUERY, /* the shell's turn */
	FINISHED,   /* the last answer is out, or about to be: then SHUTDOWN */
	LINGER,     /* our FIN is sent; the client's is awaited, its bytes thrown away */
	CLOSED,
};

enum { ANSWER_ROOM = HTTP_RESPONSE_HEAD_MAX + SERVICE_STATS_MAX }; /* what any answer needs besides a long body */

/* --- the worker's share --------------------------------------------------------------------------- */

void conn_env_init(struct conn_env *e, struct service *s, void *(*grow)(size_t), void (*shrink)(void *))
{
	enum { KEEP = 64 };
	*e = (struct conn_env){ .service = s, .wall_s = UINT64_MAX };
	pool_init(&e->pool, KEEP, grow, shrink);
	conn_env_tick(e, 0, 0);
}

void conn_env_deinit(struct conn_env *e)
{
	pool_deinit(&e->pool);
}

void conn_env_tick(struct conn_env *e, uint64_t wall_s, uint32_t monotonic_s)
{
	e->now_s = monotonic_s;
	if (wall_s == e->wall_s)
		return;
	e->wall_s = wall_s;
	struct slice model = { e->service->model, strlen(e->service->model) };
	char *at = slice_put(e->fixed, SLICE("Server: c10k/"));
	at = slice_put(at, model);
	at = slice_put(at, SLICE("\r\nDate: "));
	http_put_date(at, wall_s);
	at = slice_put(at + HTTP_DATE_LEN, SLICE("\r\n"));
	e->fixed_len = (uint32_t)(at - e->fixed);
}

/* --- buffers -------------------------------------------------------------------------------------- */

static void drop_chain(struct conn *c, struct buffer **first)
{
	while (*first) {
		struct buffer *b = *first;
		*first = b->next;
		pool_give(&c->env->pool, b);
	}
}

static void close_now(struct conn *c)
{
	drop_chain(c, &c->out);
	c->stream_left = 0;
	c->state = CLOSED;
}

/* The chain's last buffer with `room` bytes free; without memory NULL, and the connection is closed. */
static struct buffer *chain_room(struct conn *c, struct buffer **first, struct buffer **last, size_t room)
{
	if (c->state == CLOSED)
		return NULL;
	if (*first && buffer_room(*last) >= room)
		return *last;
	struct buffer *b = pool_take(&c->env->pool);
	if (!b) {
		close_now(c);
		return NULL;
	}
	if (*first)
		(*last)->next = b;
	else
		*first = b;
	*last = b;
	return b;
}

static void chain_append(struct conn *c, struct buffer **first, struct buffer **last, struct slice bytes)
{
	while (bytes.len > 0) {
		struct buffer *b = chain_room(c, first, last, 1);
		if (!b)
			return;
		size_t len = bytes.len < buffer_room(b) ? bytes.len : buffer_room(b);
		buffer_append(b, bytes.ptr, len);
		bytes = slice_skip(bytes, len);
	}
}

/* --- answers -------------------------------------------------------------------------------------- */

static void next_request(struct conn *c)
{
	drop_chain(c, &c->body);
	c->body_len = 0;
	http_request_init(&c->request);
	if (c->state != CLOSED)
		c->state = c->closing ? FINISHED : HEAD;
}

static void put_head(struct conn *c, uint16_t status, struct slice type, uint64_t length)
{
	struct buffer *b = chain_room(c, &c->out, &c->out_last, ANSWER_ROOM);
	if (!b)
		return;
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

static void put_body(struct conn *c, struct slice body)
{
	if (c->request.method != HTTP_HEAD)
		chain_append(c, &c->out, &c->out_last, body);
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
	struct service *s = c->env->service;
	atomic_fetch_add_explicit(&s->requests, 1, memory_order_relaxed);
	c->closing |= atomic_load_explicit(&s->stopping, memory_order_relaxed);
}

/* The message cannot be trusted: answer, and read no more of it. */
static void fail(struct conn *c, uint16_t status, const char *reason)
{
	count_request(c);
	c->closing = true;
	c->plan.allow = NULL;
	put_error(c, status, reason);
	next_request(c);
}

static void answer_bytes(struct conn *c)
{
	put_head(c, 200, SLICE("application/octet-stream"), c->plan.number);
	if (c->request.method == HTTP_HEAD || !c->out)
		return;
	c->stream_offset = 0;
	c->stream_left = c->plan.number;
	if (c->stream_left <= buffer_room(c->out_last)) { /* a short one leaves with its head, in one send */
		chain_append(c, &c->out, &c->out_last, service_pattern(0, c->stream_left));
		c->stream_left = 0;
	}
}

static void answer_echo(struct conn *c)
{
	put_head(c, 200, SLICE("application/octet-stream"), c->body_len);
	if (!c->out || !c->body)
		return;
	c->out_last->next = c->body;
	c->out_last = c->body_last;
	c->body = NULL;
}

/* Answers what needs no waiting, once it is there; ends the request. */
static void answer(struct conn *c)
{
	char text[SERVICE_STATS_MAX];
	const struct service_plan *plan = &c->plan;
	if (plan->status == 204) {
		put_head(c, 204, (struct slice){ 0 }, 0);
	} else if (plan->status != 200) {
		put_error(c, plan->status, plan->text);
	} else switch ((enum service_kind)plan->kind) {
	case SERVICE_TEXT:
		put_whole(c, 200, SLICE("text/plain"), (struct slice){ plan->text, strlen(plan->text) });
		break;
	case SERVICE_BYTES:
		answer_bytes(c);
		break;
	case SERVICE_ECHO:
		answer_echo(c);
		break;
	case SERVICE_STATS:
		put_whole(c, 200, SLICE("application/json"),
		    (struct slice){ text, service_put_stats(text, c->env->service) });
		break;
	case SERVICE_SLEEP:
		put_whole(c, 200, SLICE("text/plain"), SLICE("slept\n"));
		break;
	case SERVICE_COMPUTE:
		put_whole(c, 200, SLICE("text/plain"), (struct slice){ text, units_put_digits(text, c->result) });
		break;
	case SERVICE_FILE:  /* conn_file_done() */
	case SERVICE_QUERY: /* conn_query_done() */
		break;
	}
	next_request(c);
}

static void unavailable(struct conn *c, const char *reason)
{
	c->plan = (struct service_plan){ .status = 503, .text = reason };
	answer(c);
}

/* A whole request is here. */
static void begin(struct conn *c)
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
		answer(c);
		break;
	}
}

/* --- reading -------------------------------------------------------------------------------------- */

static void request_line_done(struct conn *c, struct slice target)
{
	if (c->request.status) { /* an unknown method: answered when the message has ended */
		c->plan = (struct service_plan){ .status = c->request.status, .text = c->request.reason };
		return;
	}
	c->plan = service_plan((enum http_method)c->request.method, target);
	if (c->plan.kind == SERVICE_QUERY) /* the target's memory goes; the key must outlive it */
		chain_append(c, &c->body, &c->body_last,
		    (struct slice){ target.ptr + c->plan.key_offset, c->plan.key_len });
}

static void head_done(struct conn *c)
{
	const struct http_request *r = &c->request;
	bool has_body = r->chunked || (r->has_length && r->content_length > 0);
	c->closing |= http_must_close(r);
	if (service_wants_body(&c->plan) && !r->chunked && !r->has_length) {
		fail(c, 411, "POST needs Content-Length or chunked (RFC 9110 15.5.12)");
		return;
	}
	if (!has_body) {
		begin(c);
		return;
	}
	if (r->expect_continue)
		chain_append(c, &c->out, &c->out_last, SLICE("HTTP/1.1 100 Continue\r\n\r\n"));
	c->body_left = r->content_length;
	if (c->state != CLOSED)
		c->state = r->chunked ? CHUNK_SIZE : BODY;
}

static void chunk_size_line(struct conn *c, struct slice line)
{
	if (!http_chunk_line(line, &c->body_left))
		fail(c, 400, "chunk size is not a hexadecimal number and CR LF (RFC 9112 7.1)");
	else if (c->body_left > HTTP_BODY_MAX - c->body_len)
		fail(c, 413, "body over 1 MiB (RFC 9110 15.5.14)");
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
		fail(c, c->request.status, c->request.reason);
		break;
	case HTTP_END:
		if (c->state == TRAILER)
			begin(c);
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
			fail(c, 400, "chunk size is not a hexadecimal number and CR LF (RFC 9112 7.1)");
	} else if (http_head_partial(&c->request, bytes, len) == HTTP_BAD) {
		fail(c, c->request.status, c->request.reason);
	}
}

static size_t take_body(struct conn *c, const char *bytes, size_t len)
{
	size_t used = len < c->body_left ? len : (size_t)c->body_left;
	if (service_wants_body(&c->plan))
		chain_append(c, &c->body, &c->body_last, (struct slice){ bytes, used });
	c->body_left -= used;
	c->body_len += (uint32_t)used;
	if (c->body_left == 0 && c->state != CLOSED) {
		if (c->request.chunked)
			c->state = CHUNK_END;
		else
			begin(c);
	}
	return used;
}

/* CR, then LF; body_left counts which of them is next. */
static size_t take_chunk_end(struct conn *c, const char *bytes)
{
	if (bytes[0] != "\r\n"[c->body_left]) {
		fail(c, 400, "chunk data longer than its size (RFC 9112 7.1)");
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
	return !c->out || (c->out == c->out_last && buffer_room(c->out) >= ANSWER_ROOM);
}

/* Reads what it can of `len` bytes; returns how many are used up. */
static size_t take(struct conn *c, const char *bytes, size_t len)
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

/* Is a request on its way that is not complete? */
static bool is_amid_request(const struct conn *c)
{
	return c->state != HEAD || c->in || c->request.has_line || c->request.leading_crlf_count > 0;
}

/* Sets the time after which the connection, as it is now, has waited too long. */
static void set_deadline(struct conn *c)
{
	uint32_t now_s = c->env->now_s;
	if (c->out || c->stream_left > 0)
		c->deadline_s = now_s + CONN_SEND_TIMEOUT_S;
	else if (c->state == HEAD && !is_amid_request(c))
		c->deadline_s = now_s + CONN_IDLE_TIMEOUT_S;
	else if (c->state == HEAD && !c->head_timed)
		c->deadline_s = now_s + CONN_HEAD_TIMEOUT_S; /* from its first byte, not from its last */
	else if (c->state > HEAD && c->state <= TRAILER)
		c->deadline_s = now_s + CONN_BODY_TIMEOUT_S;
	else if (c->state != HEAD && c->state != LINGER)
		c->deadline_s = UINT32_MAX;
	c->head_timed = c->state == HEAD && is_amid_request(c) && !c->out && c->stream_left == 0;
}

/* Goes on with what was put aside, now that something has changed. */
static void resume(struct conn *c)
{
	if (c->in) {
		struct slice rest = buffer_slice(c->in);
		c->in->start += (uint32_t)take(c, rest.ptr, rest.len);
		if (c->in->start == c->in->end) {
			pool_give(&c->env->pool, c->in);
			c->in = NULL;
		}
	}
	set_deadline(c);
}

/* --- the API -------------------------------------------------------------------------------------- */

void conn_init(struct conn *c, struct conn_env *e)
{
	*c = (struct conn){ .env = e, .state = HEAD };
	set_deadline(c);
}

void conn_deinit(struct conn *c)
{
	close_now(c);
	drop_chain(c, &c->body);
	drop_chain(c, &c->in);
}

enum conn_want conn_wants(const struct conn *c)
{
	if (c->out || c->stream_left > 0)
		return CONN_WANT_SEND;
	switch ((enum conn_state)c->state) {
	case HEAD:
	case BODY:
	case CHUNK_SIZE:
	case CHUNK_END:
	case TRAILER:
	case LINGER:
		return CONN_WANT_RECV;
	case SLEEP:
		return CONN_WANT_SLEEP;
	case COMPUTE:
		return CONN_WANT_COMPUTE;
	case FILE_READ:
		return CONN_WANT_FILE;
	case QUERY:
		return CONN_WANT_QUERY;
	case FINISHED:
		return CONN_WANT_SHUTDOWN;
	case CLOSED:
		break;
	}
	return CONN_WANT_CLOSE;
}

void conn_feed(struct conn *c, const void *bytes, size_t len)
{
	if (c->state == LINGER) {
		c->body_left -= len < c->body_left ? len : c->body_left;
		if (c->body_left == 0)
			close_now(c);
		return;
	}
	if (!c->in) {
		size_t used = take(c, bytes, len);
		bytes = (const char *)bytes + used;
		len -= used;
		if (len > 0 && !(c->in = pool_take(&c->env->pool)))
			close_now(c);
		if (len == 0 || !c->in) {
			set_deadline(c);
			return;
		}
		buffer_append(c->in, bytes, len);
		set_deadline(c);
		return;
	}
	struct buffer *b = c->in;
	if (buffer_room(b) < len) {
		memmove(b->bytes, b->bytes + b->start, b->end - b->start);
		b->end -= b->start;
		b->start = 0;
	}
	buffer_append(b, bytes, len);
	resume(c);
}

void conn_feed_eof(struct conn *c)
{
	close_now(c);
}

struct slice conn_output(const struct conn *c)
{
	return c->out ? buffer_slice(c->out) : service_pattern(c->stream_offset, c->stream_left);
}

void conn_sent(struct conn *c, size_t len)
{
	if (c->out) {
		struct buffer *b = c->out;
		b->start += (uint32_t)len;
		if (b->start == b->end) {
			c->out = b->next;
			pool_give(&c->env->pool, b);
		}
	} else {
		c->stream_offset += len;
		c->stream_left -= len;
	}
	if (c->out || c->stream_left > 0)
		set_deadline(c);
	else
		resume(c);
}

uint64_t conn_sleep_ns(const struct conn *c)
{
	return c->plan.number * 1000000;
}

void conn_woke(struct conn *c)
{
	answer(c);
	resume(c);
}

void conn_compute(struct conn *c)
{
	c->result = service_compute(c->plan.number);
}

void conn_computed(struct conn *c)
{
	answer(c);
	resume(c);
}

/*
 * A file is answered in pieces of one buffer. The first leaves room in front for the head, which is written
 * once the read has succeeded; a later one that fails can only end the connection short.
 */
struct file_read conn_file(struct conn *c)
{
	const struct service *s = c->env->service;
	struct buffer *b = c->body;
	if (!b) {
		b = pool_take(&c->env->pool);
		if (!b)
			return (struct file_read){ 0 };
		b->start = b->end = HTTP_RESPONSE_HEAD_MAX;
		c->body = c->body_last = b;
	}
	size_t len = c->body_left < buffer_room(b) ? (size_t)c->body_left : buffer_room(b);
	uint64_t blocks = (s->file_len - c->plan.number) / 4096 + 1;
	uint64_t hash = atomic_load_explicit(&s->requests, memory_order_relaxed) * 0x9e3779b97f4a7c15u;
	if (c->body_left == c->plan.number)
		c->stream_offset = (hash >> 32) % blocks * 4096;
	return (struct file_read){ c->stream_offset, b->bytes + b->end, len };
}

void conn_file_done(struct conn *c, ssize_t n)
{
	bool first = c->body_left == c->plan.number;
	struct buffer *b = c->body;
	if (n <= 0 || !b) {
		drop_chain(c, &c->body);
		if (first)
			unavailable(c, "the data file cannot be read");
		else
			close_now(c);
		resume(c);
		return;
	}
	b->end += (uint32_t)n;
	c->body = NULL;
	if (first)
		put_head(c, 200, SLICE("application/octet-stream"), c->plan.number);
	if (c->request.method == HTTP_HEAD || c->state == CLOSED) {
		pool_give(&c->env->pool, b);
		c->body_left = 0;
	} else {
		if (c->out)
			c->out_last->next = b;
		else
			c->out = b;
		c->out_last = b;
		c->stream_offset += (uint64_t)n;
		c->body_left -= (uint64_t)n;
	}
	if (c->body_left == 0)
		next_request(c);
	resume(c);
}

struct slice conn_query_key(const struct conn *c)
{
	return buffer_slice(c->body);
}

void conn_query_done(struct conn *c, struct slice value)
{
	if (!value.ptr)
		unavailable(c, "the database gave no value");
	else {
		put_whole(c, 200, SLICE("application/octet-stream"), value);
		next_request(c);
	}
	resume(c);
}

void conn_shut(struct conn *c)
{
	c->state = LINGER;
	c->body_left = CONN_LINGER_MAX;
	c->deadline_s = c->env->now_s + CONN_LINGER_TIMEOUT_S;
}

bool conn_is_late(const struct conn *c)
{
	return c->env->now_s >= c->deadline_s;
}

void conn_expire(struct conn *c)
{
	bool waits_for_client = c->state <= TRAILER && is_amid_request(c) && conn_wants(c) == CONN_WANT_RECV;
	if (!waits_for_client) {
		close_now(c);
		return;
	}
	fail(c, 408, c->state == HEAD ? "the head took over 10 s" : "the body paused for over 10 s");
	drop_chain(c, &c->in);
	set_deadline(c);
}

bool conn_is_idle(const struct conn *c)
{
	return conn_wants(c) == CONN_WANT_RECV && !is_amid_request(c);
}
