/*
 * bridge.h: the C core as core.go calls it. A call costs some 90 ns, several times a C function's
 * price, so each tells an outcome and returns what the connection waits for next, with all that is
 * needed to wait for it: two calls a request.
 */
#ifndef GO_BRIDGE_H
#define GO_BRIDGE_H

#include <stdbool.h>
#include <stdint.h>

struct conn;

struct step {
	uint32_t want;       /* enum conn_want of lib/core/conn.h */
	uint32_t deadline_s; /* RECV, SEND: no longer than this; another number, another deadline ... */
	uint32_t left_s;     /* ... which is so far away */
	uint32_t len;        /* of bytes */
	char *bytes;         /* SEND: the output; FILE: the room; QUERY: the key */
	uint64_t number;     /* SLEEP: ns; COMPUTE: units of work; FILE: the offset */
};

/* server_main(), which calls serveModel() of core.go. */
int bridge_main(int argc, char **argv, const char *name, const char *api, const char *summary);
int bridge_listen_fd(void);
int bridge_data_fd(void);
uint32_t bridge_worker_count(void);
/* worker_accept_failed() */
int bridge_accept_failed(int error);
/* A blocking connect; the socket does not block. */
int bridge_database_dial(void);

/* A connection that was accepted, in memory of C's; and its end, when its socket is closed. */
struct conn *bridge_open(void);
void bridge_close(struct conn *c);

struct step bridge_wants(struct conn *c);
struct step bridge_feed(struct conn *c, const void *bytes, uint32_t len);
/* The client's end, or a broken socket. */
struct step bridge_feed_eof(struct conn *c);
struct step bridge_expire(struct conn *c);
struct step bridge_sent(struct conn *c, uint32_t len);
struct step bridge_woke(struct conn *c);
struct step bridge_computed(struct conn *c, uint64_t result);
struct step bridge_file_done(struct conn *c, int64_t n);
/* NULL: there is none, and len is an enum conn_no_value. */
struct step bridge_query_done(struct conn *c, const char *value, uint64_t len);
struct step bridge_shut(struct conn *c);

#endif
