/*
 * test_cells.c: the cells of a plan: complete blocks, their order, what percentages are of, who
 * gets which CPU.
 */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "harness/capacity.h"
#include "harness/cells.h"
#include "harness/cpus.h"
#include "harness/plan.h"

static const char *const names[] = { "thread", "select", "poll", "epoll" };
static const struct plan_names known = { names, 4 };
static struct plan plan;
static char message[PLAN_MESSAGE_CAP];

static bool parse(const char *text)
{
	message[0] = '\0';
	return plan_parse(&plan, "p.ini", text, known, message);
}

static const char two_experiments[] =
    "[plan]\n[throughput]\nconnections = 1, 10\ntwin = epoll\nservers = all, select[fd-setsize=9]\n"
    "[idle]\nconnections = 100\nidle = 0, 1k\ntwin = epoll\nblocks = 1\n";

static const char paced[] =
    "[plan]\nblocks = 2\n[throughput]\nconnections = 10, 1k\ntwin = epoll\n"
    "[cost]\nconnections = 1k\nrates = 10k, 50%, 90%\n"
    "[latency]\nservers = poll, epoll\nconnections = 1k\nrates = 10%, 150%\nslo = 5ms\n";

enum { CELLS_MAX = 256 };

static void test_blocks_are_complete(void **state)
{
	static struct cell cells[CELLS_MAX];
	(void)state;
	assert_true(parse(two_experiments));
	uint32_t count = cells_make(&plan, 1, NULL);
	assert_int_equal(count, 3 * 2 * 6 + 1 * 2 * 5);
	assert_int_equal(cells_make(&plan, 1, cells), count);
	for (uint32_t i = 0; i < count; i++) {
		uint32_t alike = 0;
		assert_int_equal(cells[i].position, i + 1);
		assert_true(!cells[i].twin || strcmp(cells[i].server->name, "epoll") == 0);
		for (uint32_t k = 0; k < count; k++)
			alike += cells[k].experiment == cells[i].experiment &&
			    cells[k].server == cells[i].server &&
			    cells[k].connections == cells[i].connections &&
			    cells[k].idle == cells[i].idle && cells[k].rep == cells[i].rep &&
			    cells[k].twin == cells[i].twin;
		assert_int_equal(alike, 1);
		assert_true(i == 0 || cells[i].rep >= cells[i - 1].rep);
		/* equal load for all of a block, another one for the next */
		assert_true(cells[i].load_seed <= INT64_MAX);
		assert_true(i == 0 || (cells[i].load_seed == cells[i - 1].load_seed)
		    == (cells[i].rep == cells[i - 1].rep));
	}
}

static void test_the_seed_makes_the_order(void **state)
{
	static struct cell a[CELLS_MAX], b[CELLS_MAX];
	(void)state;
	assert_true(parse(two_experiments));
	uint32_t count = cells_make(&plan, 42, a);
	cells_make(&plan, 42, b);
	assert_memory_equal(a, b, count * sizeof(*a));
	uint32_t differing = 0;
	cells_make(&plan, 43, b);
	for (uint32_t i = 0; i < count; i++)
		differing += a[i].server != b[i].server;
	assert_true(differing > count / 4);
}

/* --- what a section becomes ------------------------------------------------------------------ */

static void test_slow_and_quick(void **state)
{
	static struct cell cells[CELLS_MAX];
	(void)state;
	assert_true(parse("[plan]\nblocks = 1\nservers = epoll\n[slow]\nconnections = 1k\n"));
	assert_int_equal(plan.experiments[0].rates.values[0].per_s, 1000);
	assert_int_equal(cells_make(&plan, 1, cells), 2);
	assert_int_equal(cells[0].slow, 0);
	assert_int_equal(cells[1].slow, 100);
	assert_int_equal(cell_clients(&cells[1]), 1100);
	assert_true(parse("[plan]\n[slow]\nconnections = 1\nslow = 5\nrate = 2k\n"));
	assert_int_equal(plan.experiments[0].slow.count, 1);
	assert_int_equal(plan.experiments[0].rates.values[0].per_s, 2000);
}

