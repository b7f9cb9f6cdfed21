/*
 * hostile_server.h: a server that answers well at first and then, now and again, in one way that
 * no server should. A thread with one poll() loop, for one test program: all of it is static. It
 * counts what it did, so that the client's account can be held against it.
 */
#ifndef HOSTILE_SERVER_H
#define HOSTILE_SERVER_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/core/slice.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/net.h"

#define OK "HTTP/1.1 200 OK\r\n"
#define GOOD_ANSWER OK "Content-Length: 13\r\n\r\nHello, World!"

enum {
	HOSTILE_EACH = 3,   /* of so many answers one is hostile ... */
	HOSTILE_MAX = 60,   /* ... up to that many, since each costs a port for a while */
	HOSTILE_CLIENTS_MAX = 64,
	HOSTILE_TICK_MS = 50,
};

/* What comes behind the bytes of a hostile answer. */
enum hostile_end {
	HOSTILE_KEEP,   /* nothing: the connection stays open */
	HOSTILE_CLOSE,
	HOSTILE_RESET,
	HOSTILE_DRIP,   /* the bytes themselves, one a tick */
	HOSTILE_REPEAT, /* `more`, without end */
};

struct hostile_answer {
	const char *name;
	struct slice bytes;
	enum hostile_end end;
	struct slice more;
};

struct hostile_client {
	int fd;           /* -1: a free place */
	size_t drip_len;  /* bytes that are still to be dripped */
	bool repeats;
};

static struct {
	const struct hostile_answer *answer;
	int good_first; /* so many answers are good before the first hostile one */
	int listen_fd;
	int request_count, good_count, hostile_count;
	atomic_bool quit;
	pthread_t thread;
	struct hostile_client clients[HOSTILE_CLIENTS_MAX];
} hostile;

static inline void hostile_drop(struct hostile_client *c)
{
	close(c->fd);
	*c = (struct hostile_client){ .fd = -1 };
}

/* What does not fit into the socket is lost: more than enough has gone then. */
static inline void hostile_say(struct hostile_client *c, struct slice bytes)
{
	if (bytes.len && send(c->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL) < 0 && errno != EAGAIN)
		hostile_drop(c);
}

static inline void hostile_misbehave(struct hostile_client *c)
{
	const struct hostile_answer *answer = hostile.answer;
	hostile.hostile_count++;
	if (answer->end == HOSTILE_DRIP) {
		c->drip_len = answer->bytes.len;
		return;
	}
	hostile_say(c, answer->bytes);
	c->repeats = answer->end == HOSTILE_REPEAT && c->fd >= 0;
	if (answer->end == HOSTILE_RESET && c->fd >= 0) {
		struct linger linger = { .l_onoff = 1 };
		setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &linger, sizeof linger);
	}
	if ((answer->end == HOSTILE_RESET || answer->end == HOSTILE_CLOSE) && c->fd >= 0)
		hostile_drop(c);
}

/* The client sends each request whole, and the next one only after the answer. */
static inline void hostile_on_request(struct hostile_client *c)
{
	char request[4096];
	ssize_t got = recv(c->fd, request, sizeof request, 0);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0) {
		hostile_drop(c);
		return;
	}
	int number = ++hostile.request_count;
	if (number > hostile.good_first && number % HOSTILE_EACH == 0
	    && hostile.hostile_count < HOSTILE_MAX) {
		hostile_misbehave(c);
		return;
	}
	hostile.good_count++;
	hostile_say(c, SLICE(GOOD_ANSWER));
}

static inline void hostile_on_tick(struct hostile_client *c)
{
	if (c->drip_len) {
		struct slice bytes = hostile.answer->bytes;
		struct slice next = { bytes.ptr + bytes.len - c->drip_len, 1 };
		c->drip_len--;
		hostile_say(c, next);
	}
	for (int i = 0; i < 1000 && c->repeats; i++)
		hostile_say(c, hostile.answer->more);
}

static inline void hostile_accept(void)
{
	for (int i = 0; i < HOSTILE_CLIENTS_MAX; i++) {
		if (hostile.clients[i].fd >= 0)
			continue;
		hostile.clients[i].fd =
		    accept4(hostile.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
		if (hostile.clients[i].fd < 0)
			return;
	}
}

static inline void *hostile_run(void *unused)
{
	struct pollfd polled[HOSTILE_CLIENTS_MAX + 1];
	uint64_t next_tick_ns = 0;
	while (!atomic_load(&hostile.quit)) {
		for (int i = 0; i < HOSTILE_CLIENTS_MAX; i++)
			polled[i] = (struct pollfd){ hostile.clients[i].fd, POLLIN, 0 };
		polled[HOSTILE_CLIENTS_MAX] = (struct pollfd){ hostile.listen_fd, POLLIN, 0 };
		poll(polled, HOSTILE_CLIENTS_MAX + 1, HOSTILE_TICK_MS);
		bool is_tick = clock_now_ns() >= next_tick_ns;
		if (is_tick)
			next_tick_ns = clock_now_ns() + HOSTILE_TICK_MS * UINT64_C(1000000);
		for (int i = 0; i < HOSTILE_CLIENTS_MAX; i++) {
			struct hostile_client *c = &hostile.clients[i];
			if (polled[i].revents)
				hostile_on_request(c);
			if (is_tick)
				hostile_on_tick(c);
		}
		if (polled[HOSTILE_CLIENTS_MAX].revents)
			hostile_accept();
	}
	return unused;
}

static inline void hostile_start(uint16_t port, const struct hostile_answer *answer, int good_first)
{
	struct sockaddr_storage address = { 0 };
	*(struct sockaddr_in *)&address = (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	memset(&hostile, 0, sizeof hostile);
	hostile.answer = answer;
	hostile.good_first = good_first;
	for (int i = 0; i < HOSTILE_CLIENTS_MAX; i++)
		hostile.clients[i].fd = -1;
	hostile.listen_fd =
	    net_listen(&address, sizeof(struct sockaddr_in), HOSTILE_CLIENTS_MAX, false, true);
	if (hostile.listen_fd < 0)
		die_errno(-hostile.listen_fd, "cannot listen on port %u", port);
	int error = pthread_create(&hostile.thread, NULL, hostile_run, NULL);
	if (error)
		die_errno(error, "no thread");
}

/* Its counters stay as they are then. */
static inline void hostile_stop(void)
{
	atomic_store(&hostile.quit, true);
	pthread_join(hostile.thread, NULL);
	for (int i = 0; i < HOSTILE_CLIENTS_MAX; i++)
		if (hostile.clients[i].fd >= 0)
			close(hostile.clients[i].fd);
	close(hostile.listen_fd);
}

#endif
