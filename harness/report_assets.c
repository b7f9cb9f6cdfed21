/*
 * report_assets.c: the page's style and script and gnuplot's scripts, taken in by the assembler
 * when this file is compiled (from the project's root, as the Makefile does; it also knows that
 * this object depends on them). So a report can be made anywhere, and each of these files exists
 * once.
 */
#include "harness/report_assets.h"

#include <string.h>

#include "lib/sys/die.h"

#define ASSET(symbol, path) \
	__asm__(".pushsection .rodata\n" #symbol ":\n" \
	    ".incbin \"" path "\"\n" \
	    ".byte 0\n" \
	    ".popsection\n"); \
	extern const char symbol[]

ASSET(asset_css, "harness/report.css");
ASSET(asset_js, "harness/report.js");
ASSET(asset_style, "scripts/plots/style.gp");
ASSET(asset_lines, "scripts/plots/lines.gp");
ASSET(asset_panels, "scripts/plots/panels.gp");
ASSET(asset_rows, "scripts/plots/rows.gp");
ASSET(asset_throughput, "scripts/plots/throughput.gp");
ASSET(asset_idle, "scripts/plots/idle.gp");
ASSET(asset_switches, "scripts/plots/switches.gp");
ASSET(asset_cpu, "scripts/plots/cpu.gp");
ASSET(asset_memory, "scripts/plots/memory.gp");
ASSET(asset_wait, "scripts/plots/wait.gp");
ASSET(asset_mixed, "scripts/plots/mixed.gp");
ASSET(asset_churn, "scripts/plots/churn.gp");
ASSET(asset_query, "scripts/plots/query.gp");
ASSET(asset_file, "scripts/plots/file.gp");
ASSET(asset_file_cold, "scripts/plots/file-cold.gp");
ASSET(asset_stream, "scripts/plots/stream.gp");
ASSET(asset_time, "scripts/plots/time.gp");
ASSET(asset_heatmap, "scripts/plots/heatmap.gp");
ASSET(asset_code, "scripts/plots/code.gp");
ASSET(asset_scaling, "scripts/plots/scaling.gp");
ASSET(asset_slow, "scripts/plots/slow.gp");
ASSET(asset_cost, "scripts/plots/cost.gp");
ASSET(asset_cost_latency, "scripts/plots/cost-latency.gp");
ASSET(asset_latency, "scripts/plots/latency.gp");
ASSET(asset_batch, "scripts/plots/batch.gp");
ASSET(asset_syscalls, "scripts/plots/syscalls.gp");
ASSET(asset_percentiles, "scripts/plots/percentiles.gp");

static const struct report_asset assets[] = {
	{ "report.css", asset_css },
	{ "report.js", asset_js },
	{ "style.gp", asset_style },
	{ "lines.gp", asset_lines },
	{ "panels.gp", asset_panels },
	{ "rows.gp", asset_rows },
	{ "throughput.gp", asset_throughput },
	{ "idle.gp", asset_idle },
	{ "switches.gp", asset_switches },
	{ "cpu.gp", asset_cpu },
	{ "memory.gp", asset_memory },
	{ "wait.gp", asset_wait },
	{ "mixed.gp", asset_mixed },
	{ "churn.gp", asset_churn },
	{ "query.gp", asset_query },
	{ "file.gp", asset_file },
	{ "file-cold.gp", asset_file_cold },
	{ "stream.gp", asset_stream },
	{ "time.gp", asset_time },
	{ "heatmap.gp", asset_heatmap },
	{ "code.gp", asset_code },
	{ "scaling.gp", asset_scaling },
	{ "slow.gp", asset_slow },
	{ "cost.gp", asset_cost },
	{ "cost-latency.gp", asset_cost_latency },
	{ "latency.gp", asset_latency },
	{ "batch.gp", asset_batch },
	{ "syscalls.gp", asset_syscalls },
	{ "percentiles.gp", asset_percentiles },
};

const char *report_asset(const char *name)
{
	size_t i = 0;
	while (i < sizeof(assets) / sizeof(*assets) && strcmp(assets[i].name, name))
		i++;
	CHECK(i < sizeof(assets) / sizeof(*assets));
	return assets[i].text;
}
