/*
 * report_answers.c: the sentences at the top of the report. Each answers one question that a reader
 * came with, from the load that asks it most sharply: the largest number of connections for what
 * costs grow with, a small one for when simple code is good enough. A question this run did not
 * measure has no sentence.
 */
#include "harness/report_answers.h"

#include <math.h>
#include <string.h>

#include "harness/report_phrases.h"

#define IDLE_KEPT 0.95    /* of a server's own rate: it does not mind the idle connections */
#define WAIT_REACHED 0.9495 /* of the ceiling: the window cuts off the waits at its edges; as it is
			     * printed, 95.0% */
#define CPU_BOUND 0.9 /* of a CPU: what stays below the ceiling for that reason */

/* How many servers did more than `best` even while the load generator held them up. */
static unsigned count_bounds_above(const struct report_data *data, const struct report_point *best)
{
	unsigned above = 0;
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_point *p = &data->points[i];
		above += report_ranked(p) && report_same_load(p->cells, best->cells)
		    && p->verdict == VERDICT_CLIENT_LIMITED
		    && p->metric[METRIC_RATE_PER_S].low > best->metric[METRIC_RATE_PER_S].high;
	}
	return above;
}

static const char *answer_throughput(struct report_data *data)
{
	struct report_pool *pool = &data->pool;
	struct report_cell_row load = phrase_core_load(data, "throughput");
	if (!load.connections)
		return NULL;
	const char *where = report_printf(
	    pool, "With %s busy connections", report_whole(pool, (double)load.connections));
	const char *limited = phrase_limited(data, &load);
	const struct report_point *best = phrase_best(
	    data, "throughput", load.connections, load.idle, METRIC_RATE_PER_S, false);
	if (!best)
		return report_printf(pool,
		    "%s the load generator was the bottleneck for every server, so none is "
		    "ranked: %s requests/s.%s",
		    where, limited, phrase_not_shown(data, &load));
	const char *rate = report_interval(pool, REPORT_RATE, best->metric[METRIC_RATE_PER_S]);
	const char *standings = phrase_standings(data, best, METRIC_RATE_PER_S, false);
	unsigned above = count_bounds_above(data, best);
	if (above) /* then the best of the ranked is no headline */
		return report_printf(pool,
		    "%s the load generator was the bottleneck for %s requests/s: lower bounds, "
		    "which are not ranked. Of the others %s has the highest median, **%s "
		    "requests/s**, below %u of those bounds.%s",
		    where, limited, phrase_name(data, best), rate, above, standings);
	return report_printf(pool, "%s %s has the highest median%s, **%s requests/s**.%s%s%s", where,
	    phrase_name(data, best), *limited ? " of those that can be ranked" : "", rate,
	    *limited ? "\nClient-limited, so not ranked: " : "", limited,
	    *limited ? report_printf(pool, ".%s", standings) : standings);
}

static const char *answer_cpu(struct report_data *data)
{
	struct report_pool *pool = &data->pool;
	const char *at_equal_work = report_answer_cost(data);
	const struct report_point *best
	    = phrase_best(data, "throughput", 1000, 0, METRIC_CPU_US_PER_REQ, true);
	if (at_equal_work || !best)
		return at_equal_work;
	return report_printf(pool,
	    "At 1,000 connections %s has the lowest median of CPU time a request, **%s** (user and "
	    "system).%s",
	    phrase_name(data, best),
	    report_interval(pool, REPORT_US, best->metric[METRIC_CPU_US_PER_REQ]),
	    phrase_standings(data, best, METRIC_CPU_US_PER_REQ, true));
}

/* How much of its own rate each server keeps when the idle connections come. */
static const char *kept_phrase(struct report_data *data, const struct report_cell_row *load)
{
	struct report_pool *pool = &data->pool;
	struct phrase_words loses = { 0 }, keeps = { 0 };
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_point *p = &data->points[i];
		if (!phrase_at_load(p, "idle", load->connections, load->idle) || !report_usable(p))
			continue;
		const struct report_point *alone
		    = report_point(data, "idle", p->cells->server->name, load->connections, 0);
		if (!report_usable(alone) || alone->verdict == VERDICT_CLIENT_LIMITED
		    || p->verdict == VERDICT_CLIENT_LIMITED)
			continue;
		struct estimate share = report_compare(data, p, alone, METRIC_RATE_PER_S).ratio;
		if (share.count < ESTIMATE_PAIRS_MIN)
			continue;
		if (share.low >= IDLE_KEPT)
			phrase_add(&keeps, phrase_name(data, p));
		else
			phrase_add(&loses,
			    report_printf(pool, "%s %s", phrase_name(data, p),
				report_interval(pool, REPORT_SHARE, share)));
	}
	if (keeps.count)
		phrase_add(&loses,
		    report_printf(
			pool, "at least %g%%: %s", IDLE_KEPT * 100, phrase_join(data, &keeps)));
	const char *text = loses.count ? " Of their own rate without idle ones they keep:" : "";
	for (size_t i = 0; i < loses.count; i++)
		text = report_printf(
		    pool, "%s %s%s", text, loses.item[i], i + 1 == loses.count ? "." : ";");
	return text;
}

