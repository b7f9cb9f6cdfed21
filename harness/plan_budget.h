/* plan_budget.h: what a plan spends its time on, and what it leaves to `full`. */
#ifndef PLAN_BUDGET_H
#define PLAN_BUDGET_H

#include <stdint.h>

#include "harness/plan.h"

/* What each of plan.experiments is expected to take, and all else. */
struct plan_budget {
	uint64_t experiment_ns[PLAN_EXPERIMENTS_MAX];
	uint64_t other_ns; /* conformance check and report */
	uint32_t cell_count;
};

void plan_budget_print(const struct plan *plan, const struct plan_budget *budget);

/* The experiments and loads of `full` that the plan lacks, in words; nothing when it has all. */
void plan_budget_print_left(const struct plan *plan, const struct plan *full);

#endif
