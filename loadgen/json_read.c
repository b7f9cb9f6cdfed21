/*
 * json_read.c: the other half of json.c. A file is either whole or refused: what is missing is not
 * taken for zero, and a histogram must hold as many samples as stands beside it. null is what only
 * the other kind of loop has, or what had no samples.
 */
#include "json_read.h"

#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/die.h"
#include "lib/sys/hdrlog.h"

__attribute__((noreturn))
static void refuse(const char *path, const char *name)
{
	usage_die("%s: \"%s\" is missing or damaged: merge files as --json wrote them", path, name);
}

static const json_t *get_object(const char *path, const json_t *from, const char *name)
{
	const json_t *value = json_object_get(from, name);
	if (!json_is_object(value))
		refuse(path, name);
	return value;
}

static uint64_t get_count(const char *path, const json_t *from, const char *name)
{
	const json_t *value = json_object_get(from, name);
	if (json_is_null(value))
		return 0;
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		refuse(path, name);
	return (uint64_t)json_integer_value(value);
}

static double get_real(const char *path, const json_t *from, const char *name)
{
	const json_t *value = json_object_get(from, name);
	if (json_is_null(value))
		return 0;
	if (!json_is_number(value) || json_number_value(value) < 0)
		refuse(path, name);
	return json_number_value(value);
}

static uint64_t get_time_ns(const char *path, const json_t *from, const char *name)
{
	return (uint64_t)llround(get_real(path, from, name) * 1e9);
}

/* NULL for null */
static const char *get_text(const char *path, const json_t *from, const char *name)
{
	const json_t *value = json_object_get(from, name);
	if (!json_is_string(value) && !json_is_null(value))
		refuse(path, name);
	return json_string_value(value);
}

static void get_histogram(const char *path, const json_t *from, const char *name,
    struct histogram *h)
{
	histogram_init(h);
	const json_t *json = json_object_get(from, name);
	if (json_is_null(json))
		return;
	const char *hdr = get_text(path, json, "hdr");
	if (!hdr || hdrlog_decode((struct slice){ hdr, strlen(hdr) }, h) != 0)
		refuse(path, name);
	uint64_t min_ns = get_count(path, json, "min"), max_ns = get_count(path, json, "max");
	if (h->count != get_count(path, json, "count")
	    || histogram_index(h->min_ns) != histogram_index(min_ns)
	    || histogram_index(h->max_ns) != histogram_index(max_ns))
		refuse(path, name);
	h->min_ns = min_ns;
	h->max_ns = max_ns;
	h->sum_ns = (uint64_t)llround(get_real(path, json, "mean") * (double)h->count);
}

static const char *copy(const char *text)
{
	char *own = text ? strdup(text) : NULL;
	if (text && !own)
		die("no memory for a text of %zu bytes", strlen(text));
	return own;
}

static void read_requests(const char *path, const json_t *root, struct stats *t)
{
	const json_t *json = get_object(path, root, "requests");
	t->sent = get_count(path, json, "sent");
	t->completed = get_count(path, json, "completed");
	t->offered = get_count(path, json, "offered");
	t->carried = get_count(path, json, "carried");
	t->unfinished = get_count(path, json, "unfinished");
	t->unsent = get_count(path, json, "unsent");
	t->late = get_count(path, json, "late");
	t->lifetime = get_count(path, json, "lifetime");
	t->in_flight_at_end = get_count(path, json, "in_flight_at_end");
	const json_t *errors = get_object(path, json, "errors");
	for (int kind = 0; kind < ERROR_KIND_COUNT; kind++)
		t->errors[kind] = get_count(path, errors, error_names[kind]);
	const json_t *bytes = get_object(path, root, "bytes");
	t->bytes_sent = get_count(path, bytes, "sent");
	t->bytes_received = get_count(path, bytes, "received");
}

/* What is not read would be lost without a word. */
static void read_latency(const char *path, const json_t *root, struct stats *t)
{
	const json_t *json = get_object(path, root, "latency_ns");
	const struct {
		const char *name;
		struct histogram *histogram;
	} known[] = {
		{ "service", &t->service },
		{ "response", &t->response },
		{ "send_lag", &t->send_lag },
		{ "connect", &t->connect },
		{ "slow", &t->slow },
	};
	enum { KNOWN_COUNT = sizeof known / sizeof known[0] };
	for (int i = 0; i < KNOWN_COUNT; i++)
		get_histogram(path, json, known[i].name, known[i].histogram);
	const char *name;
	json_t *value;
	json_object_foreach((json_t *)json, name, value) {
		int i = 0;
		while (i < KNOWN_COUNT && strcmp(known[i].name, name) != 0)
			i++;
		if (i == KNOWN_COUNT && !json_is_null(value))
			usage_die("%s: merge does not know its latencies \"%s\": use the loadgen "
			    "that wrote it", path, name);
	}
}

/* Jain's index gives the sum of squares back, from which that of a union follows. */
static void read_connections(const char *path, const json_t *root, struct result *r)
{
	const json_t *json = get_object(path, root, "connections");
	struct audit *a = &r->audit;
	a->requested = get_count(path, json, "requested");
	a->idle = get_count(path, json, "idle");
	const json_t *slow = get_object(path, json, "slow");
	a->slow = get_count(path, slow, "requested");
	r->stats.slow_answered = get_count(path, slow, "answered");
	r->stats.slow_ended = get_count(path, slow, "ended_by_server");
	r->barrier_s = get_real(path, json, "barrier_s");
	a->established = get_count(path, json, "established");
	a->answered = get_count(path, json, "answered");
	uint64_t active = a->requested - a->idle - a->slow;
	uint64_t served = get_count(path, json, "answered_in_window");
	if (served > active)
		refuse(path, "answered_in_window");
	a->starved = active - served;
	double fairness = get_real(path, json, "fairness");
	if (fairness > 0) {
		double sum = (double)r->stats.completed;
		a->answer_sum = r->stats.completed;
		a->square_sum = sum * sum / ((double)active * fairness);
	}
}

