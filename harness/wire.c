/*
 * wire.c: see wire.h. The judge reads the transcript from its beginning each time something comes:
 * answers are short, and a body is skipped by its length, so a whole 1 MiB answer costs no more
 * than its head.
 *
 * It reads as a strict client: a status line, field lines that end with CR LF, exactly the fields
 * that the contract promises, exactly as many bytes of body as they say, and nothing behind the
 * last answer.
 */
#include "harness/wire.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct answer {
	uint16_t status;
	struct slice head; /* with the empty line */
	struct slice body;
	bool close;
};

struct transcript {
	struct slice left; /* what has not been read yet */
	bool ended;
	const char *server;
	char *why;
	uint32_t number; /* of the answer being read, from 1 */
};

__attribute__((format(printf, 2, 3))) static enum wire_verdict wrong(
    struct transcript *t, const char *format, ...)
{
	va_list arguments;
	int at = t->number > 0 ? snprintf(t->why, WIRE_WHY_CAP, "answer %u: ", t->number) : 0;
	va_start(arguments, format);
	vsnprintf(t->why + at, WIRE_WHY_CAP - (size_t)at, format, arguments);
	va_end(arguments);
	return WIRE_WRONG;
}

/* --- reading one answer ----------------------------------------------------------------------- */

/* Takes a line off `text`, without its CR LF. False when there is none. */
static bool next_line(struct slice *text, struct slice *line)
{
	const char *end = memmem(text->ptr, text->len, "\r\n", 2);
	if (!end)
		return false;
	*line = (struct slice){ text->ptr, (size_t)(end - text->ptr) };
	*text = slice_skip(*text, line->len + 2);
	return true;
}

/* Counts the fields called `name` (lower case) in the head, and gives the last one's value. */
static uint32_t find_field(struct slice head, struct slice name, struct slice *value)
{
	struct slice line;
	uint32_t count = 0;
	next_line(&head, &line);
	while (next_line(&head, &line) && line.len > 0) {
		if (line.len <= name.len || line.ptr[name.len] != ':' ||
		    !slice_equals_nocase((struct slice){ line.ptr, name.len }, name))
			continue;
		*value = slice_skip(line, name.len + 1);
		while (value->len > 0 && value->ptr[0] == ' ')
			*value = slice_skip(*value, 1);
		count++;
	}
	return count;
}

static bool is_status_line(struct slice line)
{
	return line.len > 13 && memcmp(line.ptr, "HTTP/1.1 ", 9) == 0 && line.ptr[9] >= '1' &&
	    line.ptr[9] <= '5' && line.ptr[10] >= '0' && line.ptr[10] <= '9' &&
	    line.ptr[11] >= '0' && line.ptr[11] <= '9' && line.ptr[12] == ' ';
}

/* Every line "name: value", no stray CR or LF in it (RFC 9112 5). */
static bool is_field_section(struct slice head)
{
	struct slice line;
	next_line(&head, &line);
	while (next_line(&head, &line) && line.len > 0) {
		const char *colon = memchr(line.ptr, ':', line.len);
		if (!colon || colon == line.ptr || memchr(line.ptr, '\r', line.len) ||
		    memchr(line.ptr, '\n', line.len) ||
		    memchr(line.ptr, ' ', (size_t)(colon - line.ptr)))
			return false;
	}
	return true;
}

/* IMF-fixdate, RFC 9110 5.6.7. */
static bool is_date(struct slice value)
{
	char text[30], again[30];
	struct tm tm = { 0 };
	if (value.len != 29)
		return false;
	memcpy(text, value.ptr, 29);
	text[29] = '\0';
	const char *end = strptime(text, "%a, %d %b %Y %H:%M:%S GMT", &tm);
	return end == text + 29 &&
	    strftime(again, sizeof again, "%a, %d %b %Y %H:%M:%S GMT", &tm) == 29 &&
	    strcmp(text, again) == 0;
}

