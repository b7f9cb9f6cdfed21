/*
 * epoll-oneshot.c: threads that share one epoll: whoever is free takes the next events.
 *
 * How it waits: all threads call epoll_wait() on the same epoll. What is in it is EPOLLONESHOT: an
 * event is told to one thread, and no more of that socket to any until this one arms it anew. The
 * listening socket, the link to the database and a clock (timerfd) for sleeps stand in it, too.
 *
 * Cost: 240 bytes of ours a connection, 48 of them its gate, and the kernel's epoll item. Three
 * system calls a request (recv, send, epoll_ctl) and a share of one epoll_wait.
 *
 * Notice: a connection is one thread's at a time, but every time another's. With the event it
 * enters that thread's environment: the buffers that it borrows come from, and go to, the pool of
 * the thread at hand, and no pool needs a lock. Deadlines, which have no event, go through the
 * gate, too. A request that computes holds up one thread and what came in the same (small) batch.
 *
 * Left out: noticing that a client is gone while its request waits. man: epoll(7), epoll_ctl(2).
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "lib/sys/clients.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/io.h"
#include "lib/sys/server_main.h"

/* In event.data, instead of a descriptor. */
enum { LISTENING = -1, CLOCK = -2, DATABASE = -3 };
enum { SHARE = 16 }; /* events, and due ones, that a thread takes at a time */

/* Whether a connection stands in epoll, and so is nobody's: who makes it false, has it. */
struct gate {
	pthread_mutex_t lock;
	uint32_t deadline_s; /* the connection's */
	bool armed;
};

static struct {
	pthread_mutex_t lock;  /* of clients; but a connection in it is whose thread has it */
	struct clients clients;
	struct gate *gates;    /* by descriptor */
	int epoll_fd, clock_fd;
	atomic_bool finished;
} shared = { .lock = PTHREAD_MUTEX_INITIALIZER };

static uint32_t thread_count = 4;

static bool watch(int operation, int fd, int data, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = data };
	return epoll_ctl(shared.epoll_fd, operation, fd, &event) == 0;
}

/* The clock goes off when the first sleep is over, or in a second. Under shared.lock. */
static void set_clock(void)
{
	uint64_t wait_ns = clients_wait_ns(&shared.clients);
	const struct itimerspec once = { .it_value = clock_timespec(wait_ns ? wait_ns : 1) };
	CHECK(timerfd_settime(shared.clock_fd, 0, &once, NULL) == 0);
}

/* Gives it back to epoll. Under the lock: whoever has it next may close it at once. */
static bool arm(int operation, int fd, uint32_t events)
{
	struct gate *gate = &shared.gates[fd];
	pthread_mutex_lock(&gate->lock);
	gate->deadline_s = shared.clients.by_fd[fd].conn.deadline_s;
	bool armed = gate->armed = watch(operation, fd, fd, events | EPOLLONESHOT);
	pthread_mutex_unlock(&gate->lock);
	return armed;
}

/* Makes it this thread's. False: another one has it, and epoll will tell anew. */
static bool take(struct conn_env *env, int fd, uint32_t latest_deadline_s)
{
	struct gate *gate = &shared.gates[fd];
	pthread_mutex_lock(&gate->lock);
	bool taken = gate->armed && gate->deadline_s <= latest_deadline_s;
	gate->armed &= !taken;
	pthread_mutex_unlock(&gate->lock);
	if (taken)
		shared.clients.by_fd[fd].conn.env = env;
	return taken;
}

/* Nothing is left to do: an event that stays tells all threads. Under shared.lock. */
static void finish_if_empty(void)
{
	shared.finished = shared.clients.stopping && shared.clients.count == 0;
	if (shared.finished)
		watch(EPOLL_CTL_MOD, shared.clients.worker->listen_fd, LISTENING, EPOLLIN);
}

static void turn(int fd, bool readable)
{
	struct clients *cs = &shared.clients;
	enum conn_want want = io_turn(&cs->by_fd[fd].conn, fd, readable);
	if (want == CONN_WANT_RECV || want == CONN_WANT_SEND) {
		CHECK(arm(EPOLL_CTL_MOD, fd, want == CONN_WANT_RECV ? EPOLLIN : EPOLLOUT));
		return;
	}
	pthread_mutex_lock(&shared.lock);
	if (want == CONN_WANT_SLEEP) {
		clients_sleep(cs, fd);
		if (cs->by_fd[fd].timer.place == 1) /* before all others */
			set_clock();
	} else if (want == CONN_WANT_QUERY) {
		if (clients_query(cs, fd))
			watch(EPOLL_CTL_ADD, cs->database.fd, DATABASE, EPOLLIN | EPOLLONESHOT);
	} else {
		clients_remove(cs, fd); /* close() takes it out of the epoll set */
		finish_if_empty();
	}
	pthread_mutex_unlock(&shared.lock);
}

