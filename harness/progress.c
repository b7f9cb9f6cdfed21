/* progress.c: 80 columns of it. */
#include "harness/progress.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "lib/core/units.h"
#include "lib/sys/clock.h"

enum { WIDTH = 80, BAR_WIDTH = 20, VERDICT_COLUMN = 61, FIGURES_WIDTH = 22 };
static const uint64_t draw_every_ns = 500000000;

static bool locale_is_utf8(void)
{
	const char *locale = getenv("LC_ALL");
	if (!locale || !locale[0])
		locale = getenv("LC_CTYPE");
	if (!locale || !locale[0])
		locale = getenv("LANG");
	return locale && (strstr(locale, "UTF-8") || strstr(locale, "utf8"));
}

void progress_init(struct progress *p, uint32_t cell_count, uint64_t expected_ns)
{
	const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
	bool dumb = terminal && strcmp(terminal, "dumb") == 0;
	*p = (struct progress){ .cell_count = cell_count, .expected_ns = expected_ns };
	p->terminal = isatty(STDOUT_FILENO) && !dumb;
	p->colour = p->terminal && !(no_colour && no_colour[0]);
	p->unicode = p->terminal && locale_is_utf8();
}

static const char *colour_of(const struct progress *p, enum verdict verdict)
{
	static const char *const colours[VERDICT_COUNT] = {
		[VERDICT_VALID] = "\033[32m",
		[VERDICT_CLIENT_LIMITED] = "\033[33m",
		[VERDICT_INVALID] = "\033[31m",
		[VERDICT_UNSUPPORTED] = "\033[2m",
		[VERDICT_FAILED] = "\033[1;31m",
	};
	return p->colour ? colours[verdict] : "";
}

static const char *plain(const struct progress *p)
{
	return p->colour ? "\033[0m" : "";
}

char *progress_format_time(uint64_t ns, char *out, size_t cap)
{
	uint64_t s = (ns + 500000000) / 1000000000;
	if (s >= 3600)
		snprintf(out, cap, "%" PRIu64 "h %02" PRIu64 "m", s / 3600, s / 60 % 60);
	else if (s >= 60)
		snprintf(out, cap, "%" PRIu64 "m %02" PRIu64 "s", s / 60, s % 60);
	else
		snprintf(out, cap, "%" PRIu64 "s", s);
	return out;
}

char *progress_format_load(const struct cell *cell, char out[PROGRESS_LOAD_CAP])
{
	char active[PLAN_NAME_CAP], others[PLAN_NAME_CAP], cpus[16] = "", rate[PLAN_NAME_CAP],
	    pipeline[16] = "", requests[24] = "";
	uint32_t other_count = cell->idle + cell->slow;
	plan_format_count(active, cell->connections);
	plan_format_count(others, other_count);
	plan_format_rate(rate, cell->level);
	if (cell->cpus)
		snprintf(cpus, sizeof(cpus), " x%u", cell->cpus);
	if (cell->experiment->pipeline > 1)
		snprintf(pipeline, sizeof(pipeline), "*%u", cell->experiment->pipeline);
	if (cell->requests)
		snprintf(requests, sizeof(requests), " %ureq", cell->requests);
	snprintf(out, PROGRESS_LOAD_CAP, "%s%s%s%s%s%s%s%s%s", active, pipeline,
	    other_count ? "+" : "", other_count ? others : "", rate[0] ? "@" : "", rate,
	    cell->cold ? " cold" : "", cpus, requests);
	return out;
}

static char *format_server(const struct cell *cell, char *out, size_t cap)
{
	snprintf(out, cap, "%s%s", cell->server->name, cell->twin ? " A/A" : "");
	return out;
}

void progress_head(const struct progress *p)
{
	printf("%s%-10s %-14s %9s %7s %7s %7s  %s%s\n", p->colour ? "\033[1m" : "", "experiment",
	    "server", "clients", "req/s", "p99", "csw/req", "verdict", plain(p));
	fflush(stdout);
}

/* Time left: the plan's figures, corrected by how the cells so far compare with theirs. */
static uint64_t time_left_ns(const struct progress *p)
{
	double pace = 1;
	if (p->expected_done_ns > 0 && p->done_count >= 3)
		pace = (double)p->spent_ns / (double)p->expected_done_ns;
	double left = (double)(p->expected_ns - p->expected_done_ns) * pace;
	double under_way = p->cell ? (double)(clock_now_ns() - p->cell_began_ns) : 0;
	return left > under_way ? (uint64_t)(left - under_way) : 0;
}

void progress_extend(struct progress *p, uint32_t open, uint32_t compared, uint32_t cell_count,
    uint64_t most_ns)
{
	char most[32];
	p->cell_count += cell_count;
	p->expected_ns = p->expected_done_ns + most_ns;
	p->at_most = true;
	printf("  %u of %u comparisons undecided: another block (at most %s)\n", open, compared,
	    progress_format_time(time_left_ns(p), most, sizeof(most)));
	fflush(stdout);
}

void progress_begin(struct progress *p, const struct cell *cell)
{
	p->cell = cell;
	p->cell_began_ns = clock_now_ns();
	p->drawn_ns = 0;
	progress_tick(p);
}