/* The fields that the contract promises in every final answer. */
static enum wire_verdict judge_fields(struct transcript *t, const struct answer *a)
{
	struct slice value;
	struct slice server = { t->server, strlen(t->server) };
	if (find_field(a->head, SLICE("date"), &value) != 1 || !is_date(value))
		return wrong(t, "no Date, or none as RFC 9110 5.6.7 writes it");
	if (find_field(a->head, SLICE("server"), &value) != 1 || !slice_equals(value, server))
		return wrong(t, "Server is not %s (CONTRACT)", t->server);
	if (find_field(a->head, SLICE("transfer-encoding"), &value) != 0)
		return wrong(t, "Transfer-Encoding, where a Content-Length is promised (CONTRACT)");
	uint32_t length_count = find_field(a->head, SLICE("content-length"), &value);
	if (a->status == 204 ? length_count != 0 : length_count != 1)
		return wrong(
		    t, "%u Content-Length fields in a %u (RFC 9110 8.6)", length_count, a->status);
	return WIRE_RIGHT;
}

/* Takes one answer off the transcript. */
static enum wire_verdict take_answer(struct transcript *t, bool to_head, struct answer *a)
{
	struct slice text = t->left, value;
	const char *end = memmem(text.ptr, text.len, "\r\n\r\n", 4);
	t->number++;
	if (!end) {
		if (t->ended)
			return wrong(t,
			    text.len > 0 ? "ends within its head"
					 : "none, the connection has ended");
		return WIRE_MORE;
	}
	*a = (struct answer){ .head = { text.ptr, (size_t)(end - text.ptr) + 4 } };
	if (!is_status_line(a->head))
		return wrong(t, "no status line (RFC 9112 4)");
	if (!is_field_section(a->head))
		return wrong(t, "field lines not as RFC 9112 5 has them");
	a->status = (uint16_t)strtoul(text.ptr + 9, NULL, 10);
	if (find_field(a->head, SLICE("connection"), &value) > 0)
		a->close = slice_equals_nocase(value, SLICE("close"));
	t->left = slice_skip(text, a->head.len);
	if (a->status < 200)
		return WIRE_RIGHT;
	if (judge_fields(t, a) == WIRE_WRONG)
		return WIRE_WRONG;
	uint64_t len = 0;
	if (!to_head && find_field(a->head, SLICE("content-length"), &value) == 1)
		len = strtoull(value.ptr, NULL, 10);
	if (t->left.len < len) {
		if (t->ended)
			return wrong(t, "%zu bytes of body instead of %llu", t->left.len,
			    (unsigned long long)len);
		return WIRE_MORE;
	}
	a->body = (struct slice){ t->left.ptr, (size_t)len };
	t->left = slice_skip(t->left, a->body.len);
	return WIRE_RIGHT;
}

/* --- judging ---------------------------------------------------------------------------------- */

/* Is the body `text` over and over? Then it begins with it, and equals itself one period on. */
static bool repeats(struct slice body, const char *text)
{
	size_t period = strlen(text);
	if (body.len < period)
		return memcmp(body.ptr, text, body.len) == 0;
	return memcmp(body.ptr, text, period) == 0 &&
	    memcmp(body.ptr, body.ptr + period, body.len - period) == 0;
}

/* What a case says of its last answer alone. */
static enum wire_verdict judge_last(
    struct transcript *t, const struct wire_case *c, const struct answer *a)
{
	static const char pattern[] =
	    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
	struct slice value;
	bool ends = (c->flags & WIRE_CLOSE) && !(c->flags & WIRE_FIN);
	if (a->close != ends)
		return wrong(t, "%s Connection: close (RFC 9112 9.6)", ends ? "without" : "with");
	if (c->body) {
		if (!slice_equals(a->body, (struct slice){ c->body, strlen(c->body) }))
			return wrong(t, "body is not \"%.80s\"", c->body);
	} else if (c->body_len > 0) {
		find_field(a->head, SLICE("content-length"), &value);
		if (strtoull(value.ptr, NULL, 10) != c->body_len)
			return wrong(t, "Content-Length is not %u", c->body_len);
		if (!repeats(a->body, c->fill ? c->fill : pattern))
			return wrong(t, "body is not what was asked for");
	}
	if (c->field) {
		char line[128];
		int len = snprintf(line, sizeof line, "\r\n%s\r\n", c->field);
		if (!memmem(a->head.ptr, a->head.len, line, (size_t)len))
			return wrong(t, "without the line \"%s\"", c->field);
	}
	return WIRE_RIGHT;
}

