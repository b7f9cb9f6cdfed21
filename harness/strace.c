/* strace.c: its summary has a line a call, "  10000 recvfrom", and ends with one of "total". */
#include "harness/strace.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "harness/interrupt.h"
#include "lib/sys/clock.h"

static char program[] = "/usr/bin/strace";
static const uint64_t summary_most_ns = 2000000000, pause_ns = 5000000;

const char *strace_problem(void)
{
	return access(program, X_OK) == 0 ? NULL : "strace is not installed";
}

void strace_arguments(char *argv[STRACE_ARGUMENTS], char *log)
{
	static char behind[] = "-D", follow[] = "-f", count[] = "-c", columns[] = "-U",
	    names[] = "calls,name", output[] = "-o", end[] = "--";
	char *const arguments[STRACE_ARGUMENTS] = {
		program, behind, follow, count, columns, names, output, log, end
	};
	memcpy(argv, arguments, sizeof(arguments));
}

/* False when the last line is missing. */
static bool read_summary(const char *log, struct syscall_list *list)
{
	char line[256], name[32] = "";
	uint64_t calls;
	FILE *file = fopen(log, "re");
	*list = (struct syscall_list){ 0 };
	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "%" SCNu64 " %31s", &calls, name) == 2 &&
		    strcmp(name, "total") != 0)
			syscall_list_add(list, name, calls);
	if (file)
		fclose(file);
	return strcmp(name, "total") == 0;
}

bool strace_read(const char *log, struct syscall_list *list)
{
	uint64_t until_ns = clock_now_ns() + summary_most_ns;
	while (!read_summary(log, list)) {
		if (clock_now_ns() > until_ns)
			return false;
		interrupt_sleep(pause_ns);
	}
	syscall_list_sort(list);
	return true;
}
