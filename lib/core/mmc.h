/*
 * mmc.h: the queue of the textbooks, M/M/c: requests come at random (Poisson) at `offered_per_s`,
 * c servers take them in order of arrival, and the time a server needs for one is exponential, of
 * 1 / per_server on average (D. Gross, C. M. Harris, Fundamentals of Queueing Theory, 2.3). With a
 * = offered / per_server and C the probability that one has to wait (Erlang's C), the time t from
 * arrival to answer is longer than t with the probability
 *
 *     exp(-per_server t) (1 + C (1 - exp(-per_server t (c - 1 - a))) / (c - 1 - a))
 *
 * which for c = 1 is exp(-(per_server - offered) t). Pure.
 */
#ifndef MMC_H
#define MMC_H

#include <stdbool.h>
#include <stdint.h>

struct mmc {
	uint32_t servers;        /* c */
	double per_server_per_s; /* what one can do */
	double fixed_s;          /* the way there and back, which is no part of the queue */
	double residual;         /* root of the mean square of model / measured - 1 */
};

/* So much of all answers (quantile) had come within time_s. */
struct mmc_point {
	double offered_per_s;
	double quantile;
	double time_s;
};

enum { MMC_POINTS_MIN = 6 }; /* two parameters */

/* Erlang's C: the probability that a request waits when `load` servers of c are busy on average. */
double mmc_waiting(uint32_t servers, double load);
/* INFINITY when more is offered than the servers can do. */
double mmc_time_s(const struct mmc *m, double offered_per_s, double quantile);
/*
 * The rate of a server and the fixed part that fit best, by the squares of model / measured - 1.
 * False with too few points, or one that is not above 0.
 */
bool mmc_fit(struct mmc *m, uint32_t servers, const struct mmc_point *points, uint32_t count);

#endif
