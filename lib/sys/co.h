/*
 * co.h: a coroutine per connection (coroutine.h), and calls that seem to block it: each notes what
 * it waits for and yields; the loop beneath waits in epoll for all of them and resumes whom
 * something has come for. Only inside of connection() may they be called.
 *
 * Fair: a coroutine that has received and sent 32 times without waiting lets the others go first.
 */
#ifndef CO_H
#define CO_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/core/slice.h"
#include "lib/sys/server_main.h"

/*
 * Accepts, and runs connection() in a coroutine for each, until the server stops and all have
 * ended. connection() ends with worker_close().
 */
void co_serve(struct worker *w, void (*connection)(struct worker *w, int fd));

/* As io_recv() and io_send(); -ETIMEDOUT at that second of the worker's clock (conn_is_late()). */
ssize_t co_recv(int fd, void *into, size_t cap, uint32_t deadline_s);
ssize_t co_send(int fd, struct slice bytes, uint32_t deadline_s);
void co_sleep(uint64_t ns);
/*
 * The database's value for the key, or a slice with a NULL ptr. It stays where it is until the
 * next co_ call.
 */
struct slice co_query(struct slice key);

#endif
