/*
 * co.c: see co.h. One loop a worker: epoll tells of sockets, edge-triggered, since a coroutine
 * waits only after the kernel has said EAGAIN, or given less than was asked for, which says the
 * same. A heap has the sleepers; once a second all are looked at for deadlines.
 *
 * Nothing here is allocated for a connection: what the loop must know of it lies on its stack, and
 * ends with it. A coroutine ends only when it is resumed, and is resumed at its own event or behind
 * the batch: no event is stale.
 */
#include "lib/sys/co.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/core/timers.h"
#include "lib/sys/clock.h"
#include "lib/sys/coroutine.h"
#include "lib/sys/database.h"
#include "lib/sys/die.h"
#include "lib/sys/io.h"

enum awaited { NOTHING, SOCKET, TIME, DATABASE, TURN };

/* What the loop knows of a coroutine; it lies on its stack. */
struct task {
	struct coroutine *coroutine;
	struct task *next;   /* in the list of those who wait for their turn */
	struct timer timer;  /* set while it waits for TIME */
	struct slice value;  /* that the database has answered */
	uint32_t deadline_s; /* no longer than this for SOCKET */
	int fd;
	int step_count;      /* since it last waited */
	enum awaited awaited;
	bool readable, ended; /* edges are told once: they are kept here */
};

/* A worker's own: what belongs to all its coroutines. */
static _Thread_local struct {
	struct worker *worker;
	void (*connection)(struct worker *w, int fd);
	struct task **by_fd;
	struct task *running;
	struct task *first, *last; /* whose share was used up: they go on in this order */
	struct timers sleeping;
	struct database database;
	int epoll_fd, listen_fd;
	int count, end_fd;
	uint32_t sweep_s;
	bool stopping;
} loop;

static bool start_watching(int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };
	return epoll_ctl(loop.epoll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void resume(struct task *t)
{
	loop.running = t;
	coroutine_resume(t->coroutine);
}

/* --- what a connection calls: each seems to block -------------------------------------------- */

static void await(struct task *t, enum awaited awaited)
{
	t->awaited = awaited;
	coroutine_yield();
	t->awaited = NOTHING;
	t->step_count = 0;
}

/* Until something is told of the socket. False when that took too long. */
static bool await_socket(struct task *t, uint32_t deadline_s)
{
	t->deadline_s = deadline_s;
	if (loop.worker->env.now_s < deadline_s)
		await(t, SOCKET);
	return loop.worker->env.now_s < deadline_s;
}

/* Lets the others go first when it has had its share. */
static void count_step(struct task *t)
{
	enum { STEPS = 32 };
	if (++t->step_count < STEPS)
		return;
	t->next = NULL;
	if (loop.first)
		loop.last->next = t;
	else
		loop.first = t;
	loop.last = t;
	await(t, TURN);
}

ssize_t co_recv(int fd, void *into, size_t cap, uint32_t deadline_s)
{
	struct task *t = loop.running;
	count_step(t);
	for (;;) {
		while (!t->readable)
			if (!await_socket(t, deadline_s))
				return -ETIMEDOUT;
		ssize_t n = io_recv(fd, into, cap);
		t->readable = t->ended || n == (ssize_t)cap; /* less than that: it is drained */
		if (n != -EAGAIN)
			return n;
	}
}

ssize_t co_send(int fd, struct slice bytes, uint32_t deadline_s)
{
	struct task *t = loop.running;
	count_step(t);
	for (;;) {
		ssize_t n = io_send(fd, bytes);
		if (n != -EAGAIN)
			return n;
		if (!await_socket(t, deadline_s))
			return -ETIMEDOUT;
	}
}

void co_sleep(uint64_t ns)
{
	struct task *t = loop.running;
	CHECK(timers_add(&loop.sleeping, &t->timer, clock_now_ns() + ns));
	await(t, TIME);
}

struct slice co_query(struct slice key)
{
	struct task *t = loop.running;
	if (database_ask(&loop.database, key, (uint64_t)t->fd))
		start_watching(loop.database.fd, EPOLLIN);
	await(t, DATABASE);
	return t->value;
}

/* The whole life of a coroutine. */
static void run_task(void *argument)
{
	int fd = (int)(intptr_t)argument;
	struct task task = { .coroutine = coroutine_current(), .fd = fd };
	loop.running = loop.by_fd[fd] = &task;
	loop.count++;
	if (fd >= loop.end_fd)
		loop.end_fd = fd + 1;
	if (start_watching(fd, EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET))
		loop.connection(loop.worker, fd); /* closes it, and so takes it out of the epoll set */
	else
		worker_close(loop.worker, fd); /* fs.epoll.max_user_watches is used up */
	loop.by_fd[fd] = NULL;
	loop.count--;
}

/* --- the loop: whom to resume ---------------------------------------------------------------- */

static void stop(void)
{
	loop.stopping = true;
	epoll_ctl(loop.epoll_fd, EPOLL_CTL_DEL, loop.listen_fd, NULL);
	for (int fd = 0; fd < loop.end_fd; fd++)
		if (loop.by_fd[fd])
			shutdown(fd, SHUT_RD);
}

static void accept_some(void)
{
	enum { BATCH = 64 }; /* then the connected ones have their turn */
	int fd = 0;
	for (int i = 0; i < BATCH && (fd = worker_accept(loop.worker)) >= 0; i++) {
		struct coroutine *coroutine = coroutine_create(run_task, (void *)(intptr_t)fd);
		if (coroutine)
			coroutine_resume(coroutine);
		else
			worker_refuse(loop.worker, fd);
	}
	if (fd == -EINVAL)
		stop();
}

static void on_event(int fd, uint32_t events)
{
	struct task *t = loop.by_fd[fd];
	if (fd == loop.listen_fd) {
		accept_some();
	} else if (fd == loop.database.fd) {
		database_hear(&loop.database);
	} else {
		t->ended |= (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR)) != 0;
		t->readable |= events & EPOLLIN || t->ended;
		if (t->awaited == SOCKET)
			resume(t);
	}
}

