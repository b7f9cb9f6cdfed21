/* undecided.c: see undecided.h. The loads are those of the plan's first block. */
#include "harness/undecided.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/progress.h"
#include "harness/report_data.h"
#include "lib/sys/die.h"

bool undecided_has_reference(const struct plan *plan)
{
	for (uint32_t i = 0; i < plan->experiment_count; i++)
		if (plan->experiments[i].twin != PLAN_NO_TWIN)
			return true;
	return false;
}

static bool same_load(const struct cell *a, const struct cell *b)
{
	return a->experiment == b->experiment && a->connections == b->connections &&
	    a->idle == b->idle && a->slow == b->slow && a->cold == b->cold &&
	    a->cpus == b->cpus &&
	    a->requests == b->requests && a->level.per_s == b->level.per_s &&
	    a->level.percent == b->level.percent && a->rep == b->rep;
}

static bool is_of(const struct report_cell_row *row, const struct cell *cell)
{
	return row->connections == cell->connections && row->idle == cell->idle &&
	    row->slow == cell->slow && row->cold == cell->cold && row->cpus == cell->cpus &&
	    row->requests_per_conn == cell->requests &&
	    row->pipeline == cell->experiment->pipeline && row->level_per_s == cell->level.per_s &&
	    row->level_percent == cell->level.percent && row->twin == cell->twin &&
	    !strcmp(row->experiment, experiment_names[cell->experiment->kind]) &&
	    !strcmp(row->server->name, cell->server->name);
}

static const struct report_point *point_of(const struct report_data *data, const struct cell *cell)
{
	for (size_t i = 0; i < data->point_count; i++)
		if (is_of(data->points[i].cells, cell))
			return &data->points[i];
	return NULL;
}

/* In an open loop all servers have the same rate. */
static int metric_of(enum experiment_kind kind)
{
	return kind == EXPERIMENT_MIXED || kind == EXPERIMENT_SLOW ? METRIC_P99_US
	    : kind == EXPERIMENT_COST ? METRIC_CPU_US_PER_REQ : METRIC_RATE_PER_S;
}

static bool is_reference(const struct cell *cell)
{
	return cell->server_index == cell->experiment->twin && !cell->twin;
}

/* A server's comparison with the reference. False when it has none: a side was not measured. */
static bool compare(const struct report_data *data, const struct cell *cell,
    const struct report_point *reference, struct report_comparison *c)
{
	const struct report_point *point = point_of(data, cell);
	if (cell->server_index == cell->experiment->twin || !report_usable(point) ||
	    !report_usable(reference) || report_is_reference(point->cells->server))
		return false;
	*c = report_compare(data, point, reference, metric_of(cell->experiment->kind));
	return true;
}

/* The cells of one load: `count` of them from planned[first]. */
struct load {
	const struct cell *cells;
	uint32_t count;
	const struct report_point *reference;
	uint32_t blocks; /* measured so far */
};

/* The load that begins at planned[first]; its count is 0 at the end of the first block. */
static struct load load_at(const struct report_data *data, const struct cell *planned,
    uint32_t count, uint32_t first)
{
	struct load load = { .cells = planned + first };
	while (first + load.count < count && planned[first].rep == 1 &&
	    same_load(&planned[first], &planned[first + load.count])) {
		const struct cell *cell = &planned[first + load.count++];
		const struct report_point *point = point_of(data, cell);
		if (is_reference(cell))
			load.reference = point;
		for (size_t i = 0; point && i < point->cell_count; i++)
			if (point->cells[i].rep > load.blocks)
				load.blocks = (uint32_t)point->cells[i].rep;
	}
	return load;
}

/* One more block of this load, when anything in it is open. */
static void add_load(struct undecided *u, const struct report_data *data, const struct load *load,
    uint64_t seed)
{
	struct cell *cells = u->cells + u->cell_count;
	struct report_comparison c;
	uint32_t count = 0, open = 0;
	uint64_t block_ns = 0;
	bool full = load->blocks >= UNDECIDED_BLOCKS_MAX;
	for (uint32_t i = 0; i < load->count; i++) {
		const struct cell *cell = &load->cells[i];
		bool compared = compare(data, cell, load->reference, &c);
		/* where the load generator was the bottleneck, more blocks are of no use */
		bool is_open = compared && !c.limited && c.verdict == ESTIMATE_UNDECIDED && !full;
		u->compared += compared;
		open += is_open;
		if (!is_open && cell->server_index != cell->experiment->twin)
			continue;
		cells[count++] = *cell;
		block_ns += cell_expected_ns(cell);
	}
	if (!open)
		return;
	cells_repeat(cells, count, seed, load->blocks + 1, u->position + u->cell_count);
	u->open += open;
	u->cell_count += count;
	u->most_ns += block_ns * (UNDECIDED_BLOCKS_MAX - load->blocks);
}

/* Leaves the cells before a position; returns the last one's. */
static uint32_t keep_before(struct report_data *data, uint32_t before)
{
	size_t kept = 0;
	long last = 0;
	for (size_t i = 0; i < data->cell_count; i++) {
		if (data->cells[i].position >= (long)before)
			continue;
		if (data->cells[i].position > last)
			last = data->cells[i].position;
		data->cells[kept++] = data->cells[i];
	}
	data->cell_count = kept;
	report_data_group(data);
	return (uint32_t)last;
}

bool undecided_find(struct undecided *u, const char *run_folder, const struct cell *planned,
    uint32_t count, uint64_t seed, uint32_t before)
{
	struct report_data data;
	*u = (struct undecided){ 0 };
	if (!report_data_open(&data, run_folder))
		return false;
	u->position = keep_before(&data, before) + 1;
	u->cells = calloc(count, sizeof(*u->cells));
	if (!u->cells)
		die("out of memory for %u cells", count);
	for (uint32_t i = 0; i < count;) {
		struct load load = load_at(&data, planned, count, i);
		if (load.count == 0)
			break;
		if (load.reference)
			add_load(u, &data, &load, seed);
		i += load.count;
	}
	if (u->open == 0) {
		free(u->cells);
		u->cells = NULL;
	}
	report_data_close(&data);
	return true;
}

static void print_comparison(
    struct report_data *data, const struct cell *cell, const struct load *load)
{
	struct report_comparison c;
	char clients[PROGRESS_LOAD_CAP];
	if (!compare(data, cell, load->reference, &c))
		return;
	printf("  %-10s %8s  %-13s %-10s %-14s %-18s %3u\n",
	    experiment_names[cell->experiment->kind], progress_format_load(cell, clients),
	    cell->server->name, report_metrics[metric_of(cell->experiment->kind)].title,
	    c.limited ? verdict_names[VERDICT_CLIENT_LIMITED] : estimate_verdict_name(c.verdict),
	    report_ratio(&data->pool, c.ratio), c.ratio.count);
}

void undecided_print(const char *run_folder, const struct cell *planned, uint32_t count)
{
	struct report_data data;
	if (report_data_open(&data, run_folder)) {
		printf("\n  Against the server that each block measured twice:\n");
		printf("  %-10s %8s  %-13s %-10s %-14s %-18s n\n", "experiment", "clients",
		    "server", "by", "verdict", "ratio");
		for (uint32_t i = 0; i < count;) {
			struct load load = load_at(&data, planned, count, i);
			if (load.count == 0)
				break;
			for (uint32_t k = 0; k < load.count && load.reference; k++)
				print_comparison(&data, &load.cells[k], &load);
			i += load.count;
		}
	}
	report_data_close(&data);
}
