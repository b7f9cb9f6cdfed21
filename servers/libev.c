/*
 * libev.c: an event loop from a library: libev.
 * needs: libev
 *
 * How it waits: a watcher per socket and one per sleeping connection; libev keeps them and calls
 * back. Underneath it is epoll, level-triggered: what this adds to epoll.c is the library's
 * bookkeeping, what it saves is ours.
 *
 * Cost: 192 bytes of ours a connection; the library's handles (ev_io and ev_timer) stand beside
 * them in `handles`.
 *
 * Notice: libev batches changes of interest and gives them to epoll_ctl() before it waits. Its
 * clock is read once a loop, so a timer that is started late in a batch would ring early:
 * ev_now_update() first.
 *
 * Left out: other backends (LIBEV_FLAGS=2 in the environment makes it use poll). man: ev(3).
 */
#include <errno.h>
#include <ev.h>
#include <stdlib.h>

#include "lib/sys/clients.h"
#include "lib/sys/die.h"
#include "lib/sys/io.h"
#include "lib/sys/server_main.h"

struct handles {
	ev_io io;
	ev_timer timer;
};

struct server_loop {
	struct clients clients;
	struct handles *handles; /* by descriptor */
	struct ev_loop *ev;
	ev_io listening, database;
	ev_timer second;
	ev_check woken;
};

static void watch(struct server_loop *l, int fd, int events)
{
	struct client *c = &l->clients.by_fd[fd];
	ev_io *io = &l->handles[fd].io;
	if ((int)c->watch == events)
		return;
	c->watch = (uint32_t)events;
	ev_io_stop(l->ev, io);
	ev_io_set(io, fd, events);
	if (events)
		ev_io_start(l->ev, io);
}

static void drop(struct server_loop *l, int fd)
{
	watch(l, fd, 0);
	ev_timer_stop(l->ev, &l->handles[fd].timer);
	clients_remove(&l->clients, fd);
	if (l->clients.stopping && l->clients.count == 0)
		ev_break(l->ev, EVBREAK_ALL);
}

static void turn(struct server_loop *l, int fd, bool readable)
{
	struct conn *conn = &l->clients.by_fd[fd].conn;
	ev_timer *timer = &l->handles[fd].timer;
	switch (io_turn(conn, fd, readable)) {
	case CONN_WANT_RECV:
		watch(l, fd, EV_READ);
		break;
	case CONN_WANT_SEND:
		watch(l, fd, EV_WRITE);
		break;
	case CONN_WANT_SLEEP:
		ev_now_update(l->ev);
		ev_timer_set(timer, (double)conn_sleep_ns(conn) / 1e9, 0.);
		ev_timer_start(l->ev, timer);
		break;
	case CONN_WANT_QUERY:
		if (clients_query(&l->clients, fd)) {
			ev_io_set(&l->database, l->clients.database.fd, EV_READ);
			ev_io_start(l->ev, &l->database);
		}
		ev_feed_event(l->ev, &l->database, EV_CUSTOM); /* sends, after all the others */
		break;
	case CONN_WANT_COMPUTE:
	case CONN_WANT_FILE:
	case CONN_WANT_SHUTDOWN: /* io_turn() does these */
	case CONN_WANT_CLOSE:
		drop(l, fd);
		break;
	}
}

static void on_socket(struct ev_loop *ev, ev_io *io, int events)
{
	struct server_loop *l = ev_userdata(ev);
	(void)events;
	if (clients_is_waiting(&l->clients, io->fd))
		watch(l, io->fd, 0); /* more requests, or the end: not before this one is answered */
	else
		turn(l, io->fd, true);
}

static void on_timer(struct ev_loop *ev, ev_timer *timer, int events)
{
	struct server_loop *l = ev_userdata(ev);
	int fd = (int)(intptr_t)timer->data;
	(void)events;
	conn_woke(&l->clients.by_fd[fd].conn);
	turn(l, fd, false);
}

static void add(struct server_loop *l, int fd)
{
	struct handles *h = &l->handles[fd];
	ev_io_init(&h->io, on_socket, fd, 0);
	ev_init(&h->timer, on_timer);
	h->timer.data = (void *)(intptr_t)fd;
	watch(l, fd, EV_READ);
}

static void on_listening(struct ev_loop *ev, ev_io *io, int events)
{
	struct server_loop *l = ev_userdata(ev);
	(void)events;
	for (int fd; (fd = clients_accept(&l->clients)) >= 0;)
		add(l, fd);
	if (l->clients.stopping) {
		ev_io_stop(ev, io);
		if (l->clients.count == 0)
			ev_break(ev, EVBREAK_ALL);
	}
}

static void see_to_due(struct server_loop *l)
{
	for (int fd; (fd = clients_due(&l->clients)) >= 0;)
		turn(l, fd, false);
	database_send(&l->clients.database);
}

static void on_database(struct ev_loop *ev, ev_io *io, int events)
{
	struct server_loop *l = ev_userdata(ev);
	if (events & EV_READ && !database_hear(&l->clients.database))
		ev_io_stop(ev, io);
	see_to_due(l);
}

/* After every wait: the connections are told the time. */
static void on_woken(struct ev_loop *ev, ev_check *check, int events)
{
	struct server_loop *l = ev_userdata(ev);
	(void)check, (void)events;
	worker_tick(l->clients.worker);
}

static void on_second(struct ev_loop *ev, ev_timer *timer, int events)
{
	(void)timer, (void)events;
	see_to_due(ev_userdata(ev));
}

static void serve(struct worker *w)
{
	struct server_loop loop = { .ev = ev_loop_new(EVFLAG_AUTO) };
	struct server_loop *l = &loop;
	clients_init(&l->clients, w);
	l->handles = calloc((size_t)w->fd_cap, sizeof *l->handles);
	if (!l->ev || !l->handles)
		die("libev cannot make a loop; raise the file limit (ulimit -n)");
	ev_set_userdata(l->ev, l);
	ev_io_init(&l->listening, on_listening, w->listen_fd, EV_READ);
	ev_io_start(l->ev, &l->listening);
	ev_init(&l->database, on_database);
	ev_set_priority(&l->database, EV_MINPRI);
	ev_timer_init(&l->second, on_second, 1., 1.);
	ev_timer_start(l->ev, &l->second);
	ev_check_init(&l->woken, on_woken);
	ev_set_priority(&l->woken, EV_MAXPRI);
	ev_check_start(l->ev, &l->woken);
	ev_run(l->ev, 0);
	ev_loop_destroy(l->ev);
	free(l->handles);
	clients_deinit(&l->clients);
}

static const struct server_model model = {
	.name = "libev",
	.family = "library",
	.api = "libev: ev_io, ev_timer",
	.summary = "one loop over epoll, kept by libev; a watcher per socket calls back",
	.serve = serve,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
