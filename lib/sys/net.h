/* net.h: sockets: listen, connect. Functions return a descriptor >= 0 or -errno. */
#ifndef NET_H
#define NET_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * An IPv4 or IPv6 address with port from a numeric or resolvable host. 0, or a getaddrinfo code
 * (gai_strerror).
 */
int net_resolve(const char *host, uint16_t port, struct sockaddr_storage *address, socklen_t *len);

struct net_address {
	struct sockaddr_storage address;
	socklen_t len;
};
/*
 * All of them, in the system's order of preference: at most `cap` into list, *count how many. As
 * net_resolve().
 */
int net_resolve_all(const char *host, uint16_t port, struct net_address *list, int cap, int *count);

/*
 * A listening TCP socket: SO_REUSEADDR, TCP_NODELAY (accepted sockets inherit it), close-on-exec,
 * blocking or not. reuse_port lets several workers listen on one port, the kernel spreading
 * connections over them.
 */
int net_listen(const struct sockaddr_storage *address, socklen_t len, int backlog, bool reuse_port, bool nonblocking);

/*
 * Starts a non-blocking connect; writability tells that it ended, net_socket_error() how. From
 * `source`, an IPv4 address whose port the kernel chooses (port 0), or NULL: it chooses both. Its
 * receive buffer has about receive_cap bytes (SO_RCVBUF in socket(7): the other end feels it only
 * if it is set before); 0: as the kernel likes.
 */
int net_connect(const struct sockaddr_storage *address, socklen_t len,
    const struct sockaddr_in *source, int receive_cap);
/* SO_ERROR as -errno, 0 for none. */
int net_socket_error(int fd);

#endif
