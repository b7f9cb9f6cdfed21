/*
 * affinity.c: the CPUs of this process. A container or taskset may give fewer than the machine
 * has, so what is allowed is asked of the kernel (sched_getaffinity(2)) and never counted.
 */
#include "lib/sys/affinity.h"

#include <ctype.h>
#include <errno.h>
#include <sched.h>
#include <stdlib.h>

int affinity_allowed(int *cpus, int cap)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	int count = 0;
	if (sched_getaffinity(0, sizeof set, &set) == 0)
		for (int cpu = 0; cpu < CPU_SETSIZE && count < cap; cpu++)
			if (CPU_ISSET((size_t)cpu, &set))
				cpus[count++] = cpu;
	if (count == 0)
		cpus[count++] = 0;
	return count;
}

int affinity_pin(int cpu)
{
	if (cpu < 0 || cpu >= CPU_SETSIZE)
		return -EINVAL;
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET((size_t)cpu, &set);
	return sched_setaffinity(0, sizeof set, &set) == 0 ? 0 : -errno;
}

int affinity_try(int cpu)
{
	cpu_set_t before;
	if (sched_getaffinity(0, sizeof before, &before) < 0)
		return -errno;
	int error = affinity_pin(cpu);
	if (sched_setaffinity(0, sizeof before, &before) < 0)
		return -errno;
	return error;
}

/* A CPU number at *text, which moves behind it; -1 when there is none. */
static int parse_cpu(const char **text)
{
	if (!isdigit((unsigned char)**text))
		return -1;
	char *end;
	errno = 0;
	long cpu = strtol(*text, &end, 10);
	*text = end;
	return errno == 0 && cpu < CPU_SETSIZE ? (int)cpu : -1;
}

int affinity_parse_list(const char *text, int *cpus, int cap)
{
	int count = 0;
	for (;;) {
		int first = parse_cpu(&text);
		int last = first;
		if (*text == '-') {
			text++;
			last = parse_cpu(&text);
		}
		if (first < 0 || last < first)
			return -1;
		for (int cpu = first; cpu <= last; cpu++) {
			if (count == cap)
				return -1;
			cpus[count++] = cpu;
		}
		if (*text == '\0')
			return count;
		if (*text++ != ',')
			return -1;
	}
}
