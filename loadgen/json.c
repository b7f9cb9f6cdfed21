/*
 * json.c: the result as one JSON object. Its names are stable: programs and stored results depend
 * on them, so names are added and never changed. What was not measured is null, and so is a
 * percentile with fewer than 10 samples beyond it; what only an open loop has is null in a closed
 * one, and the other way round. Counts, rates and latency are of the measure window; `errors`,
 * `requests.lifetime` and `connections` (both populations; what is of the window, of the active one)
 * are of the whole run; `barrier_s` is the time from the first connect until all were answered once.
 */
#include "json.h"

#include <jansson.h>
#include <stdlib.h>

#include "calibrate.h"
#include "lib/sys/hdrlog.h"

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *seconds(uint64_t time_ns)
{
	return json_real((double)time_ns / 1e9);
}

static json_t *real_or_null(bool known, double value)
{
	return known ? json_real(value) : json_null();
}

static void set(json_t *object, const char *name, json_t *value)
{
	json_object_set_new(object, name, value);
}

static json_t *percentile(const struct histogram *h, double quantile)
{
	if (!stats_quantile_is_known(h, quantile))
		return json_null();
	return integer(histogram_quantile_ns(h, quantile));
}

/* Was there a window of an open loop? */
static bool is_measured_open_loop(const struct result *r)
{
	return r->wanted_per_s && r->elapsed_s > 0;
}

static json_t *histogram_json(const struct histogram *h)
{
	if (h->count == 0)
		return json_null();
	json_t *json = json_object();
	set(json, "count", integer(h->count));
	set(json, "mean", json_real(histogram_mean_ns(h)));
	set(json, "stdev", json_real(histogram_stdev_ns(h)));
	set(json, "min", integer(h->min_ns));
	set(json, "p50", percentile(h, 0.5));
	set(json, "p90", percentile(h, 0.9));
	set(json, "p99", percentile(h, 0.99));
	set(json, "p99_9", percentile(h, 0.999));
	set(json, "p99_99", percentile(h, 0.9999));
	set(json, "max", integer(h->max_ns));
	char *hdr = hdrlog_encode(h);
	set(json, "hdr", hdr ? json_string(hdr) : json_null());
	free(hdr);
	return json;
}

static json_t *latency_json(const struct stats *t)
{
	json_t *json = json_object();
	set(json, "service", histogram_json(&t->service));
	set(json, "response", histogram_json(&t->response));
	set(json, "send_lag", histogram_json(&t->send_lag));
	set(json, "connect", histogram_json(&t->connect));
	set(json, "slow", histogram_json(&t->slow));
	return json;
}

static json_t *integer_or_null(bool known, uint64_t value)
{
	return known ? integer(value) : json_null();
}

static json_t *requests_json(const struct result *r)
{
	const struct stats *t = &r->stats;
	bool open = is_measured_open_loop(r);
	json_t *errors = json_object();
	set(errors, "total", integer(stats_error_count(t)));
	for (int kind = 0; kind < ERROR_KIND_COUNT; kind++)
		set(errors, error_names[kind], integer(t->errors[kind]));
	json_t *json = json_object();
	set(json, "sent", integer(t->sent));
	set(json, "completed", integer(t->completed));
	set(json, "offered", integer_or_null(open, t->offered));
	set(json, "carried", integer_or_null(open, t->carried));
	set(json, "unfinished", integer_or_null(open, t->unfinished));
	set(json, "unsent", integer_or_null(open, t->unsent));
	set(json, "late", integer_or_null(open, t->late));
	set(json, "lifetime", integer(t->lifetime));
	set(json, "in_flight_at_end", integer(t->in_flight_at_end));
	set(json, "errors", errors);
	return json;
}

