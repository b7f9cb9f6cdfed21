/*
 * report_phrases.c: turns comparisons into words. This is the one place where a verdict of the
 * statistics becomes language, so no sentence can claim more than another.
 */
#include "harness/report_phrases.h"

#include <string.h>

void phrase_add(struct phrase_words *w, const char *item)
{
	if (w->count < PHRASE_WORDS_MAX)
		w->item[w->count++] = item;
}

const char *phrase_name(struct report_data *data, const struct report_point *p)
{
	return report_printf(&data->pool, "{%s}", p->cells->server->name);
}

const char *phrase_join(struct report_data *data, const struct phrase_words *w)
{
	return report_list(&data->pool, w->item, w->count);
}

/* The largest load with so many blocks. */
static struct report_cell_row largest_load(
    const struct report_data *data, const char *experiment, size_t block_count)
{
	struct report_cell_row most = { 0 };
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_point *p = &data->points[i];
		const struct report_cell_row *cell = p->cells;
		if (!strcmp(cell->experiment, experiment) && report_usable(p)
		    && !report_is_reference(cell->server) && p->cell_count >= block_count
		    && cell->connections + cell->idle > most.connections + most.idle)
			most = *cell;
	}
	return most;
}

struct report_cell_row phrase_largest_load(const struct report_data *data, const char *experiment)
{
	return largest_load(data, experiment, 0);
}

struct report_cell_row phrase_core_load(const struct report_data *data, const char *experiment)
{
	size_t block_count = 0;
	for (size_t i = 0; i < data->point_count; i++)
		if (!strcmp(data->points[i].cells->experiment, experiment)
		    && data->points[i].cell_count > block_count)
			block_count = data->points[i].cell_count;
	return largest_load(data, experiment, block_count);
}

bool phrase_at_load(
    const struct report_point *p, const char *experiment, long connections, long idle)
{
	return report_ranked(p) && !strcmp(p->cells->experiment, experiment)
	    && p->cells->connections == connections && p->cells->idle == idle;
}

const struct report_point *phrase_best(const struct report_data *data, const char *experiment,
    long connections, long idle, int metric, bool lower_is_better)
{
	const struct report_point *best = NULL;
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_point *p = &data->points[i];
		bool bound = metric == METRIC_RATE_PER_S && p->verdict == VERDICT_CLIENT_LIMITED;
		if (!phrase_at_load(p, experiment, connections, idle) || bound
		    || !p->metric[metric].count)
			continue;
		if (!best
		    || (p->metric[metric].median < best->metric[metric].median) == lower_is_better)
			best = p;
	}
	return best;
}

const char *phrase_open(struct report_comparison c)
{
	return c.ratio.count < ESTIMATE_PAIRS_MIN ? "too few blocks to decide" : "undecided";
}

const char *phrase_missing(struct report_data *data, const struct report_point *p)
{
	return report_printf(&data->pool, "%s is %s%s%s", phrase_name(data, p),
	    verdict_names[p->verdict], *p->reason ? ": " : "",
	    report_escape(&data->pool, p->reason));
}

const char *phrase_not_shown(struct report_data *data, const struct report_cell_row *load)
{
	struct phrase_words missing = { 0 };
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_point *p = &data->points[i];
		if (report_ranked(p) && report_same_load(p->cells, load) && !report_usable(p))
			phrase_add(&missing, phrase_missing(data, p));
	}
	return missing.count
	    ? report_printf(&data->pool, " Not shown: %s.", phrase_join(data, &missing))
	    : "";
}

/* Those with the figure under best's load, the one nearest to the best first. */
static size_t sort_others(const struct report_data *data, const struct report_point *best,
    int metric, bool lower_is_better, const struct report_point *others[PHRASE_WORDS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < data->point_count && count < PHRASE_WORDS_MAX; i++) {
		const struct report_point *p = &data->points[i];
		if (!report_ranked(p) || !report_same_load(p->cells, best->cells) || p == best
		    || !p->metric[metric].count)
			continue;
		size_t at = count++;
		for (; at > 0; at--) {
			double before = others[at - 1]->metric[metric].median;
			double own = p->metric[metric].median;
			if (lower_is_better ? before <= own : before >= own)
				break;
			others[at] = others[at - 1];
		}
		others[at] = p;
	}
	return count;
}

