/*
 * report_models.c: the tables below two figures: what the scalability law says of each server, and
 * up to which rate each keeps its latency, beside what a queue would.
 */
#include "harness/report_sections.h"

#include <math.h>
#include <string.h>

#include "harness/report_fits.h"
#include "harness/report_ramp.h"

static const char *fit_words(struct report *r, double residual)
{
	return report_printf(&r->data->pool, "%s%s",
	    report_value(&r->data->pool, REPORT_SHARE, residual),
	    residual <= REPORT_FIT_GOOD ? "" : ", not drawn");
}

static void usl_row(struct report *r, const struct report_server *server, const struct usl *usl)
{
	struct report_pool *pool = &r->data->pool;
	double peak = usl_peak(usl);
	report_cell(r->doc, report_name(r, server));
	report_cell_number(r->doc, usl->per_s, report_value(pool, REPORT_RATE, usl->per_s));
	report_cell_number(r->doc, usl->contention, report_printf(pool, "%.3g", usl->contention));
	report_cell_number(r->doc, usl->coherency, report_printf(pool, "%.2g", usl->coherency));
	report_cell_number(r->doc, peak, isfinite(peak) ? report_whole(pool, round(peak)) : "none");
	report_cell_number(r->doc, usl->residual, fit_words(r, usl->residual));
}

void report_table_usl(struct report *r)
{
	static const struct report_column columns[] = { { "server", false },
		{ "one connection alone", true }, { "contention", true }, { "coherency", true },
		{ "peak at", true }, { "residual", true } };
	size_t count = 0;
	report_table_begin(r->doc, columns, sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; i < r->data->server_count; i++) {
		struct usl usl;
		if (!report_fit_usl(r->data, &r->data->servers[i], &usl))
			continue;
		usl_row(r, &r->data->servers[i], &usl);
		count++;
	}
	if (!count) {
		report_paragraph(r->doc, NULL,
		    report_printf(&r->data->pool,
			"No scalability law is fitted: that takes %d numbers of connections, none "
			"of them client-limited (the plan `full` has 5).", USL_POINTS_MIN));
		return;
	}
	report_details_begin(r->doc, "The universal scalability law, fitted", true);
	report_paragraph(r->doc, NULL,
	    report_printf(&r->data->pool,
		"X(N) = g N / (1 + a (N - 1) + b N (N - 1)) (Gunther): g is what one connection "
		"gets, contention a what is done one after the other, coherency b what each pair "
		"costs to be kept in step. Thin in the figure where it fits within %g%%; the "
		"residual is the root mean square of model / measured - 1. Few points and three "
		"parameters: a good fit is a description, no proof.", REPORT_FIT_GOOD * 100));
	report_table_end(r->doc, "sortable compact", true);
	report_details_end(r->doc);
}

/* A rate of the ramp, what it is of the capacity, and the p99 there. */
static void slo_cells(struct report *r, const struct report_point *p)
{
	struct report_pool *pool = &r->data->pool;
	if (!p) {
		report_cell_number(r->doc, (double)NAN, "-");
		report_cell_number(r->doc, (double)NAN, "-");
		return;
	}
	double offered = p->cells->metric[METRIC_OFFERED_PER_S];
	const char *rate = report_value(pool, REPORT_RATE, offered);
	if (p->cells->level_percent)
		rate = report_printf(pool, "%s (%ld%%)", rate, p->cells->level_percent);
	struct estimate p99 = p->metric[METRIC_P99_US];
	report_cell_number(r->doc, offered, rate);
	report_cell_number(r->doc, p99.count ? p99.median : (double)NAN,
	    p99.count ? report_interval(pool, REPORT_US, p99)
		: report_usable(p) ? "too few answers" : verdict_names[p->verdict]);
}

void report_table_slo(struct report *r)
{
	static const struct report_column columns[] = { { "server", false },
		{ "keeps it up to", true }, { "p99 there", true }, { "next rate", true },
		{ "p99 there", true }, { "M/M/c: capacity", true }, { "residual", true } };
	struct report_pool *pool = &r->data->pool;
	report_table_begin(r->doc, columns, sizeof(columns) / sizeof(*columns));
	for (size_t i = 0; i < r->data->server_count; i++) {
		const struct report_server *server = &r->data->servers[i];
		struct report_slo slo = report_slo(r->data, server);
		struct mmc mmc;
		if (!slo.kept && !slo.broken)
			continue;
		report_cell(r->doc, report_name(r, server));
		slo_cells(r, slo.kept);
		slo_cells(r, slo.broken);
		bool fits = report_fit_mmc(r->data, server, &mmc);
		double capacity = fits ? mmc.per_server_per_s * mmc.servers : (double)NAN;
		report_cell_number(r->doc, capacity, report_value(pool, REPORT_RATE, capacity));
		report_cell_number(r->doc, fits ? mmc.residual : (double)NAN,
		    fits ? fit_words(r, mmc.residual) : "too few rates");
	}
	report_paragraph(r->doc, NULL,
	    report_printf(pool,
		"The rate up to which p99, all of its interval, stays under %s at every rate "
		"measured, and the next one, where it does not. The queue M/M/c (one server for each "
		"thread that has a CPU) is fitted to p50 and p99 of the rates the server kept up "
		"with, and drawn where it is within %g%%. Common reasons why it is not: a loop "
		"serves what has come in batches, cheaper the more there is; a scheduler takes "
		"turns of its own instead of the order of arrival.",
		report_value(pool, REPORT_US, report_slo_us(r->data)), REPORT_FIT_GOOD * 100));
	report_table_end(r->doc, "sortable compact", true);
}
