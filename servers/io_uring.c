/*
 * io_uring.c: completions: the kernel is told what to do, and says when it is done.
 * needs: liburing
 *
 * How it waits: operations go into a ring shared with the kernel, results come out of another;
 * one io_uring_enter() hands over all that has gathered, and waits. Accept and receive are
 * multishot: asked for once, they answer on and on, bytes lying in lent buffers (uring.h).
 * Cost: 232 bytes of ours a connection. No system call a request, but a share of one.
 *
 * Notice: a descriptor is closed only when all operations on it have ended (`count`): none is ever
 * stale. Back-pressure is made by hand: bytes that come too early are kept, the receive cancelled.
 * Left out: registered files, zero-copy send. Linux 6.1 or later. man: io_uring(7).
 */
#include <errno.h>
#include <liburing.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "lib/sys/clients.h"
#include "lib/sys/datafile.h"
#include "lib/sys/die.h"
#include "lib/sys/server_main.h"
#include "lib/sys/uring.h"
#include "lib/sys/uring_link.h"

enum { ENTRIES = 4096, COMPLETIONS = 32768, OPERATION_BITS = 4 };
enum operation { ACCEPT, AWAIT, RECEIVE, SEND, SLEEP, READ, CANCEL, ASK, HEAR };

/* What is under way for a connection. */
struct flight {
	struct __kernel_timespec pause; /* of a sleep; the kernel reads it on submission */
	struct chain kept;              /* received while the connection was busy */
	uint8_t count;                  /* operations that have not ended */
	bool receiving, cancelling, waiting; /* the last: for a sleep, the disk or the database */
	bool ended, closing;            /* the client sends no more; so do we, once count is 0 */
};

struct loop {
	struct clients clients;
	struct flight *flights; /* by descriptor, as clients.by_fd */
	struct io_uring ring;
	struct uring_buffers buffers;
	struct pool *pool; /* the worker's */
	int listen_fd;
	struct uring_link link; /* to the database */
};

/* An empty submission whose completion will name the operation and the descriptor. */
static struct io_uring_sqe *submission(struct loop *l, enum operation operation, int fd)
{
	struct io_uring_sqe *sqe = uring_submission(&l->ring);
	sqe->user_data = (uint64_t)fd << OPERATION_BITS | operation;
	l->flights[fd].count++;
	return sqe;
}

static void start_accept(struct loop *l)
{
	io_uring_prep_multishot_accept(submission(l, ACCEPT, l->listen_fd), l->listen_fd, NULL, NULL,
	    SOCK_CLOEXEC);
}

static void start_receive(struct loop *l, int fd)
{
	if (l->flights[fd].receiving)
		return; /* multishot: it goes on */
	struct io_uring_sqe *sqe = submission(l, RECEIVE, fd);
	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT; /* from group 0, the only one */
	l->flights[fd].receiving = true;
}

/* Keeps bytes that came too early, and asks for no more. */
static void keep(struct loop *l, int fd, struct slice bytes)
{
	struct flight *f = &l->flights[fd];
	f->ended |= !chain_append(&f->kept, l->pool, bytes); /* no memory: as if it stopped here */
	if (f->receiving && !f->cancelling)
		io_uring_prep_cancel64(submission(l, CANCEL, fd), (uint64_t)fd << OPERATION_BITS | RECEIVE, 0);
	f->cancelling = f->receiving;
}

