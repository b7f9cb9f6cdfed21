/*
 * iterative.c: one client after the other: the baseline.
 *
 * How it waits: it accepts a connection and calls recv(); the process sleeps in the kernel until
 * this client has sent something. Everybody else waits in the accept queue: the kernel has answered
 * their SYN, so they are connected, but nobody reads what they ask until the one before has gone.
 *
 * Cost: nothing a connection, since there is never more than one. Two system calls and a context
 * switch a request.
 *
 * Notice: it has no concurrency to pay for, and is as quick as any for one client at a time. A
 * client that keeps its connection open and says nothing keeps all others out, for 60 s
 * (CONN_IDLE_TIMEOUT_S). That is the problem which all the other models solve.
 *
 * Left out: turns (threadpool.c hands a place on after an answer when others wait).
 * man: socket(7), listen(2) (backlog), accept(2).
 */
#include <errno.h>

#include "lib/sys/converse.h"
#include "lib/sys/server_main.h"

static void serve(struct worker *w)
{
	for (int fd; (fd = worker_accept(w)) != -EINVAL;) {
		if (fd < 0)
			continue;
		worker_attend(w, fd);
		converse(&w->env, fd);
		worker_attend(w, -1);
		worker_close(w, fd);
	}
}

static uint32_t max_connections(void)
{
	return 1;
}

static const struct server_model model = {
	.name = "iterative",
	.family = "process",
	.api = "accept, recv, send",
	.summary = "one client at a time; the others wait, connected but unanswered, until it has gone",
	.serve = serve,
	.blocking = true,
	.single_worker = true,
	.max_connections = max_connections,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
