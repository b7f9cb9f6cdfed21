/*
 * direct.c: see direct.h. The blocks are mapped as one piece; those that are never used cost
 * nothing.
 */
#include "lib/sys/direct.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "lib/sys/datafile.h"
#include "lib/sys/die.h"

enum { ALIGNMENT = 4096, BLOCK_CAP = POOL_BUFFER_CAP + ALIGNMENT };

void direct_open(struct direct *d, uint32_t client_cap)
{
	static atomic_flag said = ATOMIC_FLAG_INIT; /* by one worker for all */
	*d = (struct direct){ .fd = -1, .row_cap = client_cap, .idle_count = DIRECT_READS };
	if (datafile_fd() < 0)
		return;
	int flags = MAP_PRIVATE | MAP_ANONYMOUS;
	char *blocks = mmap(NULL, DIRECT_READS * BLOCK_CAP, PROT_READ | PROT_WRITE, flags, -1, 0);
	d->row = calloc(client_cap, sizeof *d->row);
	if (blocks == MAP_FAILED || !d->row)
		die("no memory for reads of the data file; lower the file limit (ulimit -n)");
	for (int i = 0; i < DIRECT_READS; i++) {
		d->reads[i].block = blocks + (size_t)i * BLOCK_CAP;
		d->idle[i] = (uint8_t)(DIRECT_READS - 1 - i);
	}
	d->fd = datafile_open_direct();
	if (d->fd >= 0)
		return;
	if (!atomic_flag_test_and_set(&said))
		warn_line("no O_DIRECT for --data in its file system: the page cache is used");
	d->fd = dup(datafile_fd());
	if (d->fd < 0)
		die_errno(errno, "the data file, a second time; raise the file limit (ulimit -n)");
}

void direct_close(struct direct *d)
{
	if (d->fd < 0)
		return;
	close(d->fd);
	munmap(d->reads[0].block, DIRECT_READS * BLOCK_CAP);
	free(d->row);
}

struct direct_read *direct_begin(struct direct *d, struct conn *c, int client)
{
	if (d->idle_count == 0) {
		CHECK(d->row_count < d->row_cap);
		d->row[(d->row_first + d->row_count++) % d->row_cap] = client;
		return NULL;
	}
	struct direct_read *r = &d->reads[d->idle[--d->idle_count]];
	r->client = client;
	r->wanted = conn_file(c);
	size_t before = r->wanted.offset % ALIGNMENT;
	r->offset = r->wanted.offset - before;
	r->len = (before + r->wanted.len + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
	return r;
}

void direct_end(struct direct *d, struct direct_read *r, struct conn *c, ssize_t result)
{
	size_t before = (size_t)(r->wanted.offset - r->offset);
	ssize_t n = result < 0 ? result : result - (ssize_t)before;
	if (n > (ssize_t)r->wanted.len)
		n = (ssize_t)r->wanted.len;
	d->idle[d->idle_count++] = (uint8_t)(r - d->reads);
	if (conn_wants(c) != CONN_WANT_FILE)
		return; /* it was closed meanwhile */
	if (n > 0)
		memcpy(r->wanted.into, r->block + before, (size_t)n);
	conn_file_done(c, n);
}

int direct_next(struct direct *d)
{
	if (d->row_count == 0 || d->idle_count == 0)
		return -1;
	int client = d->row[d->row_first];
	d->row_first = (d->row_first + 1) % d->row_cap;
	d->row_count--;
	return client;
}
