/*
 * pool.h: buffers for one worker, last in first out, so that the buffer used next is the one
 * still in the cache. A connection borrows a buffer while bytes are on their way and gives it
 * back when they are gone: an idle connection owns none.
 *
 * Memory comes from `grow` (malloc, where there is one) and is kept for reuse up to `keep_count`
 * buffers; beyond that `shrink` takes it back. Not thread-safe: one pool a worker.
 */
#ifndef POOL_H
#define POOL_H

#include <stddef.h>
#include <stdint.h>

#include "lib/core/slice.h"

enum { POOL_BUFFER_CAP = 32 * 1024 };

struct buffer {
	struct buffer *next; /* in the pool: the next free one; in a chain: what follows */
	uint32_t start;      /* first byte not yet consumed */
	uint32_t end;        /* one past the last byte written; start <= end <= POOL_BUFFER_CAP */
	char bytes[POOL_BUFFER_CAP];
};

struct pool {
	struct buffer *free;
	uint32_t free_count;
	uint32_t keep_count;
	uint32_t lent_count; /* buffers out with connections: 0 when all are idle */
	void *(*grow)(size_t len);
	void (*shrink)(void *memory);
};

void pool_init(struct pool *p, uint32_t keep_count, void *(*grow)(size_t), void (*shrink)(void *));
/* Gives the kept buffers back to `shrink`; none may be lent. */
void pool_deinit(struct pool *p);
/* An empty buffer, or NULL when memory is short. */
struct buffer *pool_take(struct pool *p);
void pool_give(struct pool *p, struct buffer *b);

static inline size_t buffer_room(const struct buffer *b)
{
	return POOL_BUFFER_CAP - b->end;
}

static inline struct slice buffer_slice(const struct buffer *b)
{
	return (struct slice){ b->bytes + b->start, b->end - b->start };
}

/* Appends `len` bytes; len <= buffer_room(b). */
static inline void buffer_append(struct buffer *b, const void *bytes, size_t len)
{
	memcpy(b->bytes + b->end, bytes, len);
	b->end += (uint32_t)len;
}

#endif
