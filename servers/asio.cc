/*
 * asio.cc: a C++20 coroutine per connection on Boost.Asio.
 * needs: boost
 *
 * How it waits: converse() reads like a thread's code, and co_await marks each place where it may
 * stop: the compiler cuts it there into a state machine, kept in a frame on the heap, and Asio's
 * loop over epoll goes on with it when its socket or its timer is ready. Sleeps are steady_timers;
 * the data file is read by a pool of threads. --workers N as in epoll.c.
 *
 * Cost: a frame, a socket and a timer a connection, 1.8 KiB in all. Three system calls a request
 * (recv, send, epoll_ctl) and a share of one epoll_wait. No malloc, for Asio keeps what it has
 * freed last; but some for /file, which goes through two threads.
 *
 * Notice: async_read_some() would need a buffer for each who waits. So this waits for readiness and
 * receives into a buffer of everybody's, and pays by the epoll_ctl: Asio's epoll is edge-triggered,
 * and each async_wait() arms it anew. Nobody can run between two co_await, so no lock is needed.
 * Whoever is late has his operation cancelled, which his co_await tells as an error. A question to
 * the database waits on a timer that never ends: to cancel it is Asio's way to wake someone.
 *
 * Left out: noticing that a client is gone while its request waits; being short of memory.
 * docs: boost.org/doc/libs, Boost.Asio.
 */
#include <cerrno>
#include <chrono>
#include <list>
#include <utility>

#include <boost/asio.hpp>

extern "C" {
#include "lib/sys/database.h"
#include "lib/sys/datafile.h"
#include "lib/sys/io.h"
#include "lib/sys/server_main.h"
}

namespace asio = boost::asio;
using asio::awaitable;
using asio::ip::tcp;
using boost::system::error_code;

struct client {
	struct conn conn;
	tcp::socket socket;
	asio::steady_timer timer; /* what it sleeps by, or waits for the database's answer by */
};

struct loop {
	struct worker *worker;
	asio::io_context context{ 1 };
	asio::thread_pool readers{ 4 };
	tcp::acceptor listening{ context, tcp::v4(), worker->listen_fd };
	asio::posix::stream_descriptor link{ context }; /* to the database, watched only */
	std::list<client> clients{};
	struct database database{};
	bool asked = false; /* deliver() is on its way */
	bool stopping = false;
};

/* For co_await: the error goes there, none is thrown. */
static auto tell(error_code &error)
{
	return asio::redirect_error(asio::use_awaitable, error);
}

/* Answers go to those who asked, questions to the database. */
static void deliver(loop &l)
{
	uint64_t asker;
	struct slice value;
	while (database_next(&l.database, &asker, &value)) {
		client *c = reinterpret_cast<client *>(asker);
		conn_query_done(&c->conn, value);
		c->timer.cancel();
	}
	database_send(&l.database);
}

static awaitable<void> hear(loop &l)
{
	error_code error;
	l.link.assign(l.database.fd);
	do {
		deliver(l);
		co_await l.link.async_wait(l.link.wait_read, tell(error));
	} while (database_hear(&l.database));
	l.link.release();
	deliver(l);
}

static void ask(loop &l, client &c)
{
	uint64_t asker = reinterpret_cast<uintptr_t>(&c);
	if (database_ask(&l.database, conn_query_key(&c.conn), asker))
		asio::co_spawn(l.context, hear(l), asio::detached);
	if (!std::exchange(l.asked, true)) /* behind all who are ready now: one send for them all */
		asio::post(l.context, [&l] { l.asked = false, deliver(l); });
}

static awaitable<ssize_t> read_file(struct file_read read)
{
	co_return datafile_read(read);
}

