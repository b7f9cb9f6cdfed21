/* memory.c: reads /proc/PID/{smaps_rollup,status,fd,fdinfo}, see proc(5). */
#include "harness/memory.h"

#include <dirent.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/tasks.h"
#include "harness/tree.h"
#include "lib/sys/die.h"

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

/* Inodes of sockets, with repetitions. */
struct inodes {
	uint64_t *list;
	uint32_t count, cap;
};

static void add_inode(struct inodes *all, uint64_t inode)
{
	if (all->count == all->cap) {
		all->cap = all->cap ? all->cap * 2 : 1024;
		all->list = realloc(all->list, all->cap * sizeof(*all->list));
		if (!all->list)
			die("out of memory for %u sockets", all->cap);
	}
	all->list[all->count++] = inode;
}

static int compare_inodes(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

static uint32_t count_different(struct inodes *all)
{
	uint32_t count = 0;
	if (all->count > 1)
		qsort(all->list, all->count, sizeof(*all->list), compare_inodes);
	for (uint32_t i = 0; i < all->count; i++)
		count += i == 0 || all->list[i] != all->list[i - 1];
	return count;
}

/*
 * fdinfo has a line "tfd: ..." per registration (epoll), "  op=..." per armed request (io_uring).
 */
static void count_registrations(pid_t pid, const char *fd, bool is_epoll, struct memory *m)
{
	char path[64], line[512];
	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%.16s", (int)pid, fd);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof(line), file)) {
		m->epoll_items += is_epoll && strncmp(line, "tfd:", 4) == 0;
		m->uring_requests += !is_epoll && strncmp(line, "  op=", 5) == 0;
	}
	if (file)
		fclose(file);
}

static void count_files(pid_t pid, struct memory *m, struct inodes *sockets)
{
	char path[64], target[64];
	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *folder = opendir(path);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		uint64_t inode;
		ssize_t len = readlinkat(dirfd(folder), entry->d_name, target, sizeof(target) - 1);
		target[len > 0 ? len : 0] = '\0';
		if (sscanf(target, "socket:[%" SCNu64, &inode) == 1)
			add_inode(sockets, inode);
		else if (strcmp(target, "anon_inode:[eventpoll]") == 0)
			count_registrations(pid, entry->d_name, true, m);
		else if (strcmp(target, "anon_inode:[io_uring]") == 0)
			count_registrations(pid, entry->d_name, false, m);
	}
	if (folder)
		closedir(folder);
}

/* Adds what is available of a process. False when it has ended, reaped or not. */
static bool add_process(pid_t pid, struct memory *m)
{
	char path[64];
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	double page_tables = memory_read_kilobytes(path, "VmPTE");
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	double pss = memory_read_kilobytes(path, "Pss");
	if (page_tables < 0)
		return false;
	m->page_tables += page_tables;
	m->pss = m->pss < 0 || pss < 0 ? -1 : m->pss + pss;
	m->threads += tasks_count(pid);
	m->processes++;
	return true;
}

struct memory memory_take(pid_t pid)
{
	struct memory m = { 0 };
	struct tree tree = { 0 };
	struct inodes sockets = { 0 };
	tree_read(&tree, pid);
	for (uint32_t i = 0; i < tree.count; i++)
		if (add_process(tree.pids[i], &m))
			count_files(tree.pids[i], &m, &sockets);
	m.sockets = count_different(&sockets);
	free(sockets.list);
	tree_deinit(&tree);
	return m;
}
