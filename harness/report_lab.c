/*
 * report_lab.c: questions for people who learn, filled with the servers and loads of this run. Each
 * asks for a prediction; what was measured is folded away below it. A question whose figures this
 * run does not have is not asked.
 */
#include "harness/report_sections.h"

#include <math.h>
#include <string.h>

#include "harness/report_phrases.h"

/* Least and most of a metric among the servers under one load; both NULL when there are not two. A
 * lower bound of a rate is no least one. */
struct extremes {
	const struct report_point *least, *most;
};

static struct extremes find_extremes(
    const struct report_data *data, const struct report_cell_row *load, int metric)
{
	struct extremes e = { NULL, NULL };
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_point *p = &data->points[i];
		if (!load->connections
		    || !phrase_at_load(p, load->experiment, load->connections, load->idle)
		    || strcmp(p->cells->target, load->target) || !p->metric[metric].count)
			continue;
		bool bound = metric == METRIC_RATE_PER_S && p->verdict == VERDICT_CLIENT_LIMITED;
		if (!bound
		    && (!e.least || p->metric[metric].median < e.least->metric[metric].median))
			e.least = p;
		if (!e.most || p->metric[metric].median > e.most->metric[metric].median)
			e.most = p;
	}
	return e.least == e.most ? (struct extremes){ NULL, NULL } : e;
}

static const char *told(struct report *r, const struct report_point *p, int metric)
{
	const char *bound = metric == METRIC_RATE_PER_S && p->verdict == VERDICT_CLIENT_LIMITED
	    ? ">= "
	    : "";
	return report_printf(&r->data->pool, "%s **%s%s**", phrase_name(r->data, p), bound,
	    report_interval(&r->data->pool, report_metrics[metric].unit, p->metric[metric]));
}

static const char *count(struct report *r, long value)
{
	return report_whole(&r->data->pool, (double)value);
}

static void ask(struct report *r, const char *id, const char *topic, const char *predict,
    const char *measured, const char *explain)
{
	report_html(r->doc, "<div class=\"ask\">\n");
	report_heading(r->doc, 3, id, topic);
	report_paragraph(r->doc, NULL, report_printf(&r->data->pool, "**Predict.** %s", predict));
	report_details_begin(r->doc, "What this run measured", false);
	report_paragraph(
	    r->doc, NULL, report_printf(&r->data->pool, "**Measured.** %s", measured));
	report_details_end(r->doc);
	report_paragraph(r->doc, NULL, report_printf(&r->data->pool, "**Explain.** %s", explain));
	report_html(r->doc, "</div>\n");
}

static void ask_idle(struct report *r)
{
	struct report_data *data = r->data;
	struct report_cell_row load = phrase_largest_load(data, "idle");
	struct extremes e = find_extremes(data, &load, METRIC_RATE_PER_S);
	if (!e.least || !load.idle)
		return;
	const struct report_point *alone = report_point(
	    data, "idle", e.least->cells->server->name, load.connections, 0);
	const char *before = report_usable(alone)
	    ? report_printf(&data->pool, " Without idle ones: %s.",
		told(r, alone, METRIC_RATE_PER_S))
	    : "";
	ask(r, "ask-idle", "Those who say nothing",
	    report_printf(&data->pool,
		"%s connections are busy; %s more are open and silent. Which of all servers "
		"serves the least, and what part of the best one's rate is that?",
		count(r, load.connections), count(r, load.idle)),
	    report_printf(&data->pool, "%s requests/s; the highest figure has %s.%s",
		told(r, e.least, METRIC_RATE_PER_S), told(r, e.most, METRIC_RATE_PER_S), before),
	    "What must each of the two do for a silent connection, each time it waits?");
}

