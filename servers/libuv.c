/*
 * libuv.c: an event loop from a library: libuv, the one below Node.js.
 * needs: libuv
 *
 * How it waits: libuv reads and writes for us. When a socket is readable it asks for memory,
 * reads into it, and calls back with the bytes: completion in style, epoll underneath. The data
 * file is read by libuv's threads, for a file is always "ready": the loop goes on meanwhile.
 * Cost: 176 bytes of ours a connection, and beside them the library's larger handles, which live
 * until libuv has closed them: hence one malloc a connection, none a request.
 * Notice: uv_try_write() sends at once; what the socket does not take becomes a uv_write(). The
 * clock has milliseconds: one is added, that no sleep ends early. docs: docs.libuv.org.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <uv.h>

#include "lib/sys/datafile.h"
#include "lib/sys/die.h"
#include "lib/sys/server_main.h"
#include "lib/sys/uv_link.h"

struct client {
	struct conn conn;
	uv_tcp_t tcp;
	uv_timer_t timer;
	union { uv_write_t write; uv_fs_t file; }; /* never both */
	int fd, open_handles;
};

struct loop {
	uv_loop_t uv;
	struct worker *worker;
	uv_poll_t listening;
	uv_timer_t second;
	struct uv_link link; /* to the database */
	char bytes[CONN_FEED_MAX];
};

static _Thread_local struct loop *l; /* a worker's loop is its thread's */
static void turn(struct client *c);

static void on_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;
	if (--c->open_handles > 0)
		return;
	worker_closed(l->worker);
	free(c);
}

