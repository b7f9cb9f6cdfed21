/*
 * libuv.c: an event loop from a library: libuv, the one below Node.js.
 * needs: libuv
 *
 * How it waits: libuv reads and writes for us. When a socket is readable it asks for memory,
 * reads into it, and calls back with the bytes: completion in style, epoll underneath.
 *
 * Cost: 168 bytes of ours a connection, and in the same struct client the library's handles,
 * larger than that. It lives until libuv has closed them: hence one malloc a connection, none a
 * request.
 *
 * Notice: uv_try_write() sends at once; only what the socket does not take becomes a uv_write()
 * that calls back. libuv's clock has milliseconds: one is added so that no sleep ends early.
 *
 * Left out: uv_listen(): accepting is the same for all. docs: docs.libuv.org.
 */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <uv.h>

#include "lib/sys/die.h"
#include "lib/sys/io.h"
#include "lib/sys/server_main.h"

struct client {
	struct conn conn;
	uv_tcp_t tcp;
	uv_timer_t timer;
	uv_write_t write;
	int open_handles;
};

struct loop {
	uv_loop_t uv;
	struct worker *worker;
	uv_poll_t listening;
	uv_timer_t second;
	uv_check_t after_wait;
	char bytes[CONN_FEED_MAX];
};

static void on_closed(uv_handle_t *handle)
{
	struct client *c = handle->data;
	struct loop *l = handle->loop->data;
	if (--c->open_handles == 0) {
		worker_closed(l->worker);
		free(c);
	}
}

static void drop(struct client *c)
{
	conn_deinit(&c->conn);
	uv_close((uv_handle_t *)&c->tcp, on_closed);
	uv_close((uv_handle_t *)&c->timer, on_closed);
}

static void turn(struct client *c);

static void on_memory(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
	struct loop *l = handle->loop->data;
	(void)suggested;
	*buffer = uv_buf_init(l->bytes, sizeof l->bytes);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buffer)
{
	struct client *c = stream->data;
	if (n > 0)
		conn_feed(&c->conn, buffer->base, (size_t)n);
	else if (n < 0) /* 0: not readable after all */
		conn_feed_eof(&c->conn);
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
	conn_woke(&c->conn);
	turn(c);
}

static void on_next_turn(uv_timer_t *timer)
{
	turn(timer->data);
}

/* Sends at once what the socket takes. False when the rest must wait. */
static bool send_output(struct client *c)
{
	struct slice output = conn_output(&c->conn);
	uv_buf_t buffer = uv_buf_init((char *)output.ptr, (unsigned)output.len);
	int n = uv_try_write((uv_stream_t *)&c->tcp, &buffer, 1);
	if (n > 0) {
		conn_sent(&c->conn, (size_t)n);
		return true;
	}
	uv_read_stop((uv_stream_t *)&c->tcp); /* a client that does not take answers is not read */
	if (n != UV_EAGAIN || uv_write(&c->write, (uv_stream_t *)&c->tcp, &buffer, 1, on_written))
		drop(c);
	return false;
}

/* Does what the connection wants until it waits for a callback. */
static void turn(struct client *c)
{
	uv_os_fd_t fd;
	for (int step = 0; step < 32; step++) { /* one client's share of a turn */
		switch (conn_wants(&c->conn)) {
		case CONN_WANT_RECV:
			uv_read_start((uv_stream_t *)&c->tcp, on_memory, on_read);
			return;
		case CONN_WANT_SEND:
			if (!send_output(c))
				return;
			break;
		case CONN_WANT_SLEEP:
			uv_read_stop((uv_stream_t *)&c->tcp);
			uv_update_time(c->tcp.loop);
			uv_timer_start(&c->timer, on_woken, conn_sleep_ns(&c->conn) / 1000000 + 1, 0);
			return;
		case CONN_WANT_COMPUTE:
			conn_compute(&c->conn);
			conn_computed(&c->conn);
			break;
		case CONN_WANT_FILE:
		case CONN_WANT_QUERY:
			io_is_unserved(&c->conn);
			break;
		case CONN_WANT_SHUTDOWN:
			uv_fileno((uv_handle_t *)&c->tcp, &fd);
			shutdown(fd, SHUT_WR);
			conn_shut(&c->conn);
			break;
		case CONN_WANT_CLOSE:
			drop(c);
			return;
		}
	}
	uv_read_stop((uv_stream_t *)&c->tcp);
	uv_timer_start(&c->timer, on_next_turn, 0, 0);
}

static void add(struct loop *l, int fd)
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
	CHECK(uv_tcp_open(&c->tcp, fd) == 0);
	turn(c);
}

static void see_to_deadline(uv_handle_t *handle, void *argument)
{
	struct client *c = handle->data;
	(void)argument;
	if (handle->type == UV_TCP && !uv_is_closing(handle) && conn_is_late(&c->conn)) {
		conn_expire(&c->conn); /* a write that libuv holds is cancelled, not read, on closing */
		turn(c);
	}
}

static void end_receiving(uv_handle_t *handle, void *argument)
{
	uv_os_fd_t fd;
	(void)argument;
	if (handle->type == UV_TCP && uv_fileno(handle, &fd) == 0)
		shutdown(fd, SHUT_RD);
}

static void on_second(uv_timer_t *second)
{
	uv_walk(second->loop, see_to_deadline, NULL);
}

/* After every wait: the connections are told the time. */
static void on_after_wait(uv_check_t *after_wait)
{
	struct loop *l = after_wait->loop->data;
	worker_tick(l->worker);
}

static void on_listening(uv_poll_t *listening, int status, int events)
{
	struct loop *l = listening->loop->data;
	(void)status, (void)events;
	for (int i = 0; i < 64; i++) { /* then the connected ones have their turn */
		int fd = worker_accept(l->worker);
		if (fd == -EINVAL) { /* the loop ends with the last connection */
			uv_close((uv_handle_t *)listening, NULL);
			uv_unref((uv_handle_t *)&l->second);
			uv_unref((uv_handle_t *)&l->after_wait);
			uv_walk(&l->uv, end_receiving, NULL);
			return;
		}
		if (fd < 0)
			return;
		add(l, fd);
	}
}

static void serve(struct worker *w)
{
	struct loop loop = { .worker = w };
	struct loop *l = &loop;
	if (uv_loop_init(&l->uv) || uv_poll_init(&l->uv, &l->listening, w->listen_fd))
		die("libuv cannot make a loop; raise the file limit (ulimit -n)");
	l->uv.data = l;
	uv_poll_start(&l->listening, UV_READABLE, on_listening);
	uv_timer_init(&l->uv, &l->second);
	uv_timer_start(&l->second, on_second, 1000, 1000);
	uv_check_init(&l->uv, &l->after_wait);
	uv_check_start(&l->after_wait, on_after_wait);
	uv_run(&l->uv, UV_RUN_DEFAULT);
}

static const struct server_model model = {
	.name = "libuv",
	.family = "library",
	.api = "libuv: uv_read_start, uv_try_write, uv_timer",
	.summary = "one loop over epoll, kept by libuv, which reads and calls back with the bytes",
	.serve = serve,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