static void test_cache(void **state)
{
	static struct cell cells[CELLS_MAX];
	(void)state;
	assert_true(parse("[plan]\nblocks = 1\nservers = epoll\n[file]\nconnections = 1\ncache = warm, cold\n"));
	assert_int_equal(cells_make(&plan, 1, cells), 2);
	assert_string_equal(cell_cache(&cells[0]), "warm");
	assert_string_equal(cell_cache(&cells[1]), "cold");
	assert_true(parse("[plan]\nservers = epoll\n[file]\nconnections = 1\n[wait]\nconnections = 1\n"));
	cells_make(&plan, 1, cells);
	assert_string_equal(cell_cache(&cells[0]), "warm");
	assert_string_equal(cell_cache(&cells[1]), "");
}

/* Answers that are in flight together need longer to get going. */
static void test_warmup(void **state)
{
	static struct cell cells[CELLS_MAX];
	(void)state;
	assert_true(parse("[plan]\nblocks = 1\nwarmup = 1s\nservers = epoll\n[stream]\nconnections = 10\n"
			  "[throughput]\nconnections = 10\n"));
	assert_int_equal(cells_make(&plan, 1, cells), 2);
	assert_int_equal(cell_warmup_ns(&cells[0]), 1000000000 + 10 * 16 * 50000);
	assert_int_equal(cell_warmup_ns(&cells[1]), 1000000000 + 10 * 50000);
}

static void test_scaling(void **state)
{
	static struct cell cells[CELLS_MAX];
	(void)state;
	assert_true(parse("[plan]\nblocks = 1\nservers = epoll, go?\n[scaling]\nconnections = 100\n"
			  "[throughput]\nconnections = 1\n"));
	assert_int_equal(plan.experiments[0].server_count, 1); /* go is not there */
	assert_string_equal(plan.experiments[0].target, "/compute/100");
	plan_fit_cpus(&plan, 6);
	assert_int_equal(cells_make(&plan, 1, cells), 4 + 1);
	static const uint32_t wanted[] = { 1, 2, 4, 6, 0 };
	for (int i = 0; i < 5; i++)
		assert_int_equal(cells[i].cpus, wanted[i]);
	plan_fit_cpus(&plan, 1);
	assert_int_equal(cells_make(&plan, 1, NULL), 2);
	struct cpu_list server = { { 0, 2 }, 2 }, client = { { 1, 2, 3 }, 3 };
	char text[32];
	struct cpu_list first = cpus_first(&server, &client, 1);
	assert_string_equal(cpus_format(&first, text, sizeof(text)), "0");
	first = cpus_first(&server, &client, 9);
	assert_string_equal(cpus_format(&first, text, sizeof(text)), "0,2,1,3");
}

/* --- rates of open loops --------------------------------------------------------------------- */

/* The first cell of one kind, level and server. */
static struct cell *find_cell(
    struct cell *cells, uint32_t count, enum experiment_kind kind, uint32_t percent, int server)
{
	for (uint32_t i = 0; i < count; i++)
		if (cells[i].experiment->kind == kind && cells[i].level.percent == percent &&
		    cells[i].rep == 1 && strcmp(cells[i].server->name, names[server]) == 0)
			return &cells[i];
	fail_msg("no such cell");
	return NULL;
}

static void test_every_rate_is_a_level(void **state)
{
	static struct cell cells[CELLS_MAX];
	(void)state;
	assert_true(parse(paced));
	uint32_t count = cells_make(&plan, 1, cells);
	assert_int_equal(count, 2 * (2 * 5 + 3 * 4 + 2 * 2));
	for (uint32_t i = 0; i < count; i++) {
		bool relative = cells[i].level.percent > 0;
		assert_int_equal(cells[i].offered_per_s, relative ? 0 : cells[i].level.per_s);
		if (cells[i].experiment->kind == EXPERIMENT_THROUGHPUT)
			assert_true(!relative && cells[i].level.per_s == 0);
	}
}