/* Those whose deadline has passed: await_socket() tells them so. */
static void resume_late(void)
{
	uint32_t now_s = loop.worker->env.now_s;
	if (now_s == loop.sweep_s)
		return;
	loop.sweep_s = now_s;
	database_check(&loop.database, now_s);
	for (int fd = 0; fd < loop.end_fd; fd++) {
		struct task *t = loop.by_fd[fd];
		if (t && t->awaited == SOCKET && now_s >= t->deadline_s)
			resume(t);
	}
}

/* Those who waited for something else than their socket, and for whom it has come. */
static void resume_due(void)
{
	struct timer *timer;
	struct slice value;
	uint64_t fd, now_ns = loop.sleeping.count > 0 ? clock_now_ns() : 0;
	while ((timer = timers_pop(&loop.sleeping, now_ns))) {
		struct task *t = (struct task *)((char *)timer - offsetof(struct task, timer));
		resume(t);
	}
	while (database_next(&loop.database, &fd, &value)) {
		loop.by_fd[fd]->value = value;
		resume(loop.by_fd[fd]);
	}
	struct task *t = loop.first, *next;
	for (loop.first = NULL; t; t = next) {
		next = t->next;
		resume(t);
	}
}

static uint64_t wait_ns(void)
{
	const uint64_t second_ns = 1000000000;
	if (loop.first || loop.sleeping.count == 0)
		return loop.first ? 0 : second_ns;
	return timers_wait_ns(&loop.sleeping, clock_now_ns(), second_ns);
}

void co_serve(struct worker *w, void (*connection)(struct worker *w, int fd))
{
	enum { EVENTS = 512 };
	struct epoll_event events[EVENTS];
	loop.worker = w;
	loop.connection = connection;
	loop.listen_fd = w->listen_fd;
	loop.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	loop.by_fd = calloc((size_t)w->fd_cap, sizeof(struct task *));
	struct timer **heap = calloc((size_t)w->fd_cap, sizeof *heap);
	if (!loop.by_fd || !heap)
		die("no memory for a table of %d connections; lower the file limit (ulimit -n)", w->fd_cap);
	timers_init(&loop.sleeping, heap, (uint32_t)w->fd_cap);
	database_init(&loop.database);
	if (loop.epoll_fd < 0 || !start_watching(w->listen_fd, EPOLLIN))
		die_errno(errno, "epoll; raise the file limit (ulimit -n)");

	while (!loop.stopping || loop.count > 0) {
		struct timespec wait = clock_timespec(wait_ns());
		int count = epoll_pwait2(loop.epoll_fd, events, EVENTS, &wait, NULL);
		worker_tick(w);
		for (int i = 0; i < count; i++)
			on_event(events[i].data.fd, events[i].events);
		resume_due();
		resume_late();
		database_send(&loop.database);
	}
	close(loop.epoll_fd);
	database_deinit(&loop.database);
	free(loop.sleeping.heap);
	free(loop.by_fd);
}