/* Under shared.lock. */
static void accept_some(void)
{
	struct clients *cs = &shared.clients;
	worker_tick(cs->worker);
	for (int fd; (fd = clients_accept(cs)) >= 0;)
		if (!arm(EPOLL_CTL_ADD, fd, EPOLLIN))
			clients_remove(cs, fd); /* fs.epoll.max_user_watches is used up */
	finish_if_empty();
	if (!cs->stopping)
		watch(EPOLL_CTL_MOD, cs->worker->listen_fd, LISTENING, EPOLLIN | EPOLLONESHOT);
}

/* A share of those who have slept enough or have an answer: others wait to be read. True: go on. */
static bool serve_due(struct conn_env *env)
{
	int served[SHARE], count;
	pthread_mutex_lock(&shared.lock);
	for (count = 0; count < SHARE; count++)
		if ((served[count] = clients_next_served(&shared.clients, env)) < 0)
			break;
	database_send(&shared.clients.database);
	pthread_mutex_unlock(&shared.lock);
	for (int i = 0; i < count; i++)
		turn(served[i], false);
	return count == SHARE;
}

/* Once a second also those whose deadline has passed: they stand in epoll, and are taken out. */
static void on_clock(struct conn_env *env)
{
	struct clients *cs = &shared.clients;
	int end_fd = 0;
	serve_due(env); /* first: the clock goes off again for those who are not served */
	pthread_mutex_lock(&shared.lock);
	if (cs->sweep_s != env->now_s) {
		cs->sweep_s = env->now_s;
		end_fd = cs->end_fd;
		database_check(&cs->database, cs->sweep_s);
	}
	set_clock();
	watch(EPOLL_CTL_MOD, shared.clock_fd, CLOCK, EPOLLIN | EPOLLONESHOT);
	pthread_mutex_unlock(&shared.lock);
	for (int fd = 0; fd < end_fd; fd++)
		if (take(env, fd, env->now_s)) {
			conn_expire(&cs->by_fd[fd].conn);
			turn(fd, false);
		}
}

static void on_event(struct conn_env *env, int fd)
{
	struct database *db = &shared.clients.database;
	if (fd == CLOCK) {
		on_clock(env);
	} else if (fd >= 0) {
		if (take(env, fd, UINT32_MAX))
			turn(fd, true);
	} else {
		pthread_mutex_lock(&shared.lock);
		if (fd == LISTENING)
			accept_some();
		else if (database_hear(db))
			watch(EPOLL_CTL_MOD, db->fd, DATABASE, EPOLLIN | EPOLLONESHOT);
		pthread_mutex_unlock(&shared.lock);
	}
}

static void *run(void *argument) /* the worker */
{
	struct epoll_event events[SHARE];
	struct conn_env env; /* for the connection that this thread has at the moment */
	bool more = false;
	worker_env_init(argument, &env);
	while (!shared.finished) {
		int count = epoll_wait(shared.epoll_fd, events, SHARE, more ? 0 : -1);
		worker_env_tick(&env);
		for (int i = 0; i < count; i++)
			on_event(&env, events[i].data.fd);
		more = serve_due(&env);
	}
	conn_env_deinit(&env);
	return NULL;
}

static void serve(struct worker *w)
{
	pthread_t threads[WORKERS_MAX];
	clients_init(&shared.clients, w);
	shared.gates = calloc((size_t)w->fd_cap, sizeof *shared.gates); /* zeros are an open lock */
	CHECK(shared.gates);
	shared.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	shared.clock_fd = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (!watch(EPOLL_CTL_ADD, w->listen_fd, LISTENING, EPOLLIN | EPOLLONESHOT) ||
	    !watch(EPOLL_CTL_ADD, shared.clock_fd, CLOCK, EPOLLIN | EPOLLONESHOT))
		die_errno(errno, "epoll, timerfd; raise the file limit (ulimit -n)");
	set_clock();
	for (uint32_t i = 0; i < thread_count; i++)
		if (pthread_create(&threads[i], NULL, run, w) != 0)
			die("cannot start thread %u; lower --threads", i);
	for (uint32_t i = 0; i < thread_count; i++)
		pthread_join(threads[i], NULL);
	free(shared.gates);
	clients_deinit(&shared.clients);
}

static void set_threads(uint64_t value)
{
	if (value < 1 || value > WORKERS_MAX)
		usage_die("--threads takes a number from 1 to %d", WORKERS_MAX);
	thread_count = (uint32_t)value;
}

static const struct server_model model = {
	.name = "epoll-oneshot",
	.family = "readiness",
	.api = "epoll_wait, EPOLLONESHOT",
	.summary = "threads share one epoll; an event is told to one of them, who has it until it re-arms",
	.serve = serve,
	.single_worker = true,
	.spreads = true,
	.option = "threads",
	.option_help = "threads that share the epoll (4)",
	.set_option = set_threads,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
