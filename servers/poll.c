/*
 * poll.c: one loop over readiness, the list kept by the program.
 *
 * How it waits: poll() is handed an array of all sockets at every call. The kernel looks at each
 * of them, and so does the program afterwards: a wait costs as much as there are connections,
 * ready or not. That is the C10k problem.
 *
 * Cost: 192 bytes of ours a connection and 8 in the array; per wait two passes over all of them.
 *
 * Notice: with every connection active the passes find work and the cost hides; with 10,000 idle
 * ones it is all there is. The array is dense: the last entry moves into the gap that a closed
 * connection leaves.
 *
 * Left out: nothing of poll(); it has no limit but the file limit. man: poll(2), ppoll(2).
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>

#include "lib/sys/clients.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/io.h"
#include "lib/sys/server_main.h"

enum { LISTENING, DATABASE, FIRST_CLIENT };

struct loop {
	struct clients clients;
	struct pollfd *watched; /* client->watch is its place here; first come two others: */
	nfds_t count;
};

static void drop(struct loop *l, int fd)
{
	uint32_t place = l->clients.by_fd[fd].watch;
	struct pollfd *last = &l->watched[--l->count];
	l->clients.by_fd[last->fd].watch = place;
	l->watched[place] = *last;
	clients_remove(&l->clients, fd);
}

static void turn(struct loop *l, int fd, bool readable)
{
	struct client *c = &l->clients.by_fd[fd];
	switch (io_turn(&c->conn, fd, readable)) {
	case CONN_WANT_RECV:
		l->watched[c->watch].events = POLLIN;
		break;
	case CONN_WANT_SEND:
		l->watched[c->watch].events = POLLOUT;
		break;
	case CONN_WANT_SLEEP:
		l->watched[c->watch].events = 0; /* what comes meanwhile waits in the socket */
		clients_sleep(&l->clients, fd);
		break;
	case CONN_WANT_QUERY:
		l->watched[c->watch].events = 0;
		if (clients_query(&l->clients, fd))
			l->watched[DATABASE].fd = l->clients.database.fd;
		break;
	case CONN_WANT_COMPUTE:
	case CONN_WANT_FILE:
	case CONN_WANT_SHUTDOWN: /* io_turn() does these */
	case CONN_WANT_CLOSE:
		drop(l, fd);
		break;
	}
}

static void on_event(struct loop *l, int fd, short events)
{
	/* nothing was asked for meanwhile: what is told all the same is an error */
	if (clients_is_waiting(&l->clients, fd))
		drop(l, fd);
	else
		turn(l, fd, events & (POLLIN | POLLERR | POLLHUP));
}

static void accept_some(struct loop *l)
{
	for (int fd; (fd = clients_accept(&l->clients)) >= 0;) {
		l->clients.by_fd[fd].watch = (uint32_t)l->count;
		l->watched[l->count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
	}
	if (l->clients.stopping)
		l->watched[LISTENING].fd = -1; /* poll() passes over it */
}

static void serve(struct worker *w)
{
	struct loop loop = { .count = FIRST_CLIENT };
	struct loop *l = &loop;
	clients_init(&l->clients, w);
	l->watched = calloc((size_t)w->fd_cap + FIRST_CLIENT, sizeof *l->watched);
	if (!l->watched)
		die("no memory to poll %d connections; lower the file limit (ulimit -n)", w->fd_cap);
	l->watched[LISTENING] = (struct pollfd){ .fd = w->listen_fd, .events = POLLIN };
	l->watched[DATABASE] = (struct pollfd){ .fd = -1, .events = POLLIN };

	while (!l->clients.stopping || l->clients.count > 0) {
		struct timespec wait = clock_timespec(clients_wait_ns(&l->clients));
		int ready = ppoll(l->watched, l->count, &wait, NULL);
		worker_tick(w);
		/* from the end: an entry that moves into a gap has been looked at already */
		for (nfds_t i = l->count; ready > 0 && i-- > FIRST_CLIENT;)
			if (l->watched[i].revents) {
				ready--;
				on_event(l, l->watched[i].fd, l->watched[i].revents);
			}
		if (ready > 0 && l->watched[DATABASE].revents) {
			ready--;
			if (!database_hear(&l->clients.database))
				l->watched[DATABASE].fd = -1;
		}
		if (ready > 0)
			accept_some(l);
		for (int fd; (fd = clients_due(&l->clients)) >= 0;)
			turn(l, fd, false);
		database_send(&l->clients.database);
	}
	free(l->watched);
	clients_deinit(&l->clients);
}

static const struct server_model model = {
	.name = "poll",
	.family = "readiness",
	.api = "poll",
	.summary = "one loop; hands the kernel the list of all sockets at every wait",
	.serve = serve,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
