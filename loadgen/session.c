/*
 * session.c: the rare half of a session. An answer comes here when it was cut, when its head is not
 * that of the first answer, or when something is wrong with it; then it is parsed in full and its
 * body compared as it passes, so that an answer of any length needs no buffer.
 *
 * An answer with a wrong status or body but sound framing leaves the connection usable: it is an
 * error, and the next request may follow. After a malformed one nothing on the connection can be
 * trusted.
 */
#include "session.h"

_Static_assert(sizeof(struct session) == 64, "a session is one cache line");

/* Splits the answer at the value of its Date (RFC 9110 6.6.1); without one all is behind. */
static void split_at_date(struct exchange *x, size_t head_len)
{
	static const struct slice name = SLICE("\r\ndate:");
	x->before_date = (struct slice){ x->answer.ptr, 0 };
	x->behind_date = x->answer;
	for (size_t at = 0; at + name.len < head_len; at++) {
		if (!slice_equals_nocase((struct slice){ x->answer.ptr + at, name.len }, name))
			continue;
		x->before_date.len = at + name.len;
		x->behind_date = slice_skip(x->answer, x->before_date.len);
		while (*x->behind_date.ptr != '\r')
			x->behind_date = slice_skip(x->behind_date, 1);
		return;
	}
}

void exchange_init(struct exchange *x, struct slice answer)
{
	struct reply reply;
	struct slice rest = answer, piece;
	reply_init(&reply);
	while (reply_feed(&reply, &rest, &piece) == REPLY_BODY)
		;
	x->answer = answer;
	x->body = slice_skip(answer, reply.head_len);
	split_at_date(x, reply.head_len);
	/* one that ends the connection unasked is parsed each time, for its Connection field */
	if (reply.close && !x->closes)
		x->answer.len = SIZE_MAX;
}

bool exchange_likes(const struct exchange *x, uint16_t status)
{
	return x->status ? status == x->status : status >= 200 && status <= 299;
}

/* Compares a piece of body that has just been taken with the same place of the first one. */
static void check_piece(struct session *s, const struct exchange *x, struct slice piece)
{
	uint64_t offset = s->reply.body_len - s->reply.body_left - piece.len;
	if (s->reply.body_len != x->body.len
	    || memcmp(piece.ptr, x->body.ptr + offset, piece.len) != 0)
		s->wrong_body = true;
}

/* Is the request out to which this answer belongs? Of a batch the first may be answered early. */
static bool is_asked(const struct session *s, const struct exchange *x)
{
	uint32_t answer_number = (uint32_t)(x->depth - s->due_count) + 1;
	return s->sent_len >= x->request.len / x->depth * answer_number;
}

enum session_step session_parse(struct session *s, const struct exchange *x, struct slice *bytes)
{
	if (!session_in_flight(s))
		return SESSION_MALFORMED; /* an answer to no request */
	if (s->reply.head_len == 0) {
		reply_init(&s->reply); /* forget the last one's Connection field */
		s->wrong_body = false;
	}
	struct slice piece;
	enum reply_step step;
	while ((step = reply_feed(&s->reply, bytes, &piece)) == REPLY_BODY)
		check_piece(s, x, piece);
	if (step == REPLY_MORE)
		return SESSION_MORE;
	if (step == REPLY_BAD || !is_asked(s, x))
		return SESSION_MALFORMED;
	bool wrong_body = s->wrong_body || s->reply.body_len != x->body.len;
	s->reply.head_len = 0;
	if (!exchange_likes(x, s->reply.status))
		return session_settle(s, *bytes, SESSION_WRONG_STATUS);
	return session_settle(s, *bytes, wrong_body ? SESSION_WRONG_BODY : SESSION_ANSWERED);
}

void session_close(struct session *s)
{
	s->state = SESSION_CLOSED;
	s->fd = -1;
	s->sent_len = 0;
	s->request_count = 0;
	s->due_count = 0;
	reply_init(&s->reply);
}
