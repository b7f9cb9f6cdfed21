/*
 * test_conn.c: the connection where it is not a matter of bytes (tests/unit/test_wire.c has those):
 * what it wants and when, memory that is held, back-pressure. How it ends: test_conn_ends.c.
 */
#include <stdio.h>

#include "tests/unit/one_player.h"

/* --- wants ------------------------------------------------------------------------------------ */

static void test_a_request_and_its_answer(void **state)
{
	(void)state;
	assert_idle();
	feed(GET("/"));
	assert_int_equal(conn_wants(c), CONN_WANT_SEND);
	assert_false(conn_is_idle(c));
	send_all();
	assert_idle();
	assert_true(player_out_has(&player,
	    "HTTP/1.1 200 OK\r\nServer: c10k/test\r\n"
	    "Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n"));
	assert_true(player_out_has(&player, "Content-Length: 13\r\n\r\nHello, World!"));
	assert_int_equal(player.service.requests, 1);
}

static void test_sleep(void **state)
{
	(void)state;
	feed(GET("/sleep/250") GET("/bytes/1"));
	assert_int_equal(conn_wants(c), CONN_WANT_SLEEP);
	assert_int_equal(conn_sleep_ns(c), 250 * UINT64_C(1000000));
	assert_false(conn_is_idle(c));
	assert_false(conn_is_late(c));
	player.env.now_s += 3600; /* a sleep has its own time */
	assert_false(conn_is_late(c));
	conn_woke(c);
	assert_int_equal(conn_wants(c), CONN_WANT_SEND);
	send_all();
	assert_int_equal(answer_count(), 2); /* what was pipelined behind it has its turn */
	assert_idle();
}

static void test_an_idle_sleeper_owns_no_buffer(void **state)
{
	(void)state;
	feed(GET("/sleep/250"));
	assert_int_equal(conn_wants(c), CONN_WANT_SLEEP);
	assert_int_equal(player.env.pool.lent_count, 0);
}

static void test_compute(void **state)
{
	char wanted[64];
	(void)state;
	feed(GET("/compute/100"));
	assert_int_equal(conn_wants(c), CONN_WANT_COMPUTE);
	conn_compute(c);
	assert_int_equal(
	    conn_wants(c), CONN_WANT_COMPUTE); /* it may run elsewhere: its end is told */
	conn_computed(c);
	send_all();
	snprintf(wanted, sizeof wanted, "\r\n\r\n%llu", (unsigned long long)service_compute(100));
	assert_true(player_out_has(&player, wanted));
	assert_idle();
}

static void test_file(void **state)
{
	(void)state;
	player.service.file_len = 1 << 20;
	feed(GET("/file/100000"));
	size_t pieces = 0, len = 0;
	uint64_t next_offset = 0;
	for (enum conn_want want; (want = conn_wants(c)) != CONN_WANT_RECV;) {
		if (want == CONN_WANT_SEND) {
			player_send_some(&player);
			continue;
		}
		assert_int_equal(want, CONN_WANT_FILE);
		struct file_read read = conn_file(c);
		assert_true(read.len > 0 && len + read.len <= 100000);
		assert_true(read.offset + read.len <= player.service.file_len);
		assert_true(len > 0 ? read.offset == next_offset : read.offset % 4096 == 0);
		size_t got =
		    read.len > 1000 ? read.len - 1000 : read.len; /* a short read goes on */
		memset(read.into, 'f', got);
		conn_file_done(c, (ssize_t)got);
		next_offset = read.offset + got;
		len += got;
		pieces++;
		assert_true(player.env.pool.lent_count <= 2);
	}
	assert_true(pieces > 1);
	assert_int_equal(len, 100000);
	assert_true(player_out_has(&player, "Content-Length: 100000\r\n\r\nffff"));
	assert_int_equal(answer_count(), 1);
	assert_idle();
}

/* HEAD goes wherever GET does, those that wait included. */
static void test_head_of_what_waits(void **state)
{
	static const char *const paths[] = { "/file/100000", "/query/key", "/sleep/1", "/compute/1" };
	char text[64];
	(void)state;
	player.service.file_len = 1 << 20;
	player.service.has_database = true;
	for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
		player_restart(&player);
		snprintf(text, sizeof text, "HEAD %s HTTP/1.1\r\nHost: c\r\n\r\n", paths[i]);
		player_feed_text(&player, text);
		assert_int_equal(answer_count(), 1);
		assert_true(player_out_has(&player, "HTTP/1.1 200 "));
		assert_false(player_out_has(&player, "Content-Length: 0\r\n"));
		assert_memory_equal(player.out + player.out_len - 4, "\r\n\r\n", 4);
		assert_idle();
	}
}

