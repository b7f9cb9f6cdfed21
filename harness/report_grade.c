/*
 * report_grade.c: how far a run may be believed. The same program measured twice (the A/A pair)
 * says how large a difference means nothing; the machine says what took its CPUs away; and what
 * could not be measured is counted.
 */
#include "harness/report_answers.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double report_drift(const struct report_data *data, const struct report_point **worst)
{
	double drifts[ESTIMATE_VALUES_MAX], most = -1;
	uint32_t count = 0;
	*worst = NULL;
	for (size_t i = 0; i < data->point_count && count < ESTIMATE_VALUES_MAX; i++) {
		const struct report_point *p = &data->points[i];
		/* the rate of an open loop is the load's, not the server's */
		if (!p->cells->twin || !report_usable(p) || p->metric[METRIC_OFFERED_PER_S].count)
			continue;
		double drift = report_drift_at(data, p, METRIC_RATE_PER_S);
		if (!isfinite(drift))
			continue;
		drifts[count++] = drift;
		if (drift > most) {
			most = drift;
			*worst = p;
		}
	}
	return estimate_median(drifts, count);
}

/* Grades only fall; the reason for the last fall stands first. */
static void reason(struct report_grade *grade, char letter, const char *text)
{
	size_t at = letter > grade->letter ? 0 : grade->reason_count;
	if (grade->reason_count == REPORT_REASONS_MAX)
		return;
	memmove(&grade->reasons[at + 1], &grade->reasons[at],
	    (grade->reason_count++ - at) * sizeof(*grade->reasons));
	grade->reasons[at] = text;
	if (letter > grade->letter)
		grade->letter = letter;
}

static const char *load_text(struct report_data *data, const struct report_point *p)
{
	const struct report_cell_row *cell = p->cells;
	const char *idle = cell->idle ? report_printf(&data->pool, " and %s idle",
			       report_whole(&data->pool, (double)cell->idle))
				      : "";
	return report_printf(&data->pool, "%s, %s connections%s",
	    report_escape(&data->pool, cell->experiment),
	    report_whole(&data->pool, (double)cell->connections), idle);
}

static void grade_drift(struct report_data *data, struct report_grade *grade)
{
	struct report_pool *pool = &data->pool;
	const struct report_point *worst;
	double drift = report_drift(data, &worst);
	if (!isfinite(drift)) {
		reason(grade, 'B',
		    "No A/A pair was measured, so the noise of this machine is unknown.");
		return;
	}
	double most = report_drift_at(data, worst, METRIC_RATE_PER_S);
	char letter = drift > REPORT_DRIFT_BROKEN                      ? 'C'
	    : drift > REPORT_DRIFT_NOISY || most > REPORT_DRIFT_BROKEN ? 'B'
								       : 'A';
	reason(grade, letter,
	    report_printf(pool,
		"The same server measured twice ({%s}, the A/A pair) differs in requests/s "
		"typically by **%s**, at most by %s (%s).",
		worst->cells->server->name, report_value(pool, REPORT_SHARE, drift),
		report_value(pool, REPORT_SHARE, most), load_text(data, worst)));
}

static void grade_machine(struct report_data *data, struct report_grade *grade)
{
	struct report_pool *pool = &data->pool;
	const char *steal_text = report_key(data, "steal_share"),
		   *pressure_text = report_key(data, "pressure");
	double steal = strtod(steal_text, NULL), pressure = strtod(pressure_text, NULL);
	if (*steal_text)
		reason(grade,
		    steal > REPORT_STEAL_BROKEN      ? 'C'
			: steal > REPORT_STEAL_NOISY ? 'B'
						     : 'A',
		    report_printf(pool, "The hypervisor took %s of the CPU time away (steal).",
			report_value(pool, REPORT_SHARE, steal)));
	if (*pressure_text)
		reason(grade, pressure > REPORT_PRESSURE_NOISY ? 'B' : 'A',
		    report_printf(pool,
			"Before the start, tasks waited for a CPU %s%% of the time (PSI, 10 s).",
			report_value(pool, REPORT_PLAIN, pressure)));
}

static void grade_cells(struct report_data *data, struct report_grade *grade)
{
	struct report_pool *pool = &data->pool;
	size_t of[VERDICT_FAILED + 1] = { 0 };
	long blocks = 0;
	for (size_t i = 0; i < data->cell_count; i++) {
		of[data->cells[i].verdict]++;
		blocks = data->cells[i].rep > blocks ? data->cells[i].rep : blocks;
	}
	size_t lost = of[VERDICT_INVALID] + of[VERDICT_FAILED];
	size_t measured = of[VERDICT_VALID] + of[VERDICT_CLIENT_LIMITED];
	double share = measured ? (double)lost / (double)data->cell_count : 1;
	reason(grade,
	    share > REPORT_LOST_BROKEN ? 'C'
		: lost                 ? 'B'
				       : 'A',
	    report_printf(pool,
		"Of %zu cells %zu are valid, %zu client-limited, %zu unsupported, %zu invalid and "
		"%zu failed.",
		data->cell_count, of[VERDICT_VALID], of[VERDICT_CLIENT_LIMITED],
		of[VERDICT_UNSUPPORTED], of[VERDICT_INVALID], of[VERDICT_FAILED]));
	if (blocks < ESTIMATE_PAIRS_MIN)
		reason(grade, 'B',
		    report_printf(pool,
			"%ld block%s: fewer than %d decide nothing, so no server is ranked.",
			blocks, blocks == 1 ? "" : "s", ESTIMATE_PAIRS_MIN));
}

void report_grade(struct report_data *data, struct report_grade *grade)
{
	*grade = (struct report_grade){ .letter = 'A' };
	if (!strcmp(report_key(data, "unchecked"), "1"))
		reason(grade, 'C',
		    "Measured with `--unchecked`: nothing proves that the servers are equivalent.");
	const char *status = report_key(data, "status");
	if (strcmp(status, "complete"))
		reason(grade, 'B',
		    report_printf(&data->pool, "The run is %s: %zu of %s planned cells.",
			!strcmp(status, "running") ? "still under way, or was killed"
			    : *status ? report_escape(&data->pool, status) : "of unknown status",
			data->cell_count,
			report_escape(&data->pool, report_key(data, "planned_cells"))));
	grade_drift(data, grade);
	grade_machine(data, grade);
	grade_cells(data, grade);
}
