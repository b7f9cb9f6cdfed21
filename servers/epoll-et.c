/*
 * epoll-et.c: one loop over readiness, told once: edge-triggered.
 *
 * How it waits: each socket is registered once, for everything, and never changed. epoll_wait()
 * tells when something has changed, not what is so: what it said must be remembered (READABLE)
 * until the socket is drained, that is, until the kernel says EAGAIN or gives less than was asked
 * for. Who has more to do than his share stands in a list of our own behind the others, and the
 * loop does not wait while somebody stands there.
 *
 * Cost: 196 bytes of ours a connection, and the kernel's epoll item. Two system calls a request
 * (recv, send) and a share of one epoll_wait, as epoll.c has; what is saved is epoll_ctl() when a
 * client reads slowly or sends while it waits.
 *
 * Notice: what epoll.c leaves to the kernel, to tell again what is not done, is done here: forget
 * one READABLE and that client hangs for ever. A connection ends at its place in the list, or when
 * it is due and has none there, never in the batch: so no event is stale, and no place in the list.
 * The listening socket and the database's stay level-triggered: they are drained a share at a time.
 *
 * Left out: a writable bit; send() is simply tried. man: epoll(7), its "Questions and answers".
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/sys/clients.h"
#include "lib/sys/clock.h"
#include "lib/sys/datafile.h"
#include "lib/sys/die.h"
#include "lib/sys/io.h"
#include "lib/sys/server_main.h"

/* What is known of a connection: client->watch. */
enum {
	READABLE = 1, /* there may be bytes: told, and not yet drained */
	ENDED = 2,    /* the client sends no more: READABLE for good, to be told end of file */
	BROKEN = 4,   /* reset: nothing can be sent either */
	WAITING = 8,  /* for a sleep or the database */
	LISTED = 16,  /* stands in the list */
};

struct loop {
	struct clients clients;
	int *next; /* the list of those who have something to do, by descriptor */
	int first, last, listed_count;
	int epoll_fd;
	int listen_fd;
};

static bool start_watching(struct loop *l, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };
	return epoll_ctl(l->epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Puts it at the end of the list, unless it stands there. */
static void put_in_list(struct loop *l, int fd)
{
	struct client *c = &l->clients.by_fd[fd];
	if (c->watch & LISTED)
		return;
	c->watch |= LISTED;
	if (l->listed_count++ == 0)
		l->first = fd;
	else
		l->next[l->last] = fd;
	l->last = fd;
}

/* Receives once and feeds. False when the socket is drained. */
static bool receive(struct client *c, int fd)
{
	char bytes[CONN_FEED_MAX];
	if (!(c->watch & READABLE))
		return false;
	ssize_t n = io_recv(fd, bytes, sizeof bytes);
	if (n < (ssize_t)sizeof bytes && !(c->watch & ENDED))
		c->watch &= ~(uint32_t)READABLE; /* what comes from now on will be told */
	if (n == -EAGAIN)
		return false;
	if (n > 0)
		conn_feed(&c->conn, bytes, (size_t)n);
	else /* the client's end, or a reset: both end the connection */
		conn_feed_eof(&c->conn);
	return true;
}

/* Does what the connection wants until it has to wait, or has had its share. */
static void turn(struct loop *l, int fd)
{
	enum { STEPS = 32 };
	struct client *c = &l->clients.by_fd[fd];
	ssize_t n;
	for (int step = 0; step < STEPS; step++) {
		switch (conn_wants(&c->conn)) {
		case CONN_WANT_RECV:
			if (!receive(c, fd))
				return;
			break;
		case CONN_WANT_SEND:
			n = io_send(fd, conn_output(&c->conn));
			if (n == -EAGAIN)
				return;
			if (n > 0)
				conn_sent(&c->conn, (size_t)n);
			else
				conn_feed_eof(&c->conn);
			break;
		case CONN_WANT_COMPUTE:
			conn_compute(&c->conn);
			conn_computed(&c->conn);
			break;
		case CONN_WANT_FILE:
			conn_file_done(&c->conn, datafile_read(conn_file(&c->conn)));
			break;
		case CONN_WANT_SHUTDOWN:
			shutdown(fd, SHUT_WR);
			conn_shut(&c->conn);
			break;
		case CONN_WANT_SLEEP:
			c->watch |= WAITING;
			clients_sleep(&l->clients, fd);
			return;
		case CONN_WANT_QUERY:
			c->watch |= WAITING;
			if (clients_query(&l->clients, fd))
				start_watching(l, l->clients.database.fd, EPOLLIN);
			return;
		case CONN_WANT_CLOSE:
			clients_remove(&l->clients, fd); /* close() takes it out of the epoll set */
			return;
		}
	}
	put_in_list(l, fd); /* nobody will tell of it again */
}

/* One turn for each who stood in the list when it began. */
static void take_turns(struct loop *l)
{
	for (int left = l->listed_count; left > 0; left--) {
		int fd = l->first;
		struct client *c = &l->clients.by_fd[fd];
		l->first = l->next[fd];
		l->listed_count--;
		c->watch &= ~(uint32_t)LISTED;
		if (!(c->watch & WAITING))
			turn(l, fd);
		else if (c->watch & BROKEN)
			clients_remove(&l->clients, fd);
	}
}

static void on_client(struct loop *l, int fd, uint32_t events)
{
	uint32_t *watch = &l->clients.by_fd[fd].watch;
	if (events & EPOLLIN)
		*watch |= READABLE;
	if (events & EPOLLRDHUP)
		*watch |= READABLE | ENDED;
	if (events & (EPOLLHUP | EPOLLERR))
		*watch |= READABLE | ENDED | BROKEN;
	put_in_list(l, fd);
}

static void accept_some(struct loop *l)
{
	const uint32_t everything = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
	for (int fd; (fd = clients_accept(&l->clients)) >= 0;)
		if (!start_watching(l, fd, everything)) /* tells at once what is there already */
			clients_remove(&l->clients, fd); /* fs.epoll.max_user_watches is used up */
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
	l->next = calloc((size_t)w->fd_cap, sizeof *l->next);
	if (!l->next)
		die("no memory for a list of %d connections; lower the file limit (ulimit -n)", w->fd_cap);
	if (l->epoll_fd < 0 || !start_watching(l, w->listen_fd, EPOLLIN))
		die_errno(errno, "epoll; raise the file limit (ulimit -n)");

	while (!l->clients.stopping || l->clients.count > 0) {
		uint64_t wait_ns = l->listed_count > 0 ? 0 : clients_wait_ns(&l->clients);
		struct timespec wait = clock_timespec(wait_ns);
		int count = epoll_pwait2(l->epoll_fd, events, EVENTS, &wait, NULL);
		worker_tick(w);
		for (int i = 0; i < count; i++)
			on_event(l, events[i].data.fd, events[i].events);
		for (int fd; (fd = clients_due(&l->clients)) >= 0;) {
			l->clients.by_fd[fd].watch &= ~(uint32_t)WAITING;
			if (!(l->clients.by_fd[fd].watch & LISTED))
				turn(l, fd); /* at once: its answer stands in a buffer */
		}
		take_turns(l);
		database_send(&l->clients.database);
	}
	close(l->epoll_fd);
	free(l->next);
	clients_deinit(&l->clients);
}

static const struct server_model model = {
	.name = "epoll-et",
	.family = "readiness",
	.api = "epoll_wait, edge-triggered",
	.summary = "one loop; each change is told once, and the loop drains what it was told of",
	.serve = serve,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
