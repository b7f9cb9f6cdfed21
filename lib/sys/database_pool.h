/*
 * database_pool.h: the database for those who may block (threads, processes): a pool of links, one
 * question at a time on each. Who finds none free waits for one: with more askers than links that
 * wait is most of what a request takes, and no sum of threads makes it shorter.
 *
 * A process has a pool of its own: links do not survive a fork().
 */
#ifndef DATABASE_POOL_H
#define DATABASE_POOL_H

#include "lib/core/conn.h"

enum { DATABASE_POOL_LINKS = 16 };

/* Asks what the connection wants to know (CONN_WANT_QUERY) and tells it. Any thread may call it. */
void database_pool_answer(struct conn *c);

#endif
