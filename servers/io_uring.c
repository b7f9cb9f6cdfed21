/*
 * io_uring.c: completions: the kernel is told what to do, and says when it is done.
 * needs: liburing
 *
 * How it waits: operations (accept, receive, send, timeout) go into a ring shared with the kernel, results come
 * out of another; one io_uring_enter() hands over all that has gathered and waits. Accept and receive are
 * multishot: asked for once, they answer again and again. Received bytes lie in buffers lent to the kernel
 * beforehand (a buffer ring), so an idle connection pins none.
 *
 * Cost: 208 bytes of ours a connection. No system call of its own for a request: a share of one io_uring_enter().
 *
 * Notice: a completion could come for a connection that is gone and whose descriptor is another's by now. Here
 * a descriptor is closed only when every operation on it has ended (`in_flight`), so none is ever stale. A
 * multishot that ends (no IORING_CQE_F_MORE) is asked for again. Bytes that come while the connection is busy
 * are kept aside and the receive is cancelled: back-pressure has to be made by hand.
 *
 * Left out: registered files, zero-copy send. Linux 6.1 or later. man: io_uring(7), io_uring_enter(2).
 */
#include <errno.h>
#include <liburing.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "lib/sys/die.h"
#include "lib/sys/io.h"
#include "lib/sys/server_main.h"

enum { ENTRIES = 4096, COMPLETIONS = 32768, BUFFERS = 1024, BUFFER_LEN = 4096 };
enum operation { ACCEPT, RECEIVE, SEND, SLEEP, CANCEL, OPERATION_BITS = 3 };

struct client {
	struct conn conn;
	struct __kernel_timespec pause; /* of a sleep; the kernel reads it on submission */
	struct buffer *kept;            /* chain of bytes received while the connection was busy */
	struct buffer *kept_last;
	uint8_t in_flight;              /* operations that have not ended */
	bool is_open, receiving, cancelling;
	bool busy;                      /* a send or a sleep is in flight */
	bool ended;                     /* the client sends no more */
	bool closing;                   /* closed as soon as nothing is in flight */
};

struct loop {
	struct io_uring ring;
	struct worker *worker;
	struct client *clients; /* by descriptor */
	int count;
	int end_fd;             /* one past the highest descriptor ever open */
	uint32_t sweep_s;
	struct io_uring_buf_ring *lent;
	char *buffers;          /* BUFFERS of BUFFER_LEN */
	bool stopping;
};

/* An empty submission whose completion will name the operation and the descriptor. */
static struct io_uring_sqe *submission(struct loop *l, enum operation operation, int fd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&l->ring);
	if (!sqe) { /* the ring is full: hand it over now */
		io_uring_submit(&l->ring);
		sqe = io_uring_get_sqe(&l->ring);
		CHECK(sqe);
	}
	sqe->user_data = (uint64_t)fd << OPERATION_BITS | operation;
	if (operation != ACCEPT)
		l->clients[fd].in_flight++;
	return sqe;
}

static void lend(struct loop *l, int id)
{
	io_uring_buf_ring_add(l->lent, l->buffers + (size_t)id * BUFFER_LEN, BUFFER_LEN, (unsigned short)id,
	    io_uring_buf_ring_mask(BUFFERS), 0);
	io_uring_buf_ring_advance(l->lent, 1);
}

static void start_accept(struct loop *l)
{
	int fd = l->worker->listen_fd;
	io_uring_prep_multishot_accept(submission(l, ACCEPT, fd), fd, NULL, NULL, SOCK_CLOEXEC);
}

static void start_receive(struct loop *l, int fd)
{
	struct io_uring_sqe *sqe = submission(l, RECEIVE, fd);
	io_uring_prep_recv_multishot(sqe, fd, NULL, 0, 0);
	sqe->flags |= IOSQE_BUFFER_SELECT; /* from group 0, the only one */
	l->clients[fd].receiving = true;
}

static void start_send(struct loop *l, int fd)
{
	struct slice output = conn_output(&l->clients[fd].conn);
	io_uring_prep_send(submission(l, SEND, fd), fd, output.ptr, output.len, MSG_NOSIGNAL);
	l->clients[fd].busy = true;
}

static void start_sleep(struct loop *l, int fd)
{
	struct client *c = &l->clients[fd];
	uint64_t ns = conn_sleep_ns(&c->conn);
	c->pause.tv_sec = (long long)(ns / 1000000000);
	c->pause.tv_nsec = (long long)(ns % 1000000000);
	io_uring_prep_timeout(submission(l, SLEEP, fd), &c->pause, 0, 0);
	c->busy = true;
}

/* --- bytes that came too early -------------------------------------------------------------------- */

