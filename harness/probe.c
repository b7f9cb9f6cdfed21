/*
 * probe.c: a blocking client of thirty lines. It asks for the connection to be closed behind the
 * answer, so that the answer ends where the bytes end.
 */
#include "harness/probe.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/sys/clock.h"

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
}

/* Reads until the server closes. Bytes, or -errno. */
static ssize_t read_answer(int fd, char *answer, size_t cap, uint64_t until_ns)
{
	size_t len = 0;
	for (;;) {
		ssize_t n = len < cap - 1 ? recv(fd, answer + len, cap - 1 - len, 0) : 0;
		if (n == 0)
			break;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0)
			len += (size_t)n;
		if (clock_now_ns() > until_ns)
			return -ETIMEDOUT;
	}
	answer[len] = '\0';
	return (ssize_t)len;
}

int probe_get(uint16_t port, const char *path, char *body, size_t cap, uint64_t timeout_ns)
{
	char request[256], answer[8192];
	struct sockaddr_in address = loopback(port);
	struct timespec ts = clock_timespec(timeout_ns);
	struct timeval limit = { .tv_sec = ts.tv_sec, .tv_usec = ts.tv_nsec / 1000 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	int len = snprintf(request, sizeof(request),
	    "GET %s HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n", path);
	ssize_t got = 0;
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    send(fd, request, (size_t)len, MSG_NOSIGNAL) != len)
		got = -errno;
	else
		got = read_answer(fd, answer, sizeof(answer), clock_now_ns() + timeout_ns);
	close(fd);
	if (got < 0)
		return (int)got;
	const char *end = strstr(answer, "\r\n\r\n");
	if (strncmp(answer, "HTTP/1.1 ", 9) != 0 || !end)
		return -EPROTO;
	snprintf(body, cap, "%s", end + 4);
	return atoi(answer + 9);
}

static bool is_free(uint16_t port)
{
	struct sockaddr_in address = loopback(port);
	int one = 1, fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	bool is = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0;
	close(fd);
	return is;
}

uint16_t probe_free_port(uint16_t first, uint16_t count)
{
	for (uint16_t i = 0; i < count; i++)
		if (is_free((uint16_t)(first + i)))
			return (uint16_t)(first + i);
	return 0;
}
