/*
 * figures_tics.c: marks of an axis as people write them, where gnuplot's own would not do.
 */
#include "harness/figures.h"

#include <math.h>

const char *figures_time_tics(struct report_data *data, double min, double max, bool told)
{
	struct report_pool *pool = &data->pool;
	const char *tics = "";
	for (double us = 1; us <= max; us *= 10) {
		if (us < min)
			continue;
		const char *label = us < 1e3 ? report_printf(pool, "%gus", us)
		    : us < 1e6               ? report_printf(pool, "%gms", us / 1e3)
					     : report_printf(pool, "%gs", us / 1e6);
		tics = report_printf(
		    pool, "%s%s'%s' %.0f", tics, *tics ? ", " : "", told ? label : "", us);
	}
	return report_printf(pool, "(%s)", tics);
}

const char *figures_rate_tics(struct report_data *data, double max, bool told)
{
	struct report_pool *pool = &data->pool;
	double step = pow(10, floor(log10(max)));
	step = max / step < 2 ? step / 2 : max / step < 5 ? step : step * 2;
	const char *tics = "";
	for (double x = 0; x <= max; x += step) {
		const char *label = report_printf(
		    pool, "%g%s", x < 1000 ? x : x / 1000, x < 1000 ? "" : "k");
		tics = report_printf(
		    pool, "%s%s'%s' %.0f", tics, *tics ? ", " : "", told ? label : "", x);
	}
	return report_printf(pool, "(%s)", tics);
}
