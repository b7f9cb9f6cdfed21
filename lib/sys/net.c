/*
 * net.c: TCP sockets as this project wants them, in one place: close-on-exec, so that no child
 * holds a port; TCP_NODELAY, so that Nagle's algorithm never waits for an acknowledgement
 * (tcp(7)). The rest of a socket's life is read, written and closed by whoever owns the file.
 */
#include "lib/sys/net.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int net_resolve_all(const char *host, uint16_t port, struct net_address *list, int cap, int *count)
{
	char service[8];
	snprintf(service, sizeof service, "%u", port);
	struct addrinfo hints = {
		.ai_family = AF_UNSPEC,
		.ai_socktype = SOCK_STREAM,
		.ai_flags = AI_NUMERICSERV,
	};
	struct addrinfo *found;
	int error = getaddrinfo(host, service, &hints, &found);
	if (error)
		return error;
	*count = 0;
	for (const struct addrinfo *a = found; a && *count < cap; a = a->ai_next) {
		memcpy(&list[*count].address, a->ai_addr, a->ai_addrlen);
		list[(*count)++].len = a->ai_addrlen;
	}
	freeaddrinfo(found);
	return 0;
}

int net_resolve(const char *host, uint16_t port, struct sockaddr_storage *address, socklen_t *len)
{
	struct net_address first;
	int count;
	int error = net_resolve_all(host, port, &first, 1, &count);
	if (error)
		return error;
	*address = first.address;
	*len = first.len;
	return 0;
}

static int open_socket(int family, bool nonblocking)
{
	int type = SOCK_STREAM | SOCK_CLOEXEC | (nonblocking ? SOCK_NONBLOCK : 0);
	int fd = socket(family, type, IPPROTO_TCP);
	if (fd < 0)
		return -errno;
	/* a speed-up, not a promise: a socket that lacks it still works */
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	return fd;
}

static int close_with(int fd, int error)
{
	close(fd);
	return -error;
}

int net_listen(const struct sockaddr_storage *address, socklen_t len, int backlog, bool reuse_port,
    bool nonblocking)
{
	int fd = open_socket(address->ss_family, nonblocking);
	if (fd < 0)
		return fd;
	int on = 1;
	/* a port whose old connections are still in TIME_WAIT may be bound again */
	if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) < 0)
		return close_with(fd, errno);
	if (reuse_port && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) < 0)
		return close_with(fd, errno);
	if (bind(fd, (const struct sockaddr *)address, len) < 0 || listen(fd, backlog) < 0)
		return close_with(fd, errno);
	return fd;
}

int net_connect(const struct sockaddr_storage *address, socklen_t len,
    const struct sockaddr_in *source, int receive_cap)
{
	int fd = open_socket(address->ss_family, true);
	if (fd < 0)
		return fd;
	if (receive_cap
	    && setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_cap, sizeof receive_cap) < 0)
		return close_with(fd, errno);
	if (source) {
		/* the port comes with connect(): towards another end it may be used again */
		if (setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){ 1 }, sizeof(int)) < 0
		    || bind(fd, (const struct sockaddr *)source, sizeof *source) < 0)
			return close_with(fd, errno);
	}
	if (connect(fd, (const struct sockaddr *)address, len) < 0 && errno != EINPROGRESS)
		return close_with(fd, errno);
	return fd;
}

int net_socket_error(int fd)
{
	int error = 0;
	socklen_t len = sizeof error;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		return -errno;
	return -error;
}
