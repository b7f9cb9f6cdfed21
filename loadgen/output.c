/*
 * output.c: the report for people. First what was asked for, then what came of it: rate, latency
 * with its shape, connections, errors by kind if there were any, the client's own cost, and whether
 * to believe all that. Bold type is the only decoration, and only on a terminal without NO_COLOR
 * (no-color.org).
 */
#include "output.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calibrate.h"
#include "lib/core/units.h"
#include "lib/sys/clock.h"

enum { LINE_WIDTH = 80, LABEL_WIDTH = 13, BAR_WIDTH = 40 };

static const char *bold = "", *plain = "";

static bool is_decorated(int fd)
{
	const char *no_color = getenv("NO_COLOR"), *term = getenv("TERM");
	return isatty(fd) && !(no_color && *no_color) && term && strcmp(term, "dumb") != 0;
}

/* The three formats write into a few buffers in turn: enough for the arguments of one printf. */
static char *next_text(void)
{
	static char texts[8][UNITS_CAP];
	static unsigned int next;
	return texts[next++ % 8];
}

static char *count_text(double count)
{
	return units_format_count(next_text(), UNITS_CAP, count);
}

static char *time_text(uint64_t time_ns)
{
	return units_format_time_ns(next_text(), UNITS_CAP, (double)time_ns);
}

static char *size_text(uint64_t len)
{
	return units_format_size(next_text(), UNITS_CAP, (double)len);
}

/* Words behind a label, in as many lines as it takes; those of a "- point" hang together. */
__attribute__((format(printf, 2, 3)))
static void print_item(const char *label, const char *format, ...)
{
	char text[2 * RESULT_REASON_CAP];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	int indent = text[0] == '-' ? LABEL_WIDTH + 2 : LABEL_WIDTH;
	int column = printf("%-*s", LABEL_WIDTH, label);
	const char *space = "";
	char *rest;
	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (*space && column + 1 + (int)strlen(word) > LINE_WIDTH) {
			printf("\n");
			column = printf("%*s", indent, "");
			space = "";
		}
		column += printf("%s%s", space, word);
		space = " ";
	}
	printf("\n");
}

/* --- parts of the report ---------------------------------------------------------------------- */

static void print_config(const struct options *o, const struct result *r)
{
	printf("%s%s%s\n%s connection%s", bold, o->url, plain, count_text(o->active_count),
	    o->active_count == 1 ? "" : "s");
	if (o->idle_count)
		printf(" and %s idle", count_text(o->idle_count));
	if (o->slow_count)
		printf("%s %s slow", o->idle_count ? "," : " and", count_text(o->slow_count));
	if (o->requests_per_connection)
		printf(", opened anew every %u request%s", o->requests_per_connection,
		    o->requests_per_connection == 1 ? "" : "s");
	if (o->depth > 1)
		printf(", %u requests at a time", o->depth);
	if (o->mix_file)
		printf(", %u targets of %s", o->target_count, o->mix_file);
	if (o->rate_per_s)
		printf(", %s requests/s (%s arrivals)", count_text(o->rate_per_s),
		    arrivals_kind_names[o->arrivals]);
	if (o->mix_file || o->rate_per_s)
		printf(", seed %llu", (unsigned long long)o->seed);
	printf(", %u worker%s", o->worker_count, o->worker_count == 1 ? "" : "s");
	if (o->merged_count)
		printf(", of %d results", o->merged_count);
	printf("\n");
	if (o->hold_ns)
		printf("%s silent%s", time_text(o->hold_ns), o->duration_ns || o->requests ? ", " : "");
	if (o->requests)
		printf("%u requests", o->requests);
	if (o->duration_ns)
		printf("%s after %s of warm-up", time_text(o->duration_ns),
		    time_text(o->warmup_ns));
	if (r->interrupted)
		printf(", %sinterrupted after %.1f s%s", bold, r->elapsed_s, plain);
	printf("\n\n");
}

static void print_rate(const struct result *r)
{
	const struct stats *t = &r->stats;
	double rate_per_s = result_rate_per_s(r);
	int digits = rate_per_s < 10; /* of a few long requests a whole number says too little */
	printf("requests/s   %s%.*f%s", bold, digits, rate_per_s, plain);
	if (r->wanted_per_s)
		printf(" of %.*f due", digits, (double)t->offered / r->elapsed_s);
	printf("   (%s answers, %s received)\n", count_text((double)t->completed),
	    size_text(t->bytes_received));
}

enum { QUANTILE_COUNT = 4 };
static const double quantiles[QUANTILE_COUNT] = { 0.5, 0.9, 0.99, 0.999 };
static const char *const names[QUANTILE_COUNT] = { "p50", "p90", "p99", "p99.9" };

