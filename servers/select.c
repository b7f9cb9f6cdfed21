/*
 * select.c: one loop over readiness, the list a set of bits.
 *
 * How it waits: select() is handed a bit for every descriptor up to the highest, in three sets
 * that it overwrites with the answer, so they are copied for every wait. The kernel and the
 * program each pass over all of them: O(highest descriptor), like poll() in smaller coins.
 *
 * Cost: 192 bytes of ours a connection and a few bits. A set holds FD_SETSIZE = 1,024 bits: a
 * descriptor beyond that must never enter it, so such a client is refused. --fd-setsize N makes
 * larger sets (the kernel does not mind), to show the O(n) cost where the limit usually hides it.
 *
 * Left out: the FD_ macros, which know only their own size. man: select(2), pselect(2).
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/select.h>

#include "lib/sys/clients.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/io.h"
#include "lib/sys/server_main.h"

enum { WORD_BITS = 8 * sizeof(unsigned long), OWN_FILES = 5 /* 0, 1, 2, listening, spare */ };

static uint32_t fd_setsize = FD_SETSIZE;

enum { READABLE, WRITABLE, SET_COUNT };

struct loop {
	struct clients clients;
	int listen_fd;
	unsigned long *wanted[SET_COUNT]; /* what is waited for ... */
	unsigned long *ready[SET_COUNT];  /* ... and what select() made of it */
};

static void set_bit(unsigned long *set, int fd, bool on)
{
	unsigned long bit = 1ul << ((unsigned)fd % WORD_BITS);
	if (on)
		set[(unsigned)fd / WORD_BITS] |= bit;
	else
		set[(unsigned)fd / WORD_BITS] &= ~bit;
}

static bool has_bit(const unsigned long *set, int fd)
{
	return set[(unsigned)fd / WORD_BITS] >> ((unsigned)fd % WORD_BITS) & 1;
}

static void watch(struct loop *l, int fd, bool readable, bool writable)
{
	set_bit(l->wanted[READABLE], fd, readable);
	set_bit(l->wanted[WRITABLE], fd, writable);
}

/* A new link whose number is too high for a set is of no use. */
static void watch_database(struct loop *l)
{
	int fd = l->clients.database.fd;
	if (fd < l->clients.refuse_fd)
		watch(l, fd, true, false);
	else
		database_hang_up(&l->clients.database);
}

static void turn(struct loop *l, int fd, bool readable)
{
	switch (io_turn(&l->clients.by_fd[fd].conn, fd, readable)) {
	case CONN_WANT_RECV:
		watch(l, fd, true, false);
		break;
	case CONN_WANT_SEND:
		watch(l, fd, false, true);
		break;
	case CONN_WANT_SLEEP:
		watch(l, fd, false, false); /* what comes meanwhile waits in the socket */
		clients_sleep(&l->clients, fd);
		break;
	case CONN_WANT_QUERY:
		watch(l, fd, false, false);
		if (clients_query(&l->clients, fd))
			watch_database(l);
		break;
	case CONN_WANT_COMPUTE:
	case CONN_WANT_FILE:
	case CONN_WANT_SHUTDOWN: /* io_turn() does these */
	case CONN_WANT_CLOSE:
		watch(l, fd, false, false);
		clients_remove(&l->clients, fd);
		break;
	}
}

static void accept_some(struct loop *l)
{
	for (int fd; (fd = clients_accept(&l->clients)) >= 0;)
		watch(l, fd, true, false);
	if (l->clients.stopping)
		watch(l, l->listen_fd, false, false);
}

static void on_ready(struct loop *l, int fd, bool readable)
{
	if (fd == l->listen_fd)
		accept_some(l);
	else if (fd != l->clients.database.fd)
		turn(l, fd, readable);
	else if (!database_hear(&l->clients.database))
		watch(l, fd, false, false);
}

static void serve(struct worker *w)
{
	struct loop loop = { .listen_fd = w->listen_fd };
	struct loop *l = &loop;
	size_t len = (fd_setsize + WORD_BITS - 1) / WORD_BITS * sizeof(unsigned long);
	clients_init(&l->clients, w);
	if (fd_setsize < (uint32_t)w->fd_cap)
		l->clients.refuse_fd = (int)fd_setsize;
	for (int set = 0; set < SET_COUNT; set++) {
		l->wanted[set] = calloc(1, len);
		l->ready[set] = calloc(1, len);
		if (!l->wanted[set] || !l->ready[set])
			die("no memory for sets of %u descriptors; lower --fd-setsize", fd_setsize);
	}
	watch(l, w->listen_fd, true, false);

	while (!l->clients.stopping || l->clients.count > 0) {
		struct timespec wait = clock_timespec(clients_wait_ns(&l->clients));
		int highest = l->clients.end_fd > l->listen_fd ? l->clients.end_fd - 1 : l->listen_fd;
		size_t used = ((size_t)highest / WORD_BITS + 1) * sizeof(unsigned long);
		for (int set = 0; set < SET_COUNT; set++)
			memcpy(l->ready[set], l->wanted[set], used);
		int ready = pselect(highest + 1, (fd_set *)l->ready[READABLE], (fd_set *)l->ready[WRITABLE],
		    NULL, &wait, NULL);
		worker_tick(w);
		for (int fd = 0; ready > 0 && fd <= highest; fd++) {
			bool readable = has_bit(l->ready[READABLE], fd);
			if (!readable && !has_bit(l->ready[WRITABLE], fd))
				continue;
			ready--;
			on_ready(l, fd, readable);
		}
		for (int fd; (fd = clients_due(&l->clients)) >= 0;)
			turn(l, fd, false);
		database_send(&l->clients.database);
	}
	for (int set = 0; set < SET_COUNT; set++) {
		free(l->wanted[set]);
		free(l->ready[set]);
	}
	clients_deinit(&l->clients);
}

static uint32_t max_connections(void)
{
	return fd_setsize - OWN_FILES;
}

static void set_fd_setsize(uint64_t value)
{
	if (value < 64 || value > 1u << 20)
		usage_die("--fd-setsize takes 64 to 1048576 descriptors");
	fd_setsize = (uint32_t)value;
}

static const struct server_model model = {
	.name = "select",
	.family = "readiness",
	.api = "select",
	.summary = "one loop; hands the kernel a bit for every descriptor at every wait",
	.serve = serve,
	.option = "fd-setsize",
	.option_help = "room for N descriptors in a set (1024, the C library's FD_SETSIZE)",
	.set_option = set_fd_setsize,
	.max_connections = max_connections,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
