/*
 * memory.c: reads /proc/PID/{smaps_rollup,status}, /proc/slabinfo and /proc/meminfo, see proc(5) and
 * slabinfo(5).
 *
 * The directory entry of a socket is not taken from the slab `dentry`, which all the machine uses, but
 * counted as one for each socket inode.
 */
#include "harness/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/paths.h"
#include "harness/tasks.h"

/* Bytes behind "Name:   123 kB"; negative when there is no such line. */
static double kilobytes_of(const char *path, const char *name)
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

static bool read_slabs(struct memory *m)
{
	char line[512], name[64];
	double active, all, size, inodes = 0, dentry_size = 0;
	FILE *file = fopen("/proc/slabinfo", "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%63s %lf %lf %lf", name, &active, &all, &size) != 4)
			continue;
		if (strcmp(name, "TCP") == 0 || strcmp(name, "filp") == 0)
			m->both_ends += active * size;
		else if (strcmp(name, "sock_inode_cache") == 0)
			m->both_ends += active * size, inodes = active;
		else if (strcmp(name, "dentry") == 0)
			dentry_size = size;
		else if (strcmp(name, "task_struct") == 0)
			m->task_structs = active * size;
		else if (strcmp(name, "eventpoll_epi") == 0)
			m->epoll_items = active, m->epoll_item_size = size;
	}
	fclose(file);
	m->both_ends += inodes * dentry_size;
	return inodes > 0 && m->task_structs > 0;
}

struct memory memory_take(pid_t pid)
{
	struct memory m = { 0 };
	char path[64];
	/* the slabs first: reading the process's files makes slab objects of its own */
	if (read_slabs(&m)) {
		m.source = MEMORY_SLABINFO;
	} else {
		m.both_ends = kilobytes_of("/proc/meminfo", "Slab");
		m.source = m.both_ends >= 0 ? MEMORY_MEMINFO : MEMORY_NONE;
	}
	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", (int)pid);
	m.pss = kilobytes_of(path, "Pss");
	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	m.page_tables = kilobytes_of(path, "VmPTE");
	m.tasks = tasks_count(pid);
	return m;
}

double memory_user_bytes(const struct memory *before, const struct memory *after)
{
	return before->pss < 0 || after->pss < 0 ? -1 : fmax(after->pss - before->pss, 0);
}

double memory_kernel_bytes(const struct memory *before, const struct memory *after, uint32_t connections)
{
	double stack = memory_kernel_stack_size();
	if (before->source == MEMORY_NONE || before->source != after->source || stack <= 0 ||
	    before->page_tables < 0 || after->page_tables < 0)
		return -1;
	double bytes = after->page_tables - before->page_tables;
	bytes += (after->tasks - before->tasks) * stack;
	bytes += (after->both_ends - before->both_ends) / 2;
	if (after->source == MEMORY_SLABINFO) {
		bytes += after->task_structs - before->task_structs;
		bytes += (after->epoll_items - before->epoll_items - connections) * after->epoll_item_size;
	}
	return fmax(bytes, 0);
}

double memory_kernel_stack_size(void)
{
	char line[128];
	unsigned tasks = 0;
	double stacks = kilobytes_of("/proc/meminfo", "KernelStack");
	file_first_line("/proc/loadavg", line, sizeof(line));
	if (sscanf(line, "%*f %*f %*f %*u/%u", &tasks) != 1 || tasks == 0 || stacks <= 0)
		return 0;
	/* the kernel tells the sum; a stack is a power of two of pages */
	return exp2(round(log2(stacks / tasks)));
}

const char *memory_source_name(enum memory_source source)
{
	switch (source) {
	case MEMORY_SLABINFO:
		return "slabinfo";
	case MEMORY_MEMINFO:
		return "meminfo (estimate)";
	case MEMORY_NONE:
		break;
	}
	return "none";
}
