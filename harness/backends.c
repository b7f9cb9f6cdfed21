/*
 * backends.c: see backends.h. The Redis server is one of our own on a port of our own, without a
 * file of its data: one that the machine runs already is not touched.
 */
#include "harness/backends.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/batch.h"
#include "harness/interrupt.h"
#include "harness/probe.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"

enum { REDIS_PORT_FIRST = 21700, REDIS_PORT_COUNT = 100 };
static const uint64_t redis_ready_ns = 5000000000;
static const char key[] = "key:1";
static const char value[] = "a value of 64 bytes, as a session or a small row of a table has.";

static bool plan_has(const struct plan *plan, enum experiment_kind kind)
{
	for (uint32_t i = 0; i < plan->experiment_count; i++)
		if (plan->experiments[i].kind == kind)
			return true;
	return false;
}

static void find_data(struct backends *b, const struct paths *paths)
{
	path_make(b->data, "%s/data.bin", paths->build);
	if (access(b->data, R_OK) == 0)
		return;
	b->data_problem = "there is no data file: make data";
	b->data[0] = '\0';
}

/* The key that the experiment asks for, once Redis answers. */
static bool seed(uint16_t port)
{
	uint64_t until_ns = clock_now_ns() + redis_ready_ns;
	while (clock_now_ns() < until_ns && !interrupt_signal()) {
		redisContext *link = redisConnect("127.0.0.1", port);
		redisReply *reply =
		    link && !link->err ? redisCommand(link, "SET %s %s", key, value) : NULL;
		bool done = reply && reply->type == REDIS_REPLY_STATUS;
		freeReplyObject(reply);
		if (link)
			redisFree(link);
		if (done)
			return true;
		interrupt_sleep(10000000);
	}
	return false;
}

static void start_redis(struct backends *b, const struct cpu_list *cpus, const char *folder)
{
	static char program[] = "/usr/bin/redis-server", port_flag[] = "--port", bind[] = "--bind",
		    host[] = "127.0.0.1", save[] = "--save", none[] = "", append[] = "--appendonly",
		    no[] = "no";
	char port_text[8], log[PATH_CAP];
	char *argv[] = { program, port_flag, port_text, bind, host, save, none, append, no, NULL };
	uint16_t port = probe_free_port(REDIS_PORT_FIRST, REDIS_PORT_COUNT);
	snprintf(port_text, sizeof(port_text), "%u", port);
	if (access(program, X_OK) != 0) {
		b->database_problem = "redis-server is not installed: make setup";
		return;
	}
	path_make(log, "%s/redis.log", folder);
	struct process_options options = {
		.argv = argv,
		.cpus = cpus,
		.output_fd = open(log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644),
		.keep_fd = -1,
	};
	int problem = process_spawn(&b->redis, &options);
	if (problem == 0)
		problem = process_release(&b->redis);
	close(options.output_fd);
	if (problem || !seed(port))
		b->database_problem = "redis-server does not answer: see logs/redis.log";
	else
		snprintf(b->database, sizeof(b->database), "redis://127.0.0.1:%u", port);
}

static void write_mix(struct backends *b, const char *folder)
{
	path_make(b->mix, "%s/mix.ini", folder);
	FILE *file = fopen(b->mix, "we");
	if (!file)
		die_errno(errno, "cannot write %s", b->mix);
	fputs("; experiment mixed: one request in 200 computes for about 10 ms\n"
	      "[light]\ntarget = /\nweight = 99.5\n\n"
	      "[heavy]\ntarget = /compute/10000\nweight = 0.5\n", file);
	if (fclose(file) != 0)
		die_errno(errno, "cannot write %s", b->mix);
}

void backends_start(struct backends *b, const struct paths *paths, const struct plan *plan,
    const struct cpu_list *cpus, const char *folder)
{
	*b = (struct backends){ 0 };
	if (plan_has(plan, EXPERIMENT_FILE))
		find_data(b, paths);
	if (plan_has(plan, EXPERIMENT_QUERY))
		start_redis(b, cpus, folder);
	if (plan_has(plan, EXPERIMENT_MIXED))
		write_mix(b, folder);
}

void backends_stop(struct backends *b)
{
	process_stop(&b->redis, 2000000000);
}

const char *backends_problem(const struct backends *b, enum experiment_kind kind)
{
	return kind == EXPERIMENT_FILE ? b->data_problem
	    : kind == EXPERIMENT_QUERY ? b->database_problem
	    : kind == EXPERIMENT_BATCH ? batch_problem() : NULL;
}
