/*
 * fork.c: one process per connection: plain, synchronous code behind a wall.
 *
 * How it waits: it calls recv() and sleeps in the kernel until there are bytes; the scheduler
 * does the rest. The parent only accepts, forks and reaps. A child shares nothing with the others
 * but the counters; when it crashes, one client notices.
 *
 * Cost: a process a connection: what thread.c pays, and page tables, a descriptor table and the
 * pages that parent and child no longer share once either has written to them: 56 KiB of its own
 * and about 100 KiB in the kernel; a fork() a connection; a context switch or two a request. Two
 * system calls a request.
 *
 * Notice: the limit on open files is each child's own, so it does not bound the connections; the
 * limit on processes does (RLIMIT_NPROC, pids.max, kernel.pid_max). When no process can be had
 * (EAGAIN), the client gets 503 and the others are served on. Children are reaped in the handler of
 * SIGCHLD, which is blocked while the list of them changes: none can be forgotten, none stays a
 * zombie, and no signal is sent to a number that is another's by now.
 *
 * Left out: processes made in advance (prefork.c). man: fork(2), waitpid(2), sigsuspend(2),
 * prctl(2) (PR_SET_PDEATHSIG), getrlimit(2).
 */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sys/child.h"
#include "lib/sys/converse.h"
#include "lib/sys/server_main.h"

enum { CHILDREN_MAX = 1 << 17 };

/* Who is connected: needed only to stop. Changed only while SIGCHLD is blocked, or by its handler. */
static struct {
	struct worker *worker;
	pid_t pids[CHILDREN_MAX];
	int count;
} children;

static void on_child_end(int number)
{
	(void)number;
	int interrupted_errno = errno;
	for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;) {
		int i = 0;
		while (i < children.count && children.pids[i] != pid)
			i++;
		if (i == children.count)
			continue; /* whoever exec()ed us began it, or it is an orphan of process 1 */
		children.pids[i] = children.pids[--children.count];
		worker_closed(children.worker); /* here, so that a crash is counted, too */
	}
	errno = interrupted_errno;
}

static void connection(struct worker *w, int fd)
{
	worker_attend(w, fd);
	worker_tick(w);
	converse(&w->env, fd);
	_exit(0);
}

static void start(struct worker *w, int fd)
{
	pid_t pid = children.count < CHILDREN_MAX ? child_fork() : -EAGAIN;
	if (pid == 0)
		connection(w, fd);
	if (pid < 0) {
		worker_refuse(w, fd);
		return;
	}
	children.pids[children.count++] = pid;
	close(fd);
}

/*
 * Tells all to end: those without a request see end of file; then waits for the last. Nobody is
 * reaped in between, so every number in the list is still that of a child.
 */
static void stop(void)
{
	for (int i = 0; i < children.count; i++)
		kill(children.pids[i], SIGTERM);
	for (int i = 0; i < children.count; i++) /* by name: else the kernel looks through all each time */
		while (waitpid(children.pids[i], NULL, 0) < 0 && errno == EINTR)
			;
}

static void serve(struct worker *w)
{
	struct sigaction action = { .sa_handler = on_child_end, .sa_flags = SA_RESTART };
	sigset_t child_end;
	sigemptyset(&child_end);
	sigaddset(&child_end, SIGCHLD);
	children.worker = w;
	sigaction(SIGCHLD, &action, NULL);

	for (int fd; (fd = worker_accept(w)) != -EINVAL;) {
		if (fd < 0)
			continue;
		sigprocmask(SIG_BLOCK, &child_end, NULL);
		start(w, fd);
		sigprocmask(SIG_UNBLOCK, &child_end, NULL);
	}
	sigprocmask(SIG_BLOCK, &child_end, NULL);
	stop();
}

static const struct server_model model = {
	.name = "fork",
	.family = "process",
	.api = "fork, recv, send",
	.summary = "a process per connection blocks in recv; refuses with 503 when it can have no more",
	.serve = serve,
	.blocking = true,
	.single_worker = true,
	.spreads = true,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
