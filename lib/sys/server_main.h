/*
 * server_main.h: what a server does before and around its model: options, --describe, file limit,
 * listening sockets, workers, the accept that survives a full file table, SIGTERM.
 *
 * A server is one file:
 *
 *     static void serve(struct worker *w) { ... the model ... }
 *     static const struct server_model model = { .name = "epoll", ..., .serve = serve };
 *     int main(int argc, char **argv) { return server_main(argc, argv, &model); }
 *
 * SIGTERM shuts the listening sockets down. Every way of waiting for one wakes up from that, and
 * worker_accept() says -EINVAL from then on. The shell then stops accepting, ends its idle
 * connections, answers what is in flight, and returns from serve() when none is left. After
 * 1.8 s the process exits anyway, with 0.
 *
 * Several workers have a file table each, copied before serve(): what a worker opens has a number
 * that means nothing in another worker. Unless the model says one_file_table.
 */
#ifndef SERVER_MAIN_H
#define SERVER_MAIN_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/conn.h"
#include "lib/core/service.h"

enum { WORKERS_MAX = 256 };

struct worker {
	struct conn_env env; /* what this worker's connections share */
	int listen_fd;       /* non-blocking unless the model accepts blocking */
	int fd_cap;          /* every descriptor of the worker is below this */
	int spare_fd;        /* given up for a moment to turn a client away when files are short */
	bool blocking;       /* sockets block */
};

struct server_model {
	const char *name;    /* as in build/servers/NAME */
	const char *family;  /* process, thread, readiness, library, completion, coroutine, runtime */
	const char *api;     /* "epoll_wait", "pthread_create, recv, send" */
	const char *language; /* NULL: C */
	const char *summary; /* one line: how it waits */
	void (*serve)(struct worker *w); /* runs one worker until it has drained */
	bool blocking;       /* accept and connections block */
	bool single_worker;  /* --workers above 1 is refused */
	bool spreads;        /* ... yet its threads or processes use all CPUs that it may run on */
	bool worker_per_cpu; /* without --workers: as many as there are CPUs it may use */
	bool own_workers;    /* serve() runs once and starts service->worker_count of its own */
	bool one_file_table; /* for all workers, since a library's threads work for all of them */
	const char *option;  /* an option of the model's own that takes a number, "fd-setsize"; or NULL */
	const char *option_help;
	void (*set_option)(uint64_t value);    /* ends with usage_die() on a value that cannot be */
	uint32_t (*max_connections)(void);     /* a cap by the model's nature; NULL for none */
	bool in_turn;        /* who comes beyond that cap waits in the accept queue for a turn */
};

int server_main(int argc, char **argv, const struct server_model *model);

/*
 * Accepts one connection, counted as accepted and open. Returns its descriptor, or
 *   -EAGAIN  none is waiting; or one could not be had (files short: turned away and counted as
 *            refused; gone again before it was accepted)
 *   -EINVAL  the server is stopping: there will be no more
 */
int worker_accept(struct worker *w);
/*
 * What it does when files are short: takes a waiting client out of the queue and closes it,
 * refused.
 */
void worker_turn_away(struct worker *w);
/*
 * For runtimes, whose own accept() failed: how many ms to wait before the next; -1: the server stops.
 */
int worker_accept_failed(struct worker *w, int error);
/* Closes an accepted connection and counts it. */
void worker_close(struct worker *w, int fd);
/* Is anybody in the accept queue? */
bool worker_has_waiting(const struct worker *w);
/*
 * For processes that block on one connection at a time: the stop signal ends its receiving side.
 * -1 before it is closed.
 */
void worker_attend(struct worker *w, int fd);
/* Only counts: for shells whose library or kernel accepts and closes by itself. */
void worker_opened(struct worker *w);
void worker_closed(struct worker *w);
/* Turns a just accepted connection away with 503 and counts it as refused instead. */
void worker_refuse(struct worker *w, int fd);
/* Tells the worker's connections the time. Call it after every wait. */
void worker_tick(struct worker *w);
/* A connection environment of one's own beside the worker's, as a thread needs it. */
void worker_env_init(const struct worker *w, struct conn_env *e);
void worker_env_tick(struct conn_env *e);

#endif
