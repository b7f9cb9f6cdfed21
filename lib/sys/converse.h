/*
 * converse.h: a connection served by someone who may block: a thread, a process. Plain synchronous
 * code; io_turn() (io.h) is the same for those who may not.
 */
#ifndef CONVERSE_H
#define CONVERSE_H

#include <stdbool.h>

#include "lib/core/conn.h"

/*
 * Serves the connection on a blocking socket to its end; `env` is the caller's alone meanwhile. The
 * descriptor stays open: close it by worker_close().
 */
void converse(struct conn_env *env, int fd);
/*
 * The same for one of a fixed number of threads or processes. When others_wait() the next answer
 * says Connection: close, and the place is theirs; it is asked after each wait.
 */
void converse_in_turn(struct conn_env *env, int fd, bool (*others_wait)(void));

#endif
