/*
 * test_reply.c: answers, good and bad, each replayed whole, byte by byte, and cut at every place:
 * what is found must be the same.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "lib/core/reply.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define OK "HTTP/1.1 200 OK\r\n"

struct reply_case {
	const char *bytes;
	enum reply_step step;   /* after all bytes */
	enum reply_fault fault; /* of REPLY_BAD */
	uint16_t status;
	const char *body;       /* what has passed as body */
	bool close;
	size_t left;            /* bytes behind the answer */
};

static const struct reply_case good_cases[] = {
	{ OK "Content-Length: 5\r\n\r\nhello", REPLY_DONE, 0, 200, "hello", false, 0 },
	{ OK "content-LENGTH:5\r\n\r\nhello", REPLY_DONE, 0, 200, "hello", false, 0 },
	{ OK "Content-Length: \t 5 \t\r\n\r\nhello", REPLY_DONE, 0, 200, "hello", false, 0 },
	{ OK "Content-Length: 005\r\n\r\nhello", REPLY_DONE, 0, 200, "hello", false, 0 },
	{ OK "Content-Length: 0\r\n\r\n", REPLY_DONE, 0, 200, "", false, 0 },
	{ OK "A: b\r\nContent-Length: 2\r\nX-Y:\r\n\r\nhi", REPLY_DONE, 0, 200, "hi", false, 0 },
	{ OK "Content-Lengths: 9\r\nContent-Lengt: 9\r\nContent-Length: 2\r\n\r\nhi", REPLY_DONE, 0,
	    200, "hi", false, 0 },
	{ OK "Content-Length: 2\r\n\r\nhiHTTP", REPLY_DONE, 0, 200, "hi", false, 4 },
	{ "HTTP/1.1 404 Not Found\r\nContent-Length: 1\r\n\r\nx", REPLY_DONE, 0, 404, "x", false,
	    0 },
	{ "HTTP/1.1 200 \r\nContent-Length: 1\r\n\r\nx", REPLY_DONE, 0, 200, "x", false, 0 },
	{ "HTTP/1.1 200 a\tb \xe4\r\nContent-Length: 1\r\n\r\nx", REPLY_DONE, 0, 200, "x", false,
	    0 },
	{ "HTTP/1.1 204 No Content\r\n\r\n", REPLY_DONE, 0, 204, "", false, 0 },
	{ "HTTP/1.1 304 Not Modified\r\nContent-Length: 7\r\n\r\n", REPLY_DONE, 0, 304, "", false,
	    0 },
	{ "HTTP/1.1 100 Continue\r\n\r\n" OK "Content-Length: 2\r\n\r\nhi", REPLY_DONE, 0, 200,
	    "hi", false, 0 },
	{ "HTTP/1.1 103 Early\r\nConnection: close\r\n\r\nHTTP/1.1 204 x\r\n\r\n", REPLY_DONE, 0,
	    204, "", false, 0 },
	{ OK "Connection: close\r\nContent-Length: 1\r\n\r\nx", REPLY_DONE, 0, 200, "x", true, 0 },
	{ OK "connection: foo , Close\r\nContent-Length: 1\r\n\r\nx", REPLY_DONE, 0, 200, "x", true,
	    0 },
	{ OK "Connection: closed, clos, xclose\r\nContent-Length: 1\r\n\r\nx", REPLY_DONE, 0, 200,
	    "x", false, 0 },
	{ OK "Connection: keep-alive\r\nContent-Length: 1\r\n\r\nx", REPLY_DONE, 0, 200, "x", false,
	    0 },
	{ "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", REPLY_DONE, 0, 200, "x", true, 0 },
	{ OK "Content-Length: 5\r\n\r\nhel", REPLY_MORE, 0, 200, "hel", false, 0 },
	{ OK "Content-Length: 5\r\n", REPLY_MORE, 0, 200, "", false, 0 },
	{ "", REPLY_MORE, 0, 0, "", false, 0 },
};

