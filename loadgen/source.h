/*
 * source.h: which address of ours a connection starts from. Two connections to one server differ in
 * address or port, and an address has 28,232 ports by default (ip_local_port_range in ip(7)). The
 * whole of 127.0.0.0/8 is this machine's, so a server at 127.x.y.z has clients from as many
 * addresses as they need; towards any other server there is only one. Pure: no socket is touched.
 */
#ifndef LOADGEN_SOURCE_H
#define LOADGEN_SOURCE_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

/* Of one address: half its ports by default, since those of the run before may still be closing. */
enum { SOURCE_CONNECTIONS = 14000 };

/* Is it an IPv4 address of loopback? */
bool source_is_manifold(const struct sockaddr_storage *server);

/*
 * Connection `index` of all, counted from 0, to this server: the first SOURCE_CONNECTIONS start
 * from what the kernel chooses (NULL), as do all to a server elsewhere, the next from 127.0.0.2, and
 * so on upwards: into *source, which is returned.
 */
const struct sockaddr_in *source_choose(const struct sockaddr_storage *server, uint64_t index,
    struct sockaddr_in *source);

#endif
