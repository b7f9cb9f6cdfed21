/*
 * threadpool.c: a fixed number of threads, made in advance.
 *
 * How it waits: T threads take their turn at accept(); who has got a connection calls recv() and
 * sleeps in the kernel until there are bytes. Whoever comes while all T are taken waits in the
 * accept queue: connected, not answered.
 *
 * Cost: nothing a connection but its socket: the threads are there before it. Two system calls and
 * a context switch a request; a third call while all are taken: poll() asks whether anybody waits.
 *
 * Notice: a thread keeps its connection until that ends. When others wait and no thread is free,
 * its next answer says Connection: close, and the place is theirs: each request costs a connection
 * then. But T clients that say nothing keep everybody out for 60 s (CONN_IDLE_TIMEOUT_S): that is
 * keep-alive starvation. T bounds what can wait at once: of /sleep/100 it answers T/0.1 s, however
 * many ask. A thread that crashes takes all others with it.
 *
 * Left out: a queue of requests instead of connections (then a loop must read them, and a silent
 * client costs no thread). man: pthreads(7), accept(2), listen(2) (backlog), sigsuspend(2).
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/sys/converse.h"
#include "lib/sys/die.h"
#include "lib/sys/server_main.h"

enum { THREADS_MAX = 4096, STACK_LEN = 64 * 1024 };

static uint32_t thread_count = 64;

static struct {
	struct worker *worker;
	pthread_t threads[THREADS_MAX];
	pthread_mutex_t accept_lock; /* one at a time in accept(): they share the spare descriptor */
	atomic_uint taken_count;
	pthread_mutex_t lock;
	int fds[THREADS_MAX]; /* whom each thread serves; -1: nobody. Needed only to stop */
} pool = { .accept_lock = PTHREAD_MUTEX_INITIALIZER, .lock = PTHREAD_MUTEX_INITIALIZER };

/* Does anybody wait whom no thread is about to serve? */
static bool others_wait(void)
{
	return pool.taken_count == thread_count && worker_has_waiting(pool.worker);
}

static int next_connection(void)
{
	pthread_mutex_lock(&pool.accept_lock);
	int fd = worker_accept(pool.worker);
	pthread_mutex_unlock(&pool.accept_lock);
	return fd;
}

static void set_served(int *slot, int fd)
{
	pthread_mutex_lock(&pool.lock);
	*slot = fd;
	pthread_mutex_unlock(&pool.lock);
	/* stop() has looked at the slot by now, or will find it set */
	if (fd >= 0 && pool.worker->env.service->stopping)
		shutdown(fd, SHUT_RD);
}

static void *serve_next(void *slot)
{
	struct conn_env env; /* a thread has all for itself: nothing is shared but the counters */
	worker_env_init(pool.worker, &env);
	for (int fd; (fd = next_connection()) != -EINVAL;) {
		if (fd < 0)
			continue;
		pool.taken_count++;
		set_served(slot, fd);
		worker_env_tick(&env);
		converse_in_turn(&env, fd, others_wait);
		set_served(slot, -1); /* first: once it is closed, the number may be another's */
		worker_close(pool.worker, fd);
		pool.taken_count--;
	}
	conn_env_deinit(&env);
	return NULL;
}

/* Nobody serves before all are there: the first one's memory could be what the last one lacks. */
static void start(void)
{
	pthread_attr_t attributes;
	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, STACK_LEN);
	pthread_mutex_lock(&pool.accept_lock);
	for (uint32_t i = 0; i < thread_count; i++) {
		pool.fds[i] = -1;
		int error = pthread_create(&pool.threads[i], &attributes, serve_next, &pool.fds[i]);
		if (error)
			die_errno(error, "cannot start %u threads; lower --threads", thread_count);
	}
	pthread_mutex_unlock(&pool.accept_lock);
}

/*
 * Ends the receiving side of all: those without a request see end of file; then waits for the
 * last.
 */
static void stop(void)
{
	pthread_mutex_lock(&pool.lock);
	for (uint32_t i = 0; i < thread_count; i++)
		if (pool.fds[i] >= 0)
			shutdown(pool.fds[i], SHUT_RD);
	pthread_mutex_unlock(&pool.lock);
	for (uint32_t i = 0; i < thread_count; i++)
		pthread_join(pool.threads[i], NULL);
}

static void serve(struct worker *w)
{
	sigset_t stop_signals, usual;
	pool.worker = w;
	/* blocked but in sigsuspend(): none can come between the look at `stopping` and the wait */
	sigemptyset(&stop_signals);
	sigaddset(&stop_signals, SIGTERM);
	sigaddset(&stop_signals, SIGINT);
	pthread_sigmask(SIG_BLOCK, &stop_signals, &usual);
	start();
	while (!w->env.service->stopping)
		sigsuspend(&usual);
	stop();
}

static void set_thread_count(uint64_t value)
{
	if (value < 1 || value > THREADS_MAX)
		usage_die("--threads takes a number from 1 to %d", THREADS_MAX);
	thread_count = (uint32_t)value;
}

static uint32_t max_connections(void)
{
	return thread_count;
}

static const struct server_model model = {
	.name = "threadpool",
	.family = "thread",
	.api = "pthread_create, accept, recv, send",
	.summary = "T threads serve a connection each; who comes beyond waits unanswered for a turn",
	.serve = serve,
	.blocking = true,
	.single_worker = true,
	.spreads = true,
	.option = "threads",
	.option_help = "threads, each for one connection at a time (64)",
	.set_option = set_thread_count,
	.max_connections = max_connections,
	.in_turn = true,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
