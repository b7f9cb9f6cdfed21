/*
 * report_phrases.c: turns comparisons into words. This is the one place where a verdict of the
 * statistics becomes language, so no sentence can claim more than another.
 */
#include "harness/report_phrases.h"

#include <math.h>
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
	    ? report_printf(&data->pool, "\nNot shown: %s.", phrase_join(data, &missing))
	    : "";
}

/* The bounds, the highest first. */
static size_t find_limited(const struct report_data *data, const struct report_cell_row *load,
    const struct report_point *limited[PHRASE_WORDS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < data->point_count && count < PHRASE_WORDS_MAX; i++) {
		const struct report_point *p = &data->points[i];
		if (!report_ranked(p) || !report_same_load(p->cells, load)
		    || p->verdict != VERDICT_CLIENT_LIMITED)
			continue;
		size_t at = count++;
		for (; at > 0 && limited[at - 1]->metric[METRIC_RATE_PER_S].median
			     < p->metric[METRIC_RATE_PER_S].median;
		     at--)
			limited[at] = limited[at - 1];
		limited[at] = p;
	}
	return count;
}

const char *phrase_limited(struct report_data *data, const struct report_cell_row *load)
{
	enum { NAMED_MAX = 4 };
	struct report_pool *pool = &data->pool;
	struct phrase_words words = { 0 };
	const struct report_point *limited[PHRASE_WORDS_MAX];
	size_t count = find_limited(data, load, limited), usable_count = 0;
	for (size_t i = 0; i < count; i++)
		phrase_add(&words,
		    report_printf(pool, "%s >= %s", phrase_name(data, limited[i]),
			report_interval(
			    pool, REPORT_RATE, limited[i]->metric[METRIC_RATE_PER_S])));
	if (count <= NAMED_MAX)
		return phrase_join(data, &words);
	for (size_t i = 0; i < data->point_count; i++)
		usable_count += report_ranked(&data->points[i]) && report_usable(&data->points[i])
		    && report_same_load(data->points[i].cells, load);
	return report_printf(pool, "%zu of %zu servers, from %s to %s", count, usable_count,
	    words.item[count - 1], words.item[0]);
}

/* One that stands beside the best under its load. */
struct other {
	const struct report_point *point;
	struct report_comparison against;
};

/* Those with the figure, the one nearest to the best first; a bound is none. */
static size_t compare_others(const struct report_data *data, const struct report_point *best,
    int metric, bool lower_is_better, struct other others[PHRASE_WORDS_MAX])
{
	size_t count = 0;
	for (size_t i = 0; i < data->point_count && count < PHRASE_WORDS_MAX; i++) {
		const struct report_point *p = &data->points[i];
		bool bound = metric == METRIC_RATE_PER_S && p->verdict == VERDICT_CLIENT_LIMITED;
		if (!report_ranked(p) || !report_same_load(p->cells, best->cells) || p == best
		    || bound || !p->metric[metric].count)
			continue;
		struct other own = { p, report_compare(data, p, best, metric) };
		double ratio = own.against.ratio.median;
		size_t at = count++;
		for (; at > 0; at--) {
			double before = others[at - 1].against.ratio.median;
			/* without a block in common there is no ratio: those stay behind */
			if (!(isnan(before) || (lower_is_better ? ratio < before : ratio > before)))
				break;
			others[at] = others[at - 1];
		}
		others[at] = own;
	}
	return count;
}

const char *phrase_standings(
    struct report_data *data, const struct report_point *best, int metric, bool lower_is_better)
{
	struct report_pool *pool = &data->pool;
	struct phrase_words tied = { 0 }, behind = { 0 }, undecided = { 0 }, few = { 0 };
	struct other others[PHRASE_WORDS_MAX];
	size_t count = compare_others(data, best, metric, lower_is_better, others);
	for (size_t i = 0; i < count; i++) {
		struct report_comparison c = others[i].against;
		const char *name = phrase_name(data, others[i].point);
		const char *phrase
		    = report_printf(pool, "%s %s", name, report_ratio(pool, c.ratio));
		if (c.verdict == ESTIMATE_TIE)
			phrase_add(&tied, name);
		else if (c.verdict == (lower_is_better ? ESTIMATE_HIGHER : ESTIMATE_LOWER))
			phrase_add(&behind, phrase);
		else
			phrase_add(c.ratio.count < ESTIMATE_PAIRS_MIN ? &few : &undecided, phrase);
	}
	const char *text = "";
	if (tied.count)
		text = report_printf(
		    pool, "%s\nA tie with it: %s.", text, phrase_join(data, &tied));
	if (undecided.count)
		text = report_printf(pool, "%s\nAgainst it, but undecided: %s.", text,
		    phrase_join(data, &undecided));
	if (behind.count)
		text = report_printf(
		    pool, "%s\nAgainst it: %s.", text, phrase_join(data, &behind));
	if (few.count)
		text = report_printf(pool, "%s\nAgainst it, but too few blocks to decide: %s.",
		    text, phrase_join(data, &few));
	return report_printf(pool, "%s%s", text, phrase_not_shown(data, best->cells));
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
