/* report_ramp.c: see report_ramp.h. */
#include "harness/report_ramp.h"

#include <stdlib.h>
#include <string.h>

#define ACHIEVED_LEAST 0.99

size_t report_ramp(const struct report_data *data, const char *experiment,
    const struct report_server *server, const struct report_point *points[REPORT_RAMP_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < data->point_count && count < REPORT_RAMP_MAX; i++) {
		const struct report_point *p = &data->points[i];
		if (p->cells->twin || p->cells->server != server
		    || strcmp(p->cells->experiment, experiment))
			continue;
		size_t at = count++; /* without a rate they stay as they are: nothing exceeds NAN */
		for (; at > 0 && points[at - 1]->cells->metric[METRIC_OFFERED_PER_S]
			     > p->cells->metric[METRIC_OFFERED_PER_S];
		     at--)
			points[at] = points[at - 1];
		points[at] = p;
	}
	return count;
}

bool report_kept_up(const struct report_point *p)
{
	return p->metric[METRIC_ACHIEVED_SHARE].median >= ACHIEVED_LEAST;
}

double report_slo_us(const struct report_data *data)
{
	return strtod(report_key(data, "slo_us"), NULL);
}

struct report_slo report_slo(const struct report_data *data, const struct report_server *server)
{
	const struct report_point *points[REPORT_RAMP_MAX];
	size_t count = report_ramp(data, "latency", server, points);
	double limit_us = report_slo_us(data);
	struct report_slo slo = { .kept = NULL };
	for (size_t i = 0; i < count; i++) {
		const struct estimate *p99 = &points[i]->metric[METRIC_P99_US];
		bool known = report_usable(points[i]) && (p99->count || !report_kept_up(points[i]));
		if (p99->count && p99->high <= limit_us && report_kept_up(points[i]))
			slo = (struct report_slo){ .kept = points[i] };
		else if (!slo.broken)
			slo.broken = points[i], slo.known = known;
		if (known && slo.broken)
			break;
	}
	return slo;
}
