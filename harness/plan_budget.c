/* plan_budget.c: lists of words in lines of 80 columns. */
#include "harness/plan_budget.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "harness/progress.h"

enum { INDENT = 12, WIDTH = 80 };

/* A paragraph under way. */
struct line {
	int column;
	uint32_t count; /* pieces so far */
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line, const char *format, ...)
{
	char piece[256];
	va_list args;
	va_start(args, format);
	int len = vsnprintf(piece, sizeof(piece), format, args);
	va_end(args);
	if (line->count++ > 0)
		line->column += printf(",");
	if (line->column + 1 + len >= WIDTH)
		line->column = printf("\n%*s", INDENT - 1, "") - 1;
	line->column += printf(" %s", piece);
}

void plan_budget_print(const struct plan *plan, const struct plan_budget *budget)
{
	char text[32];
	uint64_t total_ns = budget->other_ns;
	for (uint32_t i = 0; i < plan->experiment_count; i++)
		total_ns += budget->experiment_ns[i];
	struct line line = { .column = printf("  expected  %s for %u cell%s:",
	    progress_format_time(total_ns, text, sizeof(text)), budget->cell_count,
	    budget->cell_count == 1 ? "" : "s") };
	for (uint32_t i = 0; i < plan->experiment_count; i++)
		put(&line, "%s %s", experiment_names[plan->experiments[i].kind],
		    progress_format_time(budget->experiment_ns[i], text, sizeof(text)));
	put(&line, "conformance check and report %s",
	    progress_format_time(budget->other_ns, text, sizeof(text)));
	putchar('\n');
}

/* The levels of an experiment in all its sections. */
static struct plan_levels levels_of(const struct plan *plan, enum experiment_kind kind, bool idle)
{
	struct plan_levels all = { 0 };
	for (uint32_t i = 0; i < plan->experiment_count; i++) {
		const struct experiment *e = &plan->experiments[i];
		const struct plan_levels *levels = idle ? &e->idle : &e->connections;
		for (uint32_t k = 0; k < levels->count && e->kind == kind; k++)
			if (all.count < PLAN_LEVELS_MAX)
				all.values[all.count++] = levels->values[k];
	}
	return all;
}

/* "1, 10" of the levels that `all` has and `some` has not; "" for none. */
static char *missing(const struct plan_levels *all, const struct plan_levels *some, char *out,
    size_t cap)
{
	char count[PLAN_NAME_CAP];
	size_t len = 0;
	out[0] = '\0';
	for (uint32_t i = 0; i < all->count && len < cap; i++) {
		struct plan_levels one = { .values = { all->values[i] }, .count = 1 };
		if (!plan_levels_meet(&one, some))
			len += (size_t)snprintf(out + len, cap - len, "%s%s", len ? " and " : "",
			    plan_format_count(count, all->values[i]));
	}
	return out;
}

void plan_budget_print_left(const struct plan *plan, const struct plan *full)
{
	struct line line = { .column = printf("  left      to the plan full:") };
	uint32_t most = 0;
	for (uint32_t i = 0; i < full->experiment_count; i++) {
		const struct experiment *all = &full->experiments[i];
		struct plan_levels connections = levels_of(plan, all->kind, false);
		struct plan_levels idle = levels_of(plan, all->kind, true);
		const char *name = experiment_names[all->kind];
		char levels[256];
		most = all->blocks > most ? all->blocks : most;
		if (connections.count == 0) {
			put(&line, "%s", name);
			continue;
		}
		if (missing(&all->connections, &connections, levels, sizeof(levels))[0])
			put(&line, "%s with %s", name, levels);
		if (missing(&all->idle, &idle, levels, sizeof(levels))[0])
			put(&line, "%s beside %s", name, levels);
	}
	put(&line, "up to %u blocks", most);
	putchar('\n');
}
