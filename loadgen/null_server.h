/*
 * null_server.h: a server that does nothing, to measure the client with: any bytes it receives are
 * a request, and all answers are the same. It sends about as many as a server of this project does
 * for GET /, and parses none.
 */
#ifndef LOADGEN_NULL_SERVER_H
#define LOADGEN_NULL_SERVER_H

#include <stdint.h>
#include <sys/types.h>

enum { NULL_SERVER_PROCESSES_MAX = 64 };

struct null_server {
	uint16_t port; /* on 127.0.0.1, of the kernel's choice */
	int process_count;
	pid_t processes[NULL_SERVER_PROCESSES_MAX]; /* which share the port */
};

/*
 * Starts as many processes as there are `cpus`, each on one of them, or more when the connections
 * need more files than these may have. They die with the calling thread. Dies when that fails.
 */
void null_server_start(struct null_server *s, const int *cpus, int cpu_count,
    uint32_t connection_count);
/* How long its processes were ready to run and had no CPU, so far and together. */
uint64_t null_server_waited_ns(const struct null_server *s);

void null_server_stop(struct null_server *s);

#endif
