/*
 * usl.h: the universal scalability law, fitted to measured rates (N. J. Gunther, A General Theory
 * of Computational Scalability Based on Rational Functions, arXiv:0808.1431):
 *
 *     X(N) = per_s N / (1 + contention (N - 1) + coherency N (N - 1))
 *
 * Without the two losses N connections get N times what one gets. Contention is what is done one
 * after the other: X then has the ceiling per_s / contention. Coherency is what each pair costs to
 * be kept in step: X then has a peak, at sqrt((1 - contention) / coherency), and falls beyond it.
 * Pure.
 */
#ifndef USL_H
#define USL_H

#include <stdbool.h>
#include <stdint.h>

struct usl {
	double per_s;      /* gamma */
	double contention; /* alpha, >= 0 */
	double coherency;  /* beta, >= 0 */
	double residual;   /* root of the mean square of X(N) / measured - 1; 0.05: within 5% */
};

enum { USL_POINTS_MIN = 4, USL_POINTS_MAX = 64 }; /* three parameters go through any three points */

/*
 * Least squares of N / X, which is linear in the parameters, each point weighed by its own size;
 * of the parameters that are not negative the best. False with too few or too many points, or when
 * one is not above 0.
 */
bool usl_fit(struct usl *u, const double *n, const double *rate_per_s, uint32_t count);
double usl_rate(const struct usl *u, double n);
/* The N with the highest rate; INFINITY when it never falls. */
double usl_peak(const struct usl *u);

#endif
