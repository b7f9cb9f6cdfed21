/*
 * prefork.c: a fixed number of processes, made in advance.
 *
 * How it waits: P processes call accept() on one listening socket; the kernel wakes one of them for
 * each connection, the one that has waited longest. It then calls recv() and sleeps until there are
 * bytes. Whoever comes while all P are taken waits in the accept queue: connected, not answered.
 *
 * Cost: nothing a connection but its socket: the processes are there before it. Two system calls
 * and a context switch a request; a third call while all are taken: poll() asks whether anybody
 * waits.
 *
 * Notice: a process keeps its connection until that ends. When others wait and no process is free,
 * its next answer says Connection: close, and the place is theirs: each request costs a connection
 * then. But P clients that say nothing keep everybody out for 60 s (CONN_IDLE_TIMEOUT_S): that is
 * keep-alive starvation. P bounds what can wait at once: of /sleep/100 it answers P/0.1 s, however
 * many ask. A process that crashes is replaced, and costs one client its connection.
 *
 * Left out: more processes when it gets busy, fewer when it calms (Apache's prefork has that).
 * man: accept(2), listen(2) (backlog), waitpid(2), ppoll(2), prctl(2) (PR_SET_PDEATHSIG).
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sys/child.h"
#include "lib/sys/converse.h"
#include "lib/sys/die.h"
#include "lib/sys/server_main.h"

enum { PROCESSES_MAX = 4096 };

static uint32_t process_count = 64;
static pid_t pids[PROCESSES_MAX]; /* 0: to be started */
static atomic_bool *is_taken;     /* by a connection; by process, shared by all */
static struct worker *worker;

/* Does anybody wait whom no process is about to serve? */
static bool others_wait(void)
{
	for (uint32_t i = 0; i < process_count; i++)
		if (!is_taken[i])
			return false;
	return worker_has_waiting(worker);
}

static void process(struct worker *w, uint32_t index)
{
	for (int fd; (fd = worker_accept(w)) != -EINVAL;) {
		if (fd < 0)
			continue;
		is_taken[index] = true;
		worker_attend(w, fd);
		worker_tick(w);
		converse_in_turn(&w->env, fd, others_wait);
		worker_attend(w, -1);
		worker_close(w, fd);
		is_taken[index] = false;
	}
	_exit(0);
}

/* Starts those that are missing. False when one cannot be had. */
static bool start_missing(struct worker *w, const sigset_t *usual)
{
	for (uint32_t i = 0; i < process_count; i++) {
		if (pids[i])
			continue;
		pid_t pid = child_fork();
		if (pid == 0) {
			sigprocmask(SIG_SETMASK, usual, NULL);
			process(w, i);
		}
		if (pid < 0)
			return false;
		pids[i] = pid;
	}
	return true;
}

/* Those that have ended are missing now, and their connections are closed. */
static void reap(struct worker *w)
{
	for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) {
		uint32_t i = 0;
		while (i < process_count && pids[i] != pid)
			i++;
		if (i == process_count)
			continue; /* whoever exec()ed us began it, or it is an orphan of process 1 */
		pids[i] = 0;
		if (atomic_exchange(&is_taken[i], false))
			worker_closed(w);
	}
}

static void stop(void)
{
	for (uint32_t i = 0; i < process_count; i++)
		if (pids[i])
			kill(pids[i], SIGTERM);
	for (uint32_t i = 0; i < process_count; i++)
		while (pids[i] && waitpid(pids[i], NULL, 0) < 0 && errno == EINTR)
			;
}

static void on_child_end(int number)
{
	(void)number; /* it interrupts ppoll(), that is all */
}

static void serve(struct worker *w)
{
	const struct timespec retry = { .tv_sec = 1 };
	struct sigaction action = { .sa_handler = on_child_end };
	sigset_t waited_for, usual;
	worker = w;
	is_taken = mmap(NULL, PROCESSES_MAX, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (is_taken == MAP_FAILED)
		die_errno(errno, "no memory to share");
	sigaction(SIGCHLD, &action, NULL);
	/* blocked but in ppoll(): none can come between a look at what it tells and the wait for it */
	sigemptyset(&waited_for);
	sigaddset(&waited_for, SIGCHLD);
	sigaddset(&waited_for, SIGTERM);
	sigaddset(&waited_for, SIGINT);
	sigprocmask(SIG_BLOCK, &waited_for, &usual);

	if (!start_missing(w, &usual))
		die_errno(errno, "cannot start %u processes; lower --processes", process_count);
	while (!w->env.service->stopping) {
		bool complete = start_missing(w, &usual);
		ppoll(NULL, 0, complete ? NULL : &retry, &usual);
		reap(w);
	}
	stop();
}

static void set_process_count(uint64_t value)
{
	if (value < 1 || value > PROCESSES_MAX)
		usage_die("--processes takes a number from 1 to %d", PROCESSES_MAX);
	process_count = (uint32_t)value;
}

static uint32_t max_connections(void)
{
	return process_count;
}

static const struct server_model model = {
	.name = "prefork",
	.family = "process",
	.api = "fork, accept, recv, send",
	.summary = "P processes serve a connection each; who comes beyond waits unanswered for a turn",
	.serve = serve,
	.blocking = true,
	.single_worker = true,
	.spreads = true,
	.option = "processes",
	.option_help = "processes, each for one connection at a time (64)",
	.set_option = set_process_count,
	.max_connections = max_connections,
	.in_turn = true,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
