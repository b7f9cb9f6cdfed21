/*
 * percore.c: a thread per core that shares nothing with the others.
 *
 * How it waits: as epoll.c does, with the same turn. What is added is apartness: each worker is
 * pinned to a CPU of its own, has a listening socket of its own (SO_REUSEPORT), a file table of
 * its own (lib/sys/server_main.c), its own buffers and its own counters, each beginning at a
 * cache line of its own; /stats adds the counters up. There is no lock in here, and no line of
 * memory is written by one worker and used by another while requests are served.
 *
 * Cost: 192 bytes of ours a connection, and the kernel's epoll item. Two system calls a request
 * (recv, send) and a share of one epoll_wait. With one CPU it is epoll.c.
 *
 * Notice: the kernel takes no lock to open a file and counts no reference to use one in a table
 * that only one thread has, and the file limit is per worker. The price is balance: which worker
 * gets a client is decided once, by a hash of addresses and ports, and a busy one cannot give to
 * an idle one; while one request computes, only this worker's other clients wait.
 *
 * Left out: steering a client to the CPU that its packets come in on (SO_INCOMING_CPU,
 * SO_ATTACH_REUSEPORT_CBPF): over loopback that is the client's own CPU, and one worker would get
 * all. man: unshare(2), socket(7), sched_setaffinity(2), epoll(7).
 */
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "lib/sys/affinity.h"
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

/* A part for each worker, which only that worker writes; /stats reads them all. */
static struct service parts[WORKERS_MAX];

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
	if (l->clients.stopping) {
		l->clients.worker->env.service->stopping = true; /* SIGTERM has set the whole's */
		epoll_ctl(l->epoll_fd, EPOLL_CTL_DEL, l->listen_fd, NULL);
	}
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

/* Becomes the only one on its CPU and in its file table, and counts for itself. */
static void part_from_the_others(struct worker *w)
{
	static _Atomic uint32_t part_count;
	struct service *whole = w->env.service;
	int cpus[WORKERS_MAX];
	int cpu_count = affinity_allowed(cpus, WORKERS_MAX);
	uint32_t own = part_count++;
	affinity_pin(cpus[own % (uint32_t)cpu_count]);
	parts[own] = (struct service){ .model = whole->model, .worker_count = whole->worker_count,
		.has_database = whole->has_database, .file_len = whole->file_len, .parts = parts };
	w->env.service = &parts[own];
}

static void serve(struct worker *shared)
{
	enum { EVENTS = 512 };
	struct epoll_event events[EVENTS];
	struct worker own = *shared, *w = &own; /* its neighbours in the table are the others' */
	part_from_the_others(w);
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
	.name = "percore",
	.family = "readiness",
	.api = "epoll_wait, SO_REUSEPORT, sched_setaffinity",
	.summary = "a pinned loop per core, with its own socket, files and counters: nothing shared",
	.serve = serve,
	.worker_per_cpu = true,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