#define BAD(bytes, fault) { bytes, REPLY_BAD, REPLY_FAULT_##fault, 0, "", false, 0 }
static const struct reply_case bad_cases[] = {
	BAD("HTTP/2 200 OK\r\n", STATUS_LINE),
	BAD("http/1.1 200 OK\r\n", STATUS_LINE),
	BAD("HTTP/1.2 200 OK\r\n", STATUS_LINE),
	BAD("HTTP/1.1  200 OK\r\n", STATUS_LINE),
	BAD("HTTP/1.1 20 OK\r\n", STATUS_LINE),
	BAD("HTTP/1.1 2000 OK\r\n", STATUS_LINE),
	BAD("HTTP/1.1 099 OK\r\n", STATUS_LINE),
	BAD("HTTP/1.1 200\r\n", STATUS_LINE),
	BAD("HTTP/1.1 200 O\x01K\r\n", STATUS_LINE),
	BAD("\r\nHTTP/1.1 200 OK\r\n", STATUS_LINE),
	BAD("HTTP/1.1 101 Switching\r\n\r\n", STATUS_LINE),
	BAD("HTTP/1.1 200 OK\n", LINE_END),
	BAD("HTTP/1.1 200 OK\rX", LINE_END),
	BAD(OK "A: b\n", LINE_END),
	BAD(OK "A\n", LINE_END),
	BAD(OK "A: b\r\r\n", LINE_END),
	BAD(OK "\rX", LINE_END),
	BAD(OK "Connection: close\n", LINE_END),
	BAD(OK ": b\r\n", FIELD),
	BAD(OK "A : b\r\n", FIELD),
	BAD(OK " A: b\r\n", FIELD),
	BAD(OK "A\r\n", FIELD),
	BAD(OK "A: b\r\n c\r\n", FIELD),
	BAD(OK "A: b\x02\r\n", FIELD),
	BAD(OK "A: b\x7f\r\n", FIELD),
	BAD(OK "Connection: \x01\r\n", FIELD),
	BAD(OK "Content-Length:\r\n", LENGTH),
	BAD(OK "Content-Length: +5\r\n", LENGTH),
	BAD(OK "Content-Length: -1\r\n", LENGTH),
	BAD(OK "Content-Length: 0x5\r\n", LENGTH),
	BAD(OK "Content-Length: 5 5\r\n", LENGTH),
	BAD(OK "Content-Length: 5, 5\r\n", LENGTH),
	BAD(OK "Content-Length: 18446744073709551616\r\n", LENGTH),
	BAD(OK "Content-Length: 5\r\nContent-Length: 5\r\n", LENGTH),
	BAD(OK "Transfer-Encoding: chunked\r\n", CODING),
	BAD(OK "Content-Length: 5\r\ntransfer-encoding: x\r\n", CODING),
	BAD(OK "\r\n", NO_LENGTH),
	BAD("HTTP/1.1 500 Oh\r\nConnection: close\r\n\r\n", NO_LENGTH),
};

struct outcome {
	enum reply_step step;
	char body[64];
	size_t body_len;
	size_t left;
};

/* One piece; true while the answer goes on. */
static bool feed(struct reply *r, struct outcome *o, const char *bytes, size_t len)
{
	struct slice rest = { bytes, len }, piece;
	while ((o->step = reply_feed(r, &rest, &piece)) == REPLY_BODY) {
		assert_true(o->body_len + piece.len <= sizeof o->body);
		memcpy(o->body + o->body_len, piece.ptr, piece.len);
		o->body_len += piece.len;
	}
	o->left = rest.len;
	return o->step == REPLY_MORE;
}

static void check(
    const struct reply_case *c, const struct reply *r, const struct outcome *o, size_t unread)
{
	if (o->step != c->step || r->fault != c->fault)
		fail_msg("\"%s\": step %d fault %d (%s)", c->bytes, o->step, r->fault,
		    reply_fault_text(r->fault));
	if (c->step == REPLY_BAD)
		return;
	assert_int_equal(r->status, c->status);
	assert_int_equal(o->body_len, strlen(c->body));
	assert_memory_equal(o->body, c->body, o->body_len);
	assert_int_equal(o->left + unread, c->left);
	if (c->step == REPLY_DONE) {
		assert_int_equal(r->close, c->close);
		assert_int_equal(r->body_len, o->body_len);
		assert_int_equal(r->head_len + r->body_len + c->left, strlen(c->bytes));
	}
}