static void drop(struct client *c)
{
	conn_deinit(&c->conn);
	uv_close((uv_handle_t *)&c->tcp, on_closed);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

/* None for who waits for something else: then on_read() is told so, and nothing is read. */
static void on_memory(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct client *c = handle->data;
	(void)suggested;
	*buffer = uv_buf_init(l->bytes, conn_wants(&c->conn) == CONN_WANT_RECV ? sizeof l->bytes : 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct client *c = stream->data;
	worker_tick(l->worker);
	if (n > 0)
		conn_feed(&c->conn, buffer->base, (size_t)n);
	else if (n < 0 && n != UV_ENOBUFS) /* 0: not readable after all */
		conn_feed_eof(&c->conn);
	if (n == UV_ENOBUFS)
		uv_read_stop(stream); /* more requests, or the end: not before this one is answered */
	else
		turn(c);
}

static void on_written(uv_write_t *write, int status)
{
	struct client *c = write->data;
	if (status == UV_ECANCELED)
		return; /* it is being closed */
	if (status == 0)
		conn_sent(&c->conn, conn_output(&c->conn).len);
	else
		conn_feed_eof(&c->conn);
	turn(c);
}

static void on_woken(uv_timer_t *timer)
{
	struct client *c = timer->data;
	worker_tick(l->worker);
	conn_woke(&c->conn);
	turn(c);
}

static void on_next_turn(uv_timer_t *timer)
{
	turn(timer->data);
}

static void on_file(uv_fs_t *file)
{
	struct client *c = file->data;
	conn_file_done(&c->conn, file->result);
	uv_fs_req_cleanup(file);
	turn(c);
}

static void on_answer(void *asker, struct slice value)
{
	struct client *c = asker;
	conn_query_done(&c->conn, value);
	turn(c);
}

/* Does what the connection wants until it waits for a callback. */
static void turn(struct client *c)
{
	uv_stream_t *stream = (uv_stream_t *)&c->tcp;
	struct slice output;
	struct file_read read;
	uv_buf_t buffer;
	for (int step = 0; step < 32; step++) { /* one client's share of a turn */
		switch (conn_wants(&c->conn)) {
		case CONN_WANT_RECV:
			uv_read_start(stream, on_memory, on_read);
			return;
		case CONN_WANT_SEND:
			output = conn_output(&c->conn);
			buffer = uv_buf_init((char *)output.ptr, (unsigned)output.len);
			int n = uv_try_write(stream, &buffer, 1);
			if (n == UV_EAGAIN && uv_write(&c->write, stream, &buffer, 1, on_written) == 0)
				return;
			if (n > 0)
				conn_sent(&c->conn, (size_t)n);
			else
				conn_feed_eof(&c->conn);
			break;
		case CONN_WANT_SLEEP:
			uv_update_time(&l->uv);
			uv_timer_start(&c->timer, on_woken, conn_sleep_ns(&c->conn) / 1000000 + 1, 0);
			return;
		case CONN_WANT_COMPUTE:
			conn_compute(&c->conn);
			conn_computed(&c->conn);
			break;
		case CONN_WANT_FILE:
			read = conn_file(&c->conn);
			buffer = uv_buf_init(read.into, (unsigned)read.len);
			uv_fs_read(&l->uv, &c->file, datafile_fd(), &buffer, 1, (int64_t)read.offset, on_file);
			return;
		case CONN_WANT_QUERY:
			uv_link_ask(&l->link, conn_query_key(&c->conn), c);
			return;
		case CONN_WANT_SHUTDOWN:
			shutdown(c->fd, SHUT_WR);
			conn_shut(&c->conn);
			break;
		case CONN_WANT_CLOSE:
			drop(c);
			return;
		}
	}
	uv_read_stop(stream);
	uv_timer_start(&c->timer, on_next_turn, 0, 0);
}

static void see_to_deadline(uv_handle_t *handle, void *stopping)
{
	struct client *c = handle->data;
	if (handle->type != UV_TCP || uv_is_closing(handle))
		return;
	if (stopping)
		shutdown(c->fd, SHUT_RD);
	if (conn_is_late(&c->conn)) {
		conn_expire(&c->conn); /* a write that libuv holds is cancelled, not read, on closing */
		turn(c);
	}
}

static void on_second(uv_timer_t *second)
{
	(void)second;
	worker_tick(l->worker);
	uv_walk(&l->uv, see_to_deadline, NULL);
	database_check(&l->link.database, l->worker->env.now_s);
}

static void add(int fd)
{
	struct client *c = calloc(1, sizeof *c);
	if (!c) {
		worker_refuse(l->worker, fd);
		return;
	}
	conn_init(&c->conn, &l->worker->env);
	uv_tcp_init(&l->uv, &c->tcp);
	uv_timer_init(&l->uv, &c->timer);
	c->tcp.data = c->timer.data = c->write.data = c;
	c->open_handles = 2;
	c->fd = fd;
	CHECK(uv_tcp_open(&c->tcp, fd) == 0);
	turn(c);
}

static void on_listening(uv_poll_t *listening, int status, int events)
{
	int fd = 0;
	(void)status, (void)events;
	for (int i = 0; i < 64 && (fd = worker_accept(l->worker)) >= 0; i++)
		add(fd); /* 64, then the connected ones have their turn */
	if (fd != -EINVAL)
		return;
	uv_close((uv_handle_t *)listening, NULL); /* the loop ends with the last connection */
	uv_unref((uv_handle_t *)&l->second);
	uv_walk(&l->uv, see_to_deadline, l);
}

static void serve(struct worker *w)
{
	struct loop loop = { .worker = w };
	l = &loop;
	if (uv_loop_init(&l->uv) || uv_poll_init(&l->uv, &l->listening, w->listen_fd))
		die("libuv cannot make a loop; raise the file limit (ulimit -n)");
	uv_poll_start(&l->listening, UV_READABLE, on_listening);
	uv_timer_init(&l->uv, &l->second);
	uv_timer_start(&l->second, on_second, 1000, 1000);
	uv_link_init(&l->link, &l->uv, on_answer);
	uv_run(&l->uv, UV_RUN_DEFAULT);
	database_deinit(&l->link.database);
}

static const struct server_model model = {
	.name = "libuv",
	.family = "library",
	.api = "libuv: uv_read_start, uv_try_write, uv_timer",
	.summary = "one loop over epoll, kept by libuv, which reads and calls back with the bytes",
	.serve = serve,
	.one_file_table = true, /* the threads that read files tell every worker's loop by its eventfd */
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
