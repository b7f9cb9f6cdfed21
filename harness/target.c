/* target.c: one server's life around a cell. */
#include "harness/target.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "harness/interrupt.h"
#include "harness/probe.h"
#include "harness/strace.h"
#include "lib/sys/clock.h"

static const uint64_t ready_ns = 10000000000, stop_ns = 2500000000, probe_ns = 2000000000;

static int spawn(
    struct target *t, const struct target_options *o, const struct cpu_list *cpus, int log_fd)
{
	const struct server_info *info = o->info;
	char program[PATH_CAP], option[PLAN_NAME_CAP + 2], value[PLAN_NAME_CAP], port[8];
	char host_flag[] = "--host", host[] = "127.0.0.1", port_flag[] = "--port";
	char workers_flag[] = "--workers", workers[16];
	memcpy(program, info->program, sizeof(program));
	memcpy(option, info->option, sizeof(option));
	memcpy(value, info->value, sizeof(value));
	snprintf(port, sizeof(port), "%u", t->port);
	snprintf(workers, sizeof(workers), "%u", o->workers ? o->workers : 1);
	char data_flag[] = "--data", data[PATH_CAP], database_flag[] = "--database", database[64];
	char strace_log[PATH_CAP];
	char *const served[] = { program, host_flag, host, port_flag, port, workers_flag, workers };
	char *argv[STRACE_ARGUMENTS + 16] = { 0 };
	int count = 0;
	snprintf(strace_log, sizeof(strace_log), "%s", o->strace_log);
	if (strace_log[0]) {
		strace_arguments(argv, strace_log);
		count = STRACE_ARGUMENTS;
	}
	memcpy(argv + count, served, sizeof(served));
	count += (int)(sizeof(served) / sizeof(*served));
	snprintf(data, sizeof(data), "%s", o->data);
	snprintf(database, sizeof(database), "%s", o->database);
	if (data[0]) {
		argv[count++] = data_flag;
		argv[count++] = data;
	}
	if (database[0]) {
		argv[count++] = database_flag;
		argv[count++] = database;
	}
	if (option[0]) {
		argv[count++] = option;
		argv[count++] = value;
	}
	struct process_options options = {
		.argv = argv, .cpus = cpus, .output_fd = log_fd, .keep_fd = -1
	};
	int problem = process_spawn(&t->process, &options);
	if (problem)
		return problem;
	counters_open(&t->counters, t->process.pid);
	return process_release(&t->process);
}

bool target_start(struct target *t, const struct target_options *options, uint16_t port,
    const struct cpu_list *cpus, int log_fd, char problem[256])
{
	char body[256], end[64];
	*t = (struct target){ .port = port, .counters = { .switches_fd = -1, .clock_fd = -1 } };
	int error = spawn(t, options, cpus, log_fd);
	if (error) {
		snprintf(problem, 256, "cannot be started: %s", strerror(-error));
		return false;
	}
	uint64_t until_ns = clock_now_ns() + ready_ns;
	int status = 0;
	while (clock_now_ns() < until_ns && !interrupt_signal()) {
		status = probe_get(port, "/", body, sizeof(body), probe_ns);
		if (status > 0)
			t->probe_count++;
		if (status == 200)
			return true;
		if (process_has_ended(&t->process)) {
			snprintf(problem, 256, "ended before it was ready: %s",
			    process_describe_end(&t->process, end, sizeof(end)));
			return false;
		}
		interrupt_sleep(2000000);
	}
	snprintf(problem, 256, "not ready after 10 s: GET / gave %s%d",
	    status < 0 ? "errno " : "status ", status < 0 ? -status : status);
	return false;
}

struct target_stats target_stats(struct target *t)
{
	char body[1024];
	struct target_stats stats = { 0 };
	if (probe_get(t->port, "/stats", body, sizeof(body), probe_ns) != 200)
		return stats;
	t->probe_count++; /* the server counts this request before it answers it */
	json_t *json = json_loads(body, 0, NULL);
	json_t *requests = json_object_get(json, "requests"),
	       *refused = json_object_get(json, "refused");
	if (json_is_integer(requests) && json_is_integer(refused)) {
		uint64_t count = (uint64_t)json_integer_value(requests);
		stats.valid = count >= t->probe_count;
		stats.requests = count - t->probe_count;
		stats.refused = (uint64_t)json_integer_value(refused);
	}
	json_decref(json);
	return stats;
}

bool target_stop(struct target *t)
{
	bool in_time = process_stop(&t->process, stop_ns);
	counters_close(&t->counters);
	return in_time;
}
