/*
 * page_cache.c: the mapping that mincore() looks through is never read, so looking changes nothing.
 */
#include "harness/page_cache.h"

#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

static double share_of(int fd, size_t len)
{
	size_t page_len = (size_t)sysconf(_SC_PAGESIZE), count = (len + page_len - 1) / page_len;
	unsigned char *pages = malloc(count);
	void *map = mmap(NULL, len, PROT_READ, MAP_SHARED, fd, 0);
	double share = NAN;
	if (pages && map != MAP_FAILED && mincore(map, len, pages) == 0) {
		size_t held = 0;
		for (size_t i = 0; i < count; i++)
			held += pages[i] & 1;
		share = (double)held / (double)count;
	}
	if (map != MAP_FAILED)
		munmap(map, len);
	free(pages);
	return share;
}

double page_cache_share(const char *path)
{
	struct stat about;
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NAN;
	double share = NAN;
	if (fstat(fd, &about) == 0 && about.st_size > 0)
		share = share_of(fd, (size_t)about.st_size);
	close(fd);
	return share;
}

void page_cache_fill(const char *path)
{
	char buffer[65536];
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	while (read(fd, buffer, sizeof(buffer)) > 0)
		;
	close(fd);
}

void page_cache_drop(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	fdatasync(fd); /* what is not on the disk yet would stay */
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	close(fd);
}
