/*
 * bridge.c: see bridge.h. Nothing here waits.
 *
 * A goroutine may go on in another thread than the one it began in, but a pool of buffers belongs
 * to one thread. So every thread has an environment of its own, and a connection borrows that of
 * the thread it is on (conn.h allows it, and servers/rust does the same). No thread ends before
 * the process does, so none gives its environment back.
 */
#include "servers/go/bridge.h"

#include <stdlib.h>

#include "lib/core/conn.h"
#include "lib/sys/database.h"
#include "lib/sys/datafile.h"
#include "lib/sys/die.h"
#include "lib/sys/server_main.h"

void serveModel(void); /* core.go */

static struct worker *worker;

/* --- the process ----------------------------------------------------------------------------- */

static void serve(struct worker *w)
{
	worker = w;
	serveModel();
}

int bridge_main(int argc, char **argv, const char *name, const char *api, const char *summary)
{
	const struct server_model model = {
		.name = name,
		.family = "runtime",
		.api = api,
		.language = "Go",
		.summary = summary,
		.serve = serve,
		.own_workers = true,
	};
	return server_main(argc, argv, &model);
}

int bridge_listen_fd(void)
{
	return worker->listen_fd;
}

int bridge_data_fd(void)
{
	return datafile_fd();
}

uint32_t bridge_worker_count(void)
{
	return worker->env.service->worker_count;
}

int bridge_accept_failed(int error)
{
	return worker_accept_failed(worker, error);
}

int bridge_database_dial(void)
{
	return database_dial(true);
}

/* --- connections ----------------------------------------------------------------------------- */

/* This thread's environment, told the time: two reads of coarse clocks, no system call. */
static struct conn_env *env_here(void)
{
	static _Thread_local struct conn_env env;
	if (env.service)
		worker_env_tick(&env);
	else
		worker_env_init(worker, &env);
	return &env;
}

struct conn *bridge_open(void)
{
	struct conn *c = malloc(sizeof *c);
	if (!c)
		die("no memory for a connection");
	worker_opened(worker);
	conn_init(c, env_here());
	return c;
}

void bridge_close(struct conn *c)
{
	c->env = env_here();
	conn_deinit(c);
	free(c);
	worker_closed(worker);
}

static struct step step(struct conn *c, enum conn_want want, struct slice bytes, uint64_t number)
{
	return (struct step){
		.want = want,
		.deadline_s = c->deadline_s,
		.left_s = conn_is_late(c) ? 1 : c->deadline_s - c->env->now_s,
		.len = (uint32_t)bytes.len,
		.bytes = (char *)(uintptr_t)bytes.ptr,
		.number = number,
	};
}

/* What it waits for; its environment is this thread's. */
static struct step next_step(struct conn *c)
{
	const struct slice nothing = { 0 };
	enum conn_want want = conn_wants(c);
	switch (want) {
	case CONN_WANT_SEND:
		return step(c, want, conn_output(c), 0);
	case CONN_WANT_SLEEP:
		return step(c, want, nothing, conn_sleep_ns(c));
	case CONN_WANT_COMPUTE:
		return step(c, want, nothing, c->plan.number);
	case CONN_WANT_FILE: {
		struct file_read read = conn_file(c);
		return step(c, want, (struct slice){ read.into, read.len }, read.offset);
	}
	case CONN_WANT_QUERY:
		return step(c, want, conn_query_key(c), 0);
	case CONN_WANT_RECV:
	case CONN_WANT_SHUTDOWN:
	case CONN_WANT_CLOSE:
		break;
	}
	return step(c, want, nothing, 0);
}

/* The connection, in this thread's environment. */
static struct conn *here(struct conn *c)
{
	c->env = env_here();
	return c;
}

struct step bridge_wants(struct conn *c)
{
	return next_step(here(c));
}

struct step bridge_feed(struct conn *c, const void *bytes, uint32_t len)
{
	conn_feed(here(c), bytes, len);
	return next_step(c);
}

struct step bridge_feed_eof(struct conn *c)
{
	conn_feed_eof(here(c));
	return next_step(c);
}

struct step bridge_expire(struct conn *c)
{
	conn_expire(here(c));
	return next_step(c);
}

struct step bridge_sent(struct conn *c, uint32_t len)
{
	conn_sent(here(c), len);
	return next_step(c);
}

struct step bridge_woke(struct conn *c)
{
	conn_woke(here(c));
	return next_step(c);
}

struct step bridge_computed(struct conn *c, uint64_t result)
{
	c->result = result;
	conn_computed(here(c));
	return next_step(c);
}

struct step bridge_file_done(struct conn *c, int64_t n)
{
	conn_file_done(here(c), n);
	return next_step(c);
}

struct step bridge_query_done(struct conn *c, const char *value, uint64_t len)
{
	conn_query_done(here(c), (struct slice){ value, len });
	return next_step(c);
}

struct step bridge_shut(struct conn *c)
{
	conn_shut(here(c));
	return next_step(c);
}
