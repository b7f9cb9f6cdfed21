/* plan_table.h: a plan as people read it before it starts. */
#ifndef PLAN_TABLE_H
#define PLAN_TABLE_H

#include <stdint.h>

#include "harness/plan.h"

/* The title, a line for each experiment, the servers. */
void plan_table_print(const struct plan *plan, const char *plan_path);

#endif
