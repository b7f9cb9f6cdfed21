/* source.c: see source.h. */
#include "source.h"

#include <arpa/inet.h>
#include <stddef.h>

bool source_is_manifold(const struct sockaddr_storage *server)
{
	const struct sockaddr_in *address = (const struct sockaddr_in *)server;
	return server->ss_family == AF_INET
	    && ntohl(address->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
}

const struct sockaddr_in *source_choose(const struct sockaddr_storage *server, uint64_t index,
    struct sockaddr_in *source)
{
	uint32_t number = (uint32_t)(index / SOURCE_CONNECTIONS);
	if (number == 0 || !source_is_manifold(server))
		return NULL;
	*source = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK + number),
	};
	return source;
}
