/*
 * database.h: the database behind /query/KEY: a Redis server, --database redis://HOST:PORT. One
 * link carries the questions of all connections of an event loop, one behind the other, without
 * waiting for answers between them (pipelining); answers come in the same order.
 *
 * Who may block uses database_pool.h instead: one question a link.
 *
 *     case CONN_WANT_QUERY: if (database_ask(db, conn_query_key(c), tag)) ... watch db->fd ...
 *     after the batch:      database_send(db);
 *     db->fd is readable:   if (!database_hear(db)) ... unwatch what is closed now ...
 *     then:                 while (database_next(db, &tag, &value)) conn_query_done(...)
 *
 * A lost link gives CONN_NO_ANSWER to all that was asked on it; the next question opens a new one.
 */
#ifndef DATABASE_H
#define DATABASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/slice.h"

/* Where it is; called once. False when the URL is none of redis://HOST[:PORT]. */
bool database_set_url(const char *url);
/* A new connection to it, or -errno; blocks, for a second at most. */
int database_dial(bool nonblocking);

struct database {
	int fd;               /* -1 while there is no link */
	bool blocking;        /* the socket blocks, as io_uring wants it; set before the first question */
	uint32_t silent_s;     /* when database_check() first found it silent; 0: it is not */
	uint64_t retry_ns;    /* no new link is tried before */
	struct redisReader *reader;
	char *out;            /* questions that are not sent yet */
	uint32_t out_len, out_cap;
	uint64_t *row;        /* a ring: who asked, oldest first */
	uint32_t row_first, row_count, row_cap;
	char *value;          /* of the answer last read */
	size_t value_cap;
	struct slice answer;  /* as conn_query_done() takes it */
};

void database_init(struct database *db);
void database_deinit(struct database *db);

/*
 * Asks for `key` on behalf of `tag`. True: there is a new link, db->fd, to be watched for reading.
 * Without a link the answer, CONN_NO_ANSWER, is there at once.
 */
bool database_ask(struct database *db, struct slice key, uint64_t tag);
/* Nobody waits for this answer any more. */
void database_forget(struct database *db, uint64_t tag);

/* Sends what there is to send and the socket takes. */
void database_send(struct database *db);
/* Receives once. False: the link is lost and closed. */
bool database_hear(struct database *db);
/* Call it once a second: a link on which an answer takes over 5 s is shut down, and so lost. */
void database_check(struct database *db, uint32_t now_s);

/*
 * The next answer there is: whose, and what; what conn_query_done() takes. The value stays where
 * it is until the next call.
 */
bool database_next(struct database *db, uint64_t *tag, struct slice *value);

/* The same for shells that send and receive in their own way. */
struct slice database_output(const struct database *db);
void database_sent(struct database *db, size_t len);
void database_feed(struct database *db, const char *bytes, size_t len);
/* The link is lost: closes it. */
void database_hang_up(struct database *db);

#endif
