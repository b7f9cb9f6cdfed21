/*
 * linux-aio.c: completions before io_uring: the kernel's first asynchronous I/O, made for disks.
 * needs: libaio
 *
 * How it waits: what is asked gathers in a queue and goes to the kernel by one io_submit() a turn;
 * what has ended lies in a ring that the kernel maps into the process, emptied without a system
 * call. The data file is read past the page cache (O_DIRECT). A socket can only be polled this way
 * (IOCB_CMD_POLL), once for each asking; recv() and send() follow as in any loop.
 *
 * Cost: 192 bytes of ours a connection and 64 in the queue, and about 200 in the kernel while it
 * waits. Two system calls a request (recv, send), a share of one io_submit(), io_getevents() only
 * when nothing is there yet. At most 64 reads are under way, each into an aligned buffer that is
 * copied from.
 *
 * Notice: a poll holds its socket open, whoever closes the descriptor. So a connection has one
 * operation at a time (client->watch) and is closed when that has ended; shutdown() ends a poll.
 * The other way: close at once, and let events carry a generation by which old ones are known.
 * sysctl fs.aio-max-nr bounds the operations of all processes together: our share is taken at the
 * start (aio.h), and a client for whom none is left is refused.
 *
 * Left out: io_cancel(); sockets read by io_submit() (nothing waits: done at once, or EAGAIN).
 * Linux 4.18 or later. man: io_setup(2), io_submit(2), io_getevents(2), open(2) for O_DIRECT.
 */
#include <errno.h>
#include <libaio.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/socket.h>

#include "lib/sys/aio.h"
#include "lib/sys/clients.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/direct.h"
#include "lib/sys/io.h"
#include "lib/sys/server_main.h"

#define RING_MAGIC 0xa10a10a1u
/* the listening socket and the link to the database are polled, too */
enum { EVENTS = 512, OTHERS = 2 };
enum operation { POLL, READ };

/* What io_setup() maps; its address is the context's name (fs/aio.c: struct aio_ring). */
struct ring {
	uint32_t id, count;
	_Atomic uint32_t head, tail; /* we take from the head, the kernel adds at the tail */
	uint32_t magic, compatible, incompatible, head_len;
	struct io_event events[];
};

struct loop {
	struct clients clients;
	struct direct direct; /* reads of the data file */
	struct aio aio;
	int listen_fd;
};

/* --- operations ------------------------------------------------------------------------------- */

/* What the completion will say: the operation, and its descriptor or the number of the read. */
static void name(struct iocb *iocb, enum operation operation, int of)
{
	iocb->data = (void *)((uintptr_t)of << 1 | operation);
}

/* Polls a socket once, unless an operation is under way for it already. */
static void watch(struct loop *l, int fd, int events)
{
	struct client *c = &l->clients.by_fd[fd];
	if (c->watch)
		return;
	struct iocb *iocb = aio_submission(&l->aio);
	io_prep_poll(iocb, fd, events);
	name(iocb, POLL, fd);
	c->watch = true;
}

static void start_read(struct loop *l, int fd)
{
	struct client *c = &l->clients.by_fd[fd];
	struct direct_read *r = direct_begin(&l->direct, &c->conn, fd);
	c->watch = true;
	if (!r)
		return; /* direct_next() will name it */
	struct iocb *iocb = aio_submission(&l->aio);
	io_prep_pread(iocb, l->direct.fd, r->block, r->len, (long long)r->offset);
	name(iocb, READ, (int)(r - l->direct.reads));
}

/* Takes what has ended out of the ring; 0: nothing has, or the ring is not the one we know. */
static int harvest(struct ring *r, struct io_event *events)
{
	uint32_t head = atomic_load_explicit(&r->head, memory_order_relaxed);
	uint32_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
	int count = 0;
	if (r->magic != RING_MAGIC || r->incompatible)
		return 0;
	for (; head != tail && count < EVENTS; head = (head + 1) % r->count)
		events[count++] = r->events[head];
	atomic_store_explicit(&r->head, head, memory_order_release);
	return count;
}

/* --- connections ------------------------------------------------------------------------------ */