static void test_capacities(void **state)
{
	static struct cell cells[CELLS_MAX];
	static const double rates[] = { 20000, 30000, 40000, 100000 }; /* thread .. epoll */
	struct capacities found = { 0 };
	struct row row = { 0 };
	(void)state;
	assert_true(parse(paced));
	uint32_t count = cells_make(&plan, 1, cells);
	for (uint32_t i = 0; i < count; i++) {
		double rate = rates[cells[i].server_index] * (cells[i].connections == 1000 ? 1 : 9);
		bool counts = cells[i].rep == 1 && !cells[i].twin;
		bool failed = counts && cells[i].server_index == 0;
		capacities_take(&found, &cells[i], failed ? VERDICT_INVALID : VERDICT_VALID,
		    counts ? rate : 1); /* the later blocks' and the twin's do not count */
	}
	/* cost: the slowest that has a capacity; latency: its own */
	struct cell *cell = find_cell(cells, count, EXPERIMENT_COST, 50, 3);
	assert_true(capacities_offer(&found, cell, &row));
	assert_int_equal(cell->offered_per_s, 15000);
	cell = find_cell(cells, count, EXPERIMENT_COST, 0, 3);
	assert_true(capacities_offer(&found, cell, &row));
	assert_int_equal(cell->offered_per_s, 10000);
	cell = find_cell(cells, count, EXPERIMENT_LATENCY, 150, 3);
	assert_true(capacities_offer(&found, cell, &row));
	assert_int_equal(cell->offered_per_s, 150000);
	/* in whatever order they were found */
	struct capacities turned = found;
	for (uint32_t i = 0; i < found.count; i++)
		turned.found[i] = found.found[found.count - 1 - i];
	cell = find_cell(cells, count, EXPERIMENT_COST, 50, 3);
	assert_true(capacities_offer(&turned, cell, &row));
	assert_int_equal(cell->offered_per_s, 15000);
	/* without one there is a reason */
	for (uint32_t i = 0; i < found.count; i++)
		found.found[i].verdict = VERDICT_UNSUPPORTED, found.found[i].per_s = (double)NAN;
	cell = find_cell(cells, count, EXPERIMENT_LATENCY, 10, 2);
	assert_false(capacities_offer(&found, cell, &row));
	assert_int_equal(row.verdict, VERDICT_UNSUPPORTED);
	assert_string_equal(row.reason,
	    "no capacity to take 10% of: throughput with 1000 connections was unsupported in block 1");
}

/* Each server is first in its level about equally often. */
static void test_the_order_is_fair(void **state)
{
	static struct cell cells[CELLS_MAX];
	uint32_t first[PLAN_SERVERS_MAX] = { 0 };
	(void)state;
	assert_true(parse("[plan]\nblocks = 1\n[throughput]\nconnections = 1\n"));
	for (uint64_t seed = 0; seed < 4000; seed++) {
		cells_make(&plan, seed, cells);
		first[cells[0].server_index]++;
	}
	for (uint32_t i = 0; i < 4; i++)
		assert_in_range(first[i], 880, 1120); /* 1,000 +- 4.4 standard deviations */
}

/* --- CPUs ------------------------------------------------------------------------------------ */

static void assert_split(enum cpu_split wanted, const char *client_wanted,
    const char *server_wanted, int count, const int *core_of)
{
	static const int cpus[] = { 0, 1, 2, 3, 4, 5, 6, 7 };
	struct cpu_list server, client;
	char text[64];
	assert_int_equal(cpus_split(cpus, core_of, count, &server, &client), wanted);
	assert_string_equal(cpus_format(&client, text, sizeof(text)), client_wanted);
	assert_string_equal(cpus_format(&server, text, sizeof(text)), server_wanted);
}

static void test_cpus(void **state)
{
	(void)state;
	assert_split(CPU_SPLIT_NONE, "0", "0", 1, (int[]){ 0 });
	assert_split(CPU_SPLIT_CORES, "1", "0", 2, (int[]){ 0, 1 });
	assert_split(CPU_SPLIT_THREADS, "1", "0", 2, (int[]){ 0, 0 });
	assert_split(CPU_SPLIT_CORES, "1,2", "0", 3, (int[]){ 0, 1, 2 });
	assert_split(CPU_SPLIT_CORES, "2,3", "0,1", 4, (int[]){ 0, 0, 2, 2 });
	assert_split(
	    CPU_SPLIT_CORES, "1,3", "0,2", 4, (int[]){ 0, 1, 0, 1 }); /* siblings numbered apart */
	assert_split(CPU_SPLIT_CORES, "2,3,6,7", "0,1,4,5", 8, (int[]){ 0, 1, 2, 3, 0, 1, 2, 3 });
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_blocks_are_complete),
		cmocka_unit_test(test_the_seed_makes_the_order),
		cmocka_unit_test(test_slow_and_quick),
		cmocka_unit_test(test_cache),
		cmocka_unit_test(test_warmup),
		cmocka_unit_test(test_scaling),
		cmocka_unit_test(test_every_rate_is_a_level),
		cmocka_unit_test(test_capacities),
		cmocka_unit_test(test_the_order_is_fair),
		cmocka_unit_test(test_cpus),
	};
	return cmocka_run_group_tests_name("cells", tests, NULL, NULL);
}
