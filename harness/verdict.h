/*
 * verdict.h: may this cell be believed? The load generator judges itself (its CPU, Little's law);
 * here are the gates that need both sides. Pure.
 */
#ifndef VERDICT_H
#define VERDICT_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/row.h"

struct verdict_facts {
	uint64_t requested;       /* connections asked for, idle ones included */
	uint64_t established;
	uint64_t answered;
	uint64_t completed;       /* inside the measure window */
	uint64_t errors;
	uint64_t offered;         /* open loop: requests due inside the window; else 0 */
	uint64_t carried;         /* due before it, and unanswered when it began */
	uint64_t unfinished;      /* due before its end, and unanswered there */
	bool may_idle;            /* slow clients may hold all places of a pool */
	uint64_t refused;         /* connections the server turned away, by its own count */
	bool has_server_requests;
	uint64_t server_requests; /* over the server's life, without the harness's own */
	uint64_t client_requests; /* sent over the client's life */
	uint64_t in_flight;       /* of these, unanswered at the end */
	int64_t clock_step_ns;    /* by how much BOOTTIME - MONOTONIC grew */
	const char *client_verdict; /* "valid", "client-limited", "invalid" */
	const char *client_reasons; /* joined; "" for none */
	const char *last_words;     /* of the server */
};

/*
 * Sets the row's verdict, reason, and the mark "overloaded" of an open loop that a busy server did
 * not keep up with. The worst finding is the verdict, every finding of that kind its reason.
 */
void verdict_judge(struct row *row, const struct verdict_facts *facts);

#endif