/* Does what the connection wants until it waits for a completion; closes it when all has ended. */
static void turn(struct loop *l, int fd)
{
	struct client *c = &l->clients.by_fd[fd];
	struct flight *f = &l->flights[fd];
	struct slice bytes;
	struct file_read read;
	while (!c->sending && !f->waiting && !f->closing) {
		switch (conn_wants(&c->conn)) {
		case CONN_WANT_RECV:
			if (f->kept.first) {
				bytes = slice_first(buffer_slice(f->kept.first), CONN_FEED_MAX);
				conn_feed(&c->conn, bytes.ptr, bytes.len);
				chain_consume(&f->kept, l->pool, bytes.len);
			} else if (f->ended) {
				conn_feed_eof(&c->conn);
			} else {
				start_receive(l, fd);
				return;
			}
			break;
		case CONN_WANT_SEND:
			bytes = conn_output(&c->conn);
			io_uring_prep_send(submission(l, SEND, fd), fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
			c->sending = true;
			break;
		case CONN_WANT_SLEEP:
			f->pause = uring_timespec(conn_sleep_ns(&c->conn));
			io_uring_prep_timeout(submission(l, SLEEP, fd), &f->pause, 0, 0);
			f->waiting = true;
			break;
		case CONN_WANT_COMPUTE:
			conn_compute(&c->conn);
			conn_computed(&c->conn);
			break;
		case CONN_WANT_FILE:
			read = conn_file(&c->conn);
			io_uring_prep_read(submission(l, READ, fd), datafile_fd(), read.into, (unsigned)read.len,
			    read.offset);
			f->waiting = true;
			break;
		case CONN_WANT_QUERY:
			clients_query(&l->clients, fd);
			f->waiting = true;
			break;
		case CONN_WANT_SHUTDOWN:
			shutdown(fd, SHUT_WR);
			conn_shut(&c->conn);
			break;
		case CONN_WANT_CLOSE:
			f->closing = true;
			chain_drop(&f->kept, l->pool);
			if (f->receiving)
				shutdown(fd, SHUT_RDWR); /* ends it */
			break;
		}
	}
	if (f->closing && f->count == 0)
		clients_remove(&l->clients, fd);
}

static void on_accepted(struct loop *l, int fd, bool more)
{
	if (fd == -EINVAL) /* the listening socket is shut down */
		clients_stop(&l->clients);
	if (fd >= 0) {
		worker_opened(l->clients.worker);
		clients_add(&l->clients, fd);
		l->flights[fd] = (struct flight){ 0 };
		turn(l, fd);
	}
	if (fd == -EMFILE || fd == -ENFILE)
		worker_turn_away(l->clients.worker);
	if (!more && !l->clients.stopping) /* short of files it fails at once: await a client first */
		io_uring_prep_poll_add(submission(l, AWAIT, l->listen_fd), l->listen_fd, POLLIN);
}

static void on_received(struct loop *l, int fd, const struct io_uring_cqe *cqe)
{
	struct client *c = &l->clients.by_fd[fd];
	struct flight *f = &l->flights[fd];
	bool ready = !c->sending && !f->waiting && !f->kept.first;
	if (!(cqe->flags & IORING_CQE_F_MORE))
		f->receiving = f->cancelling = false;
	if (cqe->flags & IORING_CQE_F_BUFFER) {
		struct slice bytes = uring_received(&l->buffers, cqe);
		if (ready && bytes.len > 0 && conn_wants(&c->conn) == CONN_WANT_RECV)
			conn_feed(&c->conn, bytes.ptr, bytes.len);
		else if (!f->closing)
			keep(l, fd, bytes);
		uring_lend(&l->buffers, cqe->flags >> IORING_CQE_BUFFER_SHIFT);
	}
	/* out of buffers or cancelled: asked for again when the connection wants more */
	if (cqe->res <= 0 && cqe->res != -ENOBUFS && cqe->res != -ECANCELED)
		f->ended = true;
}

static void on_completion(struct loop *l, const struct io_uring_cqe *cqe)
{
	enum operation operation = cqe->user_data & ((1 << OPERATION_BITS) - 1);
	int fd = (int)(cqe->user_data >> OPERATION_BITS);
	struct client *c = &l->clients.by_fd[fd];
	bool more = cqe->flags & IORING_CQE_F_MORE;
	if (operation == ASK || operation == HEAR) {
		uring_link_done(&l->link, &l->clients.database, operation == HEAR, cqe->res);
		return;
	}
	l->flights[fd].count -= !more;
	l->flights[fd].waiting &= operation == RECEIVE || operation == CANCEL;
	if (operation == RECEIVE)
		on_received(l, fd, cqe);
	else if (operation == SEND && cqe->res > 0)
		conn_sent(&c->conn, (size_t)cqe->res);
	else if (operation == SEND)
		conn_feed_eof(&c->conn);
	else if (operation == SLEEP)
		conn_woke(&c->conn);
	else if (operation == READ)
		conn_file_done(&c->conn, cqe->res);
	c->sending &= operation != SEND;
	if (operation == ACCEPT)
		on_accepted(l, cqe->res, more);
	else if (operation == AWAIT)
		start_accept(l);
	else
		turn(l, fd);
}

static void serve(struct worker *w)
{
	struct loop loop = { .pool = &w->env.pool, .listen_fd = w->listen_fd }, *l = &loop;
	struct __kernel_timespec second = { .tv_sec = 1 };
	struct io_uring_cqe *cqe;
	unsigned head;
	clients_init(&l->clients, w);
	CHECK(l->flights = calloc((size_t)w->fd_cap, sizeof *l->flights));
	uring_open(&l->buffers, &l->ring, ENTRIES, COMPLETIONS);
	start_accept(l);
	while (!l->clients.stopping || l->clients.count > 0) {
		io_uring_submit_and_wait_timeout(&l->ring, &cqe, 1, &second, NULL);
		worker_tick(w);
		io_uring_for_each_cqe(&l->ring, head, cqe) {
			on_completion(l, cqe);
			io_uring_cq_advance(&l->ring, 1);
		}
		for (int fd; (fd = clients_due(&l->clients)) >= 0; turn(l, fd))
			l->flights[fd].waiting = false;
		uring_link_turn(&l->link, &l->clients.database, &l->ring, ASK, HEAR);
	}
	io_uring_queue_exit(&l->ring);
	free(l->flights);
	clients_deinit(&l->clients);
}

static const struct server_model model = {
	.name = "io_uring",
	.family = "completion",
	.api = "io_uring: multishot accept and receive, buffer ring",
	.summary = "one loop over completions; operations and results pass through shared rings",
	.serve = serve,
	.blocking = true, /* on a non-blocking socket the kernel would not wait but fail */
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
