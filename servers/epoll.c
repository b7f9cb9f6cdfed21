/*
 * epoll.c: one loop over readiness, kept by the kernel.
 *
 * How it waits: each socket is registered once; epoll_wait() returns only those that are ready,
 * so a wait costs as much as there is to do, however many connections are idle. Level-triggered:
 * what is not done now is told again. Non-blocking sockets, one thread; --workers N runs N such
 * loops, each with a listening socket of its own (SO_REUSEPORT), and the kernel spreads the
 * connections.
 *
 * Cost: 192 bytes of ours a connection, and the kernel's epoll item. Two system calls a request
 * (recv, send) and a share of one epoll_wait.
 *
 * Notice: a connection is closed only at its own event or after the batch (clients_due), so no
 * event of the batch can belong to a connection that is gone. Where that does not hold, an event
 * must carry a generation. While one request computes, nobody else is served.
 *
 * Left out: edge triggering (epoll-et.c has it). man: epoll(7), epoll_wait(2).
 */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/sys/clients.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/io.h"
#include "lib/sys/server_main.h"

struct loop {
	struct clients clients;
	int epoll_fd;
	int listen_fd;
};

/* Changes what epoll tells about a socket, if it is something else than now. */
static void watch(struct loop *l, int fd, uint32_t events)
{
	struct client *c = &l->clients.by_fd[fd];
	struct epoll_event event = { .events = events, .data.fd = fd };
	if (c->watch == events)
		return;
	c->watch = events;
	CHECK(epoll_ctl(l->epoll_fd, EPOLL_CTL_MOD, fd, &event) == 0);
}

static bool start_watching(struct loop *l, int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void turn(struct loop *l, int fd, bool readable)
{
	switch (io_turn(&l->clients.by_fd[fd].conn, fd, readable)) {
	case CONN_WANT_RECV:
		watch(l, fd, EPOLLIN);
		break;
	case CONN_WANT_SEND:
		watch(l, fd, EPOLLOUT);
		break;
	case CONN_WANT_SLEEP:
		clients_sleep(&l->clients, fd);
		break;
	case CONN_WANT_QUERY:
		if (clients_query(&l->clients, fd))
			start_watching(l, l->clients.database.fd);
		break;
	case CONN_WANT_COMPUTE:
	case CONN_WANT_FILE:
	case CONN_WANT_SHUTDOWN: /* io_turn() does these */
	case CONN_WANT_CLOSE:
		clients_remove(&l->clients, fd); /* close() takes it out of the epoll set */
		break;
	}
}

static void on_client(struct loop *l, int fd, uint32_t events)
{
	bool waiting = clients_is_waiting(&l->clients, fd);
	if (waiting && events & (EPOLLERR | EPOLLHUP)) /* told even if not asked for */
		clients_remove(&l->clients, fd);
	else if (waiting) /* more requests, or the client's end: not before this one is answered */
		watch(l, fd, 0);
	else
		turn(l, fd, true);
}

static void accept_some(struct loop *l)
{
	for (int fd; (fd = clients_accept(&l->clients)) >= 0;) {
		l->clients.by_fd[fd].watch = EPOLLIN;
		if (!start_watching(l, fd))
			clients_remove(&l->clients, fd); /* fs.epoll.max_user_watches is used up */
	}
	if (l->clients.stopping)
		epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, l->listen_fd, NULL);
}

static void on_event(struct loop *l, int fd, uint32_t events)
{
	if (fd == l->listen_fd)
		accept_some(l);
	else if (fd == l->clients.database.fd)
		database_hear(&l->clients.database);
	else
		on_client(l, fd, events);
}

static void serve(struct worker *w)
{
	enum { EVENTS = 512 };
	struct epoll_event events[EVENTS];
	struct loop loop = { .listen_fd = w->listen_fd, .epoll_fd = epoll_create1(EPOLL_CLOEXEC) };
	struct loop *l = &loop;
	clients_init(&l->clients, w);
	if (l->epoll_fd < 0 || !start_watching(l, w->listen_fd))
		die_errno(errno, "epoll; raise the file limit (ulimit -n)");

	while (!l->clients.stopping || l->clients.count > 0) {
		struct timespec wait = clock_timespec(clients_wait_ns(&l->clients));
		int count = epoll_pwait2(l->epoll_fd, events, EVENTS, &wait, NULL);
		worker_tick(w);
		for (int i = 0; i < count; i++)
			on_event(l, events[i].data.fd, events[i].events);
		for (int fd; (fd = clients_due(&l->clients)) >= 0;)
			turn(l, fd, false);
		database_send(&l->clients.database);
	}
	close(l->epoll_fd);
	clients_deinit(&l->clients);
}

static const struct server_model model = {
	.name = "epoll",
	.family = "readiness",
	.api = "epoll_wait, level-triggered",
	.summary = "one loop; the kernel keeps the list of sockets and returns the ready ones",
	.serve = serve,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
