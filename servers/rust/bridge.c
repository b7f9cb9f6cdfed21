/*
 * bridge.c: what src/lib.rs needs of the C side beside the functions it calls directly: macros,
 * fields of structs, and structs whose size Rust does not know. Nothing here waits.
 *
 * A task may go on in another thread than the one it began in, but a pool of buffers belongs to one
 * thread. So every thread has an environment of its own, and a connection borrows that of the thread
 * it is on (conn.h allows it). Buffers are malloc'ed one by one: one may be taken in one thread and
 * given back in another. No lock; the price is that a buffer may be cold, and that threads which
 * give more than they take hand what is over 64 back to malloc.
 */
#include <stdlib.h>

#include "lib/core/conn.h"
#include "lib/sys/database.h"
#include "lib/sys/datafile.h"
#include "lib/sys/die.h"
#include "lib/sys/server_main.h"

_Static_assert(sizeof(struct conn) == 21 * sizeof(uint64_t), "lib.rs, RawConn: its size");
_Static_assert(offsetof(struct conn, env) == 0, "lib.rs, RawConn: env is its first field");

int bridge_main(int argc, char **argv, const char *name, const char *api, const char *summary,
    bool single_worker, void (*serve)(struct worker *))
{
	const struct server_model model = {
		.name = name,
		.family = "runtime",
		.api = api,
		.language = "Rust",
		.summary = summary,
		.serve = serve,
		.own_workers = true,
		.single_worker = single_worker,
	};
	return server_main(argc, argv, &model);
}

int bridge_listen_fd(const struct worker *w)
{
	return w->listen_fd;
}

int bridge_fd_cap(const struct worker *w)
{
	return w->fd_cap;
}

uint32_t bridge_worker_count(const struct worker *w)
{
	return w->env.service->worker_count;
}

struct conn_env *bridge_env_create(const struct worker *w)
{
	struct conn_env *e = malloc(sizeof *e);
	if (!e)
		die("no memory for a thread's buffers");
	worker_env_init(w, e);
	return e;
}

void bridge_env_destroy(struct conn_env *e)
{
	conn_env_deinit(e);
	free(e);
}

uint32_t bridge_now_s(const struct conn_env *e)
{
	return e->now_s;
}

uint32_t bridge_deadline_s(const struct conn *c)
{
	return c->deadline_s;
}

struct database *bridge_database_create(void)
{
	struct database *db = malloc(sizeof *db);
	if (!db)
		die("no memory for questions to the database");
	database_init(db);
	return db;
}

int bridge_database_fd(const struct database *db)
{
	return db->fd;
}