static void keep(struct loop *l, int fd, struct slice bytes)
{
	struct client *c = &l->clients[fd];
	while (bytes.len > 0) {
		if (!c->kept || buffer_room(c->kept_last) == 0) {
			struct buffer *b = pool_take(&l->worker->env.pool);
			if (!b) {
				c->ended = true; /* no memory: as if the client had stopped here */
				return;
			}
			if (c->kept)
				c->kept_last->next = b;
			else
				c->kept = b;
			c->kept_last = b;
		}
		size_t room = buffer_room(c->kept_last);
		size_t len = bytes.len < room ? bytes.len : room;
		buffer_append(c->kept_last, bytes.ptr, len);
		bytes = slice_skip(bytes, len);
	}
	if (c->receiving && !c->cancelling) {
		uint64_t receive = (uint64_t)fd << OPERATION_BITS | RECEIVE;
		io_uring_prep_cancel64(submission(l, CANCEL, fd), receive, 0);
		c->cancelling = true;
	}
}

static void drop_first_kept(struct loop *l, struct client *c)
{
	struct buffer *b = c->kept;
	c->kept = b->next;
	pool_give(&l->worker->env.pool, b);
}

static void feed_kept(struct loop *l, struct client *c)
{
	struct slice bytes = buffer_slice(c->kept);
	if (bytes.len > CONN_FEED_MAX)
		bytes.len = CONN_FEED_MAX;
	conn_feed(&c->conn, bytes.ptr, bytes.len);
	c->kept->start += (uint32_t)bytes.len;
	if (c->kept->start == c->kept->end)
		drop_first_kept(l, c);
}

/* --- a connection's turn -------------------------------------------------------------------------- */

static void close_if_quiet(struct loop *l, int fd)
{
	struct client *c = &l->clients[fd];
	if (!c->is_open || !c->closing || c->in_flight > 0)
		return;
	c->is_open = false;
	l->count--;
	worker_close(l->worker, fd);
}

static void end(struct loop *l, int fd)
{
	struct client *c = &l->clients[fd];
	c->closing = true;
	conn_deinit(&c->conn);
	while (c->kept)
		drop_first_kept(l, c);
	if (c->in_flight > 0)
		shutdown(fd, SHUT_RDWR); /* ends the receive */
	close_if_quiet(l, fd);
}

/* Does what the connection wants until it waits for a completion. */
static void turn(struct loop *l, int fd)
{
	struct client *c = &l->clients[fd];
	while (!c->busy && !c->closing) {
		switch (conn_wants(&c->conn)) {
		case CONN_WANT_RECV:
			if (c->kept) {
				feed_kept(l, c);
			} else if (c->ended) {
				conn_feed_eof(&c->conn);
			} else {
				if (!c->receiving)
					start_receive(l, fd);
				return;
			}
			break;
		case CONN_WANT_SEND:
			start_send(l, fd);
			break;
		case CONN_WANT_SLEEP:
			start_sleep(l, fd);
			break;
		case CONN_WANT_COMPUTE:
			conn_compute(&c->conn);
			conn_computed(&c->conn);
			break;
		case CONN_WANT_FILE:
		case CONN_WANT_QUERY:
			io_is_unserved(&c->conn);
			break;
		case CONN_WANT_SHUTDOWN:
			shutdown(fd, SHUT_WR);
			conn_shut(&c->conn);
			break;
		case CONN_WANT_CLOSE:
			end(l, fd);
			break;
		}
	}
}

/* --- completions ---------------------------------------------------------------------------------- */

static void on_accepted(struct loop *l, int fd, bool more)
{
	if (fd >= 0) {
		l->clients[fd] = (struct client){ .is_open = true };
		conn_init(&l->clients[fd].conn, &l->worker->env);
		worker_opened(l->worker);
		l->count++;
		if (fd >= l->end_fd)
			l->end_fd = fd + 1;
		turn(l, fd);
	} else if (fd == -EINVAL) { /* the listening socket is shut down */
		l->stopping = true;
		for (int other = 0; other < l->end_fd; other++)
			if (l->clients[other].is_open)
				shutdown(other, SHUT_RD);
		return;
	} else if (fd == -EMFILE || fd == -ENFILE) {
		worker_turn_away(l->worker);
	}
	if (!more)
		start_accept(l);
}