/* All parts of the file are read alike: what is read again and again is soon in every cache. */
static void test_places_in_a_file(void **state)
{
	enum { PARTS = 16384, ASKED = 3 * PARTS };
	static bool read[PARTS];
	(void)state;
	player.service.file_len = 1 << 28;
	for (int i = 0; i < ASKED; i++) {
		feed(GET("/file/4096"));
		assert_int_equal(conn_wants(c), CONN_WANT_FILE);
		struct file_read place = conn_file(c);
		read[place.offset / ((1 << 28) / PARTS)] = true;
		memset(place.into, 'f', place.len);
		conn_file_done(c, (ssize_t)place.len);
		send_all();
		player.out_len = 0;
	}
	for (int i = 0; i < PARTS; i++)
		assert_true(read[i]);
}

static void test_file_that_fails(void **state)
{
	(void)state;
	feed(GET("/file/4096"));
	send_all();
	assert_true(player_out_has(&player, "HTTP/1.1 503 ")); /* there is none */
	assert_idle();
	player.service.file_len = 1 << 20;
	feed(GET("/file/4096"));
	assert_int_equal(conn_wants(c), CONN_WANT_FILE);
	conn_file(c);
	conn_file_done(c, -5);
	send_all();
	assert_int_equal(answer_count(), 2);
	assert_idle();
	/* after the head has gone out, only a close can tell */
	feed(GET("/file/100000"));
	struct file_read read = conn_file(c);
	memset(read.into, 'f', read.len);
	conn_file_done(c, (ssize_t)read.len);
	send_all();
	assert_int_equal(conn_wants(c), CONN_WANT_FILE);
	conn_file(c);
	conn_file_done(c, 0);
	assert_int_equal(conn_wants(c), CONN_WANT_CLOSE);
}

static void test_query(void **state)
{
	(void)state;
	feed(GET("/query/user:1"));
	send_all();
	assert_true(player_out_has(&player, "HTTP/1.1 503 ")); /* no database */
	player.service.has_database = true;
	feed(GET("/query/user:1?x=y"));
	assert_int_equal(conn_wants(c), CONN_WANT_QUERY);
	assert_true(slice_equals(conn_query_key(c), SLICE("user:1")));
	conn_query_done(c, SLICE("Alice"));
	send_all();
	assert_true(player_out_has(&player, "Content-Length: 5\r\n\r\nAlice"));
	feed(GET("/query/none"));
	conn_query_done(c, (struct slice){ NULL, CONN_NO_KEY });
	send_all();
	assert_true(player_out_has(&player, "HTTP/1.1 404 "));
	feed(GET("/query/away"));
	conn_query_done(c, (struct slice){ NULL, CONN_NO_ANSWER });
	send_all();
	assert_int_equal(answer_count(), 4);
	assert_idle();
}

/* What the answer to one request says is not said to the next. */
static void test_nothing_of_the_request_before(void **state)
{
	(void)state;
	feed("POST / HTTP/1.1\r\nHost: c\r\nContent-Length: 0\r\n\r\n");
	send_all();
	assert_true(player_out_has(&player, "HTTP/1.1 405 "));
	assert_true(player_out_has(&player, "\r\nAllow: "));
	player.out_len = 0;
	feed("bad\r\n");
	send_all();
	assert_true(player_out_has(&player, "HTTP/1.1 400 "));
	assert_false(player_out_has(&player, "\r\nAllow: "));
}

/* An empty line before a request begins it: who waits then waits for the rest of a head. */
static void test_an_empty_line_begins_a_request(void **state)
{
	(void)state;
	feed("\r\n");
	assert_int_equal(conn_wants(c), CONN_WANT_RECV);
	assert_false(conn_is_idle(c));
	feed(GET("/"));
	send_all();
	assert_int_equal(answer_count(), 1);
	assert_idle();
}

/* --- memory and back-pressure ----------------------------------------------------------------- */

