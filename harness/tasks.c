/*
 * tasks.c: asks taskstats, or reads /proc/PID/task/TID/{status,schedstat}, see proc(5). Files are
 * opened relative to one directory descriptor, which saves half of the path walk when there are
 * 10,000 of them.
 */
#include "harness/tasks.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/sys/clock.h"
#include "lib/sys/die.h"

enum { TICK_US = 10000 }; /* sysconf(_SC_CLK_TCK) is 100 wherever Linux runs */

/* A small file of /proc as text; false when it is not there (any more). */
static bool read_at(int folder, const char *name, char *text, size_t cap)
{
	int fd = openat(folder, name, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t n = read(fd, text, cap - 1);
	close(fd);
	text[n > 0 ? n : 0] = '\0';
	return n > 0;
}

static uint64_t field_after(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	return at ? strtoull(at + strlen(name), NULL, 10) : 0;
}

static bool read_task(int folder, const char *tid, struct task *task, bool *has_schedstat)
{
	char name[64], text[4096];
	*task = (struct task){ .tid = (pid_t)atoi(tid) };
	snprintf(name, sizeof(name), "%.20s/status", tid);
	if (!read_at(folder, name, text, sizeof(text)))
		return false;
	task->voluntary = field_after(text, "\nvoluntary_ctxt_switches:");
	task->involuntary = field_after(text, "\nnonvoluntary_ctxt_switches:");
	snprintf(name, sizeof(name), "%.20s/schedstat", tid);
	if (!*has_schedstat)
		return true;
	if (!read_at(folder, name, text, sizeof(text)) ||
	    sscanf(text, "%" SCNu64 " %" SCNu64, &task->cpu_ns, &task->wait_ns) != 2)
		*has_schedstat = false;
	return true;
}

static int compare_tid(const void *a, const void *b)
{
	pid_t tid_a = ((const struct task *)a)->tid, tid_b = ((const struct task *)b)->tid;
	return (tid_a > tid_b) - (tid_a < tid_b);
}

/*
 * minflt, cminflt (its ended children's), majflt, cmajflt, utime, stime, cutime, cstime: fields 10
 * to 17; num_threads: 20; behind a name that may hold anything but ends with ')'.
 */
static void read_process(pid_t pid, struct snapshot *s)
{
	char path[64], text[1024];
	uint64_t user = 0, system = 0, children_user = 0, children_system = 0, minor = 0,
	    children_minor = 0, major = 0, children_major = 0;
	uint32_t threads = 0;
	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (!read_at(AT_FDCWD, path, text, sizeof(text)))
		return;
	const char *at = strrchr(text, ')');
	if (!at || sscanf(at + 1, " %*c %*d %*d %*d %*d %*d %*u %" SCNu64 " %" SCNu64 " %" SCNu64
	    " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %*d %*d %" SCNu32, &minor,
	    &children_minor, &major, &children_major, &user, &system, &children_user,
	    &children_system, &threads) != 9)
		return;
	s->thread_count += threads;
	s->minor_faults += minor + children_minor;
	s->major_faults += major + children_major;
	if (s->has_sums && s->tree.count > 1)
		return; /* a short life is not a whole tick: read_sums() knows it better */
	s->user_us += (user + children_user) * TICK_US;
	s->system_us += (system + children_system) * TICK_US;
}

static DIR *open_tasks(pid_t pid)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	return opendir(path);
}

static struct task *add_task(struct snapshot *s)
{
	if (s->count == s->cap) {
		s->cap = s->cap ? s->cap * 2 : 64;
		s->tasks = realloc(s->tasks, s->cap * sizeof(*s->tasks));
		if (!s->tasks)
			die("out of memory for %u tasks", s->cap);
	}
	return &s->tasks[s->count++];
}

/* A process as one task. */
static void read_sums(struct snapshot *s, pid_t pid)
{
	struct task_sums sums;
	if (!taskstats_read(pid, &sums))
		return; /* it has just ended */
	*add_task(s) = (struct task){ pid, sums.voluntary, sums.involuntary, sums.cpu_ns,
		sums.wait_ns };
	if (s->tree.count > 1) {
		s->user_us += sums.user_us;
		s->system_us += sums.system_us;
	}
}

static void read_tasks(struct snapshot *s, pid_t pid)
{
	DIR *folder = open_tasks(pid);
	if (!folder)
		return;
	for (struct dirent *entry; (entry = readdir(folder));) {
		struct task task;
		if (entry->d_name[0] != '.' &&
		    read_task(dirfd(folder), entry->d_name, &task, &s->has_schedstat))
			*add_task(s) = task;
	}
	closedir(folder);
}

bool snapshot_take(struct snapshot *s, pid_t pid)
{
	struct task_sums sums;
	s->count = s->thread_count = 0;
	s->user_us = s->system_us = s->minor_faults = s->major_faults = 0;
	s->has_schedstat = true;
	s->begin_ns = clock_now_ns();
	s->has_sums = taskstats_read(pid, &sums);
	tree_read(&s->tree, pid);
	for (uint32_t i = 0; i < s->tree.count; i++) {
		if (s->has_sums)
			read_sums(s, s->tree.pids[i]);
		else
			read_tasks(s, s->tree.pids[i]);
		read_process(s->tree.pids[i], s);
	}
	if (s->count > 1)
		qsort(s->tasks, s->count, sizeof(*s->tasks), compare_tid);
	s->end_ns = clock_now_ns();
	return s->count > 0;
}

void snapshot_deinit(struct snapshot *s)
{
	free(s->tasks);
	tree_deinit(&s->tree);
	*s = (struct snapshot){ 0 };
}

uint32_t tasks_count(pid_t pid)
{
	uint32_t count = 0;
	DIR *folder = open_tasks(pid);
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	if (folder)
		closedir(folder);
	return count;
}

static void add_tasks(
    struct snapshot_difference *d, const struct snapshot *before, const struct snapshot *after)
{
	static const struct task none;
	for (uint32_t i = 0, k = 0; i < after->count; i++) {
		const struct task *now = &after->tasks[i];
		while (k < before->count && before->tasks[k].tid < now->tid)
			k++;
		bool is_old = k < before->count && before->tasks[k].tid == now->tid;
		const struct task *then = is_old ? &before->tasks[k] : &none;
		d->voluntary += now->voluntary - then->voluntary;
		d->involuntary += now->involuntary - then->involuntary;
		d->cpu_ns += now->cpu_ns - then->cpu_ns;
		d->wait_ns += now->wait_ns - then->wait_ns;
	}
}

struct snapshot_difference snapshot_subtract(
    const struct snapshot *before, const struct snapshot *after)
{
	struct snapshot_difference d = { 0 };
	d.has_schedstat = before->has_schedstat && after->has_schedstat;
	uint64_t middle_before = before->begin_ns / 2 + before->end_ns / 2;
	uint64_t middle_after = after->begin_ns / 2 + after->end_ns / 2;
	d.distance_ns = middle_after - middle_before;
	add_tasks(&d, before, after);
	d.minor_faults = (int64_t)(after->minor_faults - before->minor_faults);
	d.major_faults = (int64_t)(after->major_faults - before->major_faults);
	d.user_us = (int64_t)(after->user_us - before->user_us);
	d.system_us = (int64_t)(after->system_us - before->system_us);
	return d;
}
