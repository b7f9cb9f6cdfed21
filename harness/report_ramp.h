/*
 * report_ramp.h: a server's points of one experiment in the order of their load, and of a ramp of
 * rates the highest that keeps the service level: p99 under a limit (SLO).
 */
#ifndef REPORT_RAMP_H
#define REPORT_RAMP_H

#include "harness/report_data.h"

enum { REPORT_RAMP_MAX = 64 };

/* The server's own points (no twin's), by offered rate where there is one. Returns how many. */
size_t report_ramp(const struct report_data *data, const char *experiment,
    const struct report_server *server, const struct report_point *points[REPORT_RAMP_MAX]);

/* Did the server answer as many as came? */
bool report_kept_up(const struct report_point *p);

/* A percentile needs 10 answers beyond it, or it is blank. */
#define REPORT_FEW_ANSWERS "too few answers for a p99"

/*
 * A rate keeps the level when all of the interval of its p99 lies under the limit and the server
 * kept up with the rate; and when all lower rates do, too, but those of which nothing is known: no
 * cell is usable, or too few answers came for a p99. No value between two rates is made up: the
 * truth lies between `kept` and `broken`.
 */
struct report_slo {
	const struct report_point *kept;   /* the highest that does; NULL: none does */
	const struct report_point *broken; /* the next, which does not, or is unknown; NULL: none is */
	bool known; /* `broken` has figures that say so */
};
struct report_slo report_slo(const struct report_data *data, const struct report_server *server);
/* The limit in us; 0 for a run without experiment latency. */
double report_slo_us(const struct report_data *data);

#endif
