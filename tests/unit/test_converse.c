/* test_converse.c: a blocking connection knows how late it is, also after a send that took long. */
#include <pthread.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/sys/converse.h"
#include "tests/unit/one_player.h"

static void *serve(void *fd)
{
	converse(&player.env, *(int *)fd);
	return NULL;
}

/* Closed with bytes unread, a socket of TCP resets: what the client has not read yet is lost. */
static void test_a_slow_client_gets_all_of_the_last_answer(void **state)
{
	static const char request[] =
	    "GET /bytes/2000000 HTTP/1.1\r\nHost: c\r\nConnection: close\r\n\r\n";
	static char behind[60000], answer[65536];
	int ends[2], unread = -1;
	size_t len = 0;
	pthread_t thread;
	(void)state;
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(write(ends[1], request, strlen(request)), (ssize_t)strlen(request));
	assert_int_equal(write(ends[1], behind, sizeof behind), (ssize_t)sizeof behind);
	assert_int_equal(pthread_create(&thread, NULL, serve, &ends[0]), 0);
	sleep(CONN_LINGER_TIMEOUT_S + 2);
	for (ssize_t n; (n = read(ends[1], answer, sizeof answer)) > 0;)
		len += (size_t)n;
	assert_true(len > 2000000);
	shutdown(ends[1], SHUT_WR);
	pthread_join(thread, NULL);
	assert_int_equal(ioctl(ends[0], FIONREAD, &unread), 0);
	assert_int_equal(unread, 0);
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = { TEST(test_a_slow_client_gets_all_of_the_last_answer) };
	return cmocka_run_group_tests_name("converse", tests, NULL, NULL);
}
