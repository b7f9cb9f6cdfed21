/*
 * clients.c: see clients.h.
 *
 * Sleeps are exact and few, so they stand in a heap. Deadlines are coarse and every connection
 * has one that moves with each request, so nothing is kept in order for them: once a second all
 * are looked at, which costs a loop over 10,000 about as much as ten requests.
 */
#include "lib/sys/clients.h"

#include <stddef.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/sys/clock.h"
#include "lib/sys/die.h"

void clients_init(struct clients *cs, struct worker *w)
{
	*cs = (struct clients){ .worker = w };
	cs->by_fd = calloc((size_t)w->fd_cap, sizeof *cs->by_fd);
	struct timer **heap = calloc((size_t)w->fd_cap, sizeof *heap);
	if (!cs->by_fd || !heap)
		die("no memory for a table of %d connections; lower the file limit (ulimit -n)", w->fd_cap);
	timers_init(&cs->sleeping, heap, (uint32_t)w->fd_cap);
}

void clients_deinit(struct clients *cs)
{
	free(cs->sleeping.heap);
	free(cs->by_fd);
}

struct client *clients_add(struct clients *cs, int fd)
{
	CHECK(fd >= 0 && fd < cs->worker->fd_cap && !cs->by_fd[fd].is_open);
	struct client *c = &cs->by_fd[fd];
	*c = (struct client){ .is_open = true };
	conn_init(&c->conn, &cs->worker->env);
	cs->count++;
	if (fd >= cs->end_fd)
		cs->end_fd = fd + 1;
	return c;
}

void clients_remove(struct clients *cs, int fd)
{
	struct client *c = &cs->by_fd[fd];
	CHECK(c->is_open);
	timers_remove(&cs->sleeping, &c->timer);
	conn_deinit(&c->conn);
	c->is_open = false;
	cs->count--;
	worker_close(cs->worker, fd);
}

void clients_sleep(struct clients *cs, int fd)
{
	struct client *c = &cs->by_fd[fd];
	if (c->timer.place == 0)
		CHECK(timers_add(&cs->sleeping, &c->timer, clock_now_ns() + conn_sleep_ns(&c->conn)));
}

uint64_t clients_wait_ns(const struct clients *cs)
{
	const uint64_t second_ns = 1000000000;
	if (cs->sleeping.count == 0)
		return second_ns;
	return timers_wait_ns(&cs->sleeping, clock_now_ns(), second_ns);
}

static int next_woken(struct clients *cs)
{
	struct timer *t = cs->sleeping.count ? timers_pop(&cs->sleeping, clock_now_ns()) : NULL;
	if (!t)
		return -1;
	struct client *c = (struct client *)((char *)t - offsetof(struct client, timer));
	conn_woke(&c->conn);
	return (int)(c - cs->by_fd);
}

static int next_late(struct clients *cs)
{
	for (; cs->sweep_fd < cs->end_fd; cs->sweep_fd++) {
		struct client *c = &cs->by_fd[cs->sweep_fd];
		if (!c->is_open || !conn_is_late(&c->conn))
			continue;
		if (c->sending) {
			shutdown(cs->sweep_fd, SHUT_RDWR);
			continue;
		}
		conn_expire(&c->conn);
		return cs->sweep_fd++;
	}
	return -1;
}

int clients_due(struct clients *cs)
{
	enum { WOKEN_MAX = 512 };
	worker_tick(cs->worker);
	if (cs->worker->env.now_s != cs->sweep_s) {
		cs->sweep_s = cs->worker->env.now_s;
		cs->sweep_fd = 0;
	}
	int fd = cs->woken_count < WOKEN_MAX ? next_woken(cs) : -1;
	if (fd >= 0) {
		cs->woken_count++;
		return fd;
	}
	fd = next_late(cs);
	if (fd < 0)
		cs->woken_count = 0;
	return fd;
}

void clients_stop(struct clients *cs)
{
	cs->stopping = true;
	for (int fd = 0; fd < cs->end_fd; fd++)
		if (cs->by_fd[fd].is_open)
			shutdown(fd, SHUT_RD);
}