static enum wire_verdict take_case(struct transcript *t, const struct wire_case *c)
{
	for (uint32_t i = 0; i < WIRE_ANSWERS_MAX && c->status[i]; i++) {
		struct answer a;
		bool last = i + 1 == WIRE_ANSWERS_MAX || !c->status[i + 1];
		enum wire_verdict verdict = take_answer(t, last && (c->flags & WIRE_HEAD), &a);
		if (verdict != WIRE_RIGHT)
			return verdict;
		if (a.status != c->status[i])
			return wrong(t, "status %u instead of %u", a.status, c->status[i]);
		if (last)
			return judge_last(t, c, &a);
		if (a.close)
			return wrong(t, "Connection: close, and yet more to come");
	}
	return WIRE_RIGHT;
}

static enum wire_verdict take_next(struct transcript *t)
{
	struct answer a;
	enum wire_verdict verdict = take_answer(t, false, &a);
	if (verdict == WIRE_RIGHT &&
	    (a.status != 200 || !slice_equals(a.body, SLICE(WIRE_NEXT_BODY))))
		return wrong(t, "to the other request it is not 200 with \"" WIRE_NEXT_BODY "\"");
	return verdict;
}

/* A message cut short may be answered with an error, or not at all. */
static enum wire_verdict take_cut(struct transcript *t)
{
	struct answer a;
	if (t->left.len == 0)
		return t->ended ? WIRE_RIGHT : WIRE_MORE;
	enum wire_verdict verdict = take_answer(t, false, &a);
	if (verdict == WIRE_RIGHT && a.status < 400)
		return wrong(t, "status %u to a message that is not complete", a.status);
	return verdict;
}

enum wire_verdict wire_judge(const struct wire_case *c, enum wire_sending sending,
    struct slice came, bool ended, const char *server, char why[WIRE_WHY_CAP])
{
	struct transcript t = { .left = came, .ended = ended, .server = server, .why = why };
	bool coalesced = sending == WIRE_COALESCED;
	bool cut = c->flags & WIRE_CUT;
	enum wire_verdict verdict = WIRE_RIGHT;
	if (cut && coalesced)
		verdict = take_next(&t);
	if (verdict == WIRE_RIGHT)
		verdict = cut ? take_cut(&t) : take_case(&t, c);
	if (verdict != WIRE_RIGHT)
		return verdict;

	bool keeps = !(c->flags & WIRE_CLOSE);
	if (keeps || (coalesced && !cut && (c->flags & WIRE_FIN))) {
		if (t.left.len == 0 && !ended)
			return WIRE_ANSWERED;
		verdict = take_next(&t);
		if (verdict != WIRE_RIGHT)
			return verdict;
	}
	t.number = 0;
	if (t.left.len > 0)
		return wrong(&t, "bytes behind the last answer");
	if (keeps && ended)
		return wrong(&t, "the connection has ended, and should be kept");
	return keeps || ended ? WIRE_RIGHT : WIRE_MORE;
}

/* --- sending ---------------------------------------------------------------------------------- */

const char *wire_sending_name(enum wire_sending sending)
{
	static const char *const names[] = { "whole", "split", "coalesced" };
	return names[sending];
}

size_t wire_message_len(const struct wire_case *c)
{
	size_t fill_len = c->fill ? strlen(c->fill) : 0;
	return c->bytes.len + fill_len * c->fill_count + c->rest.len;
}

void wire_put_message(char *out, const struct wire_case *c)
{
	memcpy(out, c->bytes.ptr, c->bytes.len);
	out += c->bytes.len;
	for (uint32_t i = 0; i < c->fill_count; i++) {
		memcpy(out, c->fill, strlen(c->fill));
		out += strlen(c->fill);
	}
	if (c->rest.len > 0)
		memcpy(out, c->rest.ptr, c->rest.len);
}