static const char *answer_idle(struct report_data *data)
{
	struct report_pool *pool = &data->pool;
	struct report_cell_row load = phrase_largest_load(data, "idle");
	const struct report_point *epoll
	    = report_point(data, "idle", "epoll", load.connections, load.idle);
	if (!load.idle || !report_usable(epoll))
		return NULL;
	struct phrase_words against = { 0 }, missing = { 0 };
	static const char *const scanning[] = { "poll", "select", "select+" };
	for (size_t i = 0; i < sizeof(scanning) / sizeof(*scanning); i++) {
		const struct report_point *p
		    = report_point(data, "idle", scanning[i], load.connections, load.idle);
		if (report_usable(p))
			phrase_add(&against, phrase_serves(data, epoll, p));
		else if (p)
			phrase_add(&missing, phrase_missing(data, p));
	}
	if (!against.count)
		return NULL;
	const char *text
	    = report_printf(pool, "With %s idle connections beside %s busy ones, %s %s.%s",
		report_whole(pool, (double)load.idle), report_whole(pool, (double)load.connections),
		phrase_name(data, epoll), phrase_join(data, &against), kept_phrase(data, &load));
	if (missing.count)
		text = report_printf(pool, "%s\nNot shown: %s.", text, phrase_join(data, &missing));
	return text;
}

static const char *answer_switches(struct report_data *data)
{
	struct report_pool *pool = &data->pool;
	const struct report_point *thread = report_point(data, "throughput", "thread", 1000, 0);
	const struct report_point *epoll = report_point(data, "throughput", "epoll", 1000, 0);
	if (!report_usable(thread) || !report_usable(epoll)
	    || !thread->metric[METRIC_CTX_SWITCHES_PER_REQ].count
	    || !epoll->metric[METRIC_CTX_SWITCHES_PER_REQ].count)
		return NULL;
	struct report_comparison c
	    = report_compare(data, thread, epoll, METRIC_CTX_SWITCHES_PER_REQ);
	const char *text = report_printf(pool,
	    "At 1,000 connections %s makes **%s** context switches a request, %s %s",
	    phrase_name(data, thread),
	    report_interval(pool, REPORT_PLAIN, thread->metric[METRIC_CTX_SWITCHES_PER_REQ]),
	    phrase_name(data, epoll),
	    report_interval(pool, REPORT_PLAIN, epoll->metric[METRIC_CTX_SWITCHES_PER_REQ]));
	if (c.verdict == ESTIMATE_HIGHER)
		return report_printf(pool,
		    "%s: **%s** as many. A loop takes many ready connections in one turn; a thread "
		    "sleeps and is woken for each.",
		    text, report_ratio(pool, c.ratio));
	return report_printf(pool, "%s: %s as many (%s).", text, report_ratio(pool, c.ratio),
	    c.verdict == ESTIMATE_UNDECIDED ? phrase_open(c) : estimate_verdict_name(c.verdict));
}

/* The others between the least and the most. */
static const char *memory_range(
    struct report_data *data, const struct report_cell_row *load, const struct report_point *thread)
{
	struct report_pool *pool = &data->pool;
	const struct report_point *least = NULL, *most = NULL;
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_point *p = &data->points[i];
		if (!phrase_at_load(p, "memory", load->connections, load->idle) || p == thread
		    || !p->metric[METRIC_BYTES_PER_CONN].count)
			continue;
		if (!least
		    || p->metric[METRIC_BYTES_PER_CONN].median
			< least->metric[METRIC_BYTES_PER_CONN].median)
			least = p;
		if (!most
		    || p->metric[METRIC_BYTES_PER_CONN].median
			> most->metric[METRIC_BYTES_PER_CONN].median)
			most = p;
	}
	if (!least)
		return NULL;
	const char *low = report_printf(pool, "%s %s", phrase_name(data, least),
	    report_interval(pool, REPORT_BYTES, least->metric[METRIC_BYTES_PER_CONN]));
	if (least == most)
		return low;
	return report_printf(pool, "the others from %s to %s %s", low, phrase_name(data, most),
	    report_interval(pool, REPORT_BYTES, most->metric[METRIC_BYTES_PER_CONN]));
}

