/*
 * report_answers_paced.c: the sentences from the open loops: who needs the least CPU time for the
 * same work, and up to which rate each server answers in time.
 */
#include "harness/report_answers.h"

#include <string.h>

#include "harness/report_phrases.h"
#include "harness/report_ramp.h"

/* Does the server have a figure of CPU time under this load? */
static bool has_cpu(const struct report_point *p, const struct report_cell_row *load)
{
	return report_ranked(p) && report_same_load(p->cells, load)
	    && p->metric[METRIC_CPU_US_PER_REQ].count;
}

/* The load of cost that most servers did; of several the highest rate. NULL when there is none. */
static const struct report_cell_row *cost_load(const struct report_data *data)
{
	const struct report_cell_row *best = NULL;
	size_t most = 0;
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_cell_row *load = data->points[i].cells;
		size_t count = 0;
		for (size_t k = 0; k < data->point_count && !strcmp(load->experiment, "cost"); k++)
			count += has_cpu(&data->points[k], load);
		if (count > most
		    || (count && count == most
			&& load->metric[METRIC_OFFERED_PER_S]
			    > best->metric[METRIC_OFFERED_PER_S])) {
			most = count;
			best = load;
		}
	}
	return best;
}

const char *report_answer_cost(struct report_data *data)
{
	struct report_pool *pool = &data->pool;
	const struct report_cell_row *load = cost_load(data);
	const struct report_point *best = NULL;
	for (size_t i = 0; load && i < data->point_count; i++) {
		const struct report_point *p = &data->points[i];
		if (has_cpu(p, load)
		    && (!best
			|| p->metric[METRIC_CPU_US_PER_REQ].median
			    < best->metric[METRIC_CPU_US_PER_REQ].median))
			best = p;
	}
	if (!best)
		return NULL;
	return report_printf(pool,
	    "At equal work, %s requests/s on %s connections, %s has the lowest median of CPU time "
	    "a request, **%s** (user and system).%s",
	    report_value(pool, REPORT_RATE, best->metric[METRIC_OFFERED_PER_S].median),
	    report_whole(pool, (double)load->connections), phrase_name(data, best),
	    report_interval(pool, REPORT_US, best->metric[METRIC_CPU_US_PER_REQ]),
	    phrase_standings(data, best, METRIC_CPU_US_PER_REQ, true));
}

/* "{epoll} **85.0k/s** (90%)"; with >= where no valid cell shows the limit broken. */
static const char *kept_phrase(struct report_data *data, const struct report_slo *slo)
{
	struct report_pool *pool = &data->pool;
	const struct report_point *kept = slo->kept;
	bool bound = !slo->known || slo->broken->verdict != VERDICT_VALID;
	const char *rate = report_printf(pool, "%s %s**%s/s**", phrase_name(data, kept),
	    bound ? ">= " : "",
	    report_value(pool, REPORT_RATE, kept->metric[METRIC_OFFERED_PER_S].median));
	return kept->cells->level_percent
	    ? report_printf(pool, "%s (%ld%%)", rate, kept->cells->level_percent)
	    : rate;
}

const char *report_answer_slo(struct report_data *data)
{
	struct report_pool *pool = &data->pool;
	struct phrase_words kept = { 0 }, none = { 0 }, missing = { 0 };
	const char *limit = report_value(pool, REPORT_US, report_slo_us(data));
	for (size_t i = 0; i < data->server_count; i++) {
		struct report_slo slo = report_slo(data, &data->servers[i]);
		if (report_is_reference(&data->servers[i]))
			continue;
		if (slo.kept)
			phrase_add(&kept, kept_phrase(data, &slo));
		else if (slo.known)
			phrase_add(&none, phrase_name(data, slo.broken));
		else if (report_usable(slo.broken))
			phrase_add(&missing, report_printf(pool, "%s has " REPORT_FEW_ANSWERS,
			    phrase_name(data, slo.broken)));
		else if (slo.broken)
			phrase_add(&missing, phrase_missing(data, slo.broken));
	}
	if (!kept.count && !none.count)
		return NULL;
	const char *text = kept.count
	    ? report_printf(pool,
		"The highest rate up to which, at every rate measured, 99 of 100 requests are "
		"answered within %s of when they were due: %s.\nIn brackets: its share of the "
		"server's own rate in `throughput`. With >= the next rate was not measured well "
		"enough to tell.",
		limit, phrase_join(data, &kept))
	    : "";
	if (none.count)
		text = kept.count
		    ? report_printf(
			  pool, "%s\nAt no rate measured: %s.", text, phrase_join(data, &none))
		    : report_printf(pool,
			  "At no rate measured are 99 of 100 requests answered within %s of when "
			  "they were due: %s.",
			  limit, phrase_join(data, &none));
	if (missing.count)
		text = report_printf(pool, "%s\nUnknown, for want of a figure at the lowest rate: %s.",
		    text, phrase_join(data, &missing));
	return text;
}
