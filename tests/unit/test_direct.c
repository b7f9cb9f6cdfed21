/*
 * test_direct.c: reads in whole blocks of a real file, whatever piece a connection wants; reads cut
 * short, failed, or for one who has gone; more askers than there are reads.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include "lib/sys/datafile.h"
#include "lib/sys/direct.h"

enum { BLOCK = 4096, FILE_LEN = 100 * BLOCK + 1000, CLIENTS = DIRECT_READS + 3 };

static char content[FILE_LEN];
static struct service service = { .model = "test", .file_len = FILE_LEN };
static struct conn_env env;
static struct direct direct;
static struct conn conns[CLIENTS];

static int make_file(void **state)
{
	char path[] = "/tmp/test_direct.XXXXXX";
	int fd = mkstemp(path);
	(void)state;
	uint32_t x = 1; /* no two places look alike */
	for (size_t i = 0; i < FILE_LEN; i++) {
		x = x * 1103515245 + 12345;
		content[i] = (char)(x >> 24);
	}
	bool made = fd >= 0 && write(fd, content, FILE_LEN) == FILE_LEN && fsync(fd) == 0 &&
	    datafile_open(path) == FILE_LEN;
	if (fd >= 0)
		close(fd);
	unlink(path);
	return made ? 0 : -1;
}

static int set_up(void **state)
{
	(void)state;
	conn_env_init(&env, &service, malloc, free);
	conn_env_tick(&env, 1, 1);
	for (int i = 0; i < CLIENTS; i++)
		conn_init(&conns[i], &env);
	direct_open(&direct, CLIENTS);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	direct_close(&direct);
	for (int i = 0; i < CLIENTS; i++)
		conn_deinit(&conns[i]);
	conn_env_deinit(&env);
	return 0;
}

static void ask(struct conn *c, const char *path)
{
	char request[128];
	int len = snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: c\r\n\r\n", path);
	conn_feed(c, request, (size_t)len);
	assert_int_equal(conn_wants(c), CONN_WANT_FILE);
}

/* What the kernel would do, but at most `most` bytes of it. */
static ssize_t perform(const struct direct_read *r, size_t most)
{
	assert_int_equal((uintptr_t)r->block % BLOCK, 0);
	assert_int_equal(r->len % BLOCK, 0);
	assert_int_equal(r->offset % BLOCK, 0);
	ssize_t n = pread(direct.fd, r->block, r->len, (off_t)r->offset);
	assert_true(n > 0);
	assert_true(r->offset + r->len >= r->wanted.offset + r->wanted.len);
	if ((size_t)n <= most)
		return n;
	memset(r->block + most, 'x', (size_t)n - most);
	return (ssize_t)most;
}

/* The whole answer to a request for `len` bytes, by reads of at most `most`: is it of the file? */
static void assert_served(const char *path, size_t len, size_t most)
{
	static char answer[FILE_LEN + 1024];
	struct conn *c = &conns[0];
	size_t have = 0;
	ask(c, path);
	while (conn_wants(c) != CONN_WANT_RECV) {
		if (conn_wants(c) == CONN_WANT_SEND) {
			struct slice output = conn_output(c);
			assert_true(have + output.len <= sizeof answer);
			memcpy(answer + have, output.ptr, output.len);
			have += output.len;
			conn_sent(c, output.len);
			continue;
		}
		assert_int_equal(conn_wants(c), CONN_WANT_FILE);
		struct direct_read *r = direct_begin(&direct, c, 0);
		assert_non_null(r);
		direct_end(&direct, r, c, perform(r, most));
	}
	assert_memory_equal(answer, "HTTP/1.1 200 ", 13);
	const char *body = memmem(answer, have, "\r\n\r\n", 4);
	assert_non_null(body);
	assert_int_equal(answer + have - (body + 4), len);
	const char *place = memmem(content, FILE_LEN, body + 4, len);
	assert_non_null(place);
	assert_int_equal((place - content) % BLOCK, 0);
}

static void test_any_length(void **state)
{
	(void)state;
	assert_served("/file/4096", 4096, SIZE_MAX);
	assert_served("/file/100", 100, SIZE_MAX);
	assert_served("/file/100000", 100000, SIZE_MAX);
	assert_served("/file/410600", 410600, SIZE_MAX); /* its last block is not whole */
}

static void test_short_reads_go_on_amid_a_block(void **state)
{
	(void)state;
	assert_served("/file/100000", 100000, 5000);
	assert_served("/file/410600", 410600, 4097);
}

static void test_a_failed_read_is_503(void **state)
{
	struct conn *c = &conns[0];
	(void)state;
	ask(c, "/file/100");
	direct_end(&direct, direct_begin(&direct, c, 0), c, -EIO);
	assert_int_equal(conn_wants(c), CONN_WANT_SEND);
	assert_memory_equal(conn_output(c).ptr, "HTTP/1.1 503 ", 13);
}

static void test_who_has_gone_is_told_nothing(void **state)
{
	struct conn *c = &conns[0];
	(void)state;
	ask(c, "/file/100");
	struct direct_read *r = direct_begin(&direct, c, 0);
	conn_feed_eof(c);
	direct_end(&direct, r, c, perform(r, SIZE_MAX));
	assert_int_equal(conn_wants(c), CONN_WANT_CLOSE);
	assert_int_equal(direct.idle_count, DIRECT_READS);
}

static void test_who_finds_no_read_stands_in_a_row(void **state)
{
	struct direct_read *reads[CLIENTS];
	(void)state;
	for (int i = 0; i < CLIENTS; i++) {
		ask(&conns[i], "/file/100");
		reads[i] = direct_begin(&direct, &conns[i], i);
		assert_true((reads[i] != NULL) == (i < DIRECT_READS));
	}
	assert_int_equal(direct_next(&direct), -1); /* all are busy */
	for (int i = DIRECT_READS; i < CLIENTS; i++) {
		struct direct_read *r = reads[i - DIRECT_READS];
		direct_end(&direct, r, &conns[r->client], perform(r, SIZE_MAX));
		assert_int_equal(direct_next(&direct), i);
		reads[i] = direct_begin(&direct, &conns[i], i);
		assert_ptr_equal(reads[i], r);
	}
	assert_int_equal(direct_next(&direct), -1);
	for (int i = CLIENTS - DIRECT_READS; i < CLIENTS; i++)
		direct_end(&direct, reads[i], &conns[i], perform(reads[i], SIZE_MAX));
	assert_int_equal(direct_next(&direct), -1); /* nobody waits */
	assert_int_equal(direct.idle_count, DIRECT_READS);
}

int main(void)
{
#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_any_length),
		TEST(test_short_reads_go_on_amid_a_block),
		TEST(test_a_failed_read_is_503),
		TEST(test_who_has_gone_is_told_nothing),
		TEST(test_who_finds_no_read_stands_in_a_row),
	};
	return cmocka_run_group_tests_name("direct", tests, make_file, NULL);
}
