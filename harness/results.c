/* results.c: flock(2) on results/.lock; the file's content, a process id, is for messages only. */
#include "harness/results.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <time.h>
#include <unistd.h>

#include "lib/sys/die.h"

static const unsigned long space_least = 64ul << 20;

__attribute__((noreturn)) static void refuse(const char *path, int error)
{
	die("cannot write to %s: %s (mend that, or give another folder with --out DIR)", path,
	    strerror(error));
}

void results_lock(const char *results)
{
	char path[PATH_CAP], holder[32];
	struct statvfs about;
	if (mkdir(results, 0777) != 0 && errno != EEXIST)
		refuse(results, errno);
	path_make(path, "%s/.lock", results);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
	if (fd < 0)
		refuse(results, errno);
	if (flock(fd, LOCK_EX | LOCK_NB) != 0) {
		file_first_line(path, holder, sizeof(holder));
		fprintf(stderr,
		    "c10k: another run%s%s is measuring into %s: wait until it ends, or end it\n",
		    holder[0] ? ", process " : "", holder, results);
		exit(EXIT_LOCKED);
	}
	int len = snprintf(holder, sizeof(holder), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) != 0 || write(fd, holder, (size_t)len) != len)
		refuse(path, errno);
	if (statvfs(results, &about) == 0 && about.f_bavail * about.f_frsize < space_least)
		die("%s: less than 64 MiB of free space: free some, or give another with --out DIR",
		    results);
	/* fd stays open, and the lock held, until the process ends */
}

void results_make_run(
    const char *results, const char *plan, char name[PATH_CAP], char folder[PATH_CAP])
{
	char stamp[32], logs[PATH_CAP];
	time_t now = time(NULL);
	struct tm utc;
	gmtime_r(&now, &utc);
	strftime(stamp, sizeof(stamp), "%Y%m%d-%H%M%S", &utc);
	path_make(name, "%s-%s", stamp, plan);
	path_make(folder, "%s/%s", results, name);
	for (int i = 2; mkdir(folder, 0777) != 0; i++) {
		if (errno != EEXIST || i > 99)
			refuse(folder, errno);
		path_make(name, "%s-%s-%d", stamp, plan, i);
		path_make(folder, "%s/%s", results, name);
	}
	path_make(logs, "%s/logs", folder);
	if (mkdir(logs, 0777) != 0)
		refuse(logs, errno);
}

void results_set_latest(const char *results, const char *name)
{
	char path[PATH_CAP], aside[PATH_CAP];
	path_make(path, "%s/latest", results);
	path_make(aside, "%s/.latest", results);
	unlink(aside);
	if (symlink(name, aside) != 0 || rename(aside, path) != 0)
		warn_line("%s: %s", path, strerror(errno));
}