static void test_pipelined_requests_wait_for_the_client(void **state)
{
	enum { REQUESTS = 300 };
	static char many[REQUESTS * 64];
	size_t len = 0;
	(void)state;
	for (int i = 0; i < REQUESTS; i++)
		len += (size_t)snprintf(many + len, sizeof many - len, GET("/bytes/%d"), i);
	assert_true(len < CONN_FEED_MAX);
	conn_feed(c, many, len);
	/* answers may fill a buffer; what is not answered yet is kept, and no more asked for */
	while (conn_wants(c) == CONN_WANT_SEND) {
		assert_true(player.env.pool.lent_count <= 2);
		player.send_most = 700;
		player_send_some(&player);
	}
	assert_int_equal(answer_count(), REQUESTS);
	assert_idle();
	/* in order: lengths 0, 1, 2, ... */
	const char *at = player.out, *end = player.out + player.out_len;
	for (int i = 0; i < REQUESTS; i++) {
		char wanted[40];
		at = memmem(at, (size_t)(end - at), "Content-Length: ", 16);
		assert_non_null(at);
		snprintf(wanted, sizeof wanted, "Content-Length: %d\r\n", i);
		assert_memory_equal(at, wanted, strlen(wanted));
		at += 16;
	}
}

static void test_a_client_that_does_not_read_is_not_read(void **state)
{
	(void)state;
	feed(GET("/bytes/10000000") GET("/"));
	for (int i = 0; i < 5; i++) {
		assert_int_equal(conn_wants(c), CONN_WANT_SEND);
		assert_true(player.env.pool.lent_count <=
		    2); /* the head, the request behind; the stream needs none */
		conn_sent(c, 1);
	}
}

/* Each piece ends a head and begins the next: what is put aside must not run over its buffer. */
static void test_long_heads_behind_one_another(void **state)
{
	static const char begin[] = "\r\n\r\nGET / HTTP/1.1\r\nHost: c\r\nX: ";
	static char piece[CONN_FEED_MAX];
	(void)state;
	memset(piece, 'x', sizeof piece);
	memcpy(piece, begin, sizeof begin - 1);
	conn_feed(c, piece + 4, sizeof piece - 4);
	for (size_t i = 1; i <= 5; i++) {
		conn_feed(c, piece, sizeof piece);
		assert_true(c->in->end <= POOL_BUFFER_CAP);
		send_all();
		assert_int_equal(answer_count(), i);
		assert_int_equal(conn_wants(c), CONN_WANT_RECV);
	}
}

static void test_stream(void **state)
{
	(void)state;
	feed(GET("/bytes/3000000"));
	player.send_most = 65521; /* a prime, to move the seams */
	send_all();
	const char *body = memmem(player.out, player.out_len, "\r\n\r\n", 4);
	assert_non_null(body);
	body += 4;
	assert_int_equal(player.out + player.out_len - body, 3000000);
	for (size_t at = 0; at < 3000000;) {
		struct slice pattern = service_pattern(at, 3000000 - at);
		assert_memory_equal(body + at, pattern.ptr, pattern.len);
		at += pattern.len;
	}
	assert_idle();
}

/* Each begins with the pattern's first byte, wherever the one before it ended. */
static void test_streams_behind_one_another(void **state)
{
	(void)state;
	feed(GET("/bytes/100001") GET("/bytes/100001"));
	send_all();
	assert_int_equal(answer_count(), 2);
	for (size_t at = 0; at < 100001;) {
		struct slice pattern = service_pattern(at, 100001 - at);
		assert_memory_equal(
		    player.out + player.out_len - 100001 + at, pattern.ptr, pattern.len);
		at += pattern.len;
	}
}

static void test_head_of_a_stream(void **state)
{
	(void)state;
	player_feed_text(&player, "HEAD /bytes/3000000 HTTP/1.1\r\nHost: c\r\n\r\n");
	assert_true(player_out_has(&player, "Content-Length: 3000000\r\n"));
	assert_memory_equal(player.out + player.out_len - 4, "\r\n\r\n", 4);
	assert_int_equal(answer_count(), 1);
	assert_idle();
}

/* 1 MiB there and back, in buffers as they come, given back as they go. */
static void echo_most(const char *head, bool chunked)
{
	static char body[HTTP_BODY_MAX];
	for (size_t i = 0; i < sizeof body; i++)
		body[i] = (char)(i * 31 % 251);
	player_feed_text(&player, head);
	for (size_t at = 0, step = 1; at < sizeof body; step = step * 3 % 9973 + 1) {
		size_t len = step < sizeof body - at ? step : sizeof body - at;
		char size_line[32];
		snprintf(size_line, sizeof size_line, "%zx\r\n", len);
		if (chunked)
			player_feed_text(&player, size_line);
		player_feed(&player, body + at, len, SIZE_MAX);
		if (chunked)
			player_feed_text(&player, "\r\n");
		at += len;
	}
	if (chunked)
		player_feed_text(&player, "0\r\n\r\n");
	const char *end = memmem(player.out, player.out_len, "\r\n\r\n", 4);
	assert_non_null(end);
	assert_int_equal(player.out + player.out_len - (end + 4), sizeof body);
	assert_memory_equal(end + 4, body, sizeof body);
	assert_idle();
}

