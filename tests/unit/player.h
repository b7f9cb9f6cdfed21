/*
 * player.h: plays a client against a connection of the core, without a socket. What the client
 * sends waits in line until the connection wants it; what the connection sends is kept. The waits
 * of a shell are over at once.
 */
#ifndef PLAYER_H
#define PLAYER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "lib/core/conn.h"

enum { PLAYER_WALL_S = 784111777 }; /* Sun, 06 Nov 1994 08:49:37 GMT */

struct player {
	struct service service;
	struct conn_env env;
	struct conn conn;
	char *out; /* all that was sent */
	size_t out_len;
	size_t out_cap;
	size_t send_most; /* bytes that one send takes */
	bool ended;       /* the server has ended its side */
	bool closed;
};

static inline void player_init(struct player *p)
{
	*p = (struct player){ .service = { .model = "test", .worker_count = 1 },
		.send_most = SIZE_MAX };
	p->out_cap = 4096;
	p->out = malloc(p->out_cap);
	assert_non_null(p->out);
	conn_env_init(&p->env, &p->service, malloc, free);
	conn_env_tick(&p->env, PLAYER_WALL_S, 1000);
	conn_init(&p->conn, &p->env);
}

static inline void player_deinit(struct player *p)
{
	conn_deinit(&p->conn);
	assert_int_equal(p->env.pool.lent_count, 0);
	conn_env_deinit(&p->env);
	free(p->out);
}

/* The same worker, a new connection; what was sent is forgotten. */
static inline void player_restart(struct player *p)
{
	conn_deinit(&p->conn);
	assert_int_equal(p->env.pool.lent_count, 0);
	conn_init(&p->conn, &p->env);
	p->out_len = 0;
	p->ended = p->closed = false;
}

static inline void player_send_some(struct player *p)
{
	struct slice output = conn_output(&p->conn);
	assert_true(output.len > 0);
	size_t len = output.len < p->send_most ? output.len : p->send_most;
	if (p->out_len + len > p->out_cap) {
		p->out_cap = 2 * (p->out_len + len);
		p->out = realloc(p->out, p->out_cap);
		assert_non_null(p->out);
	}
	memcpy(p->out + p->out_len, output.ptr, len);
	p->out_len += len;
	conn_sent(&p->conn, len);
}

/* Does what the connection wants, until it wants bytes or to be closed. */
static inline void player_turn(struct player *p)
{
	struct conn *c = &p->conn;
	for (;;) {
		switch (conn_wants(c)) {
		case CONN_WANT_SEND:
			player_send_some(p);
			break;
		case CONN_WANT_SLEEP:
			conn_woke(c);
			break;
		case CONN_WANT_COMPUTE:
			conn_compute(c);
			conn_computed(c);
			break;
		case CONN_WANT_FILE: {
			struct file_read read = conn_file(c);
			memset(read.into, 'f', read.len);
			conn_file_done(c, (ssize_t)read.len);
			break;
		}
		case CONN_WANT_QUERY:
			conn_query_done(
			    c, conn_query_key(c)); /* a database whose values are its keys */
			break;
		case CONN_WANT_SHUTDOWN:
			p->ended = true;
			conn_shut(c);
			break;
		case CONN_WANT_RECV:
			return;
		case CONN_WANT_CLOSE:
			p->ended = p->closed = true;
			return;
		}
	}
}

/* The client sends, in pieces of at most `piece` bytes, each of which the server reads alone. */
static inline void player_feed(struct player *p, const char *bytes, size_t len, size_t piece)
{
	player_turn(p);
	for (size_t at = 0; at < len && !p->closed;) {
		size_t n = len - at < piece ? len - at : piece;
		if (n > CONN_FEED_MAX)
			n = CONN_FEED_MAX;
		/* memory of exactly its size: a sanitizer sees any read beyond, any pointer kept */
		char *copy = malloc(n);
		assert_non_null(copy);
		memcpy(copy, bytes + at, n);
		conn_feed(&p->conn, copy, n);
		free(copy);
		at += n;
		player_turn(p);
	}
}

static inline void player_feed_text(struct player *p, const char *text)
{
	player_feed(p, text, strlen(text), SIZE_MAX);
}

static inline void player_feed_eof(struct player *p)
{
	player_turn(p);
	if (!p->closed)
		conn_feed_eof(&p->conn);
	player_turn(p);
}

static inline struct slice player_out(const struct player *p)
{
	return (struct slice){ p->out, p->out_len };
}

static inline bool player_out_has(const struct player *p, const char *text)
{
	return memmem(p->out, p->out_len, text, strlen(text)) != NULL;
}

#endif