static void print_latency_row(const char *name, int width, const struct histogram *h)
{
	printf("  %-*s", width, name);
	for (int i = 0; i < QUANTILE_COUNT; i++)
		printf("  %9s", stats_quantile_is_known(h, quantiles[i])
		    ? time_text(histogram_quantile_ns(h, quantiles[i])) : "-");
	printf("  %9s\n%s", h->count ? time_text(h->max_ns) : "-", plain);
}

/* Response time is what users see; the two below it say where it comes from. */
static void print_latencies(const struct result *r)
{
	printf("%-*s", LABEL_WIDTH - 2, "latency");
	for (int i = 0; i < QUANTILE_COUNT; i++)
		printf("  %9s", names[i]);
	printf("  %9s\n%s", "max", bold);
	if (r->wanted_per_s)
		print_latency_row("response", LABEL_WIDTH - 4, &r->stats.response);
	print_latency_row("service", LABEL_WIDTH - 4, &r->stats.service);
	if (r->wanted_per_s)
		print_latency_row("send lag", LABEL_WIDTH - 4, &r->stats.send_lag);
	if (r->stats.connect.count)
		print_latency_row("connect", LABEL_WIDTH - 4, &r->stats.connect);
}

/* What users see of each target: response time in an open loop, service time in a closed one. */
static void print_targets(const struct options *o, const struct result *r)
{
	int width = 6;
	for (uint32_t i = 0; i < o->target_count; i++)
		width = (int)fmax(width, (double)strlen(o->targets[i].name));
	printf("%-*s  %9s", width, "target", "answers");
	for (int i = 0; i < QUANTILE_COUNT; i++)
		printf("  %9s", names[i]);
	printf("  %9s\n", "max");
	for (uint32_t i = 0; i < o->target_count; i++) {
		const struct target_stats *t = &r->stats.targets[i];
		char name[TARGET_NAME_CAP + UNITS_CAP];
		snprintf(name, sizeof name, "%-*s  %9s", width - 2, o->targets[i].name,
		    count_text((double)t->completed));
		print_latency_row(name, 0, r->wanted_per_s ? &t->response : &t->service);
	}
	printf("\n");
}

/*
 * About ten bars from p0.1 to p99.9, each a constant factor wide. The first takes what is quicker
 * and the last all the rest, so that one sample far away does not stretch the picture. The longest
 * fills the line; one that holds anything at all shows it.
 */
enum { BARS_MAX = 16 };
struct bar {
	bool rest; /* all over edge_ns, else all up to it */
	double edge_ns;
	double share;
};

static int make_bars(const struct histogram *h, struct bar *bars)
{
	double edge_ns = (double)histogram_quantile_ns(h, 0.001);
	double last_ns = (double)histogram_quantile_ns(h, 0.999);
	double factor = fmax(pow(last_ns / edge_ns, 0.1), 1.1);
	uint64_t counted = 0;
	int count = 0;
	for (; counted < h->count && count < BARS_MAX; count++) {
		double lower_ns = edge_ns;
		edge_ns *= factor;
		bool rest = count > 0 && (edge_ns >= last_ns || count == BARS_MAX - 1);
		uint64_t below = h->count;
		if (!rest)
			below -= histogram_count_above(h, (uint64_t)edge_ns);
		double share = (double)(below - counted) / (double)h->count;
		bars[count] = (struct bar){ rest, rest ? lower_ns : edge_ns, share };
		counted = below;
	}
	return count;
}

static void print_bars(const char *name, const struct histogram *h)
{
	struct bar bars[BARS_MAX];
	int count = make_bars(h, bars);
	double most = 0;
	for (int i = 0; i < count; i++)
		most = fmax(most, bars[i].share);
	printf("\n");
	for (int i = 0; i < count; i++)
		printf("%-*s%-5s %8s  %6.2f%%%s%.*s\n", LABEL_WIDTH, i ? "" : name,
		    bars[i].rest ? "over" : "up to", time_text((uint64_t)bars[i].edge_ns),
		    bars[i].share * 100, bars[i].share > 0 ? "  " : "",
		    (int)ceil(bars[i].share / most * BAR_WIDTH),
		    "########################################");
	printf("\n");
}

static void print_backlog(const struct stats *t)
{
	print_item("backlog", "%llu when the window began, %llu at its end (%llu of them not sent)",
	    (unsigned long long)t->carried, (unsigned long long)t->unfinished,
	    (unsigned long long)t->unsent);
}

