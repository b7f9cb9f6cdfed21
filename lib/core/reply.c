/*
 * reply.c: the answer's head, one byte at a time. A client that compares whole answers with the
 * first one seldom comes here; when it does, an answer has changed or was cut, and care counts,
 * not speed.
 *
 * The states follow the grammar of RFC 9112, sections 4 and 5, from top to bottom. Three fields
 * matter (names[]); while a name is read, a bit for each of them says whether it still fits.
 */
#include "reply.h"

enum state {
	IN_VERSION, /* "HTTP/1.x " */
	IN_STATUS,  /* three digits */
	IN_REASON,  /* a space, then anything up to the CR */
	AT_LINE_LF,
	AT_FIELD,   /* a name, or the CR of the empty line */
	IN_NAME,
	AT_VALUE,   /* white space before the value */
	IN_VALUE,   /* of a field that does not matter here */
	IN_LENGTH,
	AFTER_LENGTH,
	IN_TOKENS,  /* of Connection */
	AT_END_LF,
	IN_BODY,
};

enum { FIELD_LENGTH, FIELD_CODING, FIELD_CONNECTION, FIELD_COUNT };
static const char *const names[FIELD_COUNT] = {
	"content-length", "transfer-encoding", "connection"
};

enum { NO_MATCH = 255 }; /* `place` of a Connection token that is not "close" */

void reply_init(struct reply *r)
{
	memset(r, 0, sizeof *r);
}

static bool fail(struct reply *r, enum reply_fault fault)
{
	r->fault = (uint8_t)fault;
	return false;
}

static char lower(char ch)
{
	return ch >= 'A' && ch <= 'Z' ? (char)(ch | 0x20) : ch;
}

static bool is_digit(char ch)
{
	return ch >= '0' && ch <= '9';
}

static bool is_blank(char ch)
{
	return ch == ' ' || ch == '\t';
}

/* RFC 9110 5.6.2 */
static bool is_token_char(char ch)
{
	char low = lower(ch);
	return is_digit(ch) || (low >= 'a' && low <= 'z')
	    || (ch != '\0' && memchr("!#$%&'*+-.^_`|~", ch, 15) != NULL);
}

/* RFC 9110 5.5: what may stand in a field's value or a reason */
static bool is_text_char(char ch)
{
	return ch == '\t' || ((unsigned char)ch >= ' ' && ch != 0x7f);
}

static bool status_line_byte(struct reply *r, char ch)
{
	static const char version[] = "HTTP/1.";
	uint8_t place = r->place++;
	if (r->state == IN_VERSION) {
		if (place < 7)
			return ch == version[place] || fail(r, REPLY_FAULT_STATUS_LINE);
		if (place == 7) {
			r->close = ch == '0'; /* a 1.0 server closes unless asked otherwise */
			return ch == '0' || ch == '1' || fail(r, REPLY_FAULT_STATUS_LINE);
		}
		r->state = IN_STATUS;
		r->place = 0;
		return ch == ' ' || fail(r, REPLY_FAULT_STATUS_LINE);
	}
	if (r->state == IN_STATUS && place < 3) {
		if (!is_digit(ch))
			return fail(r, REPLY_FAULT_STATUS_LINE);
		r->status = (uint16_t)(r->status * 10 + (ch - '0'));
		return true;
	}
	if (r->state == IN_STATUS) {
		r->state = IN_REASON;
		return (ch == ' ' && r->status >= 100) || fail(r, REPLY_FAULT_STATUS_LINE);
	}
	r->place = 0;
	if (ch == '\r')
		r->state = AT_LINE_LF;
	else if (!is_text_char(ch))
		return fail(r, ch == '\n' ? REPLY_FAULT_LINE_END : REPLY_FAULT_STATUS_LINE);
	return true;
}

/* The colon: which field is it, and what of it must be read? */
static bool name_ended(struct reply *r)
{
	uint8_t len = r->place;
	r->state = AT_VALUE;
	r->place = 0;
	for (unsigned int i = 0; i < FIELD_COUNT; i++)
		if (r->candidates & 1u << i && names[i][len] != '\0')
			r->candidates &= (uint8_t)~(1u << i);
	if (r->candidates & 1u << FIELD_CODING)
		return fail(r, REPLY_FAULT_CODING);
	if (r->candidates & 1u << FIELD_LENGTH) {
		if (r->has_length)
			return fail(r, REPLY_FAULT_LENGTH);
		r->body_len = 0;
	}
	return true;
}

static bool name_byte(struct reply *r, char ch)
{
	if (ch == ':')
		return name_ended(r);
	if (!is_token_char(ch))
		return fail(r, ch == '\n' ? REPLY_FAULT_LINE_END : REPLY_FAULT_FIELD);
	for (unsigned int i = 0; i < FIELD_COUNT; i++)
		if (r->candidates & 1u << i && names[i][r->place] != lower(ch))
			r->candidates &= (uint8_t)~(1u << i);
	/* a name longer than any we know must not count round to 0 */
	if (r->candidates)
		r->place++;
	return true;
}

