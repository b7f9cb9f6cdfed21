/*
 * test_conn_ends.c: how a connection ends, by either side, and by time, on a clock of our own.
 */
#include <stdio.h>

#include "tests/unit/one_player.h"

static void pass_s(uint32_t seconds)
{
	conn_env_tick(&player.env, PLAYER_WALL_S, player.env.now_s + seconds);
}

/* Not before: the clock's second had begun already, so less than `seconds` may have passed. */
static void assert_late_after(uint32_t seconds)
{
	pass_s(seconds);
	assert_false(conn_is_late(c));
	pass_s(1);
	assert_true(conn_is_late(c));
}

/* --- ends ------------------------------------------------------------------------------------- */

static void test_end_of_file_in_each_state(void **state)
{
	static const char *const texts[] = { "", "G", "\r\n", "GET / HTTP/1.1\r\n",
		POST_ECHO "Content-Length: 9\r\n\r\n", POST_ECHO "Content-Length: 9\r\n\r\n1234",
		POST_ECHO "Transfer-Encoding: chunked\r\n\r\n",
		POST_ECHO "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
		POST_ECHO "Transfer-Encoding: chunked\r\n\r\n0\r\n" };
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		player_restart(&player);
		if (texts[i][0])
			feed(texts[i]);
		assert_int_equal(conn_wants(c), CONN_WANT_RECV);
		conn_feed_eof(c);
		assert_int_equal(conn_wants(c), CONN_WANT_CLOSE);
		assert_int_equal(player.out_len, 0);
	}
}

static void test_the_last_answer_then_our_end_then_theirs(void **state)
{
	static const char junk[CONN_FEED_MAX];
	(void)state;
	feed("GET / HTTP/1.1\r\nHost: c\r\nConnection: close\r\n\r\n" GET("/"));
	send_all();
	assert_int_equal(answer_count(), 1);
	assert_true(player_out_has(&player, "Connection: close\r\n"));
	assert_int_equal(conn_wants(c), CONN_WANT_SHUTDOWN);
	conn_shut(c);
	assert_int_equal(player.env.pool.lent_count, 0);
	assert_int_equal(conn_wants(c), CONN_WANT_RECV);
	assert_false(conn_is_idle(c));
	conn_feed(c, junk, sizeof junk);
	assert_int_equal(conn_wants(c), CONN_WANT_RECV);
	conn_feed_eof(c);
	assert_int_equal(conn_wants(c), CONN_WANT_CLOSE);
}

static void test_lingering_is_bounded(void **state)
{
	static const char junk[CONN_FEED_MAX];
	(void)state;
	player_feed_text(&player, "bad\r\n");
	size_t len = 0;
	for (; conn_wants(c) == CONN_WANT_RECV; len += sizeof junk)
		conn_feed(c, junk, sizeof junk);
	assert_int_equal(conn_wants(c), CONN_WANT_CLOSE);
	assert_in_range(len, CONN_LINGER_MAX, CONN_LINGER_MAX + CONN_FEED_MAX);

	player_restart(&player);
	player_feed_text(&player, "bad\r\n");
	assert_late_after(CONN_LINGER_TIMEOUT_S);
	conn_expire(c);
	assert_int_equal(conn_wants(c), CONN_WANT_CLOSE);
}

static void test_draining(void **state)
{
	(void)state;
	feed(GET("/sleep/5") GET("/"));
	player.service.stopping = true;
	conn_woke(c);
	player_turn(&player);
	/* the first was begun before; the second is the first to be told */
	assert_true(player.ended);
	assert_true(player_out_has(&player, "Connection: close\r\n"));
	assert_in_range(answer_count(), 1, 2);
}

static void test_others_wait(void **state)
{
	(void)state;
	feed(GET("/sleep/5") GET("/"));
	assert_int_equal(conn_wants(c), CONN_WANT_SLEEP);
	player.env.others_wait = true; /* they came meanwhile */
	conn_woke(c);
	player_turn(&player);
	assert_true(player.ended);
	assert_true(player_out_has(&player, "Connection: close\r\n"));
	assert_int_equal(answer_count(), 1);
}

static void test_expect(void **state)
{
	(void)state;
	feed(POST_ECHO "Expect: 100-continue\r\nContent-Length: 2\r\n\r\n");
	assert_int_equal(conn_wants(c), CONN_WANT_SEND);
	send_all();
	assert_true(slice_equals(player_out(&player), SLICE("HTTP/1.1 100 Continue\r\n\r\n")));
	assert_int_equal(conn_wants(c), CONN_WANT_RECV);
	assert_false(conn_is_idle(c));
	feed("ok");
	send_all();
	assert_true(player_out_has(&player, "Content-Length: 2\r\n\r\nok"));
	assert_idle();
}

/* --- time ------------------------------------------------------------------------------------- */

