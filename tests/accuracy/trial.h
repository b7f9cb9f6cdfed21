/*
 * trial.h: one run of the load generator against the reference server, and what both of them say
 * of it. What cannot be asked or read ends the test (die).
 */
#ifndef TRIAL_H
#define TRIAL_H

#include <jansson.h>
#include <stdint.h>
#include <sys/types.h>

#include "lib/core/histogram.h"

#define MS_NS UINT64_C(1000000)
#define S_NS UINT64_C(1000000000)

/* Set once by main. */
struct trial_place {
	uint16_t port; /* of the reference server */
	const char *loadgen;
	pid_t server_pid;
	int client_cpu; /* the load generator's */
};
extern struct trial_place trial_place;

struct trial {
	json_t *json; /* the load generator's; for trial_deinit() */
	double rate_per_s;
	struct histogram service, response; /* response: open loop only */
	struct histogram residence, gaps;   /* the server's, since its last /reset */
	long long requests, answered;       /* the server's, in this run */
};

/* Something to ask of the server while the load generator runs; path NULL: nothing. */
struct errand {
	const char *path;
	uint64_t after_ns;
};

/* Runs it with `options` (words between blanks) on `path`; the errand meanwhile. */
void trial_init(struct trial *t, const char *path, struct errand errand, const char *options);
void trial_deinit(struct trial *t);

/* The number json.group.name of the load generator. */
double trial_number(const struct trial *t, const char *group, const char *name);

/* How long the server has been ready to run and had no CPU (schedstat, proc(5)). */
uint64_t trial_server_waited_ns(void);

/* A connection to the server, or -1. */
int trial_dial(void);
/* GET on an open connection: the whole answer into `answer`; its body, NULL when there is none. */
char *trial_ask_on(int fd, const char *path, char *answer, size_t cap);
/* The same on a connection of its own. */
char *trial_ask(const char *path, char *answer, size_t cap);

#endif
