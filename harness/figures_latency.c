/*
 * figures_latency.c: the hockey stick. A panel for each server: p50, p99 and p99.9 over the rate
 * that was offered to it, the limit (SLO), and below what share of what came due was answered.
 */
#include "harness/figures.h"

#include <math.h>
#include <string.h>

#include "harness/report_fits.h"
#include "harness/report_ramp.h"

enum { PANEL_HEIGHT = 290, MODEL_STEPS = 48 };

static const struct {
	const char *name;
	int metric;
} parts[] = {
	{ "p50", METRIC_P50_US },
	{ "p99", METRIC_P99_US },
	{ "p99.9", METRIC_P99_9_US },
};
enum { PARTS = sizeof(parts) / sizeof(*parts) };

static void write_point(
    FILE *tsv, struct figure_head *h, const struct report_point *p, size_t part)
{
	struct estimate e = p->metric[parts[part].metric];
	double offered = p->cells->metric[METRIC_OFFERED_PER_S];
	fprintf(tsv, "%s\t%s", p->cells->server->name, parts[part].name);
	figures_put_value(tsv, offered);
	figures_put_value(tsv, e.median);
	figures_put_value(tsv, e.low);
	figures_put_value(tsv, e.high);
	fprintf(tsv, "\t%zu\t%s", p->usable_count, verdict_names[p->verdict]);
	figures_put_value(tsv, p->metric[METRIC_ACHIEVED_SHARE].median);
	fprintf(tsv, "\t%ld\n", p->cells->level_percent);
	if (!e.count)
		return;
	h->x_max = fmax(h->x_max, offered);
	h->y_min = fmin(h->y_min, e.low);
	h->y_max = fmax(h->y_max, e.high);
}

/* The queue that fits, to where it leaves the picture; steps shrink towards its capacity. */
static void write_model(struct report_data *data, const struct report_server *server,
    double offered_max, double us_max, FILE *tsv)
{
	static const struct {
		const char *name;
		double quantile;
	} lines[] = { { "model-p50", 0.5 }, { "model-p99", 0.99 } };
	struct mmc mmc;
	if (!report_fit_mmc(data, server, &mmc) || mmc.residual > REPORT_FIT_GOOD)
		return;
	double capacity = mmc.per_server_per_s * mmc.servers;
	for (size_t k = 0; k < sizeof(lines) / sizeof(*lines); k++)
		for (int i = 1; i <= MODEL_STEPS; i++) {
			double left = 1 - (double)i / MODEL_STEPS;
			double offered = capacity * (1 - left * left * left);
			double us = mmc_time_s(&mmc, offered, lines[k].quantile) * 1e6;
			if (us > us_max || offered > offered_max)
				break;
			fprintf(tsv, "%s\t%s\t%.9g\t%.9g\t\t\t\tM/M/%u\t\t\n", server->name,
			    lines[k].name, offered, us, mmc.servers);
		}
}

/* What stands at a panel's corner: how far the server goes, or why there is no line. */
static const char *corner_text(struct report_data *data, const struct report_server *server,
    const struct report_point *first)
{
	struct report_pool *pool = &data->pool;
	struct report_slo slo = report_slo(data, server);
	if (slo.kept)
		return report_printf(pool, "p99 in time up to %s/s",
		    report_value(pool, REPORT_RATE, slo.kept->metric[METRIC_OFFERED_PER_S].median));
	if (slo.known)
		return "p99 in time at no rate";
	if (report_usable(slo.broken))
		return REPORT_FEW_ANSWERS;
	return *first->reason ? first->reason : verdict_names[first->verdict];
}

static void take_server(
    struct report_data *data, struct figure_head *h, const struct report_server *server, FILE *tsv)
{
	const struct report_point *points[REPORT_RAMP_MAX];
	size_t count = report_ramp(data, "latency", server, points);
	for (size_t part = 0; part < PARTS; part++)
		for (size_t i = 0; i < count; i++)
			write_point(tsv, h, points[i], part);
	if (!count || h->server_count == FIGURE_SERVERS_MAX)
		return;
	h->servers[h->server_count++] = server;
	h->ends[h->end_count++] = (struct figure_end){
		.server = server, .text = "", .stop = corner_text(data, server, points[0])
	};
}

static void set_head(struct report_data *data, struct figure_head *h)
{
	double slo_us = report_slo_us(data);
	h->x_max = h->x_max > 0 ? h->x_max * 1.06 : 1;
	h->y_log = true;
	h->y_min = pow(10, floor(log10(isfinite(h->y_min) && h->y_min > 1 ? h->y_min : 1)));
	h->y_max = pow(10, ceil(log10(fmax(fmax(h->y_max, slo_us * 1.01), h->y_min * 10))));
	for (size_t i = 0; i < h->end_count; i++)
		h->ends[i].y = h->y_min;
	h->extra = report_printf(&data->pool,
	    "slo = %.9g\nx_tics = \"set xtics %s\"\nx_tics_bare = \"set xtics %s\"\ny_tics = \"set "
	    "ytics %s\"\ny_tics_bare = \"set ytics %s\"\n",
	    slo_us, figures_rate_tics(data, h->x_max, true),
	    figures_rate_tics(data, h->x_max, false),
	    figures_time_tics(data, h->y_min, h->y_max, true),
	    figures_time_tics(data, h->y_min, h->y_max, false));
}

bool figures_latency(struct report_data *data, const char *plots, struct figures *figures)
{
	struct figure_head h = { .name = "latency", .script = "latency.gp", .panels = true,
		.panel_height = PANEL_HEIGHT, .y_min = INFINITY };
	FILE *tsv = figures_open(plots, data, h.name, "tsv");
	if (!tsv)
		return false;
	fputs("server\tpart\toffered_per_s\tmedian\tlow\thigh\truns\tverdict\tachieved\tpercent\n",
	    tsv);
	for (size_t i = 0; i < data->server_count; i++)
		take_server(data, &h, &data->servers[i], tsv);
	figures->item[figures->count++] = (struct figure){
		.name = h.name,
		.title = "Latency over offered rate",
		.see = "Requests come at random at the rate below, from a tenth of what the server "
		       "can do to more than that: p99 solid, median dashed, p99.9 dotted, from "
		       "when they were due. The dashed line is the limit (SLO). The strip tells "
		       "what share of what came due was answered: grey where it is under 99%. "
		       "Thin and dark: the queue M/M/c, where it fits.",
		.misread = "To the right of capacity there is no latency to speak of: the backlog "
			   "grows as long as one looks, so those points are lower bounds that grow "
			   "with the window. How early a line bends is the finding.",
		.empty = !(h.y_max > 0),
	};
	set_head(data, &h);
	for (size_t i = 0; i < h.server_count; i++)
		write_model(data, h.servers[i], h.x_max, h.y_max, tsv);
	return figures_close(tsv, h.name) && figures_write_script(plots, data, &h);
}