/* Does what the connection wants until it waits for something. */
static void turn(struct loop *l, int fd, bool readable)
{
	enum { STEPS = 32 }; /* one client's share of a turn */
	struct client *c = &l->clients.by_fd[fd];
	ssize_t n;
	for (int step = 0; step < STEPS; step++) {
		switch (conn_wants(&c->conn)) {
		case CONN_WANT_RECV:
			if (!readable || !io_receive(&c->conn, fd)) {
				watch(l, fd, POLLIN);
				return;
			}
			readable = false;
			break;
		case CONN_WANT_SEND:
			n = io_send(fd, conn_output(&c->conn));
			if (n == -EAGAIN) {
				watch(l, fd, POLLOUT);
				return;
			}
			if (n < 0)
				conn_feed_eof(&c->conn);
			else
				conn_sent(&c->conn, (size_t)n);
			break;
		case CONN_WANT_SLEEP:
			clients_sleep(&l->clients, fd);
			return;
		case CONN_WANT_COMPUTE:
			conn_compute(&c->conn);
			conn_computed(&c->conn);
			break;
		case CONN_WANT_FILE:
			start_read(l, fd);
			return;
		case CONN_WANT_QUERY:
			if (clients_query(&l->clients, fd))
				watch(l, l->clients.database.fd, POLLIN);
			return;
		case CONN_WANT_SHUTDOWN:
			shutdown(fd, SHUT_WR);
			conn_shut(&c->conn);
			break;
		case CONN_WANT_CLOSE:
			if (c->watch)
				shutdown(fd, SHUT_RDWR); /* ends a poll; a read ends by itself */
			else
				clients_remove(&l->clients, fd);
			return;
		}
	}
	watch(l, fd, conn_wants(&c->conn) == CONN_WANT_RECV ? POLLIN : POLLOUT); /* others first */
}

static void on_read(struct loop *l, struct direct_read *r, ssize_t result)
{
	int fd = r->client;
	direct_end(&l->direct, r, &l->clients.by_fd[fd].conn, result);
	do {
		l->clients.by_fd[fd].watch = false;
		turn(l, fd, false);
		fd = direct_next(&l->direct);
	} while (fd >= 0);
}

static void accept_some(struct loop *l)
{
	int fd;
	do {
		bool full = l->clients.count + OTHERS >= l->aio.cap;
		l->clients.refuse_fd = full ? 0 : l->clients.worker->fd_cap;
		fd = clients_accept(&l->clients);
		if (fd >= 0)
			turn(l, fd, false);
	} while (fd >= 0);
	if (!l->clients.stopping)
		watch(l, l->listen_fd, POLLIN);
}

static void on_polled(struct loop *l, int fd)
{
	l->clients.by_fd[fd].watch = false;
	if (fd == l->listen_fd)
		accept_some(l);
	else if (fd != l->clients.database.fd)
		turn(l, fd, true);
	else if (database_hear(&l->clients.database))
		watch(l, fd, POLLIN);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void serve(struct worker *w)
{
	struct io_event events[EVENTS];
	struct loop loop = { .listen_fd = w->listen_fd }, *l = &loop;
	clients_init(&l->clients, w);
	aio_open(&l->aio, w);
	direct_open(&l->direct, l->aio.cap);
	watch(l, l->listen_fd, POLLIN);
	while (!l->clients.stopping || l->clients.count > 0) {
		aio_submit(&l->aio);
		struct timespec wait = clock_timespec(clients_wait_ns(&l->clients));
		int count = harvest((struct ring *)l->aio.context, events);
		if (count == 0)
			count = io_getevents(l->aio.context, 1, EVENTS, events, &wait);
		worker_tick(w);
		for (int i = 0; i < count; i++) {
			uintptr_t named = (uintptr_t)events[i].data;
			if ((named & 1) == READ)
				on_read(l, &l->direct.reads[named >> 1], (ssize_t)events[i].res);
			else
				on_polled(l, (int)(named >> 1));
		}
		for (int fd; (fd = clients_due(&l->clients)) >= 0;)
			turn(l, fd, false);
		database_send(&l->clients.database);
	}
	aio_close(&l->aio);
	direct_close(&l->direct);
	clients_deinit(&l->clients);
}

static uint32_t max_connections(void)
{
	return aio_operations_max() - OTHERS;
}

static const struct server_model model = {
	.name = "linux-aio",
	.family = "completion",
	.api = "io_submit: IOCB_CMD_POLL, O_DIRECT reads; io_getevents",
	.summary = "one loop over completions; sockets are polled once each time, files read direct",
	.serve = serve,
	.max_connections = max_connections,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