static void test_idle_ends_silently(void **state)
{
	(void)state;
	feed(GET("/"));
	pass_s(5);
	send_all();
	assert_late_after(CONN_IDLE_TIMEOUT_S);
	size_t len = player.out_len;
	conn_expire(c);
	assert_int_equal(conn_wants(c), CONN_WANT_CLOSE);
	assert_int_equal(player.out_len, len);
}

static void test_idle_for_as_long_as_is_allowed(void **state)
{
	(void)state;
	player.env.idle_timeout_s = 300;
	feed(GET("/"));
	send_all();
	assert_late_after(300);
}

/* A byte every few seconds does not buy more time for a head. */
static void test_a_slow_head_is_408(void **state)
{
	(void)state;
	pass_s(30);
	feed("GET / HTTP/1.1\r\n");
	for (int i = 0; i < CONN_HEAD_TIMEOUT_S; i++) {
		pass_s(1);
		feed("H");
		assert_false(conn_is_late(c));
	}
	pass_s(1);
	assert_true(conn_is_late(c));
	conn_expire(c);
	player_turn(&player);
	assert_true(player_out_has(&player, "HTTP/1.1 408 Request Timeout\r\n"));
	assert_true(player_out_has(&player, "Connection: close\r\n"));
	assert_true(player.ended);
	assert_int_equal(player.env.pool.lent_count, 0);
}

static void test_a_head_is_timed_from_its_own_first_byte(void **state)
{
	(void)state;
	feed(GET("/") "GET /");
	send_all();
	pass_s(CONN_HEAD_TIMEOUT_S);
	assert_false(conn_is_late(c));
	feed(" HTTP/1.1\r\nHost: c\r\n\r\nG"); /* done, and the next begins */
	send_all();
	assert_late_after(CONN_HEAD_TIMEOUT_S);
}

static void test_a_body_that_pauses_is_408(void **state)
{
	(void)state;
	feed(POST_ECHO "Content-Length: 100\r\n\r\n");
	for (int i = 0; i < 20; i++) { /* slow, but it moves */
		pass_s(CONN_BODY_TIMEOUT_S);
		assert_false(conn_is_late(c));
		feed("x");
	}
	assert_late_after(CONN_BODY_TIMEOUT_S);
	conn_expire(c);
	player_turn(&player);
	assert_true(player_out_has(&player, "HTTP/1.1 408 "));
	assert_int_equal(answer_count(), 1);
	assert_true(player.ended);
}

static void test_a_pause_anywhere_in_a_body_is_408(void **state)
{
	static const char *const texts[] = { "Content-Length: 9\r\n\r\n",
		"Transfer-Encoding: chunked\r\n\r\n", "Transfer-Encoding: chunked\r\n\r\n5\r\nhel",
		"Transfer-Encoding: chunked\r\n\r\n5\r\nhello", "Transfer-Encoding: chunked\r\n\r\n0\r\n" };
	(void)state;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		player_restart(&player);
		feed(POST_ECHO);
		feed(texts[i]);
		assert_late_after(CONN_BODY_TIMEOUT_S);
		conn_expire(c);
		player_turn(&player);
		assert_true(player_out_has(&player, "HTTP/1.1 408 "));
	}
}

static void test_output_nobody_takes_ends(void **state)
{
	(void)state;
	player.env.idle_timeout_s = 1; /* it is not idle */
	feed(GET("/bytes/1000000"));
	for (int i = 0; i < 5; i++) { /* slow, but it moves */
		pass_s(CONN_SEND_TIMEOUT_S);
		assert_false(conn_is_late(c));
		conn_sent(c, 1);
	}
	assert_late_after(CONN_SEND_TIMEOUT_S);
	conn_expire(c);
	assert_int_equal(conn_wants(c), CONN_WANT_CLOSE);
}

static void test_the_date_moves(void **state)
{
	(void)state;
	player_feed_text(&player, GET("/"));
	conn_env_tick(&player.env, PLAYER_WALL_S + 1, player.env.now_s);
	player_feed_text(&player, GET("/"));
	assert_true(player_out_has(&player, "08:49:37 GMT"));
	assert_true(player_out_has(&player, "08:49:38 GMT"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_end_of_file_in_each_state),
		TEST(test_the_last_answer_then_our_end_then_theirs),
		TEST(test_lingering_is_bounded),
		TEST(test_draining),
		TEST(test_others_wait),
		TEST(test_expect),
		TEST(test_idle_ends_silently),
		TEST(test_idle_for_as_long_as_is_allowed),
		TEST(test_a_slow_head_is_408),
		TEST(test_a_head_is_timed_from_its_own_first_byte),
		TEST(test_a_body_that_pauses_is_408),
		TEST(test_a_pause_anywhere_in_a_body_is_408),
		TEST(test_output_nobody_takes_ends),
		TEST(test_the_date_moves),
	};
	return cmocka_run_group_tests_name("conn_ends", tests, NULL, NULL);
}
