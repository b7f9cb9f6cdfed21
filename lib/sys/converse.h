/*
 * converse.h: a connection served by someone who may block: a thread, a process. Plain synchronous
 * code; io_turn() (io.h) is the same for those who may not.
 */
#ifndef CONVERSE_H
#define CONVERSE_H

#include "lib/core/conn.h"

/*
 * Serves the connection on a blocking socket to its end; `env` is the caller's alone meanwhile. The
 * descriptor stays open: close it by worker_close().
 */
void converse(struct conn_env *env, int fd);

#endif
