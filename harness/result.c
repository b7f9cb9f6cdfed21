/* result.c: JSON to metrics. A null there stays a blank here. */
#include "harness/result.h"

#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The number at "a.b.c"; NAN when it is null or absent. */
static double number_at(const json_t *json, const char *path)
{
	char name[32];
	for (size_t len; *path; path += len + (path[len] == '.')) {
		len = strcspn(path, ".");
		snprintf(name, sizeof(name), "%.*s", (int)len, path);
		json = json_is_array(json) ? json_array_get(json, strtoul(name, NULL, 10))
		                           : json_object_get(json, name);
	}
	return json_is_number(json) ? json_number_value(json) : NAN;
}

static uint64_t count_at(const json_t *json, const char *path)
{
	double number = number_at(json, path);
	return number > 0 ? (uint64_t)number : 0;
}

static const struct {
	enum metric metric;
	const char *path;
	double scale;
} moves[] = {
	{ METRIC_ELAPSED_S, "elapsed_s", 1 },
	{ METRIC_REQUESTS, "requests.completed", 1 },
	{ METRIC_ERRORS, "requests.errors.total", 1 },
	{ METRIC_RATE_PER_S, "rate_per_s", 1 },
	{ METRIC_ESTABLISHED, "connections.established", 1 },
	{ METRIC_ANSWERED, "connections.answered", 1 },
	{ METRIC_STARVED, "connections.starved", 1 },
	{ METRIC_FAIRNESS, "connections.fairness", 1 },
	{ METRIC_LITTLES_LAW_RESIDUAL, "littles_law_residual", 1 },
	{ METRIC_CLIENT_CPU, "client.cpu_utilisation", 1 },
	{ METRIC_CLIENT_REQUESTS, "requests.lifetime", 1 },
};

static const struct {
	enum metric metric;
	const char *name;
} latencies[] = {
	{ METRIC_P50_US, "p50" }, { METRIC_P90_US, "p90" }, { METRIC_P99_US, "p99" },
	{ METRIC_P99_9_US, "p99_9" }, { METRIC_P99_99_US, "p99_99" }, { METRIC_MAX_US, "max" },
	{ METRIC_MEAN_US, "mean" },
};

/*
 * In an open loop latency is from when a request was due. Of a mix the light requests tell what the
 * heavy ones cost the others.
 */
static void move_latencies(struct row *row, const json_t *json)
{
	const char *of = row->cell->experiment->kind == EXPERIMENT_MIXED
	    ? "targets.0.latency_ns.response"
	    : row->cell->offered_per_s ? "latency_ns.response" : "latency_ns.service";
	char path[64];
	for (size_t i = 0; i < sizeof(latencies) / sizeof(*latencies); i++) {
		snprintf(path, sizeof(path), "%s.%s", of, latencies[i].name);
		row->metrics[latencies[i].metric] = number_at(json, path) / 1e3;
	}
}

static void join_reasons(const json_t *reasons, char out[RESULT_REASONS_CAP])
{
	size_t index, len = 0;
	json_t *reason;
	out[0] = '\0';
	json_array_foreach(reasons, index, reason) {
		const char *text = json_string_value(reason);
		if (len < RESULT_REASONS_CAP)
			len += (size_t)snprintf(out + len, RESULT_REASONS_CAP - len, "%s%s",
			    index ? "; " : "", text ? text : "?");
	}
}

static void explain_blanks(struct row *row, bool measured)
{
	if (!measured) {
		row_blank(row, METRIC_RATE_PER_S,
		    "connections are held and not measured, nor anything per request");
		return;
	}
	for (enum metric m = METRIC_P50_US; m <= METRIC_P99_99_US; m++)
		if (isnan(row->metrics[m]))
			row_blank(row, m, "fewer than 10 samples beyond it");
	uint32_t pipeline = row->cell->experiment->pipeline;
	if (pipeline > 1)
		row_blank(row, METRIC_LITTLES_LAW_RESIDUAL,
		    "a connection has 1 to %u requests in flight, not a known number",
		    pipeline);
}

bool result_read(
    struct result *result, struct row *row, struct verdict_facts *facts, char problem[256])
{
	json_error_t error;
	json_t *json = json_loads(row->loadgen, 0, &error);
	const char *schema = json_string_value(json_object_get(json, "schema"));
	json_t *validity = json_object_get(json, "validity");
	const char *verdict = json_string_value(json_object_get(validity, "verdict"));
	*result = (struct result){ 0 };
	if (!verdict || (schema && strcmp(schema, "c10k.loadgen/1") != 0)) {
		snprintf(problem, 256, "the load generator's result is no c10k.loadgen/1: %.150s",
		    json ? "no validity.verdict, or another schema" : error.text);
		json_decref(json);
		return false;
	}
	bool measured = row->cell->experiment->kind != EXPERIMENT_MEMORY;
	for (size_t i = 0; i < sizeof(moves) / sizeof(*moves); i++) {
		bool of_window =
		    moves[i].metric <= METRIC_MEAN_US && moves[i].metric != METRIC_ERRORS;
		if (measured || !of_window)
			row->metrics[moves[i].metric] =
			    number_at(json, moves[i].path) * moves[i].scale;
	}
	if (measured)
		move_latencies(row, json);
	explain_blanks(row, measured);
	result->completed = count_at(json, "requests.completed");
	result->elapsed_s = number_at(json, "elapsed_s");
	snprintf(result->verdict, sizeof(result->verdict), "%s", verdict);
	join_reasons(json_object_get(validity, "reasons"), result->reasons);
	facts->established = count_at(json, "connections.established");
	facts->answered = count_at(json, "connections.answered");
	facts->completed = result->completed;
	facts->errors = count_at(json, "requests.errors.total");
	facts->client_requests = count_at(json, "requests.lifetime");
	facts->in_flight = count_at(json, "requests.in_flight_at_end");
	facts->offered = count_at(json, "requests.offered");
	facts->carried = count_at(json, "requests.carried");
	facts->unfinished = count_at(json, "requests.unfinished");
	facts->client_verdict = result->verdict;
	facts->client_reasons = result->reasons;
	json_decref(json);
	return true;
}