static void read_client(const char *path, const json_t *root, struct result *r)
{
	const json_t *json = json_object_get(root, "client");
	if (json_is_null(json) && r->elapsed_s == 0) {
		r->worker_count = 0; /* there was no window to cost anything */
		return;
	}
	const json_t *shares = json_object_get(json, "workers");
	if (!json_is_array(shares) || json_array_size(shares) != r->worker_count)
		refuse(path, "workers");
	struct worker_cost *costs = calloc(r->worker_count, sizeof *costs);
	if (!costs)
		die("%s: no memory for %u workers", path, r->worker_count);
	for (uint32_t i = 0; i < r->worker_count; i++) {
		costs[i].cpu_share = json_number_value(json_array_get(shares, i));
		costs[i].spin_share = get_real(path, json, "spin_share");
		costs[i].run_delay_share = get_real(path, json, "run_delay_share");
		costs[i].full_wait_share = get_real(path, json, "full_wait_share");
	}
	r->workers = costs;
	r->edge_delay_s = get_real(path, json, "edge_delay_s");
	r->process_cpu_s =
	    get_real(path, json, "cpu_us_per_request") * (double)r->stats.completed / 1e6;
}

static void read_validity(const char *path, const json_t *root, struct result *r)
{
	const json_t *json = get_object(path, root, "validity");
	const char *verdict = get_text(path, json, "verdict");
	int found = VERDICT_VALID;
	while (found <= VERDICT_INVALID && (!verdict || strcmp(verdict, verdict_names[found]) != 0))
		found++;
	const json_t *reasons = json_object_get(json, "reasons");
	if (found > VERDICT_INVALID || !json_is_array(reasons))
		refuse(path, "validity");
	r->verdict = (enum verdict)found;
	for (size_t i = 0; i < json_array_size(reasons); i++)
		result_add_reason(r, "%s", json_string_value(json_array_get(reasons, i)));
}

static void read_config(const char *path, const json_t *root, struct options *o)
{
	const json_t *json = get_object(path, root, "config");
	const char *arrivals = get_text(path, json, "arrivals");
	o->url = copy(get_text(path, json, "url"));
	o->active_count = (uint32_t)get_count(path, json, "connections");
	o->idle_count = (uint32_t)get_count(path, json, "idle");
	o->slow_count = (uint32_t)get_count(path, json, "slow");
	o->slow_target = copy(get_text(path, json, "slow_target"));
	o->requests = (uint32_t)get_count(path, json, "requests");
	o->requests_per_connection = (uint32_t)get_count(path, json, "requests_per_connection");
	o->depth = (uint32_t)get_count(path, json, "pipeline");
	o->seed = get_count(path, json, "seed");
	o->rate_per_s = (uint32_t)get_count(path, json, "rate_per_s");
	o->worker_count = (uint32_t)get_count(path, json, "workers");
	o->duration_ns = get_time_ns(path, json, "duration_s");
	o->warmup_ns = get_time_ns(path, json, "warmup_s");
	o->ramp_ns = get_time_ns(path, json, "ramp_s");
	o->hold_ns = get_time_ns(path, json, "hold_s");
	o->timeout_ns = get_time_ns(path, json, "timeout_s");
	o->status = (uint16_t)get_count(path, json, "status");
	o->expect = copy(get_text(path, json, "expect"));
	o->body = copy(get_text(path, json, "body"));
	o->arrivals = arrivals && strcmp(arrivals, arrivals_kind_names[ARRIVALS_CONSTANT]) == 0
	    ? ARRIVALS_CONSTANT : ARRIVALS_POISSON;
	if (!o->url || o->active_count == 0 || o->worker_count == 0)
		refuse(path, "config");
}

void json_read(const char *path, struct options *o, struct result *r)
{
	*o = (struct options){ .sync_fd = -1 };
	memset(r, 0, sizeof *r);
	json_error_t error;
	json_t *root = json_load_file(path, 0, &error);
	if (!root && error.line < 1) /* jansson's words are "unable to open FILE: why" */
		usage_die("%s", error.text);
	if (!root)
		usage_die("%s: line %d is no JSON: merge files as --json wrote them", path,
		    error.line);
	const char *schema = json_string_value(json_object_get(root, "schema"));
	if (!schema || strcmp(schema, "c10k.loadgen/1") != 0)
		usage_die("%s: its schema is %s, not c10k.loadgen/1: "
			  "merge files as --json wrote them", path, schema ? schema : "missing");
	read_config(path, root, o);
	if (json_is_array(json_object_get(root, "targets")))
		usage_die("%s is of a mix: merge does not add up targets", path);
	if (o->requests)
		usage_die("%s is of --requests: rates add only of windows of one length (-d)", path);
	r->elapsed_s = get_real(path, root, "elapsed_s");
	r->interrupted = json_is_true(json_object_get(root, "interrupted"));
	r->wanted_per_s = o->rate_per_s;
	r->worker_count = o->worker_count;
	read_requests(path, root, &r->stats);
	read_latency(path, root, &r->stats);
	read_connections(path, root, r);
	read_client(path, root, r);
	read_validity(path, root, r);
	json_decref(root);
}
