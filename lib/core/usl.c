/*
 * usl.c: see usl.h. N / X = (1 + a (N - 1) + b N (N - 1)) / g is linear in 1/g, a/g and b/g. With
 * two parameters that must not be negative there are four cases of which are 0; each is solved by
 * itself, and the best that keeps the rule is taken.
 */
#include "lib/core/usl.h"

#include <math.h>

enum { TERMS = 3 };

static double term(int k, double n)
{
	return k == 0 ? 1 : k == 1 ? n - 1 : n * (n - 1);
}

/* Gauss's elimination with pivots; the last column becomes the solution. */
static bool solve(double a[TERMS][TERMS + 1], int size)
{
	for (int col = 0; col < size; col++) {
		int best = col;
		for (int row = col + 1; row < size; row++)
			if (fabs(a[row][col]) > fabs(a[best][col]))
				best = row;
		if (!(fabs(a[best][col]) > 1e-12))
			return false;
		for (int k = 0; k <= size; k++) {
			double swap = a[col][k];
			a[col][k] = a[best][k];
			a[best][k] = swap;
		}
		for (int row = 0; row < size; row++) {
			double factor = a[row][col] / a[col][col];
			for (int k = col; k <= size && row != col; k++)
				a[row][k] -= factor * a[col][k];
		}
	}
	for (int row = 0; row < size; row++)
		a[row][size] /= a[row][row];
	return true;
}

static double residual_of(
    const struct usl *u, const double *n, const double *rate_per_s, uint32_t count)
{
	double sum = 0;
	for (uint32_t i = 0; i < count; i++) {
		double error = usl_rate(u, n[i]) / rate_per_s[i] - 1;
		sum += error * error;
	}
	return sqrt(sum / count);
}

/* With the terms of `used` only. Columns are scaled, since N (N - 1) is 10^8 times the first. */
static bool fit_terms(struct usl *u, const bool used[TERMS], const double *n,
    const double *rate_per_s, uint32_t count)
{
	double a[TERMS][TERMS + 1] = { { 0 } }, scale[TERMS] = { 0 }, found[TERMS] = { 0 };
	int which[TERMS], size = 0;
	for (int k = 0; k < TERMS; k++) {
		if (!used[k])
			continue;
		for (uint32_t i = 0; i < count; i++) {
			double value = term(k, n[i]) * rate_per_s[i] / n[i];
			scale[k] += value * value;
		}
		scale[k] = sqrt(scale[k]);
		which[size++] = k;
		if (!(scale[k] > 0))
			return false;
	}
	for (uint32_t i = 0; i < count; i++)
		for (int row = 0; row < size; row++) {
			double weight = rate_per_s[i] / n[i];
			double left = term(which[row], n[i]) * weight / scale[which[row]];
			for (int col = 0; col < size; col++)
				a[row][col] += left * term(which[col], n[i]) * weight /
				    scale[which[col]];
			a[row][size] += left;
		}
	if (!solve(a, size))
		return false;
	for (int k = 0; k < size; k++)
		found[which[k]] = a[k][size] / scale[which[k]];
	if (!(found[0] > 0) || found[1] < 0 || found[2] < 0)
		return false;
	*u = (struct usl){ 1 / found[0], found[1] / found[0], found[2] / found[0], 0 };
	u->residual = residual_of(u, n, rate_per_s, count);
	return true;
}

bool usl_fit(struct usl *u, const double *n, const double *rate_per_s, uint32_t count)
{
	bool any = false;
	if (count < USL_POINTS_MIN || count > USL_POINTS_MAX)
		return false;
	for (uint32_t i = 0; i < count; i++)
		if (!(n[i] > 0) || !(rate_per_s[i] > 0))
			return false;
	for (int both = 0; both < 4; both++) {
		const bool used[TERMS] = { true, both & 1, both & 2 };
		struct usl one;
		if (!fit_terms(&one, used, n, rate_per_s, count) ||
		    (any && one.residual >= u->residual))
			continue;
		*u = one;
		any = true;
	}
	return any;
}

double usl_rate(const struct usl *u, double n)
{
	return u->per_s * n / (1 + u->contention * (n - 1) + u->coherency * n * (n - 1));
}

double usl_peak(const struct usl *u)
{
	if (u->contention >= 1)
		return 1;
	return u->coherency > 0 ? sqrt((1 - u->contention) / u->coherency) : (double)INFINITY;
}
