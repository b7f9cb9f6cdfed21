/* chain.c: see chain.h. Appending fills the last buffer before it takes another. */
#include "lib/core/chain.h"

struct buffer *chain_room(struct chain *chain, struct pool *p, size_t room)
{
	if (chain->first && buffer_room(chain->last) >= room)
		return chain->last;
	struct buffer *b = pool_take(p);
	if (b)
		chain_push(chain, b);
	return b;
}

bool chain_append(struct chain *chain, struct pool *p, struct slice bytes)
{
	while (bytes.len > 0) {
		struct buffer *b = chain_room(chain, p, 1);
		if (!b)
			return false;
		size_t len = bytes.len < buffer_room(b) ? bytes.len : buffer_room(b);
		buffer_append(b, bytes.ptr, len);
		bytes = slice_skip(bytes, len);
	}
	return true;
}

void chain_push(struct chain *chain, struct buffer *b)
{
	if (chain->first)
		chain->last->next = b;
	else
		chain->first = b;
	chain->last = b;
}

void chain_move(struct chain *to, struct chain *from)
{
	if (!from->first)
		return;
	chain_push(to, from->first);
	to->last = from->last;
	from->first = NULL;
}

void chain_consume(struct chain *chain, struct pool *p, size_t len)
{
	struct buffer *b = chain->first;
	b->start += (uint32_t)len;
	if (b->start < b->end)
		return;
	chain->first = b->next;
	pool_give(p, b);
}

void chain_drop(struct chain *chain, struct pool *p)
{
	while (chain->first) {
		struct buffer *b = chain->first;
		chain->first = b->next;
		pool_give(p, b);
	}
}
