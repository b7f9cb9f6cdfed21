/*
 * reference_server.c: a server whose delays are known, to measure the load generator by. It shares
 * no code with the servers in servers/ and is none of them.
 *
 *     reference_server PORT
 *
 *     GET /                                     answered at once
 *     GET /fixed/US                             after so many microseconds, never earlier
 *     GET /exponential/US                       after an exponential time of this mean
 *     GET /bimodal/US/US/PERCENT                after the second time with this probability
 *     GET /stall/MS                             all stands still for so long, then this is answered
 *     GET /counts /residence /gaps /reset       what it has seen; see below
 *
 * An answer of the first four kinds says in `Residence-Ns` how long its request was here: from the
 * return of the epoll_wait() that brought it to the moment before send(), on CLOCK_MONOTONIC. Both
 * of these are counted (/counts, JSON), residences go into a histogram (/residence), and so do the
 * gaps between requests as they came in (/gaps); both as HdrHistogram V2 text, empty since /reset.
 * Questions about the server are not counted.
 *
 * It is accurate because it never sleeps while it has work: it looks at sockets and deadlines in
 * turn, at the price of a whole CPU, and blocks only after a tenth of a second of silence. A
 * connection costs 1 KiB. Deliberately omitted: pipelining, bodies, and clients that do not read
 * (they are closed). See epoll(7).
 */
#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/core/estimate.h"
#include "lib/core/histogram.h"
#include "lib/core/timers.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/file_limit.h"
#include "lib/sys/hdrlog.h"
#include "lib/sys/net.h"

enum {
	EVENTS_CAP = 1024,
	CLIENTS_MAX = 100000,
	HEAD_CAP = 952,
	DELAY_MAX_US = 60000000,
};
#define US_NS UINT64_C(1000)
#define MS_NS UINT64_C(1000000)
#define SPIN_NS (100 * MS_NS) /* of silence, before it blocks */

struct client {
	struct timer timer; /* first: a timer that is due is its client */
	uint64_t received_ns;
	int fd;
	uint32_t len;
	bool waiting; /* its request is delayed */
	char head[HEAD_CAP];
};

struct server {
	int epoll_fd, listen_fd;
	struct timers timers;
	struct timer *heap[CLIENTS_MAX];
	struct client *clients[CLIENTS_MAX]; /* by descriptor, kept for the next that has it */
	struct estimate_random random;
	uint64_t batch_ns; /* when epoll_wait() returned */
	uint64_t last_ns;  /* when the last request came; 0 after /reset */
	uint64_t requests; /* counted ones that came in whole ... */
	uint64_t answered; /* ... and those that were answered */
	struct histogram residence, gaps;
	struct epoll_event events[EVENTS_CAP];
};

static struct server server;

static void close_client(struct client *c)
{
	timers_remove(&server.timers, &c->timer);
	c->waiting = false;
	close(c->fd);
}

/* --- answers ---------------------------------------------------------------------------------- */

/* An answer to a question about the server, which may be long: waits until it is out. */
static void send_all(struct client *c, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t sent = send(c->fd, bytes, len, MSG_NOSIGNAL);
		if (sent > 0) {
			bytes += sent;
			len -= (size_t)sent;
		} else if (errno != EAGAIN ||
		    poll(&(struct pollfd){ c->fd, POLLOUT, 0 }, 1, 1000) != 1) {
			return;
		}
	}
}

static void answer_text(struct client *c, const char *status, const char *text)
{
	char head[128];
	int len = snprintf(head, sizeof head,
	    "HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\n\r\n", status,
	    strlen(text));
	send_all(c, head, (size_t)len);
	send_all(c, text, strlen(text));
}

static void answer_histogram(struct client *c, const struct histogram *h)
{
	char *text = hdrlog_encode(h);
	answer_text(c, text ? "200 OK" : "503 Service Unavailable", text ? text : "");
	free(text);
}

/* The answer of a counted request. */
static void answer(struct client *c)
{
	char bytes[160];
	c->waiting = false;
	uint64_t residence_ns = clock_now_ns() - c->received_ns;
	int len = snprintf(bytes, sizeof bytes,
	    "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 13\r\n"
	    "Residence-Ns: %llu\r\n\r\nHello, World!",
	    (unsigned long long)residence_ns);
	if (send(c->fd, bytes, (size_t)len, MSG_NOSIGNAL) != len) {
		close_client(c);
		return;
	}
	server.answered++;
	histogram_record(&server.residence, residence_ns);
}

static void answer_due(void)
{
	struct timer *timer;
	while ((timer = timers_pop(&server.timers, clock_now_ns())))
		answer((struct client *)timer);
}

/* --- requests --------------------------------------------------------------------------------- */

/* Uniform in (0, 1]. */
static double uniform(void)
{
	return (double)((estimate_random_next(&server.random) >> 11) + 1) * 0x1p-53;
}

/* How long the request for `target` is to be delayed; false when it asks for no delay we know. */
static bool parse_delay(const char *target, uint64_t *delay_ns)
{
	unsigned first_us = 0, second_us = 0, percent = 0;
	int end = 0;
	double delay_us = 0;
	if (sscanf(target, "/fixed/%u%n", &first_us, &end) == 1 && !target[end])
		delay_us = first_us;
	else if (sscanf(target, "/exponential/%u%n", &first_us, &end) == 1 && !target[end])
		delay_us = -log(uniform()) * first_us;
	else if (sscanf(target, "/bimodal/%u/%u/%u%n", &first_us, &second_us, &percent, &end) ==
		3 &&
	    !target[end])
		delay_us = uniform() * 100 <= percent ? second_us : first_us;
	else if (strcmp(target, "/") != 0)
		return false;
	*delay_ns = (uint64_t)(delay_us * US_NS);
	return first_us <= DELAY_MAX_US && second_us <= DELAY_MAX_US;
}

