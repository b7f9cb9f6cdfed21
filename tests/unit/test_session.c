/*
 * test_session.c: how the load generator judges an answer, against a first one. Every answer is fed
 * whole and cut at every place, batches at every two places; a whole one may take the quick
 * comparison, a cut one never can.
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

/* What is asked `depth` times at once, and answered with these bytes when asked once. */
static void set_exchange(struct slice asked, const char *answer, uint8_t depth, bool closes)
{
	exchange = (struct exchange){ .request = asked, .depth = depth, .closes = closes };
	exchange_init(&exchange, (struct slice){ answer, strlen(answer) });
}

static int set_up(void **state)
{
	(void)state;
	set_exchange(request, first, 1, false);
	memset(&session, 0, sizeof session);
	session_close(&session);
	return 0;
}

static void ask(void)
{
	session_start(&session, &exchange, 1);
	session_sent(&session, &exchange, exchange.request.len);
	assert_true(session_in_flight(&session));
}

/* All of it must be taken, unless it is malformed. */
static enum session_step feed(const char *bytes, size_t len)
{
	struct slice rest = { bytes, len };
	enum session_step step = session_feed(&session, &exchange, &rest);
	if (step != SESSION_MALFORMED)
		assert_int_equal(rest.len, 0);
	return step;
}

