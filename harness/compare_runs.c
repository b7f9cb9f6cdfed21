/* compare_runs.c: see compare_runs.h. */
#include "harness/compare_runs.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const struct measure {
	int metric;
	bool lower_is_better;
	const char *better, *worse;
} measures[] = {
	{ METRIC_RATE_PER_S, false, "faster", "slower" },
	{ METRIC_P99_US, true, "faster", "slower" },
	{ METRIC_CPU_US_PER_REQ, true, "cheaper", "dearer" },
	{ METRIC_BYTES_PER_CONN, true, "smaller", "larger" },
	{ METRIC_BATCH_MEAN_S, true, "faster", "slower" },
};
enum { MEASURES = sizeof(measures) / sizeof(*measures) };

static const struct measure *measure_of(int metric)
{
	int i = 0;
	while (i < MEASURES - 1 && measures[i].metric != metric)
		i++;
	return &measures[i];
}

/* Does the metric say anything under the cell's load? */
static bool applies(const struct report_cell_row *cell, int metric)
{
	bool held = !strcmp(cell->experiment, experiment_names[EXPERIMENT_MEMORY]);
	bool batch = !strcmp(cell->experiment, experiment_names[EXPERIMENT_BATCH]);
	bool paced = cell->level_per_s || cell->level_percent ||
	    isfinite(cell->metric[METRIC_OFFERED_PER_S]);
	/* the counting of system calls slows it down */
	if (!strcmp(cell->experiment, experiment_names[EXPERIMENT_LEDGER]))
		return false;
	if (metric == METRIC_BYTES_PER_CONN)
		return held;
	if (metric == METRIC_BATCH_MEAN_S)
		return batch;
	if (metric == METRIC_RATE_PER_S)
		return !held && !batch && !paced;
	/* a percentage is that of each run's own capacity: the rates differ, and latency with them */
	if (metric == METRIC_P99_US)
		return !held && !batch && !cell->level_percent;
	return !held && !batch;
}

static bool is_reference(const struct report_cell_row *cell)
{
	return !cell->twin && !strcmp(cell->server->name, COMPARE_REFERENCE);
}

static bool is_usable(const struct report_cell_row *cell)
{
	return cell->verdict == VERDICT_VALID || cell->verdict == VERDICT_CLIENT_LIMITED;
}

static void divide(struct report_cell_row *cell, const struct report_cell_row *by)
{
	for (int i = 0; i < MEASURES; i++)
		cell->metric[measures[i].metric] /=
		    by ? by->metric[measures[i].metric] : (double)NAN;
	if (by && by->verdict == VERDICT_CLIENT_LIMITED && is_usable(cell))
		cell->verdict = VERDICT_CLIENT_LIMITED;
}

bool compare_normalise(struct report_data *data)
{
	size_t len = data->cell_count * sizeof(*data->cells);
	struct report_cell_row *before = report_alloc(len);
	bool any = false;
	memcpy(before, data->cells, len);
	for (size_t i = 0; i < data->cell_count; i++) {
		const struct report_cell_row *by = NULL;
		for (size_t k = 0; k < data->cell_count && !by; k++)
			if (is_reference(&before[k]) && is_usable(&before[k]) &&
			    before[k].rep == before[i].rep &&
			    report_same_load(&before[k], &before[i]))
				by = &before[k];
		divide(&data->cells[i], by);
		any = any || by;
	}
	free(before);
	report_data_group(data);
	return any;
}

/* What the verdict on b / a means; a's A/A pair is as good a caution as b's. */
static enum compare_outcome outcome_of(const struct report_data *a, const struct compared *item,
    const struct report_comparison *c)
{
	bool lower_is_better = measure_of(item->metric)->lower_is_better;
	if (c->limited)
		return COMPARE_LIMITED;
	if (c->verdict == ESTIMATE_TIE)
		return COMPARE_TIE;
	if (c->verdict == ESTIMATE_UNDECIDED ||
	    report_within_drift(a, item->a, item->metric, c->ratio.median))
		return COMPARE_UNDECIDED;
	return (c->verdict == ESTIMATE_LOWER) == lower_is_better ? COMPARE_BETTER : COMPARE_WORSE;
}

static bool is_regression(const struct compared *item, double threshold)
{
	bool lower_is_better = measure_of(item->metric)->lower_is_better;
	if (item->outcome == COMPARE_LOST)
		return true;
	return item->outcome == COMPARE_WORSE &&
	    (lower_is_better ? item->ratio.low > 1 + threshold
			     : item->ratio.high < 1 - threshold);
}

static void add(struct comparisons *c, struct compared item, double threshold)
{
	item.regression = is_regression(&item, threshold);
	c->regressions += item.regression;
	c->counts[item.outcome]++;
	c->items = report_grow(c->items, &c->cap, c->count, sizeof(*c->items));
	c->items[c->count++] = item;
}

static void compare_points(struct comparisons *c, struct report_data *a, struct report_data *b,
    struct compared item, double threshold)
{
	for (int i = 0; i < MEASURES; i++) {
		item.metric = measures[i].metric;
		if (!applies(item.a->cells, item.metric) || !item.a->metric[item.metric].count)
			continue;
		if (!report_usable(item.b)) {
			item.outcome = COMPARE_LOST;
			add(c, item, threshold);
			return;
		}
		struct report_comparison found = report_compare(b, item.b, item.a, item.metric);
		if (found.ratio.count == 0)
			continue;
		item.ratio = found.ratio;
		item.outcome = outcome_of(a, &item, &found);
		add(c, item, threshold);
	}
}

/* The same server under the same load; NULL when the run has none. */
static const struct report_point *counterpart(
    const struct report_data *data, const struct report_point *point)
{
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_cell_row *cell = data->points[i].cells;
		if (!cell->twin && !strcmp(cell->server->name, point->cells->server->name) &&
		    report_same_load(cell, point->cells))
			return &data->points[i];
	}
	return NULL;
}

void compare_runs(struct comparisons *c, struct report_data *a, struct report_data *b,
    bool normalised, double threshold)
{
	*c = (struct comparisons){ 0 };
	for (size_t i = 0; i < a->point_count; i++) {
		struct compared item = { .a = &a->points[i] };
		if (item.a->cells->twin || (normalised && is_reference(item.a->cells)))
			continue;
		item.b = counterpart(b, item.a);
		if (item.b && report_usable(item.a))
			compare_points(c, a, b, item, threshold);
		else if (report_usable(item.b))
			c->only_b++;
		else if (report_usable(item.a))
			c->only_a++;
	}
	for (size_t i = 0; i < b->point_count; i++)
		if (!b->points[i].cells->twin && report_usable(&b->points[i]) &&
		    !counterpart(a, &b->points[i]))
			c->only_b++;
}

void compare_free(struct comparisons *c)
{
	free(c->items);
}

const char *compare_word(const struct compared *item)
{
	switch (item->outcome) {
	case COMPARE_BETTER: return measure_of(item->metric)->better;
	case COMPARE_WORSE: return measure_of(item->metric)->worse;
	case COMPARE_TIE: return "tie";
	case COMPARE_LIMITED: return "not ranked";
	case COMPARE_LOST: return verdict_names[item->b->verdict];
	case COMPARE_UNDECIDED:
	case COMPARE_OUTCOMES: break;
	}
	return "undecided";
}

bool compare_is_first(const struct compared *item)
{
	int i = 0;
	while (i < MEASURES - 1 && !applies(item->a->cells, measures[i].metric))
		i++;
	return measures[i].metric == item->metric;
}