static void on_counted(struct client *c, uint64_t delay_ns)
{
	server.requests++;
	if (server.last_ns)
		histogram_record(&server.gaps, server.batch_ns - server.last_ns);
	server.last_ns = server.batch_ns;
	c->received_ns = server.batch_ns;
	c->waiting = true;
	if (delay_ns == 0)
		answer(c);
	else
		timers_add(&server.timers, &c->timer, c->received_ns + delay_ns);
}

static void stall(unsigned ms)
{
	struct timespec end = clock_timespec(server.batch_ns + ms * MS_NS);
	while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &end, NULL) == EINTR)
		;
}

static void on_request(struct client *c, const char *target)
{
	char text[128];
	unsigned ms;
	uint64_t delay_ns;
	if (parse_delay(target, &delay_ns)) {
		on_counted(c, delay_ns);
	} else if (strcmp(target, "/counts") == 0) {
		snprintf(text, sizeof text, "{\"requests\": %llu, \"answered\": %llu}\n",
		    (unsigned long long)server.requests, (unsigned long long)server.answered);
		answer_text(c, "200 OK", text);
	} else if (strcmp(target, "/residence") == 0) {
		answer_histogram(c, &server.residence);
	} else if (strcmp(target, "/gaps") == 0) {
		answer_histogram(c, &server.gaps);
	} else if (strcmp(target, "/reset") == 0) {
		histogram_init(&server.residence);
		histogram_init(&server.gaps);
		server.last_ns = 0;
		answer_text(c, "200 OK", "");
	} else if (sscanf(target, "/stall/%u", &ms) == 1 && ms <= DELAY_MAX_US / 1000) {
		stall(ms);
		answer_text(c, "200 OK", "");
	} else {
		answer_text(c, "404 Not Found", "");
	}
}

static void on_readable(struct client *c)
{
	ssize_t got = recv(c->fd, c->head + c->len, HEAD_CAP - 1 - c->len, 0);
	if (got < 0 && errno == EAGAIN)
		return;
	if (got <= 0 || c->waiting) { /* it has gone, or asks before it was answered */
		close_client(c);
		return;
	}
	c->len += (uint32_t)got;
	c->head[c->len] = '\0';
	if (c->len >= 4 && memcmp(c->head + c->len - 4, "\r\n\r\n", 4) == 0) {
		char target[HEAD_CAP];
		c->len = 0;
		if (sscanf(c->head, "GET %951s HTTP/1.1", target) == 1)
			on_request(c, target);
		else
			close_client(c);
	} else if (c->len == HEAD_CAP - 1) {
		close_client(c);
	}
}

/* --- the loop --------------------------------------------------------------------------------- */

static void accept_all(void)
{
	int fd;
	while ((fd = accept4(server.listen_fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0) {
		if (fd < CLIENTS_MAX && !server.clients[fd])
			server.clients[fd] = malloc(sizeof *server.clients[fd]);
		if (fd >= CLIENTS_MAX || !server.clients[fd]) {
			close(fd);
			continue;
		}
		struct client *c = server.clients[fd];
		*c = (struct client){ .fd = fd };
		struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };
		if (epoll_ctl(server.epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
			die_errno(errno, "epoll_ctl");
	}
}

/* 0 while there is work or has just been some; else a little less than to the next deadline. */
static int wait_ms(uint64_t now_ns)
{
	if (now_ns - server.batch_ns < SPIN_NS)
		return 0;
	if (server.timers.count == 0)
		return -1;
	uint64_t wait_ns = timers_wait_ns(&server.timers, now_ns, SPIN_NS);
	return wait_ns > MS_NS ? (int)((wait_ns - MS_NS) / MS_NS) : 0;
}

static void serve(void)
{
	for (;;) {
		answer_due();
		int wait = wait_ms(clock_now_ns());
		int count = epoll_wait(server.epoll_fd, server.events, EVENTS_CAP, wait);
		if (count > 0)
			server.batch_ns = clock_now_ns();
		for (int i = 0; i < count; i++) {
			if (server.events[i].data.fd == server.listen_fd)
				accept_all();
			else
				on_readable(server.clients[server.events[i].data.fd]);
		}
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_storage address;
	socklen_t len;
	die_program = "reference_server";
	if (argc != 2)
		usage_die("give a port");
	if (net_resolve("127.0.0.1", (uint16_t)atoi(argv[1]), &address, &len) != 0)
		die("no address");
	file_limit_raise();
	server.listen_fd = net_listen(&address, len, 4096, false, true);
	if (server.listen_fd < 0)
		die_errno(-server.listen_fd, "port %s", argv[1]);
	server.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN, .data.fd = server.listen_fd };
	if (server.epoll_fd < 0 ||
	    epoll_ctl(server.epoll_fd, EPOLL_CTL_ADD, server.listen_fd, &event) < 0)
		die_errno(errno, "epoll");
	timers_init(&server.timers, server.heap, CLIENTS_MAX);
	histogram_init(&server.residence);
	histogram_init(&server.gaps);
	server.random.state = 10000;
	serve();
}
