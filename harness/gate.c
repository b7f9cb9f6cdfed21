/* gate.c: the check's results on their way into the store, and what follows from them. */
#include "harness/gate.h"

#include <stdio.h>
#include <string.h>

#include "harness/check.h"

struct gate {
	struct store *store;
	const char *server;
	char first[128]; /* the first case that failed */
};

static void on_result(void *context, const struct check_result *r)
{
	struct gate *gate = context;
	store_put_conformance(gate->store, gate->server, r->case_id, r->section, r->sending,
	    r->passed, r->detail);
	if (!r->passed && !gate->first[0])
		snprintf(gate->first, sizeof(gate->first), "%s (%s)", r->case_id, r->sending);
}

bool gate_check(struct store *store, const struct server_info *info, const struct cpu_list *cpus,
    struct refusal *refusal)
{
	struct gate gate = { .store = store, .server = info->name };
	struct check_summary summary;
	char option[sizeof(info->option)], value[sizeof(info->value)];
	char *arguments[] = { option, value, NULL };
	memcpy(option, info->option, sizeof(option));
	memcpy(value, info->value, sizeof(value));
	struct check_options options = {
		.arguments = option[0] ? arguments : NULL,
		.cpus = cpus,
		.on_result = on_result,
		.context = &gate,
	};
	store_begin(store);
	bool passed = check_run(info->program, &options, &summary);
	store_commit(store);
	if (passed)
		return true;
	refusal->verdict = summary.skipped ? VERDICT_UNSUPPORTED : VERDICT_FAILED;
	if (summary.skipped)
		snprintf(refusal->reason, sizeof(refusal->reason),
		    "cannot run on this machine: %.400s", summary.reason);
	else
		snprintf(refusal->reason, sizeof(refusal->reason),
		    "conformance: %u of %u failed, first %s%s%.300s", summary.failed,
		    summary.failed + summary.passed, gate.first, summary.reason[0] ? ": " : "",
		    summary.reason);
	return false;
}