static void play(const struct reply_case *c)
{
	size_t len = strlen(c->bytes);
	for (size_t cut = 0; cut <= len; cut++) { /* in two pieces, one of them perhaps empty */
		struct reply r;
		struct outcome o = { 0 };
		reply_init(&r);
		size_t fed = cut;
		if (feed(&r, &o, c->bytes, cut)) {
			feed(&r, &o, c->bytes + cut, len - cut);
			fed = len;
		}
		check(c, &r, &o, len - fed);
	}
	struct reply r;
	struct outcome o = { 0 };
	reply_init(&r);
	size_t fed = 0;
	feed(&r, &o, c->bytes, 0);
	while (fed < len && feed(&r, &o, c->bytes + fed, 1))
		fed++;
	check(c, &r, &o, o.step == REPLY_MORE ? 0 : len - fed - 1);
}

static void test_good(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(good_cases); i++)
		play(&good_cases[i]);
}

static void test_bad(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(bad_cases); i++)
		play(&bad_cases[i]);
}

static void test_bad_stays_bad(void **state)
{
	(void)state;
	struct reply r;
	struct outcome o = { 0 };
	reply_init(&r);
	assert_false(feed(&r, &o, "X", 1));
	assert_false(feed(&r, &o, OK "Content-Length: 0\r\n\r\n", 38));
	assert_int_equal(o.step, REPLY_BAD);
}

static void test_nul_byte(void **state)
{
	(void)state;
	static const char bytes[] = OK "A: b\0c\r\n";
	struct reply r;
	struct outcome o = { 0 };
	reply_init(&r);
	feed(&r, &o, bytes, sizeof bytes - 1);
	assert_int_equal(r.fault, REPLY_FAULT_FIELD);
	static const char name[] = OK "A\0: b\r\n";
	reply_init(&r);
	feed(&r, &o, name, sizeof name - 1);
	assert_int_equal(r.fault, REPLY_FAULT_FIELD);
}

static void test_long_heads(void **state)
{
	(void)state;
	struct reply r;
	struct outcome o = { 0 };
	reply_init(&r);
	assert_true(feed(&r, &o, OK, sizeof OK - 1));
	for (int i = 0; i < 300; i++) /* a name longer than 256 bytes that ends like a known one */
		assert_true(feed(&r, &o, "x", 1));
	assert_true(feed(&r, &o, "content-length: 9\r\n", 19));
	assert_false(r.has_length);
	while (feed(&r, &o, "Field: value\r\n", 14))
		assert_true(r.head_len <= REPLY_HEAD_MAX);
	assert_int_equal(r.fault, REPLY_FAULT_TOO_LONG);

	for (int over = 0; over < 2; over++) { /* to the byte */
		reply_init(&r);
		assert_true(feed(&r, &o, OK "A: ", sizeof OK "A: " - 1));
		while (r.head_len < REPLY_HEAD_MAX - 4 + over)
			assert_true(feed(&r, &o, "x", 1));
		assert_true(feed(&r, &o, "\r\n\r", 3));
		feed(&r, &o, "\n", 1);
		assert_int_equal(r.fault, over ? REPLY_FAULT_TOO_LONG : REPLY_FAULT_NO_LENGTH);
	}

	reply_init(&r); /* interim answers without end */
	while (feed(&r, &o, "HTTP/1.1 100 Continue\r\n\r\n", 25))
		assert_true(r.head_len <= REPLY_HEAD_MAX);
	assert_int_equal(r.fault, REPLY_FAULT_TOO_LONG);
}

static void test_size(void **state)
{
	(void)state;
	assert_int_equal(sizeof(struct reply), 32);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_bad),
		cmocka_unit_test(test_bad_stays_bad),
		cmocka_unit_test(test_nul_byte),
		cmocka_unit_test(test_long_heads),
		cmocka_unit_test(test_size),
	};
	return cmocka_run_group_tests_name("reply", tests, NULL, NULL);
}
