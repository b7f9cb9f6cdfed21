/*
 * converse.c: see converse.h. Each want is one blocking call: whoever makes it sleeps in the kernel
 * until it is done. Deadlines are the socket's: SO_RCVTIMEO, SO_SNDTIMEO (socket(7)).
 */
#include "lib/sys/converse.h"

#include <errno.h>
#include <sys/socket.h>
#include <sys/time.h>

#include "lib/sys/clock.h"
#include "lib/sys/database_pool.h"
#include "lib/sys/datafile.h"
#include "lib/sys/io.h"
#include "lib/sys/server_main.h"

/* Blocks in recv() no longer than until the connection's deadline, which has not passed. */
static void set_receive_timeout(int fd, const struct conn *c, uint32_t *timeout_s)
{
	uint32_t left_s = c->deadline_s - c->env->now_s;
	if (left_s == *timeout_s)
		return;
	*timeout_s = left_s;
	struct timeval timeout = { .tv_sec = left_s };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
}

/* Time has passed: what is answered next should know what time it is, and who came meanwhile. */
static void look_up(struct conn_env *env, bool (*others_wait)(void))
{
	worker_env_tick(env);
	env->others_wait = others_wait && others_wait();
}

/* Sleeps to the end, whatever signal comes between. */
static void sleep_ns(uint64_t ns)
{
	struct timespec left = clock_timespec(ns);
	while (nanosleep(&left, &left) < 0 && errno == EINTR)
		;
}

/* Does what the connection wants, in the order in which it wants it, until it wants to be closed. */
static void serve_conn(struct conn *c, int fd, bool (*others_wait)(void))
{
	char bytes[CONN_FEED_MAX];
	uint32_t timeout_s = 0;
	ssize_t n;
	for (;;) {
		switch (conn_wants(c)) {
		case CONN_WANT_RECV:
			if (conn_is_late(c)) { /* bytes that trickle in keep recv() from timing out */
				conn_expire(c);
				break;
			}
			set_receive_timeout(fd, c, &timeout_s);
			n = io_recv(fd, bytes, sizeof bytes);
			look_up(c->env, others_wait);
			if (n > 0)
				conn_feed(c, bytes, (size_t)n);
			else if (n == -EAGAIN)
				conn_expire(c);
			else
				conn_feed_eof(c);
			break;
		case CONN_WANT_SEND:
			n = io_send(fd, conn_output(c));
			if (n < 0)
				return;
			worker_env_tick(c->env); /* a slow client holds it up: what is due next counts from now */
			conn_sent(c, (size_t)n);
			break;
		case CONN_WANT_SLEEP:
			sleep_ns(conn_sleep_ns(c));
			look_up(c->env, others_wait);
			conn_woke(c);
			break;
		case CONN_WANT_COMPUTE:
			conn_compute(c);
			conn_computed(c);
			break;
		case CONN_WANT_FILE:
			conn_file_done(c, datafile_read(conn_file(c)));
			break;
		case CONN_WANT_QUERY:
			database_pool_answer(c);
			break;
		case CONN_WANT_SHUTDOWN:
			shutdown(fd, SHUT_WR);
			conn_shut(c);
			break;
		case CONN_WANT_CLOSE:
			return;
		}
	}
}

void converse_in_turn(struct conn_env *env, int fd, bool (*others_wait)(void))
{
	struct conn conn;
	struct timeval timeout = { .tv_sec = CONN_SEND_TIMEOUT_S };
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout);
	conn_init(&conn, env);
	serve_conn(&conn, fd, others_wait);
	conn_deinit(&conn);
}

void converse(struct conn_env *env, int fd)
{
	converse_in_turn(env, fd, NULL);
}