static bool length_byte(struct reply *r, char ch)
{
	if (r->state == IN_LENGTH && is_digit(ch)) {
		r->has_length = true;
		uint64_t digit = (uint64_t)(ch - '0');
		if (__builtin_mul_overflow(r->body_len, 10u, &r->body_len)
		    || __builtin_add_overflow(r->body_len, digit, &r->body_len))
			return fail(r, REPLY_FAULT_LENGTH);
		return true;
	}
	if (!r->has_length || (!is_blank(ch) && ch != '\r'))
		return fail(r, REPLY_FAULT_LENGTH);
	r->state = ch == '\r' ? AT_LINE_LF : AFTER_LENGTH;
	return true;
}

static bool tokens_byte(struct reply *r, char ch)
{
	static const char close_token[] = "close";
	if (ch == ',' || ch == '\r' || is_blank(ch)) {
		if (r->place == sizeof close_token - 1)
			r->close = true;
		r->place = 0;
		if (ch == '\r')
			r->state = AT_LINE_LF;
		return true;
	}
	if (!is_text_char(ch))
		return fail(r, ch == '\n' ? REPLY_FAULT_LINE_END : REPLY_FAULT_FIELD);
	bool fits = r->place < sizeof close_token - 1 && close_token[r->place] == lower(ch);
	r->place = fits ? (uint8_t)(r->place + 1) : NO_MATCH;
	return true;
}

static bool value_byte(struct reply *r, char ch)
{
	if (r->state == AT_VALUE) {
		if (is_blank(ch))
			return true;
		if (r->candidates & 1u << FIELD_LENGTH)
			r->state = IN_LENGTH;
		else if (r->candidates & 1u << FIELD_CONNECTION)
			r->state = IN_TOKENS;
		else
			r->state = IN_VALUE;
	}
	if (r->state == IN_LENGTH || r->state == AFTER_LENGTH)
		return length_byte(r, ch);
	if (r->state == IN_TOKENS)
		return tokens_byte(r, ch);
	if (ch == '\r')
		r->state = AT_LINE_LF;
	else if (!is_text_char(ch))
		return fail(r, ch == '\n' ? REPLY_FAULT_LINE_END : REPLY_FAULT_FIELD);
	return true;
}

/* The LF of the empty line: what follows? */
static bool head_ended(struct reply *r)
{
	if (r->status < 200) {
		/* 101 would end HTTP on this connection; nobody asked for it (RFC 9110 15.2.2) */
		if (r->status == 101)
			return fail(r, REPLY_FAULT_STATUS_LINE);
		uint16_t head_len = r->head_len;
		reply_init(r);
		r->head_len = head_len;
		return true;
	}
	if (r->status == 204 || r->status == 304)
		r->body_len = 0;
	else if (!r->has_length)
		return fail(r, REPLY_FAULT_NO_LENGTH);
	r->body_left = r->body_len;
	r->state = IN_BODY;
	return true;
}

static bool head_byte(struct reply *r, char ch)
{
	if (++r->head_len > REPLY_HEAD_MAX)
		return fail(r, REPLY_FAULT_TOO_LONG);
	if (r->state <= IN_REASON)
		return status_line_byte(r, ch);
	if (r->state == AT_LINE_LF || r->state == AT_END_LF) {
		if (ch != '\n')
			return fail(r, REPLY_FAULT_LINE_END);
		if (r->state == AT_END_LF)
			return head_ended(r);
		r->state = AT_FIELD;
		return true;
	}
	if (r->state == AT_FIELD) {
		if (ch == '\r') {
			r->state = AT_END_LF;
			return true;
		}
		r->state = IN_NAME;
		r->place = 0;
		r->candidates = (1u << FIELD_COUNT) - 1;
		if (ch == ':')
			return fail(r, REPLY_FAULT_FIELD);
	}
	return r->state == IN_NAME ? name_byte(r, ch) : value_byte(r, ch);
}

enum reply_step reply_feed(struct reply *r, struct slice *bytes, struct slice *piece)
{
	while (r->state != IN_BODY) {
		if (r->fault)
			return REPLY_BAD;
		if (bytes->len == 0)
			return REPLY_MORE;
		head_byte(r, *bytes->ptr);
		*bytes = slice_skip(*bytes, 1);
	}
	if (r->body_left == 0)
		return REPLY_DONE;
	if (bytes->len == 0)
		return REPLY_MORE;
	*piece = *bytes;
	if (piece->len > r->body_left)
		piece->len = (size_t)r->body_left;
	r->body_left -= piece->len;
	*bytes = slice_skip(*bytes, piece->len);
	return REPLY_BODY;
}

const char *reply_fault_text(enum reply_fault fault)
{
	switch (fault) {
	case REPLY_FAULT_NONE: return "no fault";
	case REPLY_FAULT_STATUS_LINE: return "the status line is none of HTTP/1.1";
	case REPLY_FAULT_FIELD: return "a field is not well-formed";
	case REPLY_FAULT_LINE_END: return "a line does not end with CRLF";
	case REPLY_FAULT_LENGTH: return "Content-Length is no number or stands twice";
	case REPLY_FAULT_CODING: return "Transfer-Encoding instead of Content-Length";
	case REPLY_FAULT_NO_LENGTH: return "no Content-Length";
	case REPLY_FAULT_TOO_LONG: return "the head is longer than 16 KiB";
	}
	return "unknown fault";
}
