/*
 * clients.h: the connections of one event loop, by descriptor, and what is due for them: sleeps
 * that have ended, answers of the database, deadlines that have passed. Not how they wait: that is
 * each shell's own.
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
#include "lib/sys/database.h"
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
	struct database database; /* asked by all of them; its fd is to be watched */
	int refuse_fd;           /* descriptors from here on are refused: fd_cap, or what a shell set */
	uint32_t count;          /* open ones */
	uint32_t accepted_count; /* in this turn */
	int end_fd;              /* one past the highest descriptor ever open, the link's included */
	int sweep_fd;            /* how far this second's sweep has come; end_fd when it is done */
	uint32_t sweep_s;        /* the second it is for */
	uint32_t woken_count;    /* since the last wait */
	bool stopping;           /* no new ones: serve until count is 0 */
};

void clients_init(struct clients *cs, struct worker *w);
void clients_deinit(struct clients *cs);

/*
 * Accepts a connection and takes it in: its descriptor; or -1 when none is waiting, when 64 were
 * accepted in a row (then the connected ones have their turn), or when the server stops: then
 * `stopping` is set, clients_stop() done, and the listening socket need not be watched any more.
 */
int clients_accept(struct clients *cs);
/* Takes in a descriptor that was accepted otherwise. */
struct client *clients_add(struct clients *cs, int fd);
/* Ends a connection and closes its descriptor. */
void clients_remove(struct clients *cs, int fd);

/* Puts a client that wants SLEEP to sleep: clients_due() will return it. */
void clients_sleep(struct clients *cs, int fd);
/* Does it wait for something else than its socket: a sleep, or the database? */
static inline bool clients_is_waiting(const struct clients *cs, int fd)
{
	enum conn_want want = conn_wants(&cs->by_fd[fd].conn);
	return want == CONN_WANT_SLEEP || want == CONN_WANT_QUERY;
}

/*
 * Asks the database for a client that wants QUERY: clients_due() will return it. True: there is a
 * new link, database.fd, to be watched for reading. database_send() must follow.
 */
bool clients_query(struct clients *cs, int fd);
/* How long the loop may wait before it must call clients_due() again: at most a second. */
uint64_t clients_wait_ns(const struct clients *cs);
/*
 * Call after every wait until it returns -1: tells the worker the time, then returns the
 * descriptors of connections for which the time has come, one a call: woken (conn_woke() is done),
 * answered by the database (conn_query_done()) or expired (conn_expire()). Give each a turn. One
 * that is `sending` too long is only shut down: its send will fail. At most 512 are woken in a row:
 * then the sockets have their turn, for those just answered ask again. What they asked the database
 * is sent by database_send(), which comes next.
 */
int clients_due(struct clients *cs);
/*
 * A part of it, for threads that share the clients: the next that has slept enough or that the
 * database has answered, or -1. It goes on in the environment of the thread that calls.
 */
int clients_next_served(struct clients *cs, struct conn_env *env);

/*
 * The server stops: ends the receiving side of every connection. Those without a request see end of
 * file and close; those with one are still answered.
 */
void clients_stop(struct clients *cs);

#endif