static void ask_switches(struct report *r)
{
	struct report_data *data = r->data;
	struct report_cell_row load = phrase_largest_load(data, "throughput");
	struct extremes e = find_extremes(data, &load, METRIC_CTX_SWITCHES_PER_REQ);
	if (!e.least)
		return;
	ask(r, "ask-switches", "Changing places on the CPU",
	    report_printf(&data->pool,
		"%s connections are busy. How often does the CPU change from one thread to another "
		"for each request: in %s, and in %s?",
		count(r, load.connections), phrase_name(data, e.most), phrase_name(data, e.least)),
	    report_printf(&data->pool, "%s switches a request; %s.",
		told(r, e.most, METRIC_CTX_SWITCHES_PER_REQ),
		told(r, e.least, METRIC_CTX_SWITCHES_PER_REQ)),
	    "How many requests does one of them serve each time that it is woken? When would the "
	    "other be below one switch a request?");
}

static void ask_memory(struct report *r)
{
	struct report_data *data = r->data;
	struct report_cell_row load = phrase_largest_load(data, "memory");
	struct extremes e = find_extremes(data, &load, METRIC_BYTES_PER_CONN);
	if (!e.least)
		return;
	double held = (double)(load.connections + load.idle);
	ask(r, "ask-memory", "What a silent connection weighs",
	    report_printf(&data->pool,
		"How much memory do %s held connections take, in %s and in %s?",
		report_whole(&data->pool, held), phrase_name(data, e.most),
		phrase_name(data, e.least)),
	    report_printf(&data->pool, "%s a connection, %s in all; %s, %s in all.",
		told(r, e.most, METRIC_BYTES_PER_CONN),
		report_value(&data->pool, REPORT_BYTES,
		    e.most->metric[METRIC_BYTES_PER_CONN].median * held),
		told(r, e.least, METRIC_BYTES_PER_CONN),
		report_value(&data->pool, REPORT_BYTES,
		    e.least->metric[METRIC_BYTES_PER_CONN].median * held)),
	    "Which part of it is in the kernel, and which part of that would any server pay?");
}

static void ask_wait(struct report *r)
{
	struct report_data *data = r->data;
	struct report_cell_row load = phrase_largest_load(data, "wait");
	double delay_s = load.target ? report_wait_s(load.target) : 0;
	struct extremes e = find_extremes(data, &load, METRIC_RATE_PER_S);
	if (!e.least || delay_s <= 0)
		return;
	ask(r, "ask-wait", "Waiting at the same time",
	    report_printf(&data->pool,
		"Each answer waits %s for something else. What rate can %s connections reach at "
		"most? Which server stays furthest below, and why?",
		report_value(&data->pool, REPORT_US, delay_s * 1e6), count(r, load.connections)),
	    report_printf(&data->pool,
		"At most %s requests/s, since each connection asks at most %s times a second. %s; "
		"%s.",
		report_value(&data->pool, REPORT_RATE, (double)load.connections / delay_s),
		report_value(&data->pool, REPORT_PLAIN, 1 / delay_s),
		told(r, e.most, METRIC_RATE_PER_S), told(r, e.least, METRIC_RATE_PER_S)),
	    "How many requests can the slowest have waiting at the same time? Does that number, "
	    "over the delay, give its rate?");
}

static void ask_mixed(struct report *r)
{
	struct report_data *data = r->data;
	struct report_cell_row load = phrase_largest_load(data, "mixed");
	struct extremes e = find_extremes(data, &load, METRIC_P99_US);
	if (!e.least)
		return;
	ask(r, "ask-mixed", "One heavy request among light ones",
	    report_printf(&data->pool,
		"One request in 200 computes for 10 ms. How long do the unluckiest 1%% of the light "
		"ones wait: with %s, and with %s?",
		phrase_name(data, e.most), phrase_name(data, e.least)),
	    report_printf(&data->pool, "%s; %s.", told(r, e.most, METRIC_P99_US),
		told(r, e.least, METRIC_P99_US)),
	    "Who decides, in each of the two, that a light request may go before the heavy one?");
}

