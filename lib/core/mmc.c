/*
 * mmc.c: see mmc.h. The tail has no inverse for c > 1, so quantiles are found by bisection. The fit
 * searches along the capacity alone, since the fixed part that suits it follows: coarsely over all
 * that is possible, then in ever smaller steps around the best.
 */
#include "lib/core/mmc.h"

#include <math.h>

enum { HALVINGS = 60, COARSE_STEPS = 200, FINE_STEPS = 40 };

double mmc_waiting(uint32_t servers, double load)
{
	double blocked = 1; /* Erlang's B, from that of one server fewer */
	for (uint32_t k = 1; k <= servers; k++)
		blocked = load * blocked / (k + load * blocked);
	return blocked / (1 - load / servers * (1 - blocked));
}

/* The probability that a request stays longer than t. */
static double tail(const struct mmc *m, double load, double waiting, double t_s)
{
	double done = m->per_server_per_s * t_s, spare = m->servers - 1 - load;
	/* the limit where the two rates are equal */
	double wait = fabs(spare) < 1e-9 ? done : (1 - exp(-done * spare)) / spare;
	return exp(-done) * (1 + waiting * wait);
}

/* Of the queue alone. */
static double queue_time_s(const struct mmc *m, double offered_per_s, double quantile)
{
	double load = offered_per_s / m->per_server_per_s;
	if (load >= m->servers)
		return INFINITY;
	if (m->servers == 1)
		return -log(1 - quantile) / (m->per_server_per_s - offered_per_s);
	double waiting = mmc_waiting(m->servers, load), low = 0, high = 1 / m->per_server_per_s;
	while (tail(m, load, waiting, high) > 1 - quantile)
		high *= 2;
	for (int i = 0; i < HALVINGS; i++) {
		double middle = (low + high) / 2;
		if (tail(m, load, waiting, middle) > 1 - quantile)
			low = middle;
		else
			high = middle;
	}
	return high;
}

double mmc_time_s(const struct mmc *m, double offered_per_s, double quantile)
{
	return m->fixed_s + queue_time_s(m, offered_per_s, quantile);
}

/* Sets the fixed part that suits the capacity best, and the residual. */
static void fit_fixed(struct mmc *m, const struct mmc_point *points, uint32_t count)
{
	double above = 0, below = 0, sum = 0;
	for (uint32_t i = 0; i < count; i++) {
		double measured = points[i].time_s;
		double queue = queue_time_s(m, points[i].offered_per_s, points[i].quantile);
		above += (measured - queue) / (measured * measured);
		below += 1 / (measured * measured);
	}
	m->fixed_s = above > 0 ? above / below : 0;
	for (uint32_t i = 0; i < count; i++) {
		double model = mmc_time_s(m, points[i].offered_per_s, points[i].quantile);
		double error = model / points[i].time_s - 1;
		sum += error * error;
	}
	m->residual = sqrt(sum / count);
}

/* Capacity is `most` (1 + exp(spare)): from just above what was offered to a hundred times that. */
static struct mmc fit_at(
    uint32_t servers, double most, double spare, const struct mmc_point *points, uint32_t count)
{
	struct mmc m = { .servers = servers };
	m.per_server_per_s = most / servers * (1 + exp(spare));
	fit_fixed(&m, points, count);
	return m;
}

bool mmc_fit(struct mmc *m, uint32_t servers, const struct mmc_point *points, uint32_t count)
{
	const double least_spare = log(1e-4), most_spare = log(100);
	double most = 0, best = least_spare, step = (most_spare - least_spare) / COARSE_STEPS;
	if (servers == 0 || count < MMC_POINTS_MIN)
		return false;
	for (uint32_t i = 0; i < count; i++) {
		if (!(points[i].offered_per_s > 0) || !(points[i].time_s > 0))
			return false;
		most = points[i].offered_per_s > most ? points[i].offered_per_s : most;
	}
	*m = fit_at(servers, most, best, points, count);
	for (int i = 1; i <= COARSE_STEPS; i++) {
		struct mmc one = fit_at(servers, most, least_spare + i * step, points, count);
		if (one.residual < m->residual) {
			*m = one;
			best = least_spare + i * step;
		}
	}
	for (int i = 0; i < FINE_STEPS; i++) {
		step *= 0.7;
		for (int side = -1; side <= 1; side += 2) {
			struct mmc one = fit_at(servers, most, best + side * step, points, count);
			if (one.residual < m->residual) {
				*m = one;
				best += side * step;
			}
		}
	}
	return true;
}
