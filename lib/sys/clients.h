/*
 * clients.h: the connections of one event loop, by descriptor, and what is due for them: sleeps
 * that have ended, deadlines that have passed. Not how they wait: that is each shell's own.
 *
 * One array with room for every descriptor the worker may have; untouched pages of it cost
 * nothing. Nothing in it moves, so a library may keep handles in an array of its own beside it.
 */
#ifndef CLIENTS_H
#define CLIENTS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/conn.h"
#include "lib/core/timers.h"
#include "lib/sys/server_main.h"

struct client {
	struct conn conn;
	struct timer timer;  /* set while it sleeps */
	uint32_t watch;      /* what the shell waits for at this socket, in the shell's own terms */
	bool is_open;
	bool sending;        /* the kernel holds conn_output() (completion shells): it must not go now */
};

struct clients {
	struct worker *worker;
	struct client *by_fd;    /* worker->fd_cap of them */
	struct timers sleeping;
	uint32_t count;          /* open ones */
	int end_fd;              /* one past the highest descriptor ever open */
	int sweep_fd;            /* how far this second's sweep has come; end_fd when it is done */
	uint32_t sweep_s;        /* the second it is for */
	uint32_t woken_count;    /* since the last wait */
	bool stopping;           /* no new ones: serve until count is 0 */
};

void clients_init(struct clients *cs, struct worker *w);
void clients_deinit(struct clients *cs);

/* Takes a just accepted descriptor in. */
struct client *clients_add(struct clients *cs, int fd);
/* Ends a connection and closes its descriptor. */
void clients_remove(struct clients *cs, int fd);

/* Puts a client that wants SLEEP to sleep: clients_due() will return it. */
void clients_sleep(struct clients *cs, int fd);
/* How long the loop may wait before it must call clients_due() again: at most a second. */
uint64_t clients_wait_ns(const struct clients *cs);
/*
 * Call after every wait until it returns -1: tells the worker the time, then returns the
 * descriptors of connections for which the time has come, one a call: woken (conn_woke() is done)
 * or expired (conn_expire() is done). Give each a turn. One that is `sending` too long is only
 * shut down: its send will fail. At most 512 are woken in a row: then the sockets have their turn,
 * for those just answered ask again.
 */
int clients_due(struct clients *cs);

/*
 * The server stops: ends the receiving side of every connection. Those without a request see end of
 * file and close; those with one are still answered.
 */
void clients_stop(struct clients *cs);

#endif
