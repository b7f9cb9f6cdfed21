/*
 * one_player.h: one player for a whole test file, and what is asked of it at every step.
 */
#ifndef ONE_PLAYER_H
#define ONE_PLAYER_H

#include "tests/unit/player.h"

#define GET(path) "GET " path " HTTP/1.1\r\nHost: c\r\n\r\n"
#define POST_ECHO "POST /echo HTTP/1.1\r\nHost: c\r\n"

static struct player player;
static struct conn *const c = &player.conn;

static inline int set_up(void **state)
{
	(void)state;
	player_init(&player);
	return 0;
}

static inline int tear_down(void **state)
{
	(void)state;
	player_deinit(&player);
	return 0;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

/* Feeds without doing what the connection then wants. */
static inline void feed(const char *text)
{
	assert_int_equal(conn_wants(c), CONN_WANT_RECV);
	conn_feed(c, text, strlen(text));
}

static inline void send_all(void)
{
	while (conn_wants(c) == CONN_WANT_SEND)
		player_send_some(&player);
}

static inline void assert_idle(void)
{
	assert_int_equal(conn_wants(c), CONN_WANT_RECV);
	assert_true(conn_is_idle(c));
	assert_int_equal(player.env.pool.lent_count, 0);
}

static inline size_t answer_count(void)
{
	size_t count = 0;
	for (const char *at = player.out, *end = player.out + player.out_len;
	     (at = memmem(at, (size_t)(end - at), "HTTP/1.1 ", 9)); at += 9)
		count++;
	return count;
}

#endif
