/* plan_table.c: 80 columns. */
#include "harness/plan_table.h"

#include <stdio.h>
#include <string.h>

static char *format_levels(const struct plan_levels *levels, char *out, size_t cap)
{
	char count[PLAN_NAME_CAP];
	size_t len = 0;
	out[0] = '\0';
	for (uint32_t i = 0; i < levels->count && len < cap; i++)
		len += (size_t)snprintf(out + len, cap - len, "%s%s", i ? ", " : "",
		    plan_format_count(count, levels->values[i]));
	return out;
}

/* "10k, 50%"; of many only how many, since a line has 80 columns. "" of a closed loop. */
static char *format_rates(const struct plan_rates *rates, char *out, size_t cap)
{
	char rate[PLAN_NAME_CAP];
	size_t len = 0;
	out[0] = '\0';
	if (rates->count > 3) {
		snprintf(out, cap, "%u rates", rates->count);
		return out;
	}
	for (uint32_t i = 0; i < rates->count && len < cap; i++)
		len += (size_t)snprintf(out + len, cap - len, "%s%s", i ? ", " : "",
		    plan_format_rate(rate, rates->values[i]));
	return out;
}

/* Seconds as people write them: "1s", "0.5s". */
static char *format_s(uint64_t ns, char *out, size_t cap)
{
	snprintf(out, cap, "%gs", (double)ns / 1e9);
	return out;
}

static void print_experiment(const struct experiment *e)
{
	char active[128], idle[128], slow[128], requests[128], cpus[128], clients[800],
	    pipeline[32] = "", load[80], first[32], second[32], servers[32], rates[32];
	format_levels(&e->connections, active, sizeof(active));
	format_levels(&e->idle, idle, sizeof(idle));
	bool has_idle = e->idle.count > 1 || e->idle.values[0] > 0;
	format_levels(&e->slow, slow, sizeof(slow));
	bool has_slow = e->slow.count > 1 || e->slow.values[0] > 0;
	bool renews = e->requests.count > 1 || e->requests.values[0] > 0;
	format_levels(&e->requests, requests, sizeof(requests));
	format_rates(&e->rates, rates, sizeof(rates));
	format_levels(&e->cpus, cpus, sizeof(cpus));
	bool scales = e->cpus.values[0] > 0;
	if (e->pipeline > 1)
		snprintf(pipeline, sizeof(pipeline), "; %u in flight", e->pipeline);
	snprintf(clients, sizeof(clients), "%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s%s", active,
	    has_idle ? " + " : "", has_idle ? idle : "", has_idle ? " idle" : "",
	    has_slow ? " + " : "", has_slow ? slow : "", has_slow ? " slow" : "",
	    renews ? "; " : "", renews ? requests : "", renews ? " requests" : "",
	    rates[0] ? " at " : "", rates, scales ? " on " : "", scales ? cpus : "",
	    scales ? " CPUs" : "",
	    e->cold.count > 1 ? "; warm, cold" : e->cold.values[0] ? "; cold" : "", pipeline);
	if (e->kind == EXPERIMENT_MEMORY)
		snprintf(load, sizeof(load), "%s held", format_s(e->hold_ns, first, sizeof(first)));
	else if (e->kind == EXPERIMENT_BATCH)
		snprintf(load, sizeof(load), "%d x %s", BATCH_RUNS,
		    plan_format_count(first, e->batch_requests));
	else
		snprintf(load, sizeof(load), "%s + %s",
		    format_s(e->warmup_ns, first, sizeof(first)),
		    format_s(e->duration_ns, second, sizeof(second)));
	uint32_t runs = e->server_count + (e->twin != PLAN_NO_TWIN);
	snprintf(servers, sizeof(servers), "%u%s", e->server_count,
	    e->twin != PLAN_NO_TWIN ? " + 1" : "");
	printf("  %-10s  %-25s  %-11s  %7s  %6u  %5u\n", experiment_names[e->kind], clients, load,
	    servers, e->blocks, runs * e->blocks * plan_load_count(e));
}

static void print_servers(const struct plan *plan)
{
	int column = printf("\n  servers ");
	const char *twin = NULL;
	for (uint32_t i = 0; i < plan->server_count; i++) {
		const struct plan_server *s = &plan->servers[i];
		char text[PLAN_NAME_CAP * 4];
		if (!plan_uses(plan, i))
			continue;
		snprintf(text, sizeof(text), "%s%s%s%s%s%s", s->name, s->option[0] ? " (--" : "",
		    s->option, s->option[0] ? " " : "", s->value, s->option[0] ? ")" : "");
		if (column + 2 + (int)strlen(text) > 80)
			column = printf("\n          ");
		column += printf("  %s", text);
	}
	for (uint32_t i = 0; i < plan->experiment_count; i++)
		if (plan->experiments[i].twin != PLAN_NO_TWIN)
			twin = plan->servers[plan->experiments[i].twin].name;
	if (twin)
		printf("\n  + 1       %s once more in each block (A/A): what differs then is noise",
		    twin);
	printf("\n");
}

void plan_table_print(const struct plan *plan, const char *plan_path)
{
	printf("%s\n%s\n\n", plan->title[0] ? plan->title : "(no title)", plan_path);
	printf("  %-10s  %-25s  %-11s  %7s  %6s  %5s\n", "experiment", "clients", "each cell",
	    "servers", "blocks", "cells");
	for (uint32_t i = 0; i < plan->experiment_count; i++)
		print_experiment(&plan->experiments[i]);
	print_servers(plan);
}
