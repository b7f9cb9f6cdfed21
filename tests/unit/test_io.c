/* test_io.c: one turn of a connection on a non-blocking socket is bounded: the others come next. */
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/sys/io.h"
#include "tests/unit/one_player.h"

static void test_a_turn_is_bounded(void **state)
{
	enum { REQUESTS = 100 };
	char many[REQUESTS * 64], answers[65536];
	size_t len = 0;
	int ends[2], turns = 1, flags = SOCK_STREAM | SOCK_NONBLOCK;
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, flags, 0, ends), 0);
	for (int i = 0; i < REQUESTS; i++)
		len += (size_t)snprintf(many + len, sizeof many - len, GET("/compute/%d"), i % 2);
	assert_int_equal(write(ends[1], many, len), (ssize_t)len);

	/* what it has had no time for is no reason to wait: the socket is writable */
	enum conn_want want = io_turn(c, ends[0], true);
	assert_int_equal(want, CONN_WANT_SEND);
	assert_in_range(player.service.requests, 1, REQUESTS / 4);
	for (; want == CONN_WANT_SEND && turns < REQUESTS; turns++)
		want = io_turn(c, ends[0], false);
	assert_int_equal(want, CONN_WANT_RECV);
	assert_int_equal(player.service.requests, REQUESTS);
	assert_in_range(turns, 4, REQUESTS - 1);
	assert_true(read(ends[1], answers, sizeof answers) > 0);

	/* nothing there, then the client's end */
	assert_int_equal(io_turn(c, ends[0], true), CONN_WANT_RECV);
	close(ends[1]);
	assert_int_equal(io_turn(c, ends[0], true), CONN_WANT_CLOSE);
	close(ends[0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_a_turn_is_bounded) };
	return cmocka_run_group_tests_name("io", tests, NULL, NULL);
}
