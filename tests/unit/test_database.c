/*
 * test_database.c: the link to the database over a real socket, whose other end the test holds:
 * questions behind one another, answers in pieces, askers who left, links that end or say nothing.
 * tests/workloads asks a real Redis.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/core/conn.h"
#include "lib/sys/database.h"

static int listen_fd;
static struct database db;
static int peer_fd; /* the database's end of the link */

static int listen_for_links(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof address;
	char url[64];
	(void)state;
	listen_fd = socket(AF_INET, SOCK_STREAM, 0);
	if (bind(listen_fd, (struct sockaddr *)&address, len) < 0 || listen(listen_fd, 8) < 0 ||
	    getsockname(listen_fd, (struct sockaddr *)&address, &len) < 0)
		return -1;
	snprintf(url, sizeof url, "redis://127.0.0.1:%u", ntohs(address.sin_port));
	return database_set_url(url) ? 0 : -1;
}

static int stop_listening(void **state)
{
	(void)state;
	return close(listen_fd);
}

static int set_up(void **state)
{
	(void)state;
	database_init(&db);
	peer_fd = -1;
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	database_deinit(&db);
	if (peer_fd >= 0)
		close(peer_fd);
	return 0;
}

static void ask(const char *key, uint64_t tag)
{
	if (database_ask(&db, (struct slice){ key, strlen(key) }, tag))
		peer_fd = accept(listen_fd, NULL, NULL);
}

static void say(struct slice bytes)
{
	assert_int_equal(send(peer_fd, bytes.ptr, bytes.len, MSG_NOSIGNAL), bytes.len);
}

/* What a loop does when the link is readable. */
static bool hear(void)
{
	struct pollfd readable = { .fd = db.fd, .events = POLLIN };
	assert_int_equal(poll(&readable, 1, 3000), 1);
	return database_hear(&db);
}

static void assert_answer(uint64_t wanted_tag, struct slice wanted)
{
	uint64_t tag;
	struct slice value;
	assert_true(database_next(&db, &tag, &value));
	assert_int_equal(tag, wanted_tag);
	assert_non_null(value.ptr);
	assert_true(slice_equals(value, wanted));
}

static void assert_no_value(uint64_t wanted_tag, enum conn_no_value why)
{
	uint64_t tag;
	struct slice value;
	assert_true(database_next(&db, &tag, &value));
	assert_int_equal(tag, wanted_tag);
	assert_null(value.ptr);
	assert_int_equal(value.len, why);
}

static void assert_none_yet(void)
{
	uint64_t tag;
	struct slice value;
	assert_false(database_next(&db, &tag, &value));
}

static void test_urls(void **state)
{
	static const char *const bad[] = { "", "127.0.0.1:6379", "http://127.0.0.1", "redis://",
		"redis://:6379", "redis://127.0.0.1:", "redis://127.0.0.1:0",
		"redis://127.0.0.1:65536", "redis://127.0.0.1:6379/0", "redis://127.0.0.1:6379x" };
	(void)state;
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		if (database_set_url(bad[i]))
			fail_msg("%s is taken", bad[i]);
	assert_true(database_set_url("redis://127.0.0.1"));
	assert_true(database_set_url("redis://127.0.0.1:6379/"));
	stop_listening(state); /* the others want theirs back */
	assert_int_equal(listen_for_links(state), 0);
}

static void test_questions_go_together_answers_come_in_order(void **state)
{
	char heard[256];
	(void)state;
	ask("one", 11);
	assert_true(peer_fd >= 0);
	ask("two", 12);
	ask("three", 13);
	/* nothing is sent yet */
	assert_int_equal(recv(peer_fd, heard, sizeof heard, MSG_DONTWAIT), -1);
	database_send(&db);
	struct slice questions = SLICE("GET one\r\nGET two\r\nGET three\r\n");
	assert_int_equal(recv(peer_fd, heard, questions.len, MSG_WAITALL), questions.len);
	assert_memory_equal(heard, questions.ptr, questions.len);
	assert_none_yet();
	say(SLICE("$3\r\na\0b\r\n$-1\r\n$4\r\n\r\n"));
	assert_true(hear());
	assert_answer(11, SLICE("a\0b"));
	assert_no_value(12, CONN_NO_KEY);
	assert_none_yet();
	say(SLICE("\r\n\r\n"));
	assert_true(hear());
	assert_answer(13, SLICE("\r\n\r\n"));
	assert_none_yet();
}

static void test_a_long_value_in_many_pieces(void **state)
{
	enum { LEN = 200000, PIECE = 7000 };
	static char answer[LEN + 64];
	(void)state;
	int head_len = snprintf(answer, sizeof answer, "$%d\r\n", LEN);
	for (int i = 0; i < LEN; i++)
		answer[head_len + i] = (char)(i * 31 >> 3);
	struct slice left = { answer, (size_t)head_len + LEN + 2 };
	memcpy(answer + head_len + LEN, "\r\n", 2);
	ask("long", 1);
	while (left.len > 0) {
		struct slice piece = slice_first(left, PIECE);
		assert_none_yet();
		say(piece);
		assert_true(hear());
		left = slice_skip(left, piece.len);
	}
	assert_answer(1, (struct slice){ answer + head_len, LEN });
	ask("empty", 2);
	say(SLICE("$0\r\n\r\n"));
	assert_true(hear());
	assert_answer(2, SLICE(""));
}

static void test_the_first_value_may_be_empty(void **state)
{
	(void)state;
	ask("a", 1);
	say(SLICE("$0\r\n\r\n"));
	assert_true(hear());
	assert_answer(1, SLICE(""));
}

