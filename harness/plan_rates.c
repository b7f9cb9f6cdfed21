/*
 * plan_rates.c: the rates of open loops. One that is a percentage needs a capacity, and capacity is
 * what [throughput] finds in the same run, so a plan must measure that before. And the other thing
 * that sections owe one another: to be apart.
 */
#include "harness/plan.h"

#include <stdio.h>
#include <string.h>

#include "lib/core/units.h"

enum { PERCENT_MAX = 1000 };

static bool read_one(const char *piece, struct plan_rate *rate)
{
	uint64_t number;
	size_t len = strlen(piece);
	*rate = (struct plan_rate){ 0 };
	if (len > 0 && piece[len - 1] == '%') {
		if (!units_parse_digits((struct slice){ piece, len - 1 }, &number) || number < 1 ||
		    number > PERCENT_MAX)
			return false;
		rate->percent = (uint32_t)number;
		return true;
	}
	if (!units_parse_count((struct slice){ piece, len }, &number) || number < 1 ||
	    number > PLAN_CONNECTIONS_MAX)
		return false;
	rate->per_s = (uint32_t)number;
	return true;
}

bool plan_read_rates(const char *list, struct plan_rates *rates, char problem[PLAN_MESSAGE_CAP])
{
	char piece[PLAN_TEXT_CAP];
	struct plan_rate rate;
	*rates = (struct plan_rates){ 0 };
	while (plan_next_piece(&list, piece, sizeof(piece))) {
		if (!read_one(piece, &rate)) {
			snprintf(problem, PLAN_MESSAGE_CAP,
			    "rate \"%s\": use requests/s from 1 to 10M, such as 10k, or 1%% to "
			    "%d%% of capacity", piece, PERCENT_MAX);
			return false;
		}
		for (uint32_t i = 0; i < rates->count; i++)
			if (memcmp(&rates->values[i], &rate, sizeof(rate)) == 0) {
				snprintf(problem, PLAN_MESSAGE_CAP, "rates: %s stands there twice",
				    piece);
				return false;
			}
		if (rates->count == PLAN_LEVELS_MAX) {
			snprintf(problem, PLAN_MESSAGE_CAP, "rates: at most %d values",
			    PLAN_LEVELS_MAX);
			return false;
		}
		rates->values[rates->count++] = rate;
	}
	if (rates->count == 0)
		snprintf(problem, PLAN_MESSAGE_CAP, "rates: give at least one, such as 10k, 50%%");
	return rates->count > 0;
}

char *plan_format_rate(char out[PLAN_NAME_CAP], struct plan_rate rate)
{
	out[0] = '\0';
	if (rate.percent)
		snprintf(out, PLAN_NAME_CAP, "%u%%", rate.percent);
	else if (rate.per_s)
		plan_format_count(out, rate.per_s);
	return out;
}

static bool has_level(const struct plan_levels *levels, uint32_t value)
{
	for (uint32_t i = 0; i < levels->count; i++)
		if (levels->values[i] == value)
			return true;
	return false;
}

bool plan_levels_meet(const struct plan_levels *a, const struct plan_levels *b)
{
	for (uint32_t i = 0; i < a->count; i++)
		if (has_level(b, a->values[i]))
			return true;
	return false;
}

static bool has_server(const struct experiment *e, uint32_t server)
{
	for (uint32_t i = 0; i < e->server_count; i++)
		if (e->servers[i] == server)
			return true;
	return false;
}

/* The section that stands before `e` and finds capacities, best with its connections; or NULL. */
static const struct experiment *find_throughput(const struct plan *plan, const struct experiment *e)
{
	const struct experiment *found = NULL;
	for (const struct experiment *before = plan->experiments; before < e; before++)
		if (before->kind == EXPERIMENT_THROUGHPUT &&
		    (!found || plan_levels_meet(&before->connections, &e->connections)))
			found = before;
	return found;
}

bool plan_knows_capacity(
    const struct plan *plan, const struct experiment *e, char problem[PLAN_MESSAGE_CAP])
{
	const char *name = experiment_names[e->kind];
	char count[PLAN_NAME_CAP];
	bool relative = false;
	for (uint32_t i = 0; i < e->rates.count; i++)
		relative = relative || e->rates.values[i].percent > 0;
	if (!relative)
		return true;
	const struct experiment *t = find_throughput(plan, e);
	if (!t || !has_level(&t->idle, 0) || t->pipeline > 1 || strcmp(t->target, e->target) != 0) {
		snprintf(problem, PLAN_MESSAGE_CAP,
		    "rates in %% are of the capacity that [throughput] finds: put one before [%s], "
		    "with target %s and no idle connections, not pipelined", name, e->target);
		return false;
	}
	for (uint32_t i = 0; i < e->connections.count; i++)
		if (!has_level(&t->connections, e->connections.values[i])) {
			snprintf(problem, PLAN_MESSAGE_CAP,
			    "rates in %% of [%s] need the capacity with %s connections: add %s to "
			    "[throughput]", name,
			    plan_format_count(count, e->connections.values[i]), count);
			return false;
		}
	for (uint32_t i = 0; i < e->server_count; i++)
		if (!has_server(t, e->servers[i])) {
			snprintf(problem, PLAN_MESSAGE_CAP,
			    "rates in %% of [%s] need the capacity of %s: add it to [throughput]",
			    name, plan->servers[e->servers[i]].name);
			return false;
		}
	return true;
}

/* What two sections of an experiment differ in that is on no axis of its figure; or NULL. */
static const char *off_axis(const struct experiment *a, const struct experiment *b)
{
	bool ramp = a->kind == EXPERIMENT_COST || a->kind == EXPERIMENT_LATENCY;
	return a->pipeline != b->pipeline          ? "pipeline"
	    : strcmp(a->target, b->target) != 0    ? "target"
	    : a->slo_ns != b->slo_ns               ? "slo"
	    : a->batch_requests != b->batch_requests ? "total"
	    : !ramp && memcmp(&a->rates, &b->rates, sizeof(a->rates)) != 0 ? "rate"
									   : NULL;
}

/*
 * No cell may be the same: it would count twice. A line of a figure has the points of both
 * sections, so they must be alike in what is not on its axis.
 */
bool plan_stands_apart(
    const struct plan *plan, const struct experiment *e, char problem[PLAN_MESSAGE_CAP])
{
	const char *name = experiment_names[e->kind];
	for (const struct experiment *other = plan->experiments; other < e; other++) {
		if (other->kind != e->kind)
			continue;
		if (plan_levels_meet(&other->connections, &e->connections) &&
		    plan_levels_meet(&other->idle, &e->idle)) {
			snprintf(problem, PLAN_MESSAGE_CAP, "[%s] stands there twice with the same "
			    "connections: give each other loads", name);
			return false;
		}
		const char *differs = off_axis(other, e);
		if (differs) {
			snprintf(problem, PLAN_MESSAGE_CAP, "[%s] has another %s than [%s] before: give "
			    "both the same, or make two plans", name, differs, name);
			return false;
		}
	}
	return true;
}
