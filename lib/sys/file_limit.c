/*
 * file_limit.c: a shell starts programs with a soft limit of 1,024 files, for the sake of old
 * users of select(). The hard limit above it is ours to take: getrlimit(2), RLIMIT_NOFILE.
 */
#include "lib/sys/file_limit.h"

#include <sys/resource.h>

uint64_t file_limit_raise(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 1024;
	if (limit.rlim_cur < limit.rlim_max) {
		struct rlimit raised = { limit.rlim_max, limit.rlim_max };
		if (setrlimit(RLIMIT_NOFILE, &raised) == 0)
			limit = raised;
	}
	return limit.rlim_cur;
}
