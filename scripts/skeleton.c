/*
 * NAME.c: a new model, begun from the skeleton. Say here in 5 to 15 lines how it waits, what it costs a
 * connection and a request, what a reader should notice, what it leaves out, and which man pages tell more.
 *
 * If it needs a library, name its pkg-config module in a line of its own, as the others do:
 *   " * needs" with a colon, and the module. It is then skipped, visibly, where the library is missing.
 *
 * As it stands this is a loop over poll(): it builds, passes `make check SERVER=NAME` and is measured by
 * `make bench`. Replace what is marked with (1), (2), (3) by your own way of waiting.
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "lib/sys/clients.h"
#include "lib/sys/die.h"
#include "lib/sys/io.h"
#include "lib/sys/server_main.h"

static struct pollfd *watched; /* by descriptor; fd is -1 where nothing is watched */

/* (1) Whom to wait for. Called when a connection has had its turn and cannot go on without waiting. */
static void turn(struct clients *cs, int fd, bool readable)
{
	switch (io_turn(&cs->by_fd[fd].conn, fd, readable)) {
	case CONN_WANT_RECV: /* until the socket is readable */
		watched[fd] = (struct pollfd){ .fd = fd, .events = POLLIN };
		break;
	case CONN_WANT_SEND: /* until it is writable */
		watched[fd] = (struct pollfd){ .fd = fd, .events = POLLOUT };
		break;
	case CONN_WANT_SLEEP: /* until clients_due() returns it */
		watched[fd].fd = -1;
		clients_sleep(cs, fd);
		break;
	case CONN_WANT_QUERY: /* until clients_due() returns it */
		watched[fd].fd = -1;
		if (clients_query(cs, fd)) /* a new link to the database */
			watched[cs->database.fd] = (struct pollfd){ .fd = cs->database.fd, .events = POLLIN };
		break;
	case CONN_WANT_COMPUTE:
	case CONN_WANT_FILE:
	case CONN_WANT_SHUTDOWN: /* io_turn() does these */
	case CONN_WANT_CLOSE:
		watched[fd].fd = -1;
		clients_remove(cs, fd);
		break;
	}
}

/* (2) New connections, or the end: SIGTERM makes clients_accept() set `stopping`. */
static void accept_some(struct clients *cs, int listen_fd)
{
	for (int fd; (fd = clients_accept(cs)) >= 0;)
		turn(cs, fd, false);
	if (cs->stopping)
		watched[listen_fd].fd = -1;
}

/* (3) The wait itself: here over every descriptor there might be. */
static void serve(struct worker *w)
{
	struct clients clients;
	clients_init(&clients, w);
	watched = calloc((size_t)w->fd_cap, sizeof *watched);
	CHECK(watched);
	for (int fd = 0; fd < w->fd_cap; fd++)
		watched[fd].fd = -1; /* poll() passes over it */
	watched[w->listen_fd] = (struct pollfd){ .fd = w->listen_fd, .events = POLLIN };

	while (!clients.stopping || clients.count > 0) {
		int end_fd = clients.end_fd > w->listen_fd ? clients.end_fd : w->listen_fd + 1;
		poll(watched, (nfds_t)end_fd, (int)(clients_wait_ns(&clients) / 1000000) + 1);
		worker_tick(w); /* tells the connections the time */
		for (int fd = 0; fd < end_fd; fd++) {
			if (watched[fd].fd < 0 || !watched[fd].revents)
				continue;
			if (fd == w->listen_fd)
				accept_some(&clients, fd);
			else if (fd != clients.database.fd)
				turn(&clients, fd, true);
			else if (!database_hear(&clients.database))
				watched[fd].fd = -1;
		}
		for (int fd; (fd = clients_due(&clients)) >= 0;) /* slept enough, or too late */
			turn(&clients, fd, false);
		database_send(&clients.database);
	}
	free(watched);
	clients_deinit(&clients);
}

static const struct server_model model = {
	.name = "NAME",
	.family = "readiness", /* process, thread, readiness, library, completion, coroutine, runtime */
	.api = "poll",         /* the calls it waits with */
	.summary = "one line: how it waits",
	.serve = serve,
	.single_worker = true,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
