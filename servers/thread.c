/*
 * thread.c: one thread per connection: plain, synchronous code.
 *
 * How it waits: it calls recv() and sleeps in the kernel until there are bytes; the scheduler
 * does the rest. The loop in converse() (lib/sys/converse.c) reads like the protocol; any step may
 * block without harming anyone, and a request that computes is preempted for the others.
 *
 * Cost: a thread a connection: a kernel stack, a task, 64 KiB of address space for its stack (a
 * few pages of it real) and one pooled buffer; a context switch or two a request. Two system
 * calls a request.
 *
 * Notice: no state machine here, no table of who waits for what; the price is paid in memory and
 * in the scheduler. When no thread can be had (EAGAIN), the client gets 503 and the others are
 * served on.
 *
 * Left out: a limit on threads (threadpool.c has one). man: pthreads(7), pthread_create(3),
 * socket(7).
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/sys/converse.h"
#include "lib/sys/die.h"
#include "lib/sys/server_main.h"

enum { STACK_LEN = 64 * 1024 };

/* Who is connected: needed only to stop. */
static struct {
	struct worker *worker;
	pthread_mutex_t lock;
	pthread_cond_t none_left;
	bool *is_open; /* by descriptor */
	int count;
} open_ones = { .lock = PTHREAD_MUTEX_INITIALIZER, .none_left = PTHREAD_COND_INITIALIZER };

static void set_open(int fd, bool open)
{
	pthread_mutex_lock(&open_ones.lock);
	open_ones.is_open[fd] = open;
	open_ones.count += open ? 1 : -1;
	if (open_ones.count == 0)
		pthread_cond_signal(&open_ones.none_left);
	pthread_mutex_unlock(&open_ones.lock);
}

static void *connection(void *argument)
{
	int fd = (int)(intptr_t)argument;
	struct conn_env env; /* a thread has all for itself: nothing is shared but the counters */
	worker_env_init(open_ones.worker, &env);
	converse(&env, fd);
	conn_env_deinit(&env);
	set_open(fd, false); /* first: once it is closed, the number may be another's */
	worker_close(open_ones.worker, fd);
	return NULL;
}

/*
 * Ends the receiving side of all: those without a request see end of file; then waits for the
 * last.
 */
static void stop(void)
{
	pthread_mutex_lock(&open_ones.lock);
	for (int fd = 0; fd < open_ones.worker->fd_cap; fd++)
		if (open_ones.is_open[fd])
			shutdown(fd, SHUT_RD);
	while (open_ones.count > 0)
		pthread_cond_wait(&open_ones.none_left, &open_ones.lock);
	pthread_mutex_unlock(&open_ones.lock);
}

static void serve(struct worker *w)
{
	pthread_attr_t attributes;
	pthread_t thread;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_LEN);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	open_ones.worker = w;
	open_ones.is_open = calloc((size_t)w->fd_cap, sizeof *open_ones.is_open);
	if (!open_ones.is_open)
		die("no memory for a table of %d connections; lower the file limit (ulimit -n)", w->fd_cap);

	for (int fd; (fd = worker_accept(w)) != -EINVAL;) {
		if (fd < 0)
			continue;
		set_open(fd, true);
		if (pthread_create(&thread, &attributes, connection, (void *)(intptr_t)fd) != 0) {
			worker_refuse(w, fd);
			set_open(fd, false);
		}
	}
	stop();
}

static const struct server_model model = {
	.name = "thread",
	.family = "thread",
	.api = "pthread_create, recv, send",
	.summary = "a thread per connection blocks in recv; the scheduler switches between them",
	.serve = serve,
	.blocking = true,
	.single_worker = true,
	.spreads = true,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