/* Little's law: connections = rate x time. */
static void ask_little(struct report *r)
{
	struct report_data *data = r->data;
	struct report_cell_row load = phrase_largest_load(data, "throughput");
	struct extremes e = find_extremes(data, &load, METRIC_RATE_PER_S);
	if (!e.most || !e.most->metric[METRIC_P50_US].count || !e.most->metric[METRIC_P99_US].count)
		return;
	double rate = e.most->metric[METRIC_RATE_PER_S].median;
	ask(r, "ask-little", "Rate and time are one thing",
	    report_printf(&data->pool,
		"%s connections each have one request under way, always, and %s answers %s a second. "
		"How long does a request take on average? And the median, and the p99?",
		count(r, load.connections), phrase_name(data, e.most),
		report_value(&data->pool, REPORT_RATE, rate)),
	    report_printf(&data->pool,
		"By Little's law %s / %s per second = %s on average. Median %s, p99 %s.",
		count(r, load.connections), report_value(&data->pool, REPORT_RATE, rate),
		report_value(&data->pool, REPORT_US, (double)load.connections / rate * 1e6),
		report_interval(&data->pool, REPORT_US, e.most->metric[METRIC_P50_US]),
		report_interval(&data->pool, REPORT_US, e.most->metric[METRIC_P99_US])),
	    "What does it say about a server when the median lies far below that average?");
}

/* The two highest medians: are they two speeds? */
static void ask_tie(struct report *r)
{
	struct report_data *data = r->data;
	struct report_cell_row load = phrase_largest_load(data, "throughput");
	const struct report_point *best = load.connections
	    ? phrase_best(data, "throughput", load.connections, load.idle, METRIC_CPU_US_PER_REQ, true)
	    : NULL;
	const struct report_point *next = NULL;
	for (size_t i = 0; best && i < data->point_count; i++) {
		const struct report_point *p = &data->points[i];
		if (p != best && phrase_at_load(p, "throughput", load.connections, load.idle)
		    && p->metric[METRIC_CPU_US_PER_REQ].count
		    && (!next
			|| p->metric[METRIC_CPU_US_PER_REQ].median
			    < next->metric[METRIC_CPU_US_PER_REQ].median))
			next = p;
	}
	if (!next)
		return;
	struct report_comparison c = report_compare(data, next, best, METRIC_CPU_US_PER_REQ);
	const char *verdict = c.verdict == ESTIMATE_UNDECIDED
	    ? phrase_open(c)
	    : c.verdict == ESTIMATE_TIE ? "a tie" : "two different costs";
	ask(r, "ask-second", "First and second",
	    report_printf(&data->pool,
		"At %s connections a request costs %s the least CPU time, %s; then comes %s with %s. "
		"Would you bet that it is so in the next run?",
		count(r, load.connections), phrase_name(data, best),
		report_value(
		    &data->pool, REPORT_US, best->metric[METRIC_CPU_US_PER_REQ].median),
		phrase_name(data, next),
		report_value(
		    &data->pool, REPORT_US, next->metric[METRIC_CPU_US_PER_REQ].median)),
	    report_printf(&data->pool, "Block by block the second takes %s of the first: %s.",
		report_ratio(&data->pool, c.ratio), verdict),
	    "How many more blocks would you run to be sure, and what would they cost? How far "
	    "apart was the same server measured twice (section 0)?");
}

void report_section_coursework(struct report *r)
{
	report_paragraph(r->doc, NULL,
	    "Questions filled with this run's servers. Write your prediction down first, with a "
	    "number; a wrong one that you understand afterwards is worth more than a right one. "
	    "Exercises with a keyboard are in [docs/LAB.md](../../docs/LAB.md).");
	ask_idle(r);
	ask_switches(r);
	ask_memory(r);
	ask_wait(r);
	ask_mixed(r);
	ask_little(r);
	ask_tie(r);
	report_paragraph(r->doc, NULL,
	    "**What the error bars mean.** A bar is the 95% interval of the median over runs, each "
	    "with a freshly started server: were the whole series repeated, 19 of 20 such bars "
	    "would hold the true median; of bars over 3 runs, which are their range, 3 of 4. It "
	    "says nothing about single requests; how those scatter is in the percentile curves. "
	    "Two bars that overlap may still be two speeds, since runs of the same block share "
	    "their disturbances: the ratio block by block decides, as in section 1.");
}
