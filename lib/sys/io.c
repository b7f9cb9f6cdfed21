/*
 * io.c: see io.h. The turn is what select, poll, epoll, libev, libevent and libuv would each
 * write in the same words; how they come to know that a socket is readable is what differs, and
 * is theirs.
 *
 * A turn receives once: after that the socket is probably empty, and asking again to be told EAGAIN
 * would be a system call per request. Level-triggered waiting tells of anything left.
 */
#include "lib/sys/io.h"

#include <errno.h>
#include <sys/socket.h>

#include "lib/sys/datafile.h"

ssize_t io_recv(int fd, void *into, size_t cap)
{
	for (;;) {
		ssize_t n = recv(fd, into, cap, 0);
		if (n >= 0)
			return n;
		if (errno != EINTR)
			return -errno;
	}
}

ssize_t io_send(int fd, struct slice bytes)
{
	for (;;) {
		ssize_t n = send(fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
		if (n >= 0)
			return n;
		if (errno != EINTR)
			return -errno;
	}
}

bool io_receive(struct conn *c, int fd)
{
	char bytes[CONN_FEED_MAX];
	ssize_t n = io_recv(fd, bytes, sizeof bytes);
	if (n == -EAGAIN)
		return false;
	if (n > 0)
		conn_feed(c, bytes, (size_t)n);
	else /* the client's end, or a reset: both end the connection */
		conn_feed_eof(c);
	return true;
}

enum conn_want io_turn(struct conn *c, int fd, bool readable)
{
	enum { STEPS = 32 }; /* one client's share of a turn */
	enum conn_want want = conn_wants(c);
	for (int step = 0; step < STEPS; step++, want = conn_wants(c)) {
		ssize_t n;
		switch (want) {
		case CONN_WANT_RECV:
			if (!readable || !io_receive(c, fd))
				return CONN_WANT_RECV;
			readable = false;
			break;
		case CONN_WANT_SEND:
			n = io_send(fd, conn_output(c));
			if (n == -EAGAIN)
				return CONN_WANT_SEND;
			if (n < 0)
				return CONN_WANT_CLOSE;
			conn_sent(c, (size_t)n);
			break;
		case CONN_WANT_COMPUTE:
			conn_compute(c);
			conn_computed(c);
			break;
		case CONN_WANT_FILE:
			conn_file_done(c, datafile_read(conn_file(c)));
			break;
		case CONN_WANT_SHUTDOWN:
			shutdown(fd, SHUT_WR);
			conn_shut(c);
			break;
		case CONN_WANT_SLEEP:
		case CONN_WANT_QUERY:
		case CONN_WANT_CLOSE:
			return want;
		}
	}
	/* a wait that begins here is a wait: as "writable" the shell would never begin it */
	bool more = want == CONN_WANT_SEND || want == CONN_WANT_COMPUTE || want == CONN_WANT_FILE ||
	    want == CONN_WANT_SHUTDOWN;
	return more ? CONN_WANT_SEND : want;
}
