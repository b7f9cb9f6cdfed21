/*
 * datafile.c: see datafile.h. The kernel is told that reads will be at random places, or it would
 * read ahead what nobody asks for (posix_fadvise(2)).
 */
#include "lib/sys/datafile.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int data_fd = -1;

int64_t datafile_open(const char *path)
{
	struct stat status;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
	data_fd = fd;
	return status.st_size;
}

int datafile_fd(void)
{
	return data_fd;
}

int datafile_open_direct(void)
{
	char path[PATH_MAX];
	snprintf(path, sizeof path, "/proc/self/fd/%d", data_fd);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_DIRECT);
	return fd < 0 ? -errno : fd;
}

ssize_t datafile_read(struct file_read read)
{
	for (;;) {
		ssize_t n = pread(data_fd, read.into, read.len, (off_t)read.offset);
		if (n >= 0)
			return n;
		if (errno != EINTR)
			return -errno;
	}
}