static void test_echo_with_length(void **state)
{
	(void)state;
	echo_most(POST_ECHO "Content-Length: 1048576\r\n\r\n", false);
}

static void test_echo_chunked(void **state)
{
	(void)state;
	echo_most(POST_ECHO "Transfer-Encoding: chunked\r\n\r\n", true);
}

/* What is answered in the same turn stands behind all buffers of the body. */
static void test_an_answer_behind_a_long_echo(void **state)
{
	enum { LEN = 70000, LAST = 1000 };
	static char body[LEN];
	static const char request[] = GET("/");
	char last[LAST + sizeof request];
	(void)state;
	memset(body, 'e', sizeof body);
	memcpy(last, body, LAST);
	memcpy(last + LAST, request, sizeof request);
	player_feed_text(&player, POST_ECHO "Content-Length: 70000\r\n\r\n");
	player_feed(&player, body, LEN - LAST, SIZE_MAX);
	player_feed(&player, last, LAST + sizeof request - 1, SIZE_MAX);
	assert_int_equal(answer_count(), 2);
	const char *end = memmem(player.out, player.out_len, "\r\n\r\n", 4);
	assert_non_null(end);
	assert_true(player.out + player.out_len - (end + 4) > LEN);
	assert_memory_equal(end + 4, body, LEN);
	assert_memory_equal(end + 4 + LEN, "HTTP/1.1 200 OK\r\n", 17);
	assert_idle();
}

static void test_a_body_nobody_wants_is_not_kept(void **state)
{
	static const char some[1000];
	(void)state;
	player_feed_text(&player, "FOO / HTTP/1.1\r\nHost: c\r\nContent-Length: 1000000\r\n\r\n");
	for (int i = 0; i < 1000; i++) {
		assert_int_equal(player.env.pool.lent_count, 0);
		player_feed(&player, some, sizeof some, SIZE_MAX);
	}
	assert_true(player_out_has(&player, "HTTP/1.1 501 "));
	assert_idle();
}

static void *no_memory(size_t len)
{
	(void)len;
	return NULL;
}

static void test_short_memory_closes(void **state)
{
	(void)state;
	player.env.pool.grow = no_memory;
	feed(GET("/"));
	assert_int_equal(conn_wants(c), CONN_WANT_CLOSE);
	player_restart(&player);
	feed("GET"); /* no room to put half a line aside */
	assert_int_equal(conn_wants(c), CONN_WANT_CLOSE);
}

static void test_deinit_in_any_state(void **state)
{
	static const char *const texts[] = { "", "G", GET("/"), GET("/sleep/1") GET("/"),
		GET("/compute/1"), GET("/file/9"), GET("/query/k"), GET("/bytes/9999999"),
		POST_ECHO "Content-Length: 9\r\n\r\n1234", "bad\r\n",
		POST_ECHO "Transfer-Encoding: chunked\r\n\r\n5\r\nhello", GET("/") "GET /" };
	(void)state;
	player.service.has_database = true;
	player.service.file_len = 1 << 20;
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		player_restart(&player);
		if (texts[i][0])
			feed(texts[i]);
		if (conn_wants(c) == CONN_WANT_FILE)
			conn_file(c);
	}
}

static void test_sizes(void **state)
{
	(void)state;
	assert_true(sizeof(struct conn) <= 200); /* with the shell's own state at most 256 */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_a_request_and_its_answer),
		TEST(test_sleep),
		TEST(test_an_idle_sleeper_owns_no_buffer),
		TEST(test_compute),
		TEST(test_file),
		TEST(test_head_of_what_waits),
		TEST(test_places_in_a_file),
		TEST(test_file_that_fails),
		TEST(test_query),
		TEST(test_nothing_of_the_request_before),
		TEST(test_an_empty_line_begins_a_request),
		TEST(test_pipelined_requests_wait_for_the_client),
		TEST(test_a_client_that_does_not_read_is_not_read),
		TEST(test_long_heads_behind_one_another),
		TEST(test_stream),
		TEST(test_streams_behind_one_another),
		TEST(test_head_of_a_stream),
		TEST(test_echo_with_length),
		TEST(test_echo_chunked),
		TEST(test_an_answer_behind_a_long_echo),
		TEST(test_a_body_nobody_wants_is_not_kept),
		TEST(test_short_memory_closes),
		TEST(test_deinit_in_any_state),
		TEST(test_sizes),
	};
	return cmocka_run_group_tests_name("conn", tests, NULL, NULL);
}
