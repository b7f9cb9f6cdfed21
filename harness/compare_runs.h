/*
 * compare_runs.h: two runs, A and B, server by server and load by load: the ratio B / A over their blocks, and
 * what it allows to say. The statistics are the report's (report_data.h): a difference no larger than
 * what either run's A/A pair shows decides nothing. Pure.
 */
#ifndef COMPARE_RUNS_H
#define COMPARE_RUNS_H

#include "harness/report_data.h"

/* What a run is measured by when it is normalised. */
#define COMPARE_REFERENCE "epoll"

enum compare_outcome {
	COMPARE_TIE,
	COMPARE_UNDECIDED,
	COMPARE_BETTER,
	COMPARE_WORSE,
	COMPARE_LIMITED, /* the load generator was the bottleneck: not ranked */
	COMPARE_LOST,    /* A has figures, B has none: it failed, or is invalid */
	COMPARE_OUTCOMES
};

/* One server, one load, one metric. */
struct compared {
	const struct report_point *a, *b;
	int metric;
	struct estimate ratio; /* b / a */
	enum compare_outcome outcome;
	bool regression;       /* worse, and by more than the threshold; or lost */
};

struct comparisons {
	struct compared *items; /* by load, then server */
	size_t count, cap;
	uint32_t counts[COMPARE_OUTCOMES];
	uint32_t regressions;
	uint32_t only_a, only_b; /* points that the other run has no figures for, but COMPARE_LOST */
};

/*
 * Divides every figure by that of COMPARE_REFERENCE in the same block under the same load. False when
 * the run has none.
 */
bool compare_normalise(struct report_data *data);

/* threshold: 0.05 for 5%. The items end with compare_free(). */
void compare_runs(struct comparisons *c, struct report_data *a, struct report_data *b,
    bool normalised, double threshold);
void compare_free(struct comparisons *c);

/* "tie", "slower", "dearer": the word for it in the metric's own direction. */
const char *compare_word(const struct compared *item);
/* Is it the metric that stands first for its load? */
bool compare_is_first(const struct compared *item);

#endif
