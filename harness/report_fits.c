/* report_fits.c: see report_fits.h. */
#include "harness/report_fits.h"

#include <math.h>

#include "harness/report_ramp.h"

bool report_fit_usl(
    const struct report_data *data, const struct report_server *server, struct usl *usl)
{
	const struct report_point *points[REPORT_RAMP_MAX];
	double n[REPORT_RAMP_MAX], rate_per_s[REPORT_RAMP_MAX];
	uint32_t used = 0;
	size_t count = report_ramp(data, "throughput", server, points);
	for (size_t i = 0; i < count; i++) {
		if (!report_usable(points[i]))
			continue;
		if (points[i]->verdict == VERDICT_CLIENT_LIMITED)
			return false;
		n[used] = (double)points[i]->cells->connections;
		rate_per_s[used++] = points[i]->metric[METRIC_RATE_PER_S].median;
	}
	return usl_fit(usl, n, rate_per_s, used);
}

/* Threads that serve, as far as they have a CPU each. */
static uint32_t server_count(const struct report_data *data, const struct report_point *p)
{
	double threads = p->metric[METRIC_THREADS].median;
	uint32_t cpus = 1;
	for (const char *ch = report_key(data, "server_cpus"); *ch; ch++)
		cpus += *ch == ',';
	return threads < cpus ? (uint32_t)fmax(threads, 1) : cpus;
}

bool report_fit_mmc(
    const struct report_data *data, const struct report_server *server, struct mmc *mmc)
{
	const struct report_point *points[REPORT_RAMP_MAX];
	struct mmc_point samples[2 * REPORT_RAMP_MAX];
	uint32_t used = 0, servers = 1;
	size_t count = report_ramp(data, "latency", server, points);
	for (size_t i = 0; i < count; i++) {
		const struct report_point *p = points[i];
		if (p->verdict != VERDICT_VALID || !report_kept_up(p)
		    || !p->metric[METRIC_P50_US].count || !p->metric[METRIC_P99_US].count)
			continue;
		double offered = p->metric[METRIC_OFFERED_PER_S].median;
		samples[used++] = (struct mmc_point){ offered, 0.5,
			p->metric[METRIC_P50_US].median / 1e6 };
		samples[used++] = (struct mmc_point){ offered, 0.99,
			p->metric[METRIC_P99_US].median / 1e6 };
		servers = server_count(data, p);
	}
	return mmc_fit(mmc, servers, samples, used);
}
