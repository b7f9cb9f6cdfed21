/*
 * coro.c: a coroutine per connection: plain, synchronous-looking code on one thread.
 *
 * How it waits: serve_conn() reads like converse.c, by which thread.c serves: it calls co_recv()
 * and goes on when there are bytes. What lies under the call (lib/sys/co.c) is not the kernel's
 * scheduler but ours: the coroutine notes what it waits for and yields to a loop over epoll, which
 * resumes it when its socket, the clock or the database says so. --workers N as in epoll.c.
 *
 * Cost: a stack a connection, 64 KiB of address space, one page of it real while idle; no kernel
 * stack, no task. Two switches a request (lib/sys/coroutine.c), tens of nanoseconds each; two
 * system calls (recv, send) and a share of one epoll_wait.
 *
 * Notice: where a connection stands in its conversation is where its code stands, in local
 * variables and return addresses. The buffer of serve_conn() is everybody's: between co_recv() and
 * conn_feed() nobody else can run. For the same reason what blocks or computes holds up all: only
 * calls that begin with co_ let the others run. Put it beside converse.c.
 *
 * Left out: noticing that a client is gone while its request waits. man: epoll(7), mmap(2),
 * makecontext(3).
 */
#include <errno.h>
#include <sys/socket.h>

#include "lib/sys/co.h"
#include "lib/sys/datafile.h"
#include "lib/sys/server_main.h"

/* Does what the connection wants, in the order in which it wants it, until it is to be closed. */
static void serve_conn(struct conn *c, int fd)
{
	static _Thread_local char bytes[CONN_FEED_MAX];
	ssize_t n;
	for (;;) {
		switch (conn_wants(c)) {
		case CONN_WANT_RECV:
			n = co_recv(fd, bytes, sizeof bytes, c->deadline_s);
			if (n > 0)
				conn_feed(c, bytes, (size_t)n);
			else if (n == -ETIMEDOUT)
				conn_expire(c);
			else
				conn_feed_eof(c);
			break;
		case CONN_WANT_SEND:
			n = co_send(fd, conn_output(c), c->deadline_s);
			if (n < 0)
				return;
			conn_sent(c, (size_t)n);
			break;
		case CONN_WANT_SLEEP:
			co_sleep(conn_sleep_ns(c));
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
			conn_query_done(c, co_query(conn_query_key(c)));
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

static void connection(struct worker *w, int fd)
{
	struct conn conn;
	conn_init(&conn, &w->env);
	serve_conn(&conn, fd);
	conn_deinit(&conn);
	worker_close(w, fd);
}

static void serve(struct worker *w)
{
	co_serve(w, connection);
}

static const struct server_model model = {
	.name = "coro",
	.family = "coroutine",
	.api = "own switch, epoll_wait, edge-triggered",
	.summary = "a coroutine per connection: code that seems to block, switched by the program itself",
	.serve = serve,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