static void print_connections(const struct result *r)
{
	const struct audit *a = &r->audit;
	char shares[64] = "";
	if (r->stats.completed && !r->wanted_per_s)
		snprintf(shares, sizeof shares, ", %llu starved, fairness %.3f",
		    (unsigned long long)a->starved, audit_fairness(a));
	print_item("connections", "%llu requested, %llu established, %llu answered%s",
	    (unsigned long long)a->requested, (unsigned long long)a->established,
	    (unsigned long long)a->answered, shares);
	if (a->slow)
		print_item("slow", "%llu answers, the longest took %s; the server ended %llu",
		    (unsigned long long)r->stats.slow_answered,
		    r->stats.slow.count ? time_text(r->stats.slow.max_ns) : "-",
		    (unsigned long long)r->stats.slow_ended);
}

static void print_errors(const struct result *r)
{
	uint64_t total = stats_error_count(&r->stats);
	if (total == 0)
		return;
	char kinds[ERROR_KIND_COUNT * 32];
	int len = 0;
	for (int kind = 0; kind < ERROR_KIND_COUNT; kind++)
		if (r->stats.errors[kind])
			len += snprintf(kinds + len, sizeof kinds - (size_t)len, " %s %llu",
			    error_names[kind], (unsigned long long)r->stats.errors[kind]);
	printf("%s", bold);
	print_item("errors", "%llu:%s", (unsigned long long)total, kinds);
	printf("%s", plain);
	if (r->stats.connect_errno)
		print_item("", "- the last connect: %s", strerror(r->stats.connect_errno));
}

static void print_client(const struct result *r)
{
	enum { SHOWN_MAX = 8 };
	printf("%-*s", LABEL_WIDTH, "client CPU");
	for (uint32_t i = 0; i < r->worker_count && i < SHOWN_MAX; i++)
		printf("%.0f%% ", r->workers[i].cpu_share * 100);
	printf("%s(%.2f us a request)\n", r->worker_count > SHOWN_MAX ? "... " : "",
	    result_cpu_us_per_request(r));
	if (r->wanted_per_s)
		print_item("", "and %.0f%% looking out for the next one due",
		    result_busiest(r).spin_share * 100);
}

/* What is no error, but must be known of the server before its figures are used. */
static void print_findings(const struct result *r)
{
	if (r->wanted_per_s && result_fell_behind(r))
		print_item("", "- overloaded: %.1f%% of what was due was answered; the rest waits, "
			       "the longer the larger -d is", result_achieved_share(r) * 100);
	if (!r->wanted_per_s && r->stats.completed && audit_fairness(&r->audit) < 0.9)
		print_item("", "- unfair: some connections were served far more often");
}

void output_report(const struct options *o, const struct result *r)
{
	if (is_decorated(STDOUT_FILENO)) {
		bold = "\033[1m";
		plain = "\033[0m";
	}
	print_config(o, r);
	if (r->stats.completed) {
		print_rate(r);
		print_latencies(r);
		if (r->wanted_per_s)
			print_bars("response", &r->stats.response);
		else
			print_bars("service", &r->stats.service);
		if (r->stats.targets)
			print_targets(o, r);
	}
	print_connections(r);
	if (r->wanted_per_s)
		print_backlog(&r->stats);
	print_errors(r);
	if (r->stats.completed)
		print_client(r);
	if (r->calibration && r->stats.completed)
		calibration_print(r->calibration, result_rate_per_s(r));
	printf("verdict      %s%s%s\n", bold, verdict_names[r->verdict], plain);
	for (uint32_t i = 0; i < r->reason_count; i++)
		print_item("", "- %s", r->reasons[i]);
	print_findings(r);
}

/* --- progress --------------------------------------------------------------------------------- */

static bool progress_shown;
static const char *progress_name;

void output_progress_name(const char *name)
{
	progress_name = name;
}

void output_progress(const char *phase, uint64_t done, uint64_t total, double rate_per_s,
    uint64_t errors)
{
	static int wanted = -1;
	static uint64_t next_ns;
	if (wanted < 0)
		wanted = isatty(STDERR_FILENO);
	uint64_t now_ns = clock_now_ns();
	if (!wanted || now_ns < next_ns)
		return;
	next_ns = now_ns + 100000000;
	progress_shown = true;
	fprintf(stderr, "\r%-10s %3llu%%", progress_name ? progress_name : phase,
	    (unsigned long long)(total ? done * 100 / total : 100));
	if (rate_per_s > 0)
		fprintf(stderr, "   %6s requests/s", count_text(rate_per_s));
	if (errors)
		fprintf(stderr, "   %s errors", count_text((double)errors));
	fprintf(stderr, "\033[K");
}

void output_progress_end(void)
{
	if (progress_shown)
		fprintf(stderr, "\r\033[K");
	progress_shown = false;
}
