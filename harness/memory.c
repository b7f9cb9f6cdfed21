/* memory.c: reads /proc/PID/{smaps_rollup,status,fd,fdinfo}, see proc(5). */
#include "harness/memory.h"

#include <dirent.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/tasks.h"

enum {
	LOOP_FDS_MAX = 64, /* a loop opens its own descriptors before it serves: they are low */
	URING_REQUEST_BYTES = 256 /* struct io_kiocb, Linux 5.15 to 6.18: taken on trust */
};

double memory_read_kilobytes(const char *path, const char *name)
{
	char line[256];
	double bytes = -1;
	size_t len = strlen(name);
	FILE *file = fopen(path, "re");
	while (file && bytes < 0 && fgets(line, sizeof(line), file))
		if (strncmp(line, name, len) == 0 && line[len] == ':')
			bytes = strtod(line + len + 1, NULL) * 1024;
	if (file)
		fclose(file);
	return bytes;
}

static uint32_t count_files(pid_t pid)
{
	char path[64];
	uint32_t count = 0;
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder && (entry = readdir(folder));)
		count += entry->d_name[0] != '.';
	if (folder)
		closedir(folder);
	return count;
}

/*
 * fdinfo has a line "tfd: ..." per registration (epoll), "  op=..." per armed request (io_uring).
 */
static void count_registrations(pid_t pid, int fd, struct memory *m)
{
	char path[64], target[64], line[512];
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)pid, fd);
	ssize_t len = readlink(path, target, sizeof(target) - 1);
	target[len > 0 ? len : 0] = '\0';
	bool is_epoll = strcmp(target, "anon_inode:[eventpoll]") == 0;
	if (!is_epoll && strcmp(target, "anon_inode:[io_uring]") != 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%d", (int)pid, fd);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		m->epoll_items += is_epoll && strncmp(line, "tfd:", 4) == 0;
		m->uring_requests += !is_epoll && strncmp(line, "  op=", 5) == 0;
	}
	if (file)
		fclose(file);
}

struct memory memory_take(pid_t pid)
{
	struct memory m = { 0 };
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	m.pss = memory_read_kilobytes(path, "Pss");
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	m.page_tables = memory_read_kilobytes(path, "VmPTE");
	m.threads = tasks_count(pid);
	m.files = count_files(pid);
	for (int fd = 0; fd < LOOP_FDS_MAX; fd++)
		count_registrations(pid, fd, &m);
	return m;
}

double memory_user_bytes(const struct memory *before, const struct memory *after)
{
	return before->pss < 0 || after->pss < 0 ? NAN : after->pss - before->pss;
}

double memory_kernel_bytes(const struct memory_costs *costs, const struct memory *before,
    const struct memory *after)
{
	if (before->page_tables < 0 || after->page_tables < 0)
		return NAN;
	return after->page_tables - before->page_tables +
	    (after->threads - before->threads) * costs->thread +
	    (after->files - before->files) * costs->socket +
	    (after->epoll_items - before->epoll_items) * costs->epoll_item +
	    (after->uring_requests - before->uring_requests) * URING_REQUEST_BYTES;
}
