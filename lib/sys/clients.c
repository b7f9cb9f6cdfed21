/*
 * clients.c: see clients.h.
 *
 * Sleeps are exact and few, so they stand in a heap. Deadlines are coarse and every connection
 * has one that moves with each request, so nothing is kept in order for them: once a second all
 * are looked at, which costs a loop over 10,000 about as much as ten requests.
 */
#include "lib/sys/clients.h"

#include <errno.h>
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
	database_init(&cs->database);
	cs->database.blocking = w->blocking;
	cs->refuse_fd = w->fd_cap;
}

void clients_deinit(struct clients *cs)
{
	database_deinit(&cs->database);
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

int clients_accept(struct clients *cs)
{
	enum { BATCH = 64 };
	while (cs->accepted_count++ < BATCH) {
		int fd = worker_accept(cs->worker);
		if (fd >= 0 && fd < cs->refuse_fd) {
			clients_add(cs, fd);
			return fd;
		}
		if (fd == -EINVAL)
			clients_stop(cs);
		if (fd < 0)
			break;
		worker_refuse(cs->worker, fd);
	}
	cs->accepted_count = 0;
	return -1;
}

void clients_remove(struct clients *cs, int fd)
{
	struct client *c = &cs->by_fd[fd];
	CHECK(c->is_open);
	if (conn_wants(&c->conn) == CONN_WANT_QUERY)
		database_forget(&cs->database, (uint64_t)fd);
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

bool clients_query(struct clients *cs, int fd)
{
	struct slice key = conn_query_key(&cs->by_fd[fd].conn);
	if (!database_ask(&cs->database, key, (uint64_t)fd))
		return false;
	if (cs->database.fd >= cs->end_fd)
		cs->end_fd = cs->database.fd + 1;
	return true;
}

uint64_t clients_wait_ns(const struct clients *cs)
{
	const uint64_t second_ns = 1000000000;
	if (cs->sleeping.count == 0)
		return second_ns;
	return timers_wait_ns(&cs->sleeping, clock_now_ns(), second_ns);
}

static int next_woken(struct clients *cs, struct conn_env *env)
{
	struct timer *t = cs->sleeping.count ? timers_pop(&cs->sleeping, clock_now_ns()) : NULL;
	if (!t)
		return -1;
	struct client *c = (struct client *)((char *)t - offsetof(struct client, timer));
	c->conn.env = env;
	conn_woke(&c->conn);
	return (int)(c - cs->by_fd);
}

static int next_answered(struct clients *cs, struct conn_env *env)
{
	uint64_t fd;
	struct slice value;
	if (!database_next(&cs->database, &fd, &value))
		return -1;
	cs->by_fd[fd].conn.env = env;
	conn_query_done(&cs->by_fd[fd].conn, value);
	return (int)fd;
}

int clients_next_served(struct clients *cs, struct conn_env *env)
{
	int fd = next_woken(cs, env);
	return fd >= 0 ? fd : next_answered(cs, env);
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
		database_check(&cs->database, cs->sweep_s);
	}
	struct conn_env *env = &cs->worker->env;
	int fd = cs->woken_count < WOKEN_MAX ? next_woken(cs, env) : -1;
	if (fd >= 0) {
		cs->woken_count++;
		return fd;
	}
	fd = next_answered(cs, env);
	if (fd < 0)
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