/* Bounds, the highest first: a few are named, of many the ends. */
static const char *limited_phrase(struct report_data *data, const struct phrase_words *limited)
{
	enum { NAMED_MAX = 4 };
	if (limited->count <= NAMED_MAX)
		return report_printf(&data->pool, " Client-limited, so not ranked: %s.",
		    phrase_join(data, limited));
	return report_printf(&data->pool,
	    " Client-limited, so not ranked, are %zu others: from %s to %s.", limited->count,
	    limited->item[limited->count - 1], limited->item[0]);
}

const char *phrase_standings(
    struct report_data *data, const struct report_point *best, int metric, bool lower_is_better)
{
	struct report_pool *pool = &data->pool;
	struct phrase_words tied = { 0 }, behind = { 0 }, undecided = { 0 }, few = { 0 };
	struct phrase_words limited = { 0 };
	const struct report_point *others[PHRASE_WORDS_MAX];
	size_t count = sort_others(data, best, metric, lower_is_better, others);
	for (size_t i = 0; i < count; i++) {
		const struct report_point *p = others[i];
		if (p->verdict == VERDICT_CLIENT_LIMITED && metric == METRIC_RATE_PER_S) {
			phrase_add(&limited,
			    report_printf(pool, "%s >= %s", phrase_name(data, p),
				report_interval(pool, REPORT_RATE, p->metric[metric])));
			continue;
		}
		struct report_comparison c = report_compare(data, p, best, metric);
		const char *phrase = report_printf(
		    pool, "%s %s", phrase_name(data, p), report_ratio(pool, c.ratio));
		if (c.verdict == ESTIMATE_TIE)
			phrase_add(&tied, phrase_name(data, p));
		else if (c.verdict == (lower_is_better ? ESTIMATE_HIGHER : ESTIMATE_LOWER))
			phrase_add(&behind, phrase);
		else
			phrase_add(c.ratio.count < ESTIMATE_PAIRS_MIN ? &few : &undecided, phrase);
	}
	const char *text = "";
	if (tied.count)
		text = report_printf(pool, "%s A tie with it: %s.", text, phrase_join(data, &tied));
	if (behind.count)
		text = report_printf(pool, "%s Against it: %s.", text, phrase_join(data, &behind));
	if (undecided.count)
		text = report_printf(
		    pool, "%s Against it, but undecided: %s.", text, phrase_join(data, &undecided));
	if (few.count)
		text = report_printf(pool, "%s Against it, but too few blocks to decide: %s.", text,
		    phrase_join(data, &few));
	return report_printf(pool, "%s%s%s", text,
	    limited.count ? limited_phrase(data, &limited) : "",
	    phrase_not_shown(data, best->cells));
}

const char *phrase_serves(
    struct report_data *data, const struct report_point *a, const struct report_point *b)
{
	struct report_pool *pool = &data->pool;
	struct report_comparison c = report_compare(data, a, b, METRIC_RATE_PER_S);
	const char *ratio = report_ratio(pool, c.ratio);
	if (b->verdict == VERDICT_CLIENT_LIMITED)
		return report_printf(pool,
		    "is not ranked against %s, which is client-limited (>= %s requests/s)",
		    phrase_name(data, b),
		    report_value(pool, REPORT_RATE, b->metric[METRIC_RATE_PER_S].median));
	if (a->verdict == VERDICT_CLIENT_LIMITED)
		return report_printf(pool,
		    "serves >= **%s** what %s does (client-limited: a lower bound)", ratio,
		    phrase_name(data, b));
	if (c.verdict == ESTIMATE_TIE)
		return report_printf(pool, "ties with %s (%s)", phrase_name(data, b), ratio);
	if (c.verdict == ESTIMATE_UNDECIDED)
		return report_printf(pool, "serves %s what %s does (%s)", ratio,
		    phrase_name(data, b), phrase_open(c));
	return report_printf(pool, "serves **%s** what %s does", ratio, phrase_name(data, b));
}