static json_t *connections_json(const struct result *r)
{
	const struct audit *a = &r->audit;
	/* an open loop leaves a connection unasked when the others suffice: that is no starving */
	bool audited = r->elapsed_s > 0 && !r->wanted_per_s;
	json_t *json = json_object();
	json_t *slow = json_object();
	set(slow, "requested", integer(a->slow));
	set(slow, "answered", integer(r->stats.slow_answered));
	set(slow, "ended_by_server", integer(r->stats.slow_ended));
	set(json, "requested", integer(a->requested));
	set(json, "idle", integer(a->idle));
	set(json, "established", integer(a->established));
	set(json, "answered", integer(a->answered));
	set(json, "answered_in_window",
	    integer_or_null(r->elapsed_s > 0, a->requested - a->idle - a->slow - a->starved));
	set(json, "barrier_s", json_real(r->barrier_s));
	set(json, "starved", integer_or_null(audited, a->starved));
	set(json, "fairness", real_or_null(audited && a->answer_sum, audit_fairness(a)));
	set(json, "slow", slow);
	return json;
}

static json_t *bytes_json(const struct stats *t)
{
	json_t *json = json_object();
	set(json, "sent", integer(t->bytes_sent));
	set(json, "received", integer(t->bytes_received));
	return json;
}

static json_t *client_json(const struct result *r)
{
	if (r->elapsed_s <= 0)
		return json_null();
	struct worker_cost most = result_busiest(r);
	json_t *workers = json_array();
	for (uint32_t i = 0; i < r->worker_count; i++)
		json_array_append_new(workers, json_real(r->workers[i].cpu_share));
	json_t *json = json_object();
	set(json, "cpu_utilisation", json_real(most.cpu_share));
	set(json, "spin_share", json_real(most.spin_share));
	set(json, "cpu_us_per_request",
	    real_or_null(r->stats.completed > 0, result_cpu_us_per_request(r)));
	set(json, "run_delay_share", json_real(most.run_delay_share));
	set(json, "full_wait_share", json_real(most.full_wait_share));
	set(json, "edge_delay_s", json_real(r->edge_delay_s));
	set(json, "workers", workers);
	return json;
}

static json_t *targets_json(const struct options *o, const struct stats *t)
{
	if (!t->targets)
		return json_null();
	json_t *list = json_array();
	for (uint32_t i = 0; i < t->target_count; i++) {
		const struct target_stats *counts = &t->targets[i];
		json_t *requests = json_object();
		set(requests, "sent", integer(counts->sent));
		set(requests, "completed", integer(counts->completed));
		set(requests, "errors", integer(counts->errors));
		json_t *latency = json_object();
		set(latency, "service", histogram_json(&counts->service));
		set(latency, "response", histogram_json(&counts->response));
		json_t *json = json_object();
		set(json, "name", json_string(o->targets[i].name));
		set(json, "method", json_string(o->targets[i].method));
		set(json, "target", json_string(o->targets[i].path));
		set(json, "weight", json_real(o->targets[i].weight));
		set(json, "requests", requests);
		set(json, "latency_ns", latency);
		json_array_append_new(list, json);
	}
	return list;
}

static json_t *validity_json(const struct result *r)
{
	json_t *reasons = json_array();
	for (uint32_t i = 0; i < r->reason_count; i++)
		json_array_append_new(reasons, json_string(r->reasons[i]));
	json_t *json = json_object();
	set(json, "verdict", json_string(verdict_names[r->verdict]));
	set(json, "reasons", reasons);
	return json;
}

static json_t *string_or_null(const char *text)
{
	json_t *json = text ? json_string(text) : json_null();
	return json ? json : json_string("(no UTF-8)");
}

static json_t *quantiles_json(struct quantiles q)
{
	json_t *json = json_object();
	set(json, "p50", json_integer(q.p50_ns));
	set(json, "p99", json_integer(q.p99_ns));
	return json;
}