static void on_received(struct loop *l, int fd, const struct io_uring_cqe *cqe)
{
	struct client *c = &l->clients[fd];
	if (!(cqe->flags & IORING_CQE_F_MORE))
		c->receiving = c->cancelling = false;
	if (cqe->flags & IORING_CQE_F_BUFFER) {
		int id = (int)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
		struct slice bytes = { l->buffers + (size_t)id * BUFFER_LEN, cqe->res > 0 ? (size_t)cqe->res : 0 };
		bool wanted = !c->closing && !c->busy && !c->kept && conn_wants(&c->conn) == CONN_WANT_RECV;
		if (wanted && bytes.len > 0)
			conn_feed(&c->conn, bytes.ptr, bytes.len);
		else if (!c->closing)
			keep(l, fd, bytes);
		lend(l, id);
	}
	/* out of buffers or cancelled: asked for again when the connection wants more */
	if (cqe->res <= 0 && cqe->res != -ENOBUFS && cqe->res != -ECANCELED)
		c->ended = true;
}

static void on_completion(struct loop *l, const struct io_uring_cqe *cqe)
{
	enum operation operation = cqe->user_data & ((1 << OPERATION_BITS) - 1);
	int fd = (int)(cqe->user_data >> OPERATION_BITS);
	struct client *c = &l->clients[fd];
	bool more = cqe->flags & IORING_CQE_F_MORE;
	if (operation == ACCEPT) {
		on_accepted(l, cqe->res, more);
		return;
	}
	if (!more)
		c->in_flight--;
	if (operation == RECEIVE) {
		on_received(l, fd, cqe);
	} else if (operation == SEND) {
		c->busy = false;
		if (cqe->res < 0)
			end(l, fd);
		else
			conn_sent(&c->conn, (size_t)cqe->res);
	} else if (operation == SLEEP) {
		c->busy = false;
		conn_woke(&c->conn);
	}
	turn(l, fd);
	close_if_quiet(l, fd);
}

static void sweep(struct loop *l)
{
	for (int fd = 0; fd < l->end_fd; fd++) {
		struct client *c = &l->clients[fd];
		if (!c->is_open || c->closing || !conn_is_late(&c->conn))
			continue;
		if (c->busy) {
			shutdown(fd, SHUT_RDWR); /* the kernel still holds the output: the send must end first */
			continue;
		}
		conn_expire(&c->conn);
		turn(l, fd);
	}
}

/* --- the loop ------------------------------------------------------------------------------------- */

static void *map(size_t len)
{
	void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (memory == MAP_FAILED)
		die_errno(errno, "no memory for the buffer ring");
	return memory;
}

static void open_loop(struct loop *l, struct worker *w)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		.cq_entries = COMPLETIONS,
	};
	int error = io_uring_queue_init_params(ENTRIES, &l->ring, &params);
	if (error)
		die_errno(-error, "io_uring is not to be had: it needs Linux 6.1, and "
		                  "kernel.io_uring_disabled = 0 (containers often forbid it)");
	l->worker = w;
	l->clients = calloc((size_t)w->fd_cap, sizeof *l->clients);
	if (!l->clients)
		die("no memory for a table of %d connections; lower the file limit (ulimit -n)", w->fd_cap);
	l->buffers = map((size_t)BUFFERS * BUFFER_LEN);
	l->lent = map(BUFFERS * sizeof(struct io_uring_buf));
	struct io_uring_buf_reg registration = { .ring_addr = (uintptr_t)l->lent, .ring_entries = BUFFERS };
	error = io_uring_register_buf_ring(&l->ring, &registration, 0);
	if (error)
		die_errno(-error, "io_uring has no buffer rings here: it needs Linux 6.1");
	io_uring_buf_ring_init(l->lent);
	for (int id = 0; id < BUFFERS; id++)
		lend(l, id);
}

static void serve(struct worker *w)
{
	static _Thread_local struct loop loop;
	struct loop *l = &loop;
	struct __kernel_timespec second = { .tv_sec = 1 };
	struct io_uring_cqe *cqe;
	open_loop(l, w);
	start_accept(l);
	while (!l->stopping || l->count > 0) {
		unsigned head, seen = 0;
		io_uring_submit_and_wait_timeout(&l->ring, &cqe, 1, &second, NULL);
		worker_tick(w);
		io_uring_for_each_cqe(&l->ring, head, cqe) {
			on_completion(l, cqe);
			seen++;
		}
		io_uring_cq_advance(&l->ring, seen);
		if (w->env.now_s != l->sweep_s)
			sweep(l);
		l->sweep_s = w->env.now_s;
	}
	io_uring_queue_exit(&l->ring);
}

static const struct server_model model = {
	.name = "io_uring",
	.family = "completion",
	.api = "io_uring: multishot accept and receive, buffer ring",
	.summary = "one loop over completions; operations and results pass through shared rings",
	.serve = serve,
	.blocking = true, /* a non-blocking socket would make the kernel give up where it is to wait */
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
