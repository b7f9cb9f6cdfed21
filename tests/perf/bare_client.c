/*
 * bare_client.c: the least that a client over epoll can do, as a yardstick for the load generator:
 * one recv() and one send() a request, an edge-triggered epoll_wait() shared by all that are ready,
 * and nothing else: no clock, no histogram, no look at what came but its length. What it costs is
 * the kernel's price of a request; what the load generator costs above it is the price of knowing.
 *
 *   bare_client PORT CONNECTIONS SECONDS     prints how many requests were answered
 */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "lib/core/slice.h"
#include "lib/sys/die.h"

static const struct slice request = SLICE("GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n");
static volatile sig_atomic_t is_over;

static void on_alarm(int number)
{
	(void)number;
	is_over = 1;
}

static void ask(int fd)
{
	if (send(fd, request.ptr, request.len, MSG_NOSIGNAL) != (ssize_t)request.len)
		die("a request could not be sent whole");
}

/* A blocking connect: the listening queue may hold them back for a moment. */
static void open_connection(int epoll_fd, in_port_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.fd = fd };
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof address) < 0
	    || setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int)) < 0
	    || epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		die("no connection: is a server there, and the file limit (ulimit -n) high enough?");
	ask(fd);
}

static size_t receive(int fd)
{
	static char bytes[64 * 1024];
	ssize_t got = recv(fd, bytes, sizeof bytes, 0);
	if (got <= 0)
		die("the server has ended a connection");
	return (size_t)got;
}

int main(int argc, char **argv)
{
	enum { EVENTS = 4096 };
	static struct epoll_event events[EVENTS];
	if (argc != 4)
		die("usage: bare_client PORT CONNECTIONS SECONDS");
	struct rlimit files;
	getrlimit(RLIMIT_NOFILE, &files);
	files.rlim_cur = files.rlim_max;
	setrlimit(RLIMIT_NOFILE, &files);
	int epoll_fd = epoll_create1(0);
	for (int left = atoi(argv[2]); left > 0; left--)
		open_connection(epoll_fd, (in_port_t)atoi(argv[1]));

	uint64_t answered = 0;
	size_t answer_len = 0; /* that of the first, which all others must have */
	sigaction(SIGALRM, &(struct sigaction){ .sa_handler = on_alarm }, NULL);
	alarm((unsigned)atoi(argv[3]));
	while (!is_over) {
		int count = epoll_wait(epoll_fd, events, EVENTS, -1);
		for (int i = 0; i < count; i++) {
			size_t len = receive(events[i].data.fd);
			if (answer_len == 0)
				answer_len = len;
			if (len != answer_len)
				die("an answer of %zu bytes, not %zu", len, answer_len);
			answered++;
			ask(events[i].data.fd);
		}
	}
	printf("%llu\n", (unsigned long long)answered);
	return 0;
}
