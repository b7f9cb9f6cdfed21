/*
 * test_session.c: how the load generator judges an answer, against a first one. Every answer is fed
 * whole and cut at every place; a whole one may take the quick comparison, the cut ones never can.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loadgen/session.c"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define HEAD "HTTP/1.1 200 OK\r\nServer: x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
#define LATER "HTTP/1.1 200 OK\r\nServer: x\r\nDate: Mon, 07 Nov 1994 10:11:12 GMT\r\n"

static const char first[] = HEAD "Content-Length: 5\r\n\r\nhello";
static const struct slice request = { "GET / HTTP/1.1\r\nHost: a\r\n\r\n", 27 };

static struct exchange exchange;
static struct session session;

static int set_up(void **state)
{
	(void)state;
	exchange_init(&exchange, request, (struct slice){ first, strlen(first) }, 0);
	memset(&session, 0, sizeof session);
	session_close(&session);
	return 0;
}

static void ask(void)
{
	session_start(&session, &exchange, 1);
	session_sent(&session, &exchange, request.len);
	assert_true(session_in_flight(&session));
}

/* The step after all bytes, in two pieces when 0 < cut < len. */
static enum session_step answer(const char *bytes, size_t cut)
{
	ask();
	size_t len = strlen(bytes);
	enum session_step step = session_feed(&session, &exchange, (struct slice){ bytes, cut });
	if (cut == len || step == SESSION_MALFORMED)
		return step;
	return session_feed(&session, &exchange, (struct slice){ bytes + cut, len - cut });
}

static const struct {
	const char *bytes;
	enum session_step step;
} cases[] = {
	{ first, SESSION_ANSWERED },
	{ LATER "Content-Length: 5\r\n\r\nhello", SESSION_ANSWERED },
	{ "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", SESSION_ANSWERED },
	{ HEAD "Age: 7\r\nContent-Length: 5\r\n\r\nhello", SESSION_ANSWERED },
	{ "HTTP/1.1 201 Created\r\nContent-Length: 5\r\n\r\nhello", SESSION_ANSWERED },
	{ HEAD "Content-Length: 5\r\n\r\nhallo", SESSION_WRONG_BODY },
	{ HEAD "Content-Length: 4\r\n\r\nhell", SESSION_WRONG_BODY },
	{ HEAD "Content-Length: 6\r\n\r\nhello!", SESSION_WRONG_BODY },
	{ HEAD "Content-Length: 0\r\n\r\n", SESSION_WRONG_BODY },
	{ "HTTP/1.1 503 Oh\r\nContent-Length: 5\r\n\r\nhello", SESSION_WRONG_STATUS },
	{ "HTTP/1.1 404 No\r\nContent-Length: 2\r\n\r\nno", SESSION_WRONG_STATUS },
	{ HEAD "Content-Length: 5\r\n\r\nhello!", SESSION_MALFORMED },
	{ HEAD "Content-Length: 4\r\n\r\nhello", SESSION_MALFORMED },
	{ HEAD "\r\nhello", SESSION_MALFORMED },
	{ HEAD "Content-Length: 5\n\nhello", SESSION_MALFORMED },
	{ HEAD "Content-Length: 5\r\n\r\nhell", SESSION_MORE },
};

static void test_judgement(void **state)
{
	for (size_t i = 0; i < COUNT(cases); i++)
		for (size_t cut = 0; cut <= strlen(cases[i].bytes); cut++) {
			set_up(state);
			enum session_step step = answer(cases[i].bytes, cut);
			if (step != cases[i].step)
				fail_msg("\"%s\" cut at %zu: step %d", cases[i].bytes, cut, step);
		}
}

/* A wrong answer, or a cut one, must leave nothing behind for the next. */
static void test_answers_in_turn(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(cases); i++) {
		if (cases[i].step == SESSION_MALFORMED || cases[i].step == SESSION_MORE)
			continue;
		assert_int_equal(answer(cases[i].bytes, 20), cases[i].step);
		assert_int_equal(answer(first, strlen(first)), SESSION_ANSWERED);
		assert_int_equal(answer(first, 30), SESSION_ANSWERED);
	}
}

static void test_connection_close(void **state)
{
	(void)state;
	static const char closing[] = HEAD "Content-Length: 5\r\nConnection: close\r\n\r\nhello";
	assert_int_equal(answer(first, strlen(first)), SESSION_ANSWERED);
	assert_false(session_must_close(&session));
	assert_int_equal(answer(closing, strlen(closing)), SESSION_ANSWERED);
	assert_true(session_must_close(&session));
	/* a first answer that closes is no template to pass over later ones unread */
	exchange_init(&exchange, request, (struct slice){ closing, strlen(closing) }, 0);
	session_close(&session);
	assert_int_equal(answer(closing, strlen(closing)), SESSION_ANSWERED);
	assert_true(session_must_close(&session));
}

static void test_status_wanted(void **state)
{
	(void)state;
	exchange.status = 404;
	assert_int_equal(
	    answer("HTTP/1.1 404 No\r\nContent-Length: 5\r\n\r\nhello", 9), SESSION_ANSWERED);
	assert_int_equal(answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 9),
	    SESSION_WRONG_STATUS);
}

static void test_unasked_bytes(void **state)
{
	(void)state;
	assert_int_equal(answer(first, strlen(first)), SESSION_ANSWERED);
	assert_int_equal(session_feed(&session, &exchange, (struct slice){ first, strlen(first) }),
	    SESSION_MALFORMED);
}

static void test_answer_before_the_request_is_out(void **state)
{
	(void)state;
	session_start(&session, &exchange, 1);
	session_sent(&session, &exchange, 3);
	assert_int_equal(session_unsent(&session, &exchange).len, request.len - 3);
	assert_int_equal(session_feed(&session, &exchange, (struct slice){ first, strlen(first) }),
	    SESSION_MALFORMED);
}

static void test_answer_without_date_or_body(void **state)
{
	(void)state;
	static const char bare[] = "HTTP/1.1 204 No Content\r\n\r\n";
	exchange_init(&exchange, request, (struct slice){ bare, strlen(bare) }, 0);
	assert_int_equal(exchange.before_date.len, 0);
	for (size_t cut = 0; cut <= strlen(bare); cut++)
		assert_int_equal(answer(bare, cut), SESSION_ANSWERED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_judgement),
		cmocka_unit_test_setup(test_answers_in_turn, set_up),
		cmocka_unit_test_setup(test_connection_close, set_up),
		cmocka_unit_test_setup(test_status_wanted, set_up),
		cmocka_unit_test_setup(test_unasked_bytes, set_up),
		cmocka_unit_test_setup(test_answer_before_the_request_is_out, set_up),
		cmocka_unit_test_setup(test_answer_without_date_or_body, set_up),
	};
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
