/*
 * calibrate.h: --calibrate: what the load generator can do on this host when the server does
 * nothing (its ceiling), and what it adds to the times it reports (its own error). Both are
 * measured with the same code as any run, against the null server.
 */
#ifndef LOADGEN_CALIBRATE_H
#define LOADGEN_CALIBRATE_H

#include <stdint.h>

#include "options.h"

struct quantiles {
	int64_t p50_ns;
	int64_t p99_ns;
};

struct calibration {
	double ceiling_per_s;  /* closed loop, connections and workers as in the run ... */
	double ceiling_cpu_us; /* ... client CPU for each of these requests */
	struct quantiles round_trip; /* of a program that sends and blocks until it is answered */
	struct quantiles closed;     /* what the load generator says of that: one connection */
	struct quantiles send_lag;   /* of an open loop with time to spare, as --arrivals says */
	double run_delay_share; /* a worker, or the server, had to wait so long for its CPU */
};

/* closed - round_trip: may be below 0, by chance. */
static inline struct quantiles calibration_error(const struct calibration *c)
{
	return (struct quantiles){ c->closed.p50_ns - c->round_trip.p50_ns,
		c->closed.p99_ns - c->round_trip.p99_ns };
}

/* For a run with these options, in about two seconds. The signal that ended it, or 0. */
int calibrate(const struct options *o, struct calibration *c);

/* Prints all for -c connections, or for the usual counts if none were given; returns as above. */
int calibrate_host(const struct options *o);

/* Two lines for the report of a run that achieved this rate. */
void calibration_print(const struct calibration *c, double rate_per_s);

#endif
