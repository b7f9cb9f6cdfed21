/*
 * libevent.c: an event loop from a library: libevent 2.
 * needs: libevent_core
 *
 * How it waits: a persistent event per socket and a timer per sleeping connection; libevent keeps
 * them, its timers in a heap, and calls back. Underneath it is epoll, level-triggered, as in
 * epoll.c.
 *
 * Cost: 192 bytes of ours a connection; the library's handles (two struct event) stand beside
 * them in `handles`.
 *
 * Notice: the events lie in our memory (event_assign), so a connection costs no allocation.
 * libevent caches the time during a batch: it is renewed before a timer is set, or that would
 * ring early. So it would by the clock that libevent takes unless asked for a precise one: that
 * stands still between the kernel's ticks (4 ms). The precise one costs a timerfd_settime() a wait.
 *
 * Left out: bufferevents, libevent's own buffering: the core has its own. man: event(3),
 * libevent.org's book.
 */
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>

#include "lib/sys/clients.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/io.h"
#include "lib/sys/server_main.h"

struct handles {
	struct event socket;
	struct event timer;
};

struct loop {
	struct clients clients;
	struct handles *handles; /* by descriptor */
	struct event_base *base;
	struct event listening;
	struct event database; /* the link to it, if there is one */
	struct event second;
};

/* libevent hands a callback the descriptor and one pointer; a worker's loop is its thread's. */
static _Thread_local struct loop *l;

static void on_socket(evutil_socket_t fd, short events, void *argument);
static void on_database(evutil_socket_t fd, short events, void *argument);

static void watch(int fd, short events)
{
	struct client *c = &l->clients.by_fd[fd];
	struct event *socket = &l->handles[fd].socket;
	if (c->watch == (uint32_t)events)
		return;
	if (c->watch)
		event_del(socket);
	c->watch = (uint32_t)events;
	if (!events)
		return;
	event_assign(socket, l->base, fd, (short)(events | EV_PERSIST), on_socket, NULL);
	CHECK(event_add(socket, NULL) == 0);
}

static void end_if_drained(void)
{
	if (l->clients.stopping && l->clients.count == 0)
		event_base_loopbreak(l->base);
}

static void turn(int fd, bool readable)
{
	struct conn *conn = &l->clients.by_fd[fd].conn;
	struct timeval pause;
	switch (io_turn(conn, fd, readable)) {
	case CONN_WANT_RECV:
		watch(fd, EV_READ);
		break;
	case CONN_WANT_SEND:
		watch(fd, EV_WRITE);
		break;
	case CONN_WANT_SLEEP:
		event_base_update_cache_time(l->base);
		pause.tv_sec = (time_t)(conn_sleep_ns(conn) / 1000000000);
		pause.tv_usec = (suseconds_t)(conn_sleep_ns(conn) % 1000000000 / 1000);
		event_add(&l->handles[fd].timer, &pause);
		break;
	case CONN_WANT_QUERY:
		if (clients_query(&l->clients, fd)) {
			event_del(&l->database); /* it may be active since the last link was lost */
			event_assign(&l->database, l->base, l->clients.database.fd, EV_READ | EV_PERSIST,
			    on_database, NULL);
			CHECK(event_add(&l->database, NULL) == 0);
		}
		event_active(&l->database, EV_WRITE, 1); /* sends, after all the others */
		break;
	case CONN_WANT_COMPUTE:
	case CONN_WANT_FILE:
	case CONN_WANT_SHUTDOWN: /* io_turn() does these */
	case CONN_WANT_CLOSE:
		watch(fd, 0);
		event_del(&l->handles[fd].timer);
		clients_remove(&l->clients, fd);
		end_if_drained();
		break;
	}
}

static void on_socket(evutil_socket_t fd, short events, void *argument)
{
	(void)events, (void)argument;
	worker_tick(l->clients.worker);
	if (clients_is_waiting(&l->clients, fd))
		watch(fd, 0); /* more requests, or the end: not before this one is answered */
	else
		turn(fd, true);
}

static void on_timer(evutil_socket_t none, short events, void *argument)
{
	int fd = (int)(intptr_t)argument;
	(void)none, (void)events;
	worker_tick(l->clients.worker);
	conn_woke(&l->clients.by_fd[fd].conn);
	turn(fd, false);
}

static void on_listening(evutil_socket_t listen_fd, short events, void *argument)
{
	(void)listen_fd, (void)events, (void)argument;
	for (int fd; (fd = clients_accept(&l->clients)) >= 0;) {
		evtimer_assign(&l->handles[fd].timer, l->base, on_timer, (void *)(intptr_t)fd);
		watch(fd, EV_READ);
	}
	if (l->clients.stopping) {
		event_del(&l->listening);
		end_if_drained();
	}
}

static void see_to_due(void)
{
	for (int fd; (fd = clients_due(&l->clients)) >= 0;)
		turn(fd, false);
	database_send(&l->clients.database);
}

static void on_database(evutil_socket_t fd, short events, void *argument)
{
	(void)fd, (void)argument;
	if (events & EV_READ && !database_hear(&l->clients.database))
		event_del(&l->database);
	see_to_due();
}

static void on_second(evutil_socket_t none, short events, void *argument)
{
	(void)none, (void)events, (void)argument;
	see_to_due();
}

static void serve(struct worker *w)
{
	struct event_config *config = event_config_new();
	const struct timeval second = { .tv_sec = 1 };
	struct loop loop = { 0 };
	l = &loop;
	if (config && event_config_set_flag(config, EVENT_BASE_FLAG_PRECISE_TIMER) == 0) {
		l->base = event_base_new_with_config(config);
		event_config_free(config);
	}
	clients_init(&l->clients, w);
	l->handles = calloc((size_t)w->fd_cap, sizeof *l->handles);
	if (!l->base || !l->handles)
		die("libevent cannot make a loop; raise the file limit (ulimit -n)");
	event_assign(&l->listening, l->base, w->listen_fd, EV_READ | EV_PERSIST, on_listening, NULL);
	event_add(&l->listening, NULL);
	event_assign(&l->database, l->base, -1, EV_PERSIST, on_database, NULL);
	event_assign(&l->second, l->base, -1, EV_PERSIST, on_second, NULL);
	event_add(&l->second, &second);
	event_base_dispatch(l->base);
	event_del(&l->second);
	event_base_free(l->base);
	free(l->handles);
	clients_deinit(&l->clients);
}

static const struct server_model model = {
	.name = "libevent",
	.family = "library",
	.api = "libevent: event_add, event_base_dispatch",
	.summary = "one loop over epoll, kept by libevent; an event per socket calls back",
	.serve = serve,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
