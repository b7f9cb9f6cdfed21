/*
 * direct.h: reads of the data file past the page cache, for shells that have them done while they
 * do something else. O_DIRECT moves whole blocks between the disk and aligned memory, so each read
 * has a buffer of its own, wider than what a connection asks for, and its bytes are copied out.
 * There are 64; who finds none idle stands in a row.
 *
 *     case CONN_WANT_FILE: r = direct_begin(d, c, client); if (r) ... read into r->block ...
 *     it has ended:        direct_end(d, r, c, result); give r->client's connection a turn
 *     then:                while ((client = direct_next(d)) >= 0) ... give it a turn ...
 *
 * Where the file system has no O_DIRECT, that is said once and the reads go through the page cache.
 */
#ifndef DIRECT_H
#define DIRECT_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/core/conn.h"

enum { DIRECT_READS = 64 };

struct direct_read {
	int client;              /* whose it is */
	char *block;             /* read so many bytes at this offset of direct.fd into it */
	size_t len;
	uint64_t offset;
	struct file_read wanted; /* the part that the connection asked for */
};

struct direct {
	int fd;                  /* -1: no data file, and nobody will ask for one */
	struct direct_read reads[DIRECT_READS];
	uint8_t idle[DIRECT_READS]; /* their numbers, the one used last on top */
	uint32_t idle_count;
	int *row;                /* a ring: which clients wait for an idle read, oldest first */
	uint32_t row_first, row_count, row_cap;
};

/* For at most `client_cap` clients, each of which asks for one thing at a time. */
void direct_open(struct direct *d, uint32_t client_cap);
void direct_close(struct direct *d);

/* A read for what the connection wants to know; NULL: the client stands in the row. */
struct direct_read *direct_begin(struct direct *d, struct conn *c, int client);
/*
 * It has ended with `result`, as pread(2) returns it or -errno: tells the connection, unless that
 * wants no file any more.
 */
void direct_end(struct direct *d, struct direct_read *r, struct conn *c, ssize_t result);
/* The client that has waited longest, when a read is idle: it may ask again. -1: nobody. */
int direct_next(struct direct *d);

#endif
