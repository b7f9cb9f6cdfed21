/*
 * counters.c: exclude_kernel stays 0 on purpose: with 1 an unprivileged open succeeds, and the
 * context switches, which happen in the kernel, then silently count as 0.
 */
#include "harness/counters.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/paths.h"
#include "lib/sys/clock.h"

static int open_one(pid_t pid, uint64_t what)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = what,
		.inherit = 1,
	};
	return (int)syscall(SYS_perf_event_open, &attr, pid, -1, -1, PERF_FLAG_FD_CLOEXEC);
}

void counters_open(struct counters *c, pid_t pid)
{
	*c = (struct counters){ .switches_fd = -1, .clock_fd = -1 };
	c->switches_fd = open_one(pid, PERF_COUNT_SW_CONTEXT_SWITCHES);
	if (c->switches_fd >= 0)
		c->clock_fd = open_one(pid, PERF_COUNT_SW_TASK_CLOCK);
	if (c->clock_fd >= 0)
		return;
	int problem = errno;
	counters_close(c);
	char level[32];
	file_first_line("/proc/sys/kernel/perf_event_paranoid", level, sizeof(level));
	if (problem == EACCES || problem == EPERM)
		snprintf(c->reason, sizeof(c->reason),
		    "perf counters not permitted (kernel.perf_event_paranoid is %s; 1 permits)",
		    level);
	else
		snprintf(c->reason, sizeof(c->reason), "no perf counters: %s", strerror(problem));
}

void counters_close(struct counters *c)
{
	if (c->switches_fd >= 0)
		close(c->switches_fd);
	if (c->clock_fd >= 0)
		close(c->clock_fd);
	c->switches_fd = c->clock_fd = -1;
}

struct counters_reading counters_read(const struct counters *c)
{
	struct counters_reading reading = { .at_ns = clock_now_ns() };
	reading.valid = c->clock_fd >= 0 &&
	    read(c->switches_fd, &reading.switches, sizeof(uint64_t)) == sizeof(uint64_t) &&
	    read(c->clock_fd, &reading.cpu_ns, sizeof(uint64_t)) == sizeof(uint64_t);
	return reading;
}