/* The step after all bytes, in two pieces when 0 < cut < len. */
static enum session_step answer(const char *bytes, size_t cut)
{
	ask();
	size_t len = strlen(bytes);
	enum session_step step = feed(bytes, cut);
	if (cut == len || step == SESSION_MALFORMED)
		return step;
	return feed(bytes + cut, len - cut);
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
	/* as long as the first, and another only before its Date */
	{ "HTTP/1.1 503 No\r\nServer: x\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\n"
	  "Content-Length: 5\r\n\r\nhello", SESSION_WRONG_STATUS },
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

static const char closing[] = HEAD "Content-Length: 5\r\nConnection: close\r\n\r\nhello";

static void test_connection_close(void **state)
{
	(void)state;
	assert_int_equal(answer(first, strlen(first)), SESSION_ANSWERED);
	assert_false(session_must_end(&session, &exchange));
	assert_int_equal(answer(closing, strlen(closing)), SESSION_ANSWERED);
	assert_true(session_must_end(&session, &exchange));
	/* a first answer that closes is no template to pass over later ones unread */
	set_exchange(request, closing, 1, false);
	session_close(&session);
	assert_int_equal(answer(closing, strlen(closing)), SESSION_ANSWERED);
	assert_true(session_must_end(&session, &exchange));
}

/* ... unless the request asks for that: then it is one, and the connection ends in any case. */
static void test_closing_asked_for(void **state)
{
	(void)state;
	set_exchange(request, closing, 1, true);
	assert_int_equal(exchange.answer.len, strlen(closing));
	for (size_t cut = 0; cut <= strlen(closing); cut++) {
		session_close(&session);
		assert_int_equal(answer(closing, cut), SESSION_ANSWERED);
		assert_true(session_must_end(&session, &exchange));
	}
	session_close(&session);
	assert_int_equal(answer(first, strlen(first)), SESSION_ANSWERED);
	assert_true(session_must_end(&session, &exchange));
	session.state = SESSION_ENDING;
	assert_true(session_is_busy(&session));
	assert_false(session_in_flight(&session));
	assert_int_equal(feed("x", 1), SESSION_MALFORMED);
}

/* --- pipelining ------------------------------------------------------------------------------- */

#define THREE(text) text text text
static const struct slice batch = {
	THREE("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 3 * 27
};

/* Feeds bytes until they are used up or refused; counts the answers, *last is the last step. */
static int take(struct slice bytes, enum session_step *last)
{
	int count = 0;
	do {
		*last = session_feed(&session, &exchange, &bytes);
		count += *last != SESSION_MORE && *last != SESSION_MALFORMED;
	} while (bytes.len && *last != SESSION_MALFORMED);
	return count;
}

static void test_batch_cut_anywhere(void **state)
{
	(void)state;
	/* three alike, and three of which the second has another head */
	static const char *const answers[] = {
		THREE(HEAD "Content-Length: 5\r\n\r\nhello"),
		HEAD "Content-Length: 5\r\n\r\nhello"
		HEAD "Age: 7\r\nContent-Length: 5\r\n\r\nhello"
		LATER "Content-Length: 5\r\n\r\nhello",
	};
	set_exchange(batch, first, 3, false);
	for (size_t i = 0; i < COUNT(answers); i++) {
		size_t len = strlen(answers[i]);
		for (size_t a = 0; a <= len; a++)
			for (size_t b = a; b <= len; b++) {
				enum session_step step;
				ask();
				int count = take((struct slice){ answers[i], a }, &step);
				count += take((struct slice){ answers[i] + a, b - a }, &step);
				/* at rest when all are in, and only then */
				struct slice rest = { answers[i] + b, len - b };
				if (rest.len)
					count += take(rest, &step);
				assert_int_equal(count, 3);
				assert_int_equal(session.state, SESSION_RESTING);
				assert_int_equal(session.due_count, 0);
			}
	}
}

static void test_bytes_behind_a_batch(void **state)
{
	(void)state;
	static const char four[] = THREE(HEAD "Content-Length: 5\r\n\r\nhello") "H";
	enum session_step step;
	set_exchange(batch, first, 3, false);
	ask();
	assert_int_equal(take((struct slice){ four, strlen(four) }, &step), 2);
	assert_int_equal(step, SESSION_MALFORMED);
	assert_true(session_in_flight(&session)); /* for the account: it was, until now */
}

static void test_wrong_answer_in_a_batch(void **state)
{
	(void)state;
	static const char wrong[] = HEAD "Content-Length: 5\r\n\r\nhallo";
	set_exchange(batch, first, 3, false);
	ask();
	assert_int_equal(feed(first, strlen(first)), SESSION_ANSWERED);
	assert_int_equal(feed(wrong, strlen(wrong)), SESSION_WRONG_BODY);
	assert_true(session_in_flight(&session));
	assert_int_equal(feed(first, strlen(first)), SESSION_ANSWERED);
	assert_false(session_in_flight(&session));
}

/* The first request of a batch may be answered while the last is still to be sent, no other may. */
static void test_early_answers_of_a_batch(void **state)
{
	(void)state;
	set_exchange(batch, first, 3, false);
	session_start(&session, &exchange, 1);
	session_sent(&session, &exchange, 27);
	assert_int_equal(feed(first, strlen(first)), SESSION_ANSWERED);
	assert_int_equal(session.state, SESSION_SENDING);
	session_sent(&session, &exchange, 26);
	assert_int_equal(feed(first, strlen(first)), SESSION_MALFORMED);
}

/* --- the rest --------------------------------------------------------------------------------- */

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
	assert_int_equal(feed(first, strlen(first)), SESSION_MALFORMED);
}

static void test_answer_before_the_request_is_out(void **state)
{
	(void)state;
	session_start(&session, &exchange, 1);
	session_sent(&session, &exchange, 3);
	assert_int_equal(session_unsent(&session, &exchange).len, request.len - 3);
	assert_int_equal(feed(first, strlen(first)), SESSION_MALFORMED);
}

static void test_answer_without_date_or_body(void **state)
{
	(void)state;
	static const char bare[] = "HTTP/1.1 204 No Content\r\n\r\n";
	set_exchange(request, bare, 1, false);
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
		cmocka_unit_test_setup(test_closing_asked_for, set_up),
		cmocka_unit_test_setup(test_batch_cut_anywhere, set_up),
		cmocka_unit_test_setup(test_bytes_behind_a_batch, set_up),
		cmocka_unit_test_setup(test_wrong_answer_in_a_batch, set_up),
		cmocka_unit_test_setup(test_early_answers_of_a_batch, set_up),
		cmocka_unit_test_setup(test_status_wanted, set_up),
		cmocka_unit_test_setup(test_unasked_bytes, set_up),
		cmocka_unit_test_setup(test_answer_before_the_request_is_out, set_up),
		cmocka_unit_test_setup(test_answer_without_date_or_body, set_up),
	};
	return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