static json_t *calibration_json(const struct calibration *c)
{
	if (!c)
		return json_null();
	json_t *json = json_object();
	set(json, "ceiling_per_s", json_real(c->ceiling_per_s));
	set(json, "ceiling_cpu_us_per_request", json_real(c->ceiling_cpu_us));
	set(json, "round_trip_ns", quantiles_json(c->round_trip));
	set(json, "error_ns", quantiles_json(calibration_error(c)));
	set(json, "send_lag_ns", quantiles_json(c->send_lag));
	set(json, "run_delay_share", json_real(c->run_delay_share));
	return json;
}

static json_t *merged_json(const struct options *o)
{
	if (!o->merged_count)
		return json_null();
	json_t *json = json_array();
	for (int i = 0; i < o->merged_count; i++)
		json_array_append_new(json, json_string(o->merged_paths[i]));
	return json;
}

static json_t *config_json(const struct options *o)
{
	bool open = o->rate_per_s > 0;
	json_t *cpus = json_array();
	for (int i = 0; i < o->cpu_count; i++)
		json_array_append_new(cpus, json_integer(o->cpus[i]));
	json_t *json = json_object();
	set(json, "url", json_string(o->url));
	set(json, "connections", integer(o->active_count));
	set(json, "idle", integer(o->idle_count));
	set(json, "slow", integer(o->slow_count));
	set(json, "slow_target", string_or_null(o->slow_target));
	set(json, "requests", integer_or_null(o->requests, o->requests));
	set(json, "requests_per_connection",
	    integer_or_null(o->requests_per_connection, o->requests_per_connection));
	set(json, "pipeline", integer(o->depth));
	set(json, "seed", integer(o->seed));
	set(json, "rate_per_s", open ? integer(o->rate_per_s) : json_null());
	set(json, "arrivals", open ? json_string(arrivals_kind_names[o->arrivals]) : json_null());
	set(json, "workers", integer(o->worker_count));
	set(json, "duration_s", seconds(o->duration_ns));
	set(json, "warmup_s", seconds(o->warmup_ns));
	set(json, "ramp_s", seconds(o->ramp_ns));
	set(json, "hold_s", seconds(o->hold_ns));
	set(json, "timeout_s", seconds(o->timeout_ns));
	set(json, "status", o->status ? integer(o->status) : json_null());
	set(json, "expect", string_or_null(o->expect));
	set(json, "body", string_or_null(o->body));
	set(json, "mix", string_or_null(o->mix_file));
	set(json, "cpus", cpus);
	return json;
}

bool json_write(FILE *file, const struct options *o, const struct result *r)
{
	const struct stats *t = &r->stats;
	bool open = is_measured_open_loop(r);
	json_t *json = json_object();
	set(json, "schema", json_string("c10k.loadgen/1"));
	set(json, "interrupted", json_boolean(r->interrupted));
	set(json, "rate_per_s", real_or_null(r->elapsed_s > 0, result_rate_per_s(r)));
	set(json, "achieved_share", real_or_null(open && t->offered, result_achieved_share(r)));
	set(json, "elapsed_s", json_real(r->elapsed_s));
	set(json, "requests", requests_json(r));
	set(json, "connections", connections_json(r));
	set(json, "bytes", bytes_json(t));
	set(json, "latency_ns", latency_json(t));
	set(json, "targets", targets_json(o, t));
	set(json, "client", client_json(r));
	/* N = X R asks for connections that have one request each, and nothing else to do */
	bool lawful = !o->rate_per_s && !o->requests && o->depth == 1 && !o->requests_per_connection;
	set(json, "littles_law_residual",
	    real_or_null(lawful && t->completed, result_littles_residual(r)));
	set(json, "calibration", calibration_json(r->calibration));
	set(json, "validity", validity_json(r));
	set(json, "config", config_json(o));
	set(json, "merged_from", merged_json(o));
	bool written = json_dumpf(json, file, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) == 0
	    && fputc('\n', file) != EOF && fflush(file) == 0;
	json_decref(json);
	return written;
}
