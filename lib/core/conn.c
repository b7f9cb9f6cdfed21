/*
 * conn.c: a connection as the shell sees it: what it wants, what it is told, when it has waited
 * too long. conn_read.c reads requests, conn_answer.c writes answers.
 *
 * Bytes are read where they lie. Only what is left when reading must stop is copied, to one
 * buffer that goes back as soon as it is used up. No request is read while there is no room for
 * its answer, or output is blocked: the bound on memory and the back-pressure in one.
 */
#include "lib/core/conn.h"

#include "lib/core/conn_private.h"

void conn_env_init(struct conn_env *e, struct service *s, void *(*grow)(size_t), void (*shrink)(void *))
{
	enum { KEEP = 64 };
	*e = (struct conn_env){
		.service = s,
		.wall_s = UINT64_MAX,
		.idle_timeout_s = CONN_IDLE_TIMEOUT_S,
	};
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

/* Is a request on its way that is not complete? */
static bool is_amid_request(const struct conn *c)
{
	return c->state != HEAD || c->in || c->request.has_line || c->request.leading_crlf_count > 0;
}

/* The second at hand has begun already: with one more, no deadline comes early. */
static uint32_t deadline_in(const struct conn *c, uint32_t wait_s)
{
	return c->env->now_s + 1 + wait_s;
}

/* Sets the time after which the connection, as it is now, has waited too long. */
static void set_deadline(struct conn *c)
{
	if (conn_has_output(c))
		c->deadline_s = deadline_in(c, CONN_SEND_TIMEOUT_S);
	else if (c->state == HEAD && !is_amid_request(c))
		c->deadline_s = deadline_in(c, c->env->idle_timeout_s);
	else if (c->state == HEAD && !c->head_timed)
		c->deadline_s = deadline_in(c, CONN_HEAD_TIMEOUT_S); /* from its first byte, not its last */
	else if (c->state > HEAD && c->state <= TRAILER)
		c->deadline_s = deadline_in(c, CONN_BODY_TIMEOUT_S);
	else if (c->state != HEAD && c->state != LINGER)
		c->deadline_s = UINT32_MAX;
	c->head_timed = c->state == HEAD && is_amid_request(c) && !conn_has_output(c);
}

static void drop_input(struct conn *c)
{
	if (c->in)
		pool_give(&c->env->pool, c->in);
	c->in = NULL;
}

void conn_resume(struct conn *c)
{
	if (c->in) {
		struct slice rest = buffer_slice(c->in);
		c->in->start += (uint32_t)conn_take(c, rest.ptr, rest.len);
		if (c->in->start == c->in->end)
			drop_input(c);
	}
	set_deadline(c);
}

void conn_close_now(struct conn *c)
{
	chain_drop(&c->out, &c->env->pool);
	c->stream_left = 0;
	c->state = CLOSED;
}

/* --- the API --------------------------------------------------------------------------------- */

void conn_init(struct conn *c, struct conn_env *e)
{
	*c = (struct conn){ .env = e, .state = HEAD };
	set_deadline(c);
}

void conn_deinit(struct conn *c)
{
	conn_close_now(c);
	chain_drop(&c->body, &c->env->pool);
	drop_input(c);
}

enum conn_want conn_wants(const struct conn *c)
{
	if (conn_has_output(c))
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
			conn_close_now(c);
		return;
	}
	if (!c->in) {
		size_t used = conn_take(c, bytes, len);
		if (used < len && !(c->in = pool_take(&c->env->pool)))
			conn_close_now(c);
		else if (used < len)
			buffer_append(c->in, (const char *)bytes + used, len - used);
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
	conn_resume(c);
}

void conn_feed_eof(struct conn *c)
{
	conn_close_now(c);
}

struct slice conn_output(const struct conn *c)
{
	return c->out.first ? buffer_slice(c->out.first) : service_pattern(c->stream_offset, c->stream_left);
}

void conn_sent(struct conn *c, size_t len)
{
	if (c->out.first) {
		chain_consume(&c->out, &c->env->pool, len);
	} else {
		c->stream_offset += len;
		c->stream_left -= len;
	}
	if (conn_has_output(c))
		set_deadline(c);
	else
		conn_resume(c);
}

uint64_t conn_sleep_ns(const struct conn *c)
{
	return c->plan.number * 1000000;
}

void conn_woke(struct conn *c)
{
	conn_answer(c);
	conn_resume(c);
}

void conn_compute(struct conn *c)
{
	c->result = service_compute(c->plan.number);
}

void conn_computed(struct conn *c)
{
	conn_answer(c);
	conn_resume(c);
}

void conn_shut(struct conn *c)
{
	c->state = LINGER;
	c->body_left = CONN_LINGER_MAX;
	c->deadline_s = deadline_in(c, CONN_LINGER_TIMEOUT_S);
}

bool conn_is_late(const struct conn *c)
{
	return c->env->now_s >= c->deadline_s;
}

void conn_expire(struct conn *c)
{
	bool waits_for_client = c->state <= TRAILER && is_amid_request(c) && conn_wants(c) == CONN_WANT_RECV;
	if (!waits_for_client) {
		conn_close_now(c);
		return;
	}
	conn_fail(c, 408, c->state == HEAD ? "the head took over 10 s" : "the body paused for over 10 s");
	drop_input(c);
	set_deadline(c);
}

bool conn_is_idle(const struct conn *c)
{
	return conn_wants(c) == CONN_WANT_RECV && !is_amid_request(c);
}
