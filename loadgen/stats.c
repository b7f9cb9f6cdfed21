/*
 * stats.c: sums and judgements after the run. The thresholds of result_judge() are those that every
 * cell of the suite is judged by (docs/MEASURING.md); a result that misses one is still shown, with
 * the reason beside it.
 */
#include "stats.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *const error_names[ERROR_KIND_COUNT] = {
	"connect", "timeout", "reset", "closed", "status", "body", "malformed"
};
const char *const verdict_names[] = { "valid", "client-limited", "invalid" };

static const double error_share_max = 0.001;
static const double accounting_error_max = 0.01;
static const double cpu_share_max = 0.85;
static const double full_wait_share_max = 0.05;
static const double edge_delay_share_max = 0.05;
static const double clock_jump_max_s = 0.001;
static const double behind_share_max = 0.01;
static const double late_share_max = 0.01;

void stats_init(struct stats *t)
{
	memset(t, 0, sizeof *t);
	histogram_init(&t->service);
	histogram_init(&t->connect);
	histogram_init(&t->slow);
	histogram_init(&t->response);
	histogram_init(&t->send_lag);
}

void stats_set_targets(struct stats *t, struct target_stats *targets, uint32_t count)
{
	t->targets = targets;
	t->target_count = count;
	for (uint32_t i = 0; i < count; i++) {
		targets[i] = (struct target_stats){ 0 };
		histogram_init(&targets[i].service);
		histogram_init(&targets[i].response);
	}
}

static void merge_target(struct target_stats *into, const struct target_stats *from)
{
	into->sent += from->sent;
	into->completed += from->completed;
	into->errors += from->errors;
	histogram_merge(&into->service, &from->service);
	histogram_merge(&into->response, &from->response);
}

void stats_merge(struct stats *into, const struct stats *from)
{
	into->sent += from->sent;
	into->completed += from->completed;
	if (from->last_ns > into->last_ns)
		into->last_ns = from->last_ns;
	into->bytes_sent += from->bytes_sent;
	into->bytes_received += from->bytes_received;
	into->in_system_ns += from->in_system_ns;
	into->lifetime += from->lifetime;
	into->in_flight_at_end += from->in_flight_at_end;
	for (int kind = 0; kind < ERROR_KIND_COUNT; kind++)
		into->errors[kind] += from->errors[kind];
	if (from->connect_errno)
		into->connect_errno = from->connect_errno;
	histogram_merge(&into->service, &from->service);
	histogram_merge(&into->connect, &from->connect);
	into->slow_answered += from->slow_answered;
	into->slow_ended += from->slow_ended;
	histogram_merge(&into->slow, &from->slow);
	into->offered += from->offered;
	into->carried += from->carried;
	into->unfinished += from->unfinished;
	into->unsent += from->unsent;
	into->late += from->late;
	histogram_merge(&into->response, &from->response);
	histogram_merge(&into->send_lag, &from->send_lag);
	for (uint32_t i = 0; i < into->target_count; i++)
		merge_target(&into->targets[i], &from->targets[i]);
}

uint64_t stats_error_count(const struct stats *t)
{
	uint64_t count = 0;
	for (int kind = 0; kind < ERROR_KIND_COUNT; kind++)
		count += t->errors[kind];
	return count;
}

bool stats_quantile_is_known(const struct histogram *h, double quantile)
{
	/* by rank, not by value: the samples beyond may lie in the same bucket */
	return (double)h->count * (1 - quantile) > 10 - 1e-6;
}

void audit_add(struct audit *a, const struct session *s)
{
	a->requested++;
	a->established += s->established;
	a->answered += s->answered;
	a->idle += s->population == POPULATION_IDLE;
	a->slow += session_is_slow(s);
	if (s->population != POPULATION_ACTIVE)
		return;
	a->starved += s->window_count == 0;
	a->answer_sum += s->window_count;
	a->square_sum += (double)s->window_count * s->window_count;
}

static double active_count(const struct audit *a)
{
	return (double)(a->requested - a->idle - a->slow);
}

double audit_fairness(const struct audit *a)
{
	double sum = (double)a->answer_sum;
	return sum > 0 ? sum * sum / (active_count(a) * a->square_sum) : 0;
}

double result_rate_per_s(const struct result *r)
{
	return r->elapsed_s > 0 ? (double)r->stats.completed / r->elapsed_s : 0;
}

double result_cpu_us_per_request(const struct result *r)
{
	return r->stats.completed ? r->process_cpu_s * 1e6 / (double)r->stats.completed : 0;
}

double result_littles_residual(const struct result *r)
{
	double expected = active_count(&r->audit);
	double found = result_rate_per_s(r) * histogram_mean_ns(&r->stats.service) / 1e9;
	return fabs(expected - found) / expected;
}

double result_accounted_share(const struct result *r)
{
	double whole_ns = active_count(&r->audit) * r->elapsed_s * 1e9;
	return whole_ns > 0 ? (double)r->stats.in_system_ns / whole_ns : 1;
}

double result_achieved_share(const struct result *r)
{
	return r->stats.offered ? (double)r->stats.completed / (double)r->stats.offered : 1;
}

bool result_fell_behind(const struct result *r)
{
	const struct stats *t = &r->stats;
	double growth = (double)t->unfinished - (double)t->carried;
	double chance = 3 * sqrt((double)t->unfinished + (double)t->carried);
	return growth > behind_share_max * (double)t->offered && growth > chance;
}

