/*
 * io.h: the steps that blocking and readiness shells have in common: receive, send, and one turn of a connection
 * over a non-blocking socket. Completion shells (io_uring, Linux AIO) do their own submissions.
 */
#ifndef IO_H
#define IO_H

#include <stdbool.h>
#include <sys/types.h>

#include "lib/core/conn.h"
#include "lib/core/slice.h"

/* Bytes moved, 0 at end of file (recv), or -errno; EINTR is retried, SIGPIPE never raised. */
ssize_t io_recv(int fd, void *into, size_t cap);
ssize_t io_send(int fd, struct slice bytes);

/*
 * One turn of a connection on a non-blocking socket. Does what it wants (one receive if `readable`, sends, computing)
 * until it must wait, and returns what it waits for:
 *   RECV   until the socket is readable
 *   SEND   until it is writable: the client reads slowly, or this turn's share is used up and others come first
 *   SLEEP, FILE, QUERY: the shell's business
 *   CLOSE  close it now (a broken socket ends here too)
 */
enum conn_want io_turn(struct conn *c, int fd, bool readable);

#endif
