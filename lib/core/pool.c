/*
 * pool.c: see pool.h. A singly linked stack: take pops, give pushes, so a worker that serves one
 * request at a time works in one and the same buffer, however many connections it holds.
 *
 * Deliberately missing: size classes (one size serves head, body and stream alike), a lock (one
 * pool a worker), and clearing: only start and end are reset, the bytes are whatever they were.
 */
#include "lib/core/pool.h"

void pool_init(struct pool *p, uint32_t keep_count, void *(*grow)(size_t), void (*shrink)(void *))
{
	*p = (struct pool){ .keep_count = keep_count, .grow = grow, .shrink = shrink };
}

void pool_deinit(struct pool *p)
{
	while (p->free != NULL) {
		struct buffer *b = p->free;
		p->free = b->next;
		p->shrink(b);
	}
	p->free_count = 0;
}

struct buffer *pool_take(struct pool *p)
{
	struct buffer *b = p->free;
	if (b != NULL) {
		p->free = b->next;
		p->free_count--;
	} else {
		b = p->grow(sizeof *b);
		if (b == NULL)
			return NULL;
	}
	b->next = NULL;
	b->start = 0;
	b->end = 0;
	p->lent_count++;
	return b;
}

void pool_give(struct pool *p, struct buffer *b)
{
	p->lent_count--;
	if (p->free_count >= p->keep_count) {
		p->shrink(b);
		return;
	}
	b->next = p->free;
	p->free = b;
	p->free_count++;
}
