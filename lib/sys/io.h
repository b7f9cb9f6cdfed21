/*
 * io.h: the steps that blocking and readiness shells have in common: receive, send, and one turn
 * of a connection on a non-blocking socket. Completion shells do their own submissions.
 */
#ifndef IO_H
#define IO_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/core/conn.h"
#include "lib/core/slice.h"

/* Bytes moved, 0 at end of file (recv), or -errno. EINTR is retried, SIGPIPE never raised. */
ssize_t io_recv(int fd, void *into, size_t cap);
ssize_t io_send(int fd, struct slice bytes);
/* Receives once on a non-blocking socket and feeds that. False when there is nothing yet. */
bool io_receive(struct conn *c, int fd);

/*
 * One turn of a connection on a non-blocking socket: does what it wants, with at most one receive
 * and only if `readable`, until it has to wait. Returns what it waits for:
 *   CONN_WANT_RECV   until the socket is readable
 *   CONN_WANT_SEND   until it is writable: the client reads slowly, or this turn's share is used
 *                    up and the others come first (the socket is writable at once then)
 *   CONN_WANT_SLEEP  until conn_sleep_ns() have passed
 *   CONN_WANT_QUERY  until the database has answered
 *   CONN_WANT_CLOSE  nothing: close it (a broken socket ends here too)
 * Computing and reading the data file happen inside the turn: nobody else is served meanwhile. That
 * is what a loop costs.
 */
enum conn_want io_turn(struct conn *c, int fd, bool readable);

#endif
