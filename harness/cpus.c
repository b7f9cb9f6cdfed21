/* cpus.c: the topology from /sys/devices/system/cpu/cpuN/topology/thread_siblings_list. */
#include "harness/cpus.h"

#include <stdio.h>
#include <stdlib.h>

#include "harness/paths.h"
#include "lib/sys/affinity.h"

enum { CPUS_MAX = 256 };

/* A core is named after the first of its CPUs; without topology each CPU is a core. */
static int core_of_cpu(int cpu)
{
	char path[PATH_CAP], list[256];
	path_make(path, "/sys/devices/system/cpu/cpu%d/topology/thread_siblings_list", cpu);
	file_first_line(path, list, sizeof(list));
	return list[0] ? atoi(list) : cpu;
}

static void add(struct cpu_list *list, int cpu)
{
	list->cpus[list->count++] = cpu;
}

static bool has(const struct cpu_list *list, int cpu)
{
	for (int i = 0; i < list->count; i++)
		if (list->cpus[i] == cpu)
			return true;
	return false;
}

struct cpu_list cpus_first(const struct cpu_list *server, const struct cpu_list *client, int count)
{
	struct cpu_list first = { .count = 0 };
	for (int i = 0; i < server->count && first.count < count; i++)
		add(&first, server->cpus[i]);
	for (int i = 0; i < client->count && first.count < count; i++)
		if (!has(&first, client->cpus[i]))
			add(&first, client->cpus[i]);
	return first;
}

enum cpu_split cpus_split(const int *cpus, const int *core_of, int count, struct cpu_list *server,
    struct cpu_list *client)
{
	int cores[CPUS_MAX], core_count = 0;
	*server = *client = (struct cpu_list){ 0 };
	for (int i = 0; i < count; i++) {
		int k = 0;
		while (k < core_count && cores[k] != core_of[i])
			k++;
		if (k == core_count)
			cores[core_count++] = core_of[i];
	}
	if (core_count == 1) {
		for (int i = 0; i < count; i++) {
			if (i < count / 2 || count == 1)
				add(server, cpus[i]);
			if (i >= count / 2)
				add(client, cpus[i]);
		}
		return count == 1 ? CPU_SPLIT_NONE : CPU_SPLIT_THREADS;
	}
	/* the odd core goes to the client, which must not be the bottleneck */
	for (int i = 0; i < count; i++) {
		int k = 0;
		while (cores[k] != core_of[i])
			k++;
		add(k < core_count / 2 ? server : client, cpus[i]);
	}
	return CPU_SPLIT_CORES;
}

enum cpu_split cpus_choose(struct cpu_list *server, struct cpu_list *client)
{
	int cpus[CPUS_MAX], core_of[CPUS_MAX];
	int count = affinity_allowed(cpus, CPUS_MAX);
	for (int i = 0; i < count; i++)
		core_of[i] = core_of_cpu(cpus[i]);
	return cpus_split(cpus, core_of, count, server, client);
}

enum cpu_split cpus_judge(const struct cpu_list *server, const struct cpu_list *client)
{
	enum cpu_split split = CPU_SPLIT_CORES;
	if (has(client, server->cpus[0]))
		return CPU_SPLIT_NONE;
	for (int i = 0; i < client->count; i++)
		if (core_of_cpu(server->cpus[0]) == core_of_cpu(client->cpus[i]))
			split = CPU_SPLIT_THREADS;
	return split;
}

bool cpus_parse(const char *text, struct cpu_list *list)
{
	int allowed[CPUS_MAX];
	int count = affinity_allowed(allowed, CPUS_MAX);
	list->count = affinity_parse_list(text, list->cpus, CPUS_MAX);
	for (int i = 0; i < list->count; i++) {
		int k = 0;
		while (k < count && allowed[k] != list->cpus[i])
			k++;
		struct cpu_list before = *list;
		before.count = i;
		if (k == count || has(&before, list->cpus[i]))
			return false;
	}
	return list->count > 0;
}

char *cpus_format(const struct cpu_list *list, char *out, size_t cap)
{
	size_t len = 0;
	out[0] = '\0';
	for (int i = 0; i < list->count && len < cap; i++)
		len += (size_t)snprintf(out + len, cap - len, "%s%d", i ? "," : "", list->cpus[i]);
	return out;
}

bool cpus_have_siblings(void)
{
	int cpus[CPUS_MAX];
	int count = affinity_allowed(cpus, CPUS_MAX);
	for (int i = 0; i < count; i++)
		for (int k = 0; k < i; k++)
			if (core_of_cpu(cpus[i]) == core_of_cpu(cpus[k]))
				return true;
	return false;
}
