/*
 * chain.h: bytes in a row of pooled buffers: appended at the end, taken from the front.
 * An empty chain holds no buffer.
 */
#ifndef CHAIN_H
#define CHAIN_H

#include <stdbool.h>
#include <stddef.h>

#include "lib/core/pool.h"
#include "lib/core/slice.h"

struct chain {
	struct buffer *first; /* NULL: empty */
	struct buffer *last;  /* valid when first is not NULL */
};

/*
 * The last buffer, with at least `room` bytes free (at most POOL_BUFFER_CAP); NULL without
 * memory.
 */
struct buffer *chain_room(struct chain *chain, struct pool *p, size_t room);
/* Copies bytes to the end. False without memory: the chain then ends short. */
bool chain_append(struct chain *chain, struct pool *p, struct slice bytes);
/* Moves a buffer, or another chain's buffers, to the end. */
void chain_push(struct chain *chain, struct buffer *b);
void chain_move(struct chain *to, struct chain *from);
/* Takes `len` bytes off the first buffer, which has so many, and gives it back when it is empty. */
void chain_consume(struct chain *chain, struct pool *p, size_t len);
/* Gives all buffers back. */
void chain_drop(struct chain *chain, struct pool *p);

#endif
