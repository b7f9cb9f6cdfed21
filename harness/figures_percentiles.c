/*
 * figures_percentiles.c: service time by percentile, one figure per load. The blocks' histograms
 * are decoded from the load generator's JSON and merged: percentiles are never averaged. A curve
 * stops where fewer than 10 samples lie beyond, since what is further right would be the luck of
 * single requests.
 */
#include "harness/figures.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/histogram.h"
#include "lib/sys/hdrlog.h"

enum { SAMPLES_BEYOND_MIN = 10, STEPS_PER_DECADE = 16, STEPS_LAST = 5 * STEPS_PER_DECADE };

/* Adds one cell's service times to `into`; false when the cell has none. */
static bool merge_cell(
    const struct report_cell_row *cell, struct histogram *into, struct histogram *scratch)
{
	json_t *root = json_loads(cell->loadgen, 0, NULL);
	json_t *service = json_object_get(json_object_get(root, "latency_ns"), "service");
	const char *text = json_string_value(json_object_get(service, "hdr"));
	bool merged = text && hdrlog_decode((struct slice){ text, strlen(text) }, scratch) == 0;
	if (merged)
		histogram_merge(into, scratch);
	json_decref(root);
	return merged;
}

/* x = 1/(1-p): the median, then even steps on the log axis. */
static double step_inverse(int step)
{
	return step == 0 ? 2 : pow(10, (double)step / STEPS_PER_DECADE);
}

static void write_curve(FILE *tsv, struct figure_head *h, struct report_data *data,
    const struct report_point *p, const struct histogram *all)
{
	struct figure_end end = { .server = p->cells->server, .text = "" };
	for (int step = 0; step <= STEPS_LAST; step = step ? step + 1 : STEPS_PER_DECADE / 3 + 1) {
		double inverse = step_inverse(step), quantile = 1 - 1 / inverse;
		uint64_t value_ns = histogram_quantile_ns(all, quantile);
		/* the quantile's own rank, not the bucket's upper end: a bucket of many ties ends
		 * no curve early */
		double beyond = (double)all->count / inverse;
		if (beyond < SAMPLES_BEYOND_MIN)
			break;
		double us = (double)value_ns / 1e3;
		fprintf(tsv, "%s\t%ld\t%.9g\t%.6g\t%.6g\t%.0f\n", p->cells->server->name,
		    p->cells->connections, quantile, inverse, us, beyond);
		h->y_min = us > 0 && us < h->y_min ? us : h->y_min;
		h->y_max = us > h->y_max ? us : h->y_max;
		end.x = inverse;
		end.y = us;
		end.text = report_value(&data->pool, REPORT_US, us);
	}
	if (h->end_count < FIGURE_SERVERS_MAX && *end.text)
		h->ends[h->end_count++] = end;
}

static bool one_load(
    struct report_data *data, const char *plots, const char *name, long connections)
{
	FILE *tsv = figures_open(plots, data, name, "tsv");
	if (!tsv)
		return false;
	struct figure_head h = { .name = name,
		.script = "percentiles.gp",
		.x_min = 1.8,
		.x_max = 1.2e5,
		.y_min = INFINITY };
	struct histogram *all = report_alloc(sizeof(*all)),
			 *scratch = report_alloc(sizeof(*scratch));
	fputs("server\tconnections\tquantile\tinverse\tlatency_us\tbeyond\n", tsv);
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_point *p = &data->points[i];
		if (p->cells->twin || p->cells->connections != connections
		    || strcmp(p->cells->experiment, "throughput"))
			continue;
		if (h.server_count < FIGURE_SERVERS_MAX)
			h.servers[h.server_count++] = p->cells->server;
		bool any = false;
		histogram_init(all);
		for (size_t k = 0; k < p->cell_count; k++)
			if (p->cells[k].verdict <= VERDICT_CLIENT_LIMITED
			    && merge_cell(&p->cells[k], all, scratch))
				any = true;
		if (any)
			write_curve(tsv, &h, data, p, all);
		else if (h.end_count < FIGURE_SERVERS_MAX)
			h.ends[h.end_count++] = (struct figure_end){ .server = p->cells->server,
				.x = h.x_min,
				.text = "",
				.stop = *p->reason ? p->reason : verdict_names[p->verdict] };
	}
	free(all);
	free(scratch);
	h.y_log = true;
	h.y_min = isfinite(h.y_min) ? h.y_min / 1.5 : 10;
	h.y_max = h.y_max > h.y_min ? h.y_max * 1.5 : h.y_min * 100;
	if (h.y_max < h.y_min * 20) { /* whole powers of ten, or the axis has no label */
		h.y_min = pow(10, floor(log10(h.y_min)));
		h.y_max = pow(10, ceil(log10(h.y_max)));
	}
	for (size_t i = 0; i < h.end_count; i++)
		h.ends[i].y = h.ends[i].stop ? h.y_min : h.ends[i].y;
	/* the axis is in seconds, so that its labels carry a unit */
	h.extra = report_printf(&data->pool,
	    "load_note = '%s connections, all blocks merged'\ny_min = %.9g\ny_max = %.9g\n",
	    report_whole(&data->pool, (double)connections), h.y_min / 1e6, h.y_max / 1e6);
	return figures_close(tsv, name) && figures_write_script(plots, data, &h);
}

bool figures_percentiles(struct report_data *data, const char *plots, struct figures *figures)
{
	long loads[FIGURES_MAX];
	size_t count = 0;
	for (size_t i = 0; i < data->point_count; i++) { /* in order of connections */
		const struct report_cell_row *cell = data->points[i].cells;
		if (strcmp(cell->experiment, "throughput")
		    || (count && loads[count - 1] == cell->connections))
			continue;
		if (count < 16)
			loads[count++] = cell->connections;
	}
	for (size_t i = count; i-- > 0;) { /* the largest load first: there the models differ */
		const char *name = report_printf(&data->pool, "percentiles-%ld", loads[i]);
		if (!one_load(data, plots, name, loads[i]))
			return false;
		figures->item[figures->count++] = (struct figure){
			.name = name,
			.title
			= report_printf(&data->pool, "Service time by percentile, %s connections",
			    report_whole(&data->pool, (double)loads[i])),
			.see = "Each step to the right asks for one request in ten times as many: "
			       "a line that bends up late has a tail, and the height at 50% is "
			       "what most requests see.",
			.misread = "In a closed loop a server that answers some connections "
				   "quickly and starves others looks good here; read it together "
				   "with the starved connections below.",
			.folded = i + 2 < count,
		};
	}
	return true;
}