/* Does what the connection wants, in the order in which it wants it, until it is to be closed. */
static awaitable<void> converse(loop &l, client &c)
{
	error_code error;
	for (;;) {
		switch (conn_wants(&c.conn)) {
		case CONN_WANT_RECV:
			co_await c.socket.async_wait(c.socket.wait_read, tell(error));
			worker_tick(l.worker);
			if (error)
				conn_expire(&c.conn); /* cancelled by look_after() */
			else
				io_receive(&c.conn, c.socket.native_handle());
			break;
		case CONN_WANT_SEND: {
			struct slice output = conn_output(&c.conn);
			asio::const_buffer bytes(output.ptr, output.len);
			size_t n = co_await c.socket.async_write_some(bytes, tell(error));
			if (!error)
				conn_sent(&c.conn, n);
			else
				conn_feed_eof(&c.conn);
			break;
		}
		case CONN_WANT_SLEEP:
			c.timer.expires_after(std::chrono::nanoseconds(conn_sleep_ns(&c.conn)));
			co_await c.timer.async_wait(tell(error));
			worker_tick(l.worker);
			conn_woke(&c.conn);
			break;
		case CONN_WANT_COMPUTE:
			conn_compute(&c.conn);
			conn_computed(&c.conn);
			break;
		case CONN_WANT_FILE: {
			awaitable<ssize_t> reading = read_file(conn_file(&c.conn));
			ssize_t n = co_await asio::co_spawn(l.readers, std::move(reading), asio::use_awaitable);
			conn_file_done(&c.conn, n);
			break;
		}
		case CONN_WANT_QUERY:
			c.timer.expires_at(asio::steady_timer::time_point::max());
			ask(l, c);
			co_await c.timer.async_wait(tell(error));
			break;
		case CONN_WANT_SHUTDOWN:
			c.socket.shutdown(c.socket.shutdown_send, error);
			conn_shut(&c.conn);
			break;
		case CONN_WANT_CLOSE:
			co_return;
		}
	}
}

static void finish_if_empty(loop &l)
{
	if (l.stopping && l.clients.empty())
		l.context.stop();
}

static void drop(loop &l, std::list<client>::iterator c)
{
	conn_deinit(&c->conn);
	l.clients.erase(c); /* closes the socket */
	worker_closed(l.worker);
	finish_if_empty(l);
}

static void add(loop &l, int fd)
{
	error_code error;
	tcp::socket socket(l.context);
	socket.assign(tcp::v4(), fd, error);
	if (error) { /* fs.epoll.max_user_watches is used up */
		worker_close(l.worker, fd);
		return;
	}
	l.clients.push_front({ {}, std::move(socket), asio::steady_timer(l.context) });
	auto c = l.clients.begin();
	conn_init(&c->conn, &l.worker->env);
	asio::co_spawn(l.context, converse(l, *c), [&l, c](std::exception_ptr) { drop(l, c); });
}

static awaitable<void> accept_all(loop &l)
{
	error_code error;
	int fd = 0;
	while (fd != -EINVAL) {
		co_await l.listening.async_wait(l.listening.wait_read, tell(error));
		for (int i = 0; i < 64 && (fd = worker_accept(l.worker)) >= 0; i++)
			add(l, fd); /* 64, then the connected ones have their turn */
	}
	l.stopping = true;
	for (client &c : l.clients)
		c.socket.shutdown(c.socket.shutdown_receive, error);
	finish_if_empty(l);
}

/* Once a second: whoever is late waits no longer. */
static awaitable<void> look_after(loop &l)
{
	asio::steady_timer second(l.context);
	error_code error;
	for (;;) {
		second.expires_after(std::chrono::seconds(1));
		co_await second.async_wait(tell(error));
		worker_tick(l.worker);
		for (client &c : l.clients)
			if (conn_is_late(&c.conn))
				c.socket.cancel(error);
		database_check(&l.database, l.worker->env.now_s);
	}
}

static void serve(struct worker *w)
{
	loop l{ .worker = w };
	database_init(&l.database);
	asio::co_spawn(l.context, accept_all(l), asio::detached);
	asio::co_spawn(l.context, look_after(l), asio::detached);
	l.context.run();
	if (l.link.is_open())
		l.link.release();
	database_deinit(&l.database);
}

static const struct server_model model = {
	.name = "asio",
	.family = "coroutine",
	.api = "Boost.Asio: awaitable, async_wait, async_write_some",
	.language = "C++",
	.summary = "a C++20 coroutine per connection, gone on with by Boost.Asio's loop over epoll",
	.serve = serve,
};

int main(int argc, char **argv)
{
	return server_main(argc, argv, &model);
}