static const char *answer_memory(struct report_data *data)
{
	struct report_pool *pool = &data->pool;
	struct report_cell_row load = phrase_largest_load(data, "memory");
	const struct report_point *thread
	    = report_point(data, "memory", "thread", load.connections, load.idle);
	const struct report_point *epoll
	    = report_point(data, "memory", "epoll", load.connections, load.idle);
	const char *range = memory_range(data, &load, thread);
	if (!report_usable(thread) || !thread->metric[METRIC_BYTES_PER_CONN].count || !range)
		return NULL;
	const char *text = report_printf(pool,
	    "Of %s held connections each costs %s **%s**, %s of it in user space; %s.",
	    report_whole(pool, (double)(load.connections + load.idle)), phrase_name(data, thread),
	    report_interval(pool, REPORT_BYTES, thread->metric[METRIC_BYTES_PER_CONN]),
	    report_value(pool, REPORT_BYTES, thread->metric[METRIC_USER_BYTES_PER_CONN].median),
	    range);
	const char *missing = phrase_not_shown(data, thread->cells);
	if (!report_usable(epoll))
		return report_printf(pool, "%s%s", text, missing);
	struct report_comparison c = report_compare(data, thread, epoll, METRIC_BYTES_PER_CONN);
	if (c.verdict == ESTIMATE_HIGHER || c.verdict == ESTIMATE_LOWER)
		return report_printf(pool, "%s %s takes **%s** what %s does.%s", text,
		    phrase_name(data, thread), report_ratio(pool, c.ratio),
		    phrase_name(data, epoll), missing);
	return report_printf(pool, "%s %s takes %s what %s does (%s).%s", text,
	    phrase_name(data, thread), report_ratio(pool, c.ratio), phrase_name(data, epoll),
	    c.verdict == ESTIMATE_UNDECIDED ? phrase_open(c) : estimate_verdict_name(c.verdict),
	    missing);
}

static const char *answer_wait(struct report_data *data)
{
	struct report_pool *pool = &data->pool;
	struct report_cell_row load = phrase_largest_load(data, "wait");
	double delay_s = load.target ? report_wait_s(load.target) : 0;
	if (delay_s <= 0)
		return NULL;
	double ceiling = (double)load.connections / delay_s;
	struct phrase_words reach = { 0 }, busy = { 0 }, below = { 0 }, limited = { 0 };
	double least = 1;
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_point *p = &data->points[i];
		if (!phrase_at_load(p, "wait", load.connections, load.idle) || !report_usable(p))
			continue;
		struct estimate share = p->metric[METRIC_RATE_PER_S];
		share.median /= ceiling, share.low /= ceiling, share.high /= ceiling;
		if (share.low >= WAIT_REACHED) {
			phrase_add(&reach, phrase_name(data, p));
			least = share.low < least ? share.low : least;
			continue;
		}
		bool is_busy = p->metric[METRIC_SERVER_CPU].median >= CPU_BOUND;
		bool bound = p->verdict == VERDICT_CLIENT_LIMITED;
		phrase_add(bound  ? &limited
			: is_busy ? &busy
				  : &below,
		    report_printf(pool, "%s %s%s", phrase_name(data, p), bound ? ">= " : "",
			report_interval(pool, REPORT_SHARE, share)));
	}
	const char *text = report_printf(pool,
	    "When each answer waits %s, %s connections allow at most **%s requests/s**.",
	    report_value(pool, REPORT_US, delay_s * 1e6),
	    report_whole(pool, (double)load.connections), report_value(pool, REPORT_RATE, ceiling));
	if (reach.count)
		text = report_printf(pool, "%s %s reach%s it (%s or more).", text,
		    phrase_join(data, &reach), reach.count == 1 ? "es" : "",
		    report_value(pool, REPORT_SHARE, least));
	if (busy.count)
		text = report_printf(
		    pool, "%s\nCPU-bound below it: %s.", text, phrase_join(data, &busy));
	if (below.count)
		text = report_printf(
		    pool, "%s\nBelow it otherwise: %s.", text, phrase_join(data, &below));
	if (limited.count)
		text = report_printf(pool, "%s\nClient-limited, so perhaps not below it: %s.", text,
		    phrase_join(data, &limited));
	return report_printf(pool, "%s%s", text, phrase_not_shown(data, &load));
}