struct worker_cost result_busiest(const struct result *r)
{
	struct worker_cost most = { 0, 0, 0, 0 };
	for (uint32_t i = 0; i < r->worker_count; i++) {
		most.cpu_share = fmax(most.cpu_share, r->workers[i].cpu_share);
		most.spin_share = fmax(most.spin_share, r->workers[i].spin_share);
		most.run_delay_share = fmax(most.run_delay_share, r->workers[i].run_delay_share);
		most.full_wait_share = fmax(most.full_wait_share, r->workers[i].full_wait_share);
	}
	return most;
}

static void add_reason(struct result *r, const char *format, va_list args)
{
	if (r->reason_count < RESULT_REASONS_MAX)
		vsnprintf(r->reasons[r->reason_count++], RESULT_REASON_CAP, format, args);
	else
		snprintf(r->reasons[RESULT_REASONS_MAX - 1], RESULT_REASON_CAP, "and more");
}

void result_add_reason(struct result *r, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	add_reason(r, format, args);
	va_end(args);
}

/* The gravest verdict stays; every reason is told. */
__attribute__((format(printf, 3, 4)))
static void find(struct result *r, enum verdict verdict, const char *format, ...)
{
	if (verdict > r->verdict)
		r->verdict = verdict;
	va_list args;
	va_start(args, format);
	add_reason(r, format, args);
	va_end(args);
}

static void judge_connections(struct result *r)
{
	const struct audit *a = &r->audit;
	if (a->established != a->requested)
		find(r, VERDICT_INVALID, "established %llu of %llu connections",
		    (unsigned long long)a->established, (unsigned long long)a->requested);
	uint64_t errors = stats_error_count(&r->stats);
	if ((double)errors > error_share_max * (double)r->stats.lifetime)
		find(r, VERDICT_INVALID, "%llu errors in %llu requests (more than %.1f%%)",
		    (unsigned long long)errors, (unsigned long long)r->stats.lifetime,
		    error_share_max * 100);
	if (r->clock_jump_s > clock_jump_max_s)
		find(r, VERDICT_INVALID, "the machine was suspended for %.3f s", r->clock_jump_s);
}

/* Every connection has a request under way, or connects, all the time: else some were forgotten. */
static void judge_closed_loop(struct result *r, struct worker_cost most)
{
	double accounted = result_accounted_share(r);
	/* near the end of a fixed number some connections have nothing left to ask */
	if (!r->wanted_requests && fabs(accounted - 1) > accounting_error_max)
		find(r, VERDICT_INVALID,
		    "connections were busy %.1f%% of the time, not 100%%", accounted * 100);
	if (most.cpu_share > cpu_share_max)
		find(r, VERDICT_CLIENT_LIMITED,
		    "a worker used %.0f%% of its CPU: the rate is a lower bound (more with -t)",
		    most.cpu_share * 100);
}

/*
 * A backlog is the server's, or that of too few connections, as long as the client had time to
 * spare: a finding, not an error. A schedule that the client itself did not keep measures nothing.
 */
static void judge_open_loop(struct result *r, struct worker_cost most)
{
	const struct stats *t = &r->stats;
	double late_share = t->sent ? (double)t->late / (double)t->sent : 0;
	double busy_share = most.cpu_share + most.run_delay_share;
	if (late_share > late_share_max)
		find(r, VERDICT_INVALID,
		    "%.1f%% of the requests were sent over 1 ms late on a free connection: the "
		    "client did not keep this rate (a quieter machine, or more with -t)",
		    late_share * 100);
	if (busy_share > cpu_share_max && result_fell_behind(r))
		find(r, VERDICT_INVALID,
		    "%.1f%% of the rate was achieved, with a worker busy or kept from its CPU "
		    "%.0f%% of the time (more with -t)",
		    result_achieved_share(r) * 100, busy_share * 100);
	else if (most.cpu_share > cpu_share_max)
		find(r, VERDICT_CLIENT_LIMITED,
		    "a worker used %.0f%% of its CPU: latencies are partly its own (more with -t)",
		    most.cpu_share * 100);
}

static void judge_window(struct result *r)
{
	struct worker_cost most = result_busiest(r);
	if (r->stats.completed < r->wanted_requests)
		find(r, VERDICT_INVALID, "%llu answers to %u requests",
		    (unsigned long long)r->stats.completed, r->wanted_requests);
	/* an open loop that a server leaves without an answer has fallen behind: a finding */
	if (r->stats.completed == 0 && !result_fell_behind(r))
		find(r, VERDICT_INVALID, "no answer inside the measure window");
	/* whoever samples at the edges, we or the harness, sampled something else then */
	if (r->edge_delay_s > edge_delay_share_max * r->elapsed_s)
		find(r, VERDICT_INVALID,
		    "an edge of the window was noticed %.1f ms late, over %.0f%% of its length: "
		    "the machine is overloaded, or -d too short", r->edge_delay_s * 1e3,
		    edge_delay_share_max * 100);
	if (r->wanted_per_s)
		judge_open_loop(r, most);
	else
		judge_closed_loop(r, most);
	if (most.full_wait_share > full_wait_share_max)
		find(r, VERDICT_CLIENT_LIMITED,
		    "%.0f%% of the epoll_wait calls were full: answers waited for the client",
		    most.full_wait_share * 100);
}

void result_judge(struct result *r)
{
	r->verdict = VERDICT_VALID;
	r->reason_count = 0;
	judge_connections(r);
	if (r->elapsed_s > 0)
		judge_window(r);
}
