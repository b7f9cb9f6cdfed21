/*
 * json.c: the result as one JSON object. Its names are stable: programs and stored results depend on
 * them, so names are added and never changed. What was not measured is null, and so is a percentile
 * that fewer than 10 samples exceed. Counts, rates and latency are of the measure window; `errors`,
 * `requests.lifetime` and `connections` (both populations, `starved` and `fairness` of the active one)
 * are of the whole run.
 */
#include "json.h"

#include <jansson.h>
#include <stdlib.h>

#include "lib/sys/hdrlog.h"

static json_t *integer(uint64_t value)
{
	return json_integer((json_int_t)value);
}

static json_t *seconds(uint64_t time_ns)
{
	return json_real((double)time_ns / 1e9);
}

static json_t *percentile(const struct histogram *h, double quantile)
{
	uint64_t value_ns = histogram_quantile_ns(h, quantile);
	return histogram_count_above(h, value_ns) < 10 ? json_null() : integer(value_ns);
}

static json_t *histogram_json(const struct histogram *h)
{
	if (h->count == 0)
		return json_null();
	char *hdr = hdrlog_encode(h);
	json_t *json = json_pack("{so sf sf so so so so so so so so*}",
	    "count", integer(h->count), "mean", histogram_mean_ns(h), "stdev", histogram_stdev_ns(h),
	    "min", integer(h->min_ns), "p50", percentile(h, 0.5), "p90", percentile(h, 0.9),
	    "p99", percentile(h, 0.99), "p99_9", percentile(h, 0.999),
	    "p99_99", percentile(h, 0.9999), "max", integer(h->max_ns),
	    "hdr", hdr ? json_string(hdr) : NULL);
	free(hdr);
	return json;
}

static json_t *errors_json(const struct stats *t)
{
	json_t *json = json_pack("{so}", "total", integer(stats_error_count(t)));
	for (int kind = 0; kind < ERROR_KIND_COUNT; kind++)
		json_object_set_new(json, error_names[kind], integer(t->errors[kind]));
	return json;
}

static json_t *connections_json(const struct audit *a)
{
	return json_pack("{so so so so so so}", "requested", integer(a->requested),
	    "idle", integer(a->idle), "established", integer(a->established),
	    "answered", integer(a->answered),
	    "starved", a->answer_sum ? integer(a->starved) : json_null(),
	    "fairness", a->answer_sum ? json_real(audit_fairness(a)) : json_null());
}

static json_t *client_json(const struct result *r)
{
	if (r->elapsed_s <= 0)
		return json_null();
	struct worker_cost most = result_busiest(r);
	json_t *workers = json_array();
	for (uint32_t i = 0; i < r->worker_count; i++)
		json_array_append_new(workers, json_real(r->workers[i].cpu_share));
	return json_pack("{sf so sf sf so}", "cpu_utilisation", most.cpu_share,
	    "cpu_us_per_request",
	    r->stats.completed ? json_real(result_cpu_us_per_request(r)) : json_null(),
	    "run_delay_share", most.run_delay_share, "full_wait_share", most.full_wait_share,
	    "workers", workers);
}

static json_t *validity_json(const struct result *r)
{
	json_t *reasons = json_array();
	for (uint32_t i = 0; i < r->reason_count; i++)
		json_array_append_new(reasons, json_string(r->reasons[i]));
	return json_pack("{ss so}", "verdict", verdict_names[r->verdict], "reasons", reasons);
}

static json_t *config_json(const struct options *o)
{
	json_t *cpus = json_array();
	for (int i = 0; i < o->cpu_count; i++)
		json_array_append_new(cpus, json_integer(o->cpus[i]));
	return json_pack("{ss si si si so so so so so ss? so}", "url", o->url,
	    "connections", (int)o->active_count, "idle", (int)o->idle_count,
	    "workers", (int)o->worker_count, "duration_s", seconds(o->duration_ns),
	    "warmup_s", seconds(o->warmup_ns), "hold_s", seconds(o->hold_ns),
	    "timeout_s", seconds(o->timeout_ns),
	    "status", o->status ? json_integer(o->status) : json_null(), "expect", o->expect,
	    "cpus", cpus);
}

bool json_write(FILE *file, const struct options *o, const struct result *r)
{
	const struct stats *t = &r->stats;
	bool measured = r->elapsed_s > 0;
	json_t *json = json_pack(
	    "{ss sb so so s{so so so so so} so s{so so} s{so sn sn sn} so so so so}",
	    "schema", "c10k.loadgen/1", "interrupted", r->interrupted,
	    "rate_per_s", measured ? json_real(result_rate_per_s(r)) : json_null(),
	    "elapsed_s", json_real(r->elapsed_s),
	    "requests", "sent", integer(t->sent), "completed", integer(t->completed),
	    "lifetime", integer(t->lifetime), "in_flight_at_end", integer(t->in_flight_at_end),
	    "errors", errors_json(t),
	    "connections", connections_json(&r->audit),
	    "bytes", "sent", integer(t->bytes_sent), "received", integer(t->bytes_received),
	    "latency_ns", "service", histogram_json(&t->service), "response", "send_lag", "connect",
	    "client", client_json(r),
	    "littles_law_residual", t->completed ? json_real(result_littles_residual(r)) : json_null(),
	    "validity", validity_json(r),
	    "config", config_json(o));
	if (!json)
		return false;
	bool written = json_dumpf(json, file, JSON_INDENT(2) | JSON_REAL_PRECISION(10)) == 0
	    && fputc('\n', file) != EOF && fflush(file) == 0;
	json_decref(json);
	return written;
}
