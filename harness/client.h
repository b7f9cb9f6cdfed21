/*
 * client.h: the load generator as a child process, and the edges of its run. On a socket it writes
 * lines with CLOCK_MONOTONIC nanoseconds; most of them it lets us answer with a byte, and waits for
 * that:
 *
 *     barrier T    every connection is established and was answered once   (waits)
 *     warm T       the warm-up is over but for 100 ms; it goes on      (waits)
 *     measure T    the measure window begins at T, some 50 ms ahead
 *     measured T   it has ended; the load goes on                          (waits)
 */
#ifndef CLIENT_H
#define CLIENT_H

#include <stdint.h>

#include "harness/cells.h"
#include "harness/paths.h"
#include "harness/process.h"

struct client {
	struct process process;
	int sync_fd;
	char line[256];       /* what has come of the next line */
	uint32_t line_len;
	uint64_t event_ns;    /* the load generator's time in the last event */
};

struct client_options {
	const char *program;
	const char *json_path;     /* where it writes its result */
	const char *series_path;   /* and its course in time; NULL: not wanted */
	const char *hlog_path;
	const char *mix_path;      /* experiment mixed: what it asks for */
	const struct cell *cell;
	const struct cpu_list *cpus;
	uint16_t port;
	int log_fd;
};

enum client_event {
	CLIENT_NOTHING,  /* the time given has passed */
	CLIENT_BARRIER,
	CLIENT_WARM,
	CLIENT_MEASURE,
	CLIENT_MEASURED,
	CLIENT_ENDED,    /* it has closed the socket: its result is written, or never will be */
};

/* 0 or -errno. */
int client_start(struct client *c, const struct client_options *options);
/* Waits for the next event, at most timeout_ns; less when a signal comes. */
enum client_event client_wait(struct client *c, uint64_t timeout_ns);
/* Lets it go on after CLIENT_BARRIER, CLIENT_WARM or CLIENT_MEASURED. */
void client_answer(struct client *c);
/* Ends it if it still runs, and reaps it. */
void client_stop(struct client *c);

#endif