static void test_an_error_is_no_value(void **state)
{
	(void)state;
	ask("a", 1);
	ask("b", 2);
	ask("c", 3);
	say(SLICE("-WRONGTYPE not a string\r\n:5\r\n$1\r\nc\r\n"));
	assert_true(hear());
	assert_no_value(1, CONN_NO_ANSWER);
	assert_no_value(2, CONN_NO_ANSWER);
	assert_answer(3, SLICE("c"));
}

static void test_who_left_is_not_answered(void **state)
{
	(void)state;
	ask("a", 1);
	ask("b", 2);
	ask("c", 3);
	ask("d", 4);
	database_forget(&db, 2);
	database_forget(&db, 4);
	say(SLICE("$1\r\na\r\n$1\r\nb\r\n$1\r\nc\r\n$1\r\nd\r\n"));
	assert_true(hear());
	assert_answer(1, SLICE("a"));
	assert_answer(3, SLICE("c"));
	assert_none_yet();
	ask("e", 2); /* the same number is somebody else's now */
	say(SLICE("$1\r\ne\r\n"));
	assert_true(hear());
	assert_answer(2, SLICE("e"));
}

static void test_a_lost_link_answers_all_with_none(void **state)
{
	(void)state;
	ask("a", 1);
	ask("b", 2);
	ask("c", 3);
	database_forget(&db, 2);
	say(SLICE("$1\r\na\r\n$1\r\n"));
	close(peer_fd);
	peer_fd = -1;
	assert_true(hear());
	assert_answer(1, SLICE("a"));
	assert_none_yet();
	assert_false(hear());
	assert_int_equal(db.fd, -1);
	assert_no_value(3, CONN_NO_ANSWER);
	assert_none_yet();

	ask("d", 4); /* too early for a new link: none at once */
	assert_int_equal(db.fd, -1);
	assert_no_value(4, CONN_NO_ANSWER);
	db.retry_ns = 0; /* as if a second had passed */
	ask("e", 5);
	assert_true(db.fd >= 0 && peer_fd >= 0);
	say(SLICE("$1\r\ne\r\n"));
	assert_true(hear());
	assert_answer(5, SLICE("e"));
}

static void test_what_is_no_redis_loses_the_link(void **state)
{
	(void)state;
	ask("a", 1);
	ask("b", 2);
	say(SLICE("HTTP/1.1 400 Bad Request\r\n\r\n"));
	assert_true(hear());
	assert_none_yet();
	assert_false(hear());
	assert_no_value(1, CONN_NO_ANSWER);
	assert_no_value(2, CONN_NO_ANSWER);
	assert_none_yet();
}

static void test_a_silent_link_is_given_up(void **state)
{
	(void)state;
	database_check(&db, 100); /* no link: nothing to give up */
	ask("a", 1);
	database_check(&db, 101);
	database_check(&db, 106);
	say(SLICE("$1\r\na\r\n"));
	assert_true(hear()); /* in time */
	assert_answer(1, SLICE("a"));
	database_check(&db, 200); /* nobody waits */
	ask("b", 2);
	database_check(&db, 201);
	database_check(&db, 206);
	assert_none_yet();
	database_check(&db, 207);
	assert_false(hear());
	assert_no_value(2, CONN_NO_ANSWER);
}

/* The row of askers grows while its oldest stands in its middle, and the questions with it. */
static void test_the_row_grows_past_its_wrap(void **state)
{
	enum { FIRST = 150, ALL = 2000, KEY_LEN = 40 };
	static char heard[ALL * (KEY_LEN + 8)];
	char text[64];
	const int small = 4096;
	uint64_t next = 0;
	(void)state;
	for (uint64_t tag = 0; tag < ALL; tag++) {
		snprintf(text, sizeof text, "%0*d", KEY_LEN, (int)tag);
		ask(text, tag);
		if (tag % FIRST != FIRST - 1)
			continue;
		for (int i = 0; i < FIRST / 3; i++, next++) { /* a third of them is answered now */
			int len = snprintf(text, sizeof text, "$4\r\n%04d\r\n", (int)next);
			say((struct slice){ text, (size_t)len });
			assert_true(hear());
			assert_answer(next, (struct slice){ text + 4, 4 });
		}
	}
	setsockopt(db.fd, SOL_SOCKET, SO_SNDBUF, &small, sizeof small);
	database_send(&db);
	assert_true(database_output(&db).len > 0); /* the socket does not take all */
	for (size_t len = 0; len < ALL * (KEY_LEN + 6);) {
		database_send(&db);
		ssize_t n = recv(peer_fd, heard + len, sizeof heard - len, MSG_DONTWAIT);
		len += n > 0 ? (size_t)n : 0;
	}
	assert_int_equal(database_output(&db).len, 0);
	for (int tag = 0; tag < ALL; tag++) {
		size_t len = (size_t)snprintf(text, sizeof text, "GET %0*d\r\n", KEY_LEN, tag);
		assert_memory_equal(heard + (size_t)tag * len, text, len);
	}
	for (; next < ALL; next++) {
		int len = snprintf(text, sizeof text, "$4\r\n%04d\r\n", (int)next);
		say((struct slice){ text, (size_t)len });
		assert_true(hear());
		assert_answer(next, (struct slice){ text + 4, 4 });
	}
	assert_none_yet();
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_urls),
		TEST(test_questions_go_together_answers_come_in_order),
		TEST(test_a_long_value_in_many_pieces),
		TEST(test_the_first_value_may_be_empty),
		TEST(test_an_error_is_no_value),
		TEST(test_who_left_is_not_answered),
		TEST(test_a_lost_link_answers_all_with_none),
		TEST(test_what_is_no_redis_loses_the_link),
		TEST(test_a_silent_link_is_given_up),
		TEST(test_the_row_grows_past_its_wrap),
	};
	return cmocka_run_group_tests_name("database", tests, listen_for_links, stop_listening);
}
