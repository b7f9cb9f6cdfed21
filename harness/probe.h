/* probe.h: one request on a connection of its own: is the server ready, and what has it counted? */
#ifndef PROBE_H
#define PROBE_H

#include <stddef.h>
#include <stdint.h>

/*
 * GET `path` from 127.0.0.1:port. Returns the status and writes the body (at most cap - 1 bytes and
 * a NUL); -errno when no whole answer came within timeout_ns.
 */
int probe_get(uint16_t port, const char *path, char *body, size_t cap, uint64_t timeout_ns);

/*
 * A port on 127.0.0.1 that nobody listens on, from `first` upwards through `count` ports; 0 if all
 * are taken.
 */
uint16_t probe_free_port(uint16_t first, uint16_t count);

#endif