/* A line that wraps could not be taken away again. */
static int passing_width(void)
{
	struct winsize size;
	bool told = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
	return (told && size.ws_col < WIDTH ? size.ws_col : WIDTH) - 1;
}

void progress_tick(struct progress *p)
{
	uint64_t now_ns = clock_now_ns();
	if (!p->terminal || !p->cell || now_ns < p->drawn_ns + draw_every_ns)
		return;
	p->drawn_ns = now_ns;
	double share = p->expected_ns ? (double)p->expected_done_ns / (double)p->expected_ns : 0;
	int filled = (int)(share * BAR_WIDTH + 0.5);
	const char *full = p->unicode ? "\u2588" : "#", *empty = p->unicode ? "\u2591" : ".";
	char text[256], left[32], load[PROGRESS_LOAD_CAP];
	snprintf(text, sizeof(text), "%3.0f%%  %u/%u  %s%s left  %s %s %s", share * 100,
	    p->done_count + 1, p->cell_count, p->at_most ? "<= " : "",
	    progress_format_time(time_left_ns(p), left, sizeof(left)),
	    experiment_names[p->cell->experiment->kind], p->cell->server->name,
	    progress_format_load(p->cell, load));
	printf("\r\033[K %s", p->colour ? "\033[36m" : "");
	for (int i = 0; i < BAR_WIDTH; i++)
		fputs(i < filled ? full : empty, stdout);
	int room = passing_width() - BAR_WIDTH - 2;
	printf("%s %.*s", plain(p), room > 0 ? room : 0, text);
	fflush(stdout);
}

void progress_clear(const struct progress *p)
{
	if (p->terminal)
		fputs("\r\033[K", stdout);
	fflush(stdout);
}

void progress_note(const struct progress *p, const char *text)
{
	if (p->terminal) {
		printf("\r\033[K%.*s", passing_width(), text);
		fflush(stdout);
	}
}

static char *format_number(double number, char *out, size_t cap)
{
	if (!isfinite(number))
		snprintf(out, cap, "-");
	else if (number >= 100)
		units_format_count(out, cap, number);
	else
		snprintf(out, cap, number < 0.01 && number > 0 ? "%.4f" : "%.2f", number);
	return out;
}

/* The three figures of a row; for held connections, the bytes each costs; of batches, the time. */
static void print_figures(const struct row *row)
{
	char a[UNITS_CAP], b[UNITS_CAP], c[UNITS_CAP], figure[64];
	const double *m = row->metrics;
	if (row->cell->experiment->kind == EXPERIMENT_MEMORY) {
		snprintf(figure, sizeof(figure), "%s + %s",
		    isfinite(m[METRIC_USER_BYTES_PER_CONN])
		    ? units_format_size(a, sizeof(a), m[METRIC_USER_BYTES_PER_CONN]) : "?",
		    isfinite(m[METRIC_KERNEL_BYTES_PER_CONN])
		    ? units_format_size(b, sizeof(b), m[METRIC_KERNEL_BYTES_PER_CONN]) : "?");
		printf("%23s  ", figure);
		return;
	}
	if (row->cell->experiment->kind == EXPERIMENT_BATCH) {
		snprintf(figure, sizeof(figure), "%.2f +- %.2f s", m[METRIC_BATCH_MEAN_S],
		    m[METRIC_BATCH_STDDEV_S]);
		printf("%23s  ", figure);
		return;
	}
	if (isfinite(m[METRIC_RATE_PER_S]))
		units_format_count(a, sizeof(a), m[METRIC_RATE_PER_S]);
	else
		strcpy(a, "-");
	if (isfinite(m[METRIC_P99_US]))
		units_format_time_ns(b, sizeof(b), m[METRIC_P99_US] * 1e3);
	else
		strcpy(b, "-");
	format_number(m[METRIC_CTX_SWITCHES_PER_REQ], c, sizeof(c));
	printf("%7s %7s %7s  ", a, b, c);
}

void progress_end(struct progress *p, const struct row *row, uint64_t expected_ns)
{
	char load[PROGRESS_LOAD_CAP], server[64], marks[sizeof(row->marks) + 2];
	p->verdicts[row->verdict]++;
	p->done_count++;
	p->expected_done_ns += expected_ns;
	p->spent_ns += clock_now_ns() - p->cell_began_ns;
	p->cell = NULL;
	progress_clear(p);
	/* on a terminal a line is one of the screen: what is longer is in the report */
	int room = p->terminal ? WIDTH - VERDICT_COLUMN - (int)strlen(verdict_names[row->verdict])
	                       : (int)sizeof(row->reason);
	printf("%-10s %-14s %9s ", experiment_names[row->cell->experiment->kind],
	    format_server(row->cell, server, sizeof(server)),
	    progress_format_load(row->cell, load));
	if (row->verdict == VERDICT_VALID || row->verdict == VERDICT_CLIENT_LIMITED) {
		print_figures(row);
		printf("%s%s%s", colour_of(p, row->verdict), verdict_names[row->verdict], plain(p));
		snprintf(marks, sizeof(marks), "%s%s", row->marks[0] ? ", " : "", row->marks);
		printf("%.*s\n", room, marks);
	} else {
		printf(" %s%s%s: %.*s\n", colour_of(p, row->verdict), verdict_names[row->verdict],
		    plain(p), room + FIGURES_WIDTH, row->reason);
	}
	fflush(stdout);
}
