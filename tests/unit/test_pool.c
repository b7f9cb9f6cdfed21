/* test_pool.c: last in, first out; what is kept, goes back, and is counted; memory that is short. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/core/chain.h"
#include "lib/core/pool.h"

static int allocated_count;
static int allocations_left; /* before memory is short */

static void *grow(size_t len)
{
	if (allocations_left == 0)
		return NULL;
	allocations_left--;
	allocated_count++;
	return malloc(len);
}

static void shrink(void *memory)
{
	allocated_count--;
	free(memory);
}

static int set_up(void **state)
{
	(void)state;
	allocated_count = 0;
	allocations_left = 100;
	return 0;
}

static void test_the_hot_buffer_comes_first(void **state)
{
	struct pool p;
	(void)state;
	pool_init(&p, 8, grow, shrink);
	struct buffer *a = pool_take(&p), *b = pool_take(&p);
	assert_ptr_not_equal(a, b);
	assert_int_equal(p.lent_count, 2);
	pool_give(&p, a);
	pool_give(&p, b);
	assert_int_equal(p.lent_count, 0);
	assert_ptr_equal(pool_take(&p), b);
	assert_ptr_equal(pool_take(&p), a);
	assert_int_equal(allocated_count, 2);
	pool_give(&p, a);
	pool_give(&p, b);
	pool_deinit(&p);
	assert_int_equal(allocated_count, 0);
}

static void test_a_buffer_comes_empty(void **state)
{
	struct pool p;
	(void)state;
	pool_init(&p, 8, grow, shrink);
	struct buffer *b = pool_take(&p);
	buffer_append(b, "hello", 5);
	b->start = 2;
	b->next = b;
	assert_int_equal(buffer_room(b), POOL_BUFFER_CAP - 5);
	assert_true(slice_equals(buffer_slice(b), SLICE("llo")));
	pool_give(&p, b);
	assert_ptr_equal(pool_take(&p), b);
	assert_int_equal(buffer_slice(b).len, 0);
	assert_int_equal(buffer_room(b), POOL_BUFFER_CAP);
	assert_null(b->next);
	pool_give(&p, b);
	pool_deinit(&p);
}

static void test_no_more_is_kept_than_asked_for(void **state)
{
	enum { KEEP = 3, TAKE = 10 };
	struct buffer *taken[TAKE];
	struct pool p;
	(void)state;
	pool_init(&p, KEEP, grow, shrink);
	for (int i = 0; i < TAKE; i++)
		taken[i] = pool_take(&p);
	assert_int_equal(allocated_count, TAKE);
	for (int i = 0; i < TAKE; i++)
		pool_give(&p, taken[i]);
	assert_int_equal(allocated_count, KEEP);
	assert_int_equal(p.free_count, KEEP);
	pool_deinit(&p);
	assert_int_equal(allocated_count, 0);
}

static void test_short_memory(void **state)
{
	struct pool p;
	(void)state;
	allocations_left = 1;
	pool_init(&p, 8, grow, shrink);
	struct buffer *b = pool_take(&p);
	assert_non_null(b);
	assert_null(pool_take(&p));
	assert_int_equal(p.lent_count, 1);
	pool_give(&p, b);
	assert_ptr_equal(pool_take(&p), b);
	pool_give(&p, b);
	pool_deinit(&p);
}

/* A chain of several buffers behind another: what is appended then stands behind them all. */
static void test_a_chain_moves_whole(void **state)
{
	static char many[2 * POOL_BUFFER_CAP];
	struct chain to = { 0 }, from = { 0 };
	struct pool p;
	size_t len = 0;
	(void)state;
	pool_init(&p, 8, grow, shrink);
	assert_true(chain_append(&to, &p, SLICE("head")));
	assert_true(chain_append(&from, &p, (struct slice){ many, sizeof many }));
	chain_move(&to, &from);
	assert_null(from.first);
	chain_move(&to, &from); /* of nothing: no effect */
	assert_true(chain_append(&to, &p, SLICE("tail")));
	while (to.first) {
		struct slice piece = buffer_slice(to.first);
		len += piece.len;
		if (!to.first->next)
			assert_true(slice_equals(piece, SLICE("tail")));
		chain_consume(&to, &p, piece.len);
	}
	assert_int_equal(len, 4 + sizeof many + 4);
	assert_int_equal(p.lent_count, 0);
	pool_deinit(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_the_hot_buffer_comes_first, set_up),
		cmocka_unit_test_setup(test_a_buffer_comes_empty, set_up),
		cmocka_unit_test_setup(test_no_more_is_kept_than_asked_for, set_up),
		cmocka_unit_test_setup(test_short_memory, set_up),
		cmocka_unit_test_setup(test_a_chain_moves_whole, set_up),
	};
	return cmocka_run_group_tests_name("pool", tests, NULL, NULL);
}
