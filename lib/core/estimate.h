/*
 * estimate.h: what a handful of runs say about a server, and how sure that is. The unit is a run,
 * not a request. A figure is a median with the percentile bootstrap's 95% interval (Efron and
 * Tibshirani, An Introduction to the Bootstrap, 13.3); two servers are compared by their ratio
 * block by block, so what disturbed a whole block disturbs both and cancels.
 *
 * With fewer than 6 runs the interval of a median is simply their range, and covers the truth with
 * a probability of 1 - 2^(1-count): 94% for 5, 75% for 3. That is too little to rank by, so another
 * test must agree; two runs rank nothing: see estimate_decide(). Pure: randomness comes from a
 * seed, so the same runs always give the same interval.
 */
#ifndef ESTIMATE_H
#define ESTIMATE_H

#include <stdbool.h>
#include <stdint.h>

enum {
	ESTIMATE_VALUES_MAX = 256, /* most values (runs, blocks) that any function here takes */
	ESTIMATE_RESAMPLES = 2000, /* bootstrap samples behind an interval */
	ESTIMATE_PAIRS_MIN = 3     /* fewer blocks decide nothing */
};

/* A modified Z score beyond this is flagged, never deleted (hyperfine's threshold). */
#define ESTIMATE_OUTLIER_Z 14.826

/*
 * How often a ranking may be wrong: of one look at the runs; and of a look after each block, any of
 * which may end the measuring. Many looks find by chance what one would not, so each must be surer.
 */
#define ESTIMATE_ERROR 0.05
#define ESTIMATE_ERROR_REPEATED 0.005

/* The margins within which two servers tie. */
#define ESTIMATE_MARGIN_RATE 0.02    /* throughput, CPU */
#define ESTIMATE_MARGIN_LATENCY 0.05 /* p99 */

/* low <= median <= high; all three NAN when count is 0. */
struct estimate {
	double median;
	double low;
	double high;
	uint32_t count;
};

enum estimate_verdict {
	ESTIMATE_UNDECIDED, /* the interval crosses a margin's edge, or the blocks are too few */
	ESTIMATE_TIE,       /* the whole interval lies within 1 +- margin */
	ESTIMATE_HIGHER,    /* it lies above: faster for a rate, slower for a latency */
	ESTIMATE_LOWER
};

/* splitmix64 (Steele, Lea, Flood 2014): any seed is good, the next number is its hash. */
struct estimate_random {
	uint64_t state;
};
uint64_t estimate_random_next(struct estimate_random *random);
/* Uniform in 0..bound-1, without bias; bound >= 1. */
uint32_t estimate_random_below(struct estimate_random *random, uint32_t bound);

/* Middle value, or the mean of the two middle ones; NAN when count is 0. */
double estimate_median(const double *values, uint32_t count);

/* Median and its 95% interval. */
struct estimate estimate_values(
    const double *values, uint32_t count, struct estimate_random *random);

/*
 * The ratio a / b over blocks: a[i] and b[i] were measured in the same block, both > 0; a pair with
 * a value that is not (a cell that failed) is left out. Computed on logarithms, so that b over a
 * gives the reciprocal.
 */
struct estimate estimate_ratio(
    const double *a, const double *b, uint32_t count, struct estimate_random *random);

/* What a ratio with its interval says at this margin. */
enum estimate_verdict estimate_verdict(struct estimate ratio, double margin);
/*
 * What the ratio a / b over blocks (as above) says at this margin, with an interval that is wrong
 * with a probability of `error`. A bootstrap of few blocks promises too much (of 7 the 95% interval
 * ends at the second block from each end, and misses 1 in 8): a ranking also needs as much of the
 * sign test (how many blocks lie beyond the margin) or of Student's t of the logarithms.
 */
enum estimate_verdict estimate_decide(const double *a, const double *b, uint32_t count,
    double margin, double error, struct estimate_random *random);
/* "tie", "undecided", "higher", "lower" */
const char *estimate_verdict_name(enum estimate_verdict verdict);

/*
 * 0.6745 (value - median) / MAD (Iglewicz and Hoaglin 1993). When more than half of the values are
 * equal and MAD is 0, (value - median) / (1.2533 mean absolute deviation); 0 when all are equal.
 */
double estimate_modified_z(const double *values, uint32_t count, double value);

#endif