static const char *answer_fairness(struct report_data *data)
{
	struct report_pool *pool = &data->pool;
	struct report_cell_row load = phrase_largest_load(data, "throughput");
	struct phrase_words starving = { 0 }, fair = { 0 };
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_point *p = &data->points[i];
		if (!phrase_at_load(p, "throughput", load.connections, load.idle))
			continue;
		const struct estimate *starved = &p->metric[METRIC_STARVED];
		if (starved->count && starved->median > 0)
			phrase_add(&starving,
			    report_printf(pool,
				"%s left **%s** of them without one of its %s answers in the window "
				"(Jain's fairness index %s)",
				phrase_name(data, p), report_interval(pool, REPORT_COUNT, *starved),
				report_value(
				    pool, REPORT_COUNT, p->metric[METRIC_REQUESTS].median),
				report_value(
				    pool, REPORT_PLAIN, p->metric[METRIC_FAIRNESS].median)));
		else if (starved->count && starved->high <= 0)
			phrase_add(&fair, phrase_name(data, p));
	}
	if (!starving.count && !fair.count)
		return NULL;
	const char *text = report_printf(
	    pool, "With %s busy connections", report_whole(pool, (double)load.connections));
	if (starving.count)
		text = report_printf(
		    pool, "%s %s%s", text, phrase_join(data, &starving), fair.count ? ";" : "");
	if (fair.count)
		text = report_printf(
		    pool, "%s %s answered every one", text, phrase_join(data, &fair));
	return report_printf(pool, "%s.%s", text, phrase_not_shown(data, &load));
}

/* The largest load up to which thread is not behind epoll: 0 for none. */
static long thread_keeps_up(struct report_data *data)
{
	long keeps_up = 0;
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_point *thread = &data->points[i];
		if (strcmp(thread->cells->experiment, "throughput")
		    || strcmp(thread->cells->server->name, "thread"))
			continue;
		const struct report_point *epoll = report_point(
		    data, "throughput", "epoll", thread->cells->connections, thread->cells->idle);
		if (!report_usable(thread) || !report_usable(epoll))
			break;
		struct report_comparison c = report_compare(data, thread, epoll, METRIC_RATE_PER_S);
		if (c.limited || (c.verdict != ESTIMATE_TIE && c.verdict != ESTIMATE_HIGHER))
			break;
		keeps_up = thread->cells->connections;
	}
	return keeps_up;
}

static const char *answer_simple(struct report_data *data)
{
	struct report_pool *pool = &data->pool;
	static const long small[] = { 10, 1, 100 };
	for (size_t i = 0; i < sizeof(small) / sizeof(*small); i++) {
		const struct report_point *thread
		    = report_point(data, "throughput", "thread", small[i], 0);
		const struct report_point *epoll
		    = report_point(data, "throughput", "epoll", small[i], 0);
		if (!report_usable(thread) || !report_usable(epoll))
			continue;
		long keeps_up = thread_keeps_up(data);
		const char *advice = keeps_up
		    ? report_printf(pool,
			"It keeps up to %s connection%s, and there blocking code is the better "
			"choice: it reads from top to bottom",
			report_whole(pool, (double)keeps_up), keeps_up == 1 ? "" : "s")
		    : "Blocking code reads from top to bottom: it is the better choice where the "
		      "price is small beside a request's own work";
		const char *lines
		    = thread->cells->server->source_lines && epoll->cells->server->source_lines
		    ? report_printf(pool, " (%ld lines of source against %ld)",
			thread->cells->server->source_lines, epoll->cells->server->source_lines)
		    : "";
		return report_printf(pool,
		    "With %s connections %s %s, at %s the CPU time a request%s. %s.",
		    report_whole(pool, (double)small[i]), phrase_name(data, thread),
		    phrase_serves(data, thread, epoll),
		    report_ratio(
			pool, report_compare(data, thread, epoll, METRIC_CPU_US_PER_REQ).ratio),
		    lines, advice);
	}
	return NULL;
}

size_t report_answers(struct report_data *data, struct report_answer answers[REPORT_ANSWERS_MAX])
{
	const struct {
		const char *topic, *figure;
		const char *(*make)(struct report_data *);
	} questions[REPORT_ANSWERS_MAX] = {
		{ "All busy", "throughput", answer_throughput },
		{ "Mostly idle", "idle", answer_idle },
		{ "Context switches", "switches", answer_switches },
		{ "CPU time", "cpu", answer_cpu },
		{ "Latency", "latency", report_answer_slo },
		{ "Memory", "memory", answer_memory },
		{ "Waiting for others", "wait", answer_wait },
		{ "Heavy among light", "mixed", report_answer_mixed },
		{ "Fairness", "percentiles", answer_fairness },
		{ "Simple code", "throughput", answer_simple },
	};
	size_t count = 0;
	for (size_t i = 0; i < REPORT_ANSWERS_MAX; i++) {
		const char *text = questions[i].make(data);
		if (text)
			answers[count++] = (struct report_answer){ questions[i].topic, text,
				questions[i].figure };
	}
	return count;
}
