/*
 * server_main.h: what every server's main() does before its model matters: options, --describe, file limit,
 * listening sockets, workers, the accept that survives a full file table, SIGTERM.
 *
 * A server is one file:
 *
 *     static void serve(struct worker *w) { ... the model ... }
 *     static const struct server_model model = { .name = "epoll", ..., .serve = serve };
 *     int main(int argc, char **argv) { return server_main(argc, argv, &model); }
 *
 * SIGTERM shuts the listening sockets down: every way of waiting for one wakes up, and worker_accept() says
 * -EINVAL from then on. The shell then ends its idle connections (worker_end_idle), answers what is in flight,
 * and returns from serve() when no connection is left; after 1.8 s the process exits anyway, with 0.
 */
#ifndef SERVER_MAIN_H
#define SERVER_MAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/conn.h"
#include "lib/core/service.h"

struct worker {
	struct conn_env env;       /* of this worker's connections */
	int listen_fd;             /* non-blocking unless the model asks for blocking_accept */
	uint32_t index;
	uint32_t connection_cap;   /* most connections this worker may hold (file limit, or the model's own) */
	const struct server *server;
};

struct server_model {
	const char *name;     /* as in build/servers/NAME */
	const char *family;   /* process, thread, readiness, library, completion, coroutine, runtime, reference */
	const char *api;      /* "epoll_wait", "pthread_create, recv, send" */
	const char *summary;  /* one line: how it waits */
	void (*serve)(struct worker *w);  /* runs a worker until it has drained */
	bool blocking_accept;
	bool single_worker;   /* --workers N > 1 is refused */
	uint32_t (*connection_cap)(void); /* most connections by the model's nature, 0 for none; may be NULL */
	const char *option;   /* one option of the model's own, "fd-setsize", with a number; NULL for none */
	const char *option_help;
	void (*set_option)(uint64_t value); /* calls usage_die() on a bad value */
};

int server_main(int argc, char **argv, const struct server_model *model);

/*
 * Accepts one connection: a descriptor (non-blocking unless blocking_accept), counted as accepted and open; or
 *   -EAGAIN  none is waiting (or one was refused: out of files or slots, counted as refused and closed)
 *   -EINVAL  the server is stopping
 */
int worker_accept(struct worker *w);
/* Closes an accepted connection and counts it. */
void worker_close(struct worker *w, int fd);
/* Turns a just accepted connection away with 503 and counts it as refused. */
void worker_refuse(struct worker *w, int fd);
/* Tells the worker's env the time. Call it after every wait. */
void worker_tick(struct worker *w);
/* The same for an env of one's own (a thread's). */
void env_tick(struct conn_env *e);

#endif
