/*
 * estimate.c: see estimate.h. The bootstrap draws as many runs as there are, with replacement,
 * takes the median, and does so 2,000 times: the middle 95% of those medians is the interval. It
 * assumes nothing of how runs are distributed, which benchmark runs thank it for: theirs have long
 * tails on one side.
 *
 * Counts are small (a run is minutes of work), so everything is sorted afresh, by Shell's method,
 * in memory on the stack.
 */
#include "lib/core/estimate.h"

#include <math.h>
#include <stddef.h>
#include <string.h>

uint64_t estimate_random_next(struct estimate_random *random)
{
	uint64_t z = random->state += 0x9e3779b97f4a7c15u;
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

uint32_t estimate_random_below(struct estimate_random *random, uint32_t bound)
{
	/* top 32 bits of number x bound; what favours some results is drawn again (Lemire 2019) */
	uint32_t reject_below = (uint32_t)(-bound) % bound;
	uint64_t product;
	do
		product = (estimate_random_next(random) >> 32) * bound;
	while ((uint32_t)product < reject_below);
	return (uint32_t)(product >> 32);
}

static void sort(double *values, uint32_t count)
{
	for (uint32_t gap = count / 2; gap > 0; gap /= 2)
		for (uint32_t i = gap; i < count; i++) {
			double value = values[i];
			uint32_t at = i;
			for (; at >= gap && values[at - gap] > value; at -= gap)
				values[at] = values[at - gap];
			values[at] = value;
		}
}

static double median_of_sorted(const double *values, uint32_t count)
{
	return count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
}

double estimate_median(const double *values, uint32_t count)
{
	double sorted[ESTIMATE_VALUES_MAX];
	if (count == 0)
		return NAN;
	memcpy(sorted, values, count * sizeof *values);
	sort(sorted, count);
	return median_of_sorted(sorted, count);
}

/* The interval is wrong with a probability of `error`, half of it at each end. */
static struct estimate bootstrap(
    const double *values, uint32_t count, double error, struct estimate_random *random)
{
	double medians[ESTIMATE_RESAMPLES], drawn[ESTIMATE_VALUES_MAX];
	uint32_t tail = (uint32_t)(ESTIMATE_RESAMPLES * error / 2);
	if (count == 0)
		return (struct estimate){ NAN, NAN, NAN, 0 };
	for (uint32_t i = 0; i < ESTIMATE_RESAMPLES; i++) {
		for (uint32_t k = 0; k < count; k++)
			drawn[k] = values[estimate_random_below(random, count)];
		sort(drawn, count);
		medians[i] = median_of_sorted(drawn, count);
	}
	sort(medians, ESTIMATE_RESAMPLES);
	return (struct estimate){
		.median = estimate_median(values, count),
		.low = medians[tail],
		.high = medians[ESTIMATE_RESAMPLES - 1 - tail],
		.count = count,
	};
}

struct estimate estimate_values(
    const double *values, uint32_t count, struct estimate_random *random)
{
	return bootstrap(values, count, ESTIMATE_ERROR, random);
}

/* Logarithms of a / b where both are numbers; returns how many. */
static uint32_t log_ratios(const double *a, const double *b, uint32_t count, double *logarithms)
{
	uint32_t pairs = 0;
	for (uint32_t i = 0; i < count; i++)
		if (a[i] > 0 && b[i] > 0 && isfinite(a[i]) && isfinite(b[i]))
			logarithms[pairs++] = log(a[i] / b[i]);
	return pairs;
}

static struct estimate of_logarithms(struct estimate e)
{
	return (struct estimate){ exp(e.median), exp(e.low), exp(e.high), e.count };
}

struct estimate estimate_ratio(
    const double *a, const double *b, uint32_t count, struct estimate_random *random)
{
	double logarithms[ESTIMATE_VALUES_MAX];
	uint32_t pairs = log_ratios(a, b, count, logarithms);
	return of_logarithms(bootstrap(logarithms, pairs, ESTIMATE_ERROR, random));
}

enum estimate_verdict estimate_verdict(struct estimate ratio, double margin)
{
	if (ratio.count < ESTIMATE_PAIRS_MIN)
		return ESTIMATE_UNDECIDED;
	if (ratio.low >= 1 - margin && ratio.high <= 1 + margin)
		return ESTIMATE_TIE;
	if (ratio.low > 1 + margin)
		return ESTIMATE_HIGHER;
	if (ratio.high < 1 - margin)
		return ESTIMATE_LOWER;
	return ESTIMATE_UNDECIDED;
}

/* How probable Student's t so far from 0, to either side, is by chance: Abramowitz and Stegun
 * 26.7.3 and 26.7.4. */
static double by_chance(double t, uint32_t freedom)
{
	const double half_pi = 1.57079632679489662;
	double cosine_squared = freedom / (freedom + t * t), sine = sqrt(1 - cosine_squared);
	bool odd = freedom % 2;
	double term = odd ? sqrt(cosine_squared) : 1, sum = 0;
	for (uint32_t i = odd; i + 2 <= freedom; i += 2) {
		sum += term;
		term *= cosine_squared * (i + 1) / (i + 2);
	}
	return 1 - (odd ? (atan(t / sqrt(freedom)) + sine * sum) / half_pi : sine * sum);
}

/* Is the mean of the values above `bound`, by Student's t? At least two values. */
static bool is_above(const double *values, uint32_t count, double bound, double error)
{
	double sum = 0, squares = 0;
	for (uint32_t i = 0; i < count; i++)
		sum += values[i];
	double mean = sum / count;
	for (uint32_t i = 0; i < count; i++)
		squares += (values[i] - mean) * (values[i] - mean);
	if (mean <= bound)
		return false;
	double deviation = sqrt(squares / (count - 1) / count);
	return deviation <= 0 || by_chance((mean - bound) / deviation, count - 1) < error;
}

/* How probable it is that so few of the values, or fewer, lie to one side of their true median:
 * the sign test. */
static double by_sign(uint32_t count, uint32_t few)
{
	double ways = 2, sum = 0;
	for (uint32_t i = 0; i < count; i++)
		ways /= 2;
	for (uint32_t i = 0; i <= few; i++) {
		sum += ways;
		ways *= (double)(count - i) / (i + 1);
	}
	return sum;
}

enum estimate_verdict estimate_decide(const double *a, const double *b, uint32_t count,
    double margin, double error, struct estimate_random *random)
{
	double logarithms[ESTIMATE_VALUES_MAX];
	uint32_t pairs = log_ratios(a, b, count, logarithms), within = 0;
	struct estimate ratio = of_logarithms(bootstrap(logarithms, pairs, error, random));
	enum estimate_verdict verdict = estimate_verdict(ratio, margin);
	if (verdict != ESTIMATE_HIGHER && verdict != ESTIMATE_LOWER)
		return verdict;
	bool lower = verdict == ESTIMATE_LOWER;
	double bound = lower ? -log(1 - margin) : log(1 + margin);
	for (uint32_t i = 0; i < pairs; i++) {
		logarithms[i] = lower ? -logarithms[i] : logarithms[i];
		within += logarithms[i] <= bound;
	}
	bool sure = by_sign(pairs, within) <= error || is_above(logarithms, pairs, bound, error);
	return sure ? verdict : ESTIMATE_UNDECIDED;
}

const char *estimate_verdict_name(enum estimate_verdict verdict)
{
	switch (verdict) {
	case ESTIMATE_TIE:
		return "tie";
	case ESTIMATE_HIGHER:
		return "higher";
	case ESTIMATE_LOWER:
		return "lower";
	case ESTIMATE_UNDECIDED:
		break;
	}
	return "undecided";
}

double estimate_modified_z(const double *values, uint32_t count, double value)
{
	double distances[ESTIMATE_VALUES_MAX], sum = 0;
	double median = estimate_median(values, count);
	for (uint32_t i = 0; i < count; i++) {
		distances[i] = fabs(values[i] - median);
		sum += distances[i];
	}
	double deviation = estimate_median(distances, count);
	if (deviation > 0)
		return 0.6745 * (value - median) / deviation;
	return sum > 0 ? (value - median) / (1.253314 * sum / count) : 0;
}
