/*
 * verdict.c: METHOD: a cell that did something else than was asked is invalid, whatever its
 * figures.
 *
 * A server that turned connections away (no more threads, no more files) told us its limit: that is
 * `unsupported`, not `invalid`.
 */
#include "harness/verdict.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const int64_t clock_step_most_ns = 1000000;
static const uint64_t error_share_least = 1000; /* one error in so many is the most */
/* of the rate; and of one CPU, since many a model has use for one only */
static const double achieved_least = 0.99, busy_least = 0.85;

__attribute__((format(printf, 2, 3))) static void add(char reason[512], const char *format, ...)
{
	size_t len = strlen(reason);
	len += (size_t)snprintf(reason + len, 512 - len, "%s", len ? "; " : "");
	if (len >= 512)
		return;
	va_list args;
	va_start(args, format);
	vsnprintf(reason + len, 512 - len, format, args);
	va_end(args);
}

static uint64_t difference(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* More than a window's edges explain: what is in flight there varies by chance. */
static bool fell_behind(const struct verdict_facts *f)
{
	double growth = (double)f->unfinished - (double)f->carried;
	double chance = 3 * sqrt((double)f->unfinished + (double)f->carried);
	return growth > (1 - achieved_least) * (double)f->offered && growth > chance;
}

/*
 * A server that has work waiting and does not do it was kept from it, or waits for something else:
 * what it then answers is no measure of it at this rate.
 */
static void judge_backlog(struct row *row, const struct verdict_facts *f, char reason[512])
{
	double server_cpu = row->metrics[METRIC_SERVER_CPU];
	if (!fell_behind(f))
		return;
	double growth = (double)f->unfinished - (double)f->carried;
	if (server_cpu < busy_least && !f->may_idle)
		add(reason, "%.1f%% of the rate was achieved while the server used %.2f CPUs",
		    100 * (1 - growth / (double)f->offered), server_cpu);
	else
		row_mark(row, "overloaded");
}

/* With both sides at their end the lower bound is a close one: the reader is told. */
static void judge_client_limited(struct row *row, const struct verdict_facts *f)
{
	double server_cpu = row->metrics[METRIC_SERVER_CPU];
	char server[64] = "";
	if (!isnan(server_cpu))
		snprintf(server, sizeof(server), "; the server kept %.2f CPUs busy", server_cpu);
	row_judge(row, VERDICT_CLIENT_LIMITED, "%s%s", f->client_reasons, server);
}

void verdict_judge(struct row *row, const struct verdict_facts *f)
{
	char reason[512] = "";
	if (f->refused > 0 && f->established + f->answered < 2 * f->requested) {
		row_judge(row, VERDICT_UNSUPPORTED,
		    "the server refused %" PRIu64 " of %" PRIu64 " connections%s%.300s", f->refused,
		    f->requested, f->last_words[0] ? ": " : "", f->last_words);
		return;
	}
	if (f->established != f->requested)
		add(reason, "established %" PRIu64 " of %" PRIu64 " connections", f->established,
		    f->requested);
	if (f->answered != f->requested)
		add(reason, "answered %" PRIu64 " of %" PRIu64 " connections", f->answered,
		    f->requested);
	if (f->errors * error_share_least > f->completed + f->errors)
		add(reason, "%" PRIu64 " errors in %" PRIu64 " requests", f->errors,
		    f->completed + f->errors);
	/* what was in flight, or ended in an error, the server may have counted or not */
	if (f->has_server_requests &&
	    difference(f->server_requests, f->client_requests) > f->in_flight + f->errors)
		add(reason, "the server counted %" PRIu64 " requests, the client sent %" PRIu64,
		    f->server_requests, f->client_requests);
	judge_backlog(row, f, reason);
	if (f->clock_step_ns > clock_step_most_ns)
		add(reason, "the machine was suspended for %.3f s", (double)f->clock_step_ns / 1e9);
	if (strcmp(f->client_verdict, "invalid") == 0 && f->client_reasons[0])
		add(reason, "%s", f->client_reasons);
	if (reason[0] || strcmp(f->client_verdict, "invalid") == 0)
		row_judge(
		    row, VERDICT_INVALID, "%s", reason[0] ? reason : "the load generator says so");
	else if (strcmp(f->client_verdict, "client-limited") == 0)
		judge_client_limited(row, f);
	else
		row_judge(row, VERDICT_VALID, "%s", "");
}
