/*
 * measure_costs.c: the ledger of a cell: what a connection held costs the server, and what a
 * request does, from the readings at the edges of the window. Each difference is scaled from its
 * own distance in time to the window's length.
 */
#include <math.h>

#include "harness/measure_private.h"

enum { CONNECTIONS_FOR_MEMORY = 100 }; /* with fewer the difference is noise */

void measure_fill_memory(struct run *run)
{
	struct row *row = run->row;
	uint32_t connections = cell_clients(run->cell);
	if (!run->held)
		return;
	if (run->info->max_waiting && connections > run->info->max_connections) {
		row_blank(row, METRIC_USER_BYTES_PER_CONN, "it does not hold them all at a time");
		row_blank(row, METRIC_KERNEL_BYTES_PER_CONN, "it does not hold them all at a time");
		return;
	}
	if (connections < CONNECTIONS_FOR_MEMORY) {
		row_blank(row, METRIC_USER_BYTES_PER_CONN, "fewer than %d connections",
		    CONNECTIONS_FOR_MEMORY);
		row_blank(row, METRIC_KERNEL_BYTES_PER_CONN, "fewer than %d connections",
		    CONNECTIONS_FOR_MEMORY);
		return;
	}
	double user = memory_user_bytes(&run->memory_idle, &run->memory_held);
	struct memory_kernel parts = memory_kernel_bytes(&run->setup->costs, &run->memory_idle,
	    &run->memory_held);
	double kernel = parts.page_tables + parts.stacks + parts.sockets;
	if (run->cell->experiment->pipeline > 1)
		row_blank(row, METRIC_USER_BYTES_PER_CONN, "pipelined: answers are on their way");
	else if (isfinite(user))
		row->metrics[METRIC_USER_BYTES_PER_CONN] = user / connections;
	else
		row_blank(row, METRIC_USER_BYTES_PER_CONN, "no /proc/PID/smaps_rollup");
	row->metrics[METRIC_PAGE_TABLE_BYTES_PER_CONN] = parts.page_tables / connections;
	row->metrics[METRIC_STACK_BYTES_PER_CONN] = parts.stacks / connections;
	row->metrics[METRIC_SOCKET_BYTES_PER_CONN] = parts.sockets / connections;
	if (isfinite(kernel))
		row->metrics[METRIC_KERNEL_BYTES_PER_CONN] = kernel / connections;
	else
		row_blank(row, METRIC_KERNEL_BYTES_PER_CONN,
		    "the cost of a socket or a thread could not be measured (file limit?)");
}

/* A harness that came too late to an edge has read something else than the window. */
static bool is_near(uint64_t distance_ns, double window_s)
{
	return fabs((double)distance_ns / 1e9 - window_s) < 0.2 * window_s;
}

static void fill_tasks(struct run *run, const struct snapshot_difference *d, double scale)
{
	struct row *row = run->row;
	row->metrics[METRIC_SNAPSHOT_US] = (double)(run->after.end_ns - run->after.begin_ns) / 1e3;
	row->metrics[METRIC_THREADS] = run->after.thread_count;
	row->metrics[METRIC_CTX_VOLUNTARY_PER_REQ] = (double)d->voluntary * scale;
	row->metrics[METRIC_CTX_INVOLUNTARY_PER_REQ] = (double)d->involuntary * scale;
	if (d->minor_faults >= 0 && d->major_faults >= 0) {
		row->metrics[METRIC_MINOR_FAULTS_PER_REQ] = (double)d->minor_faults * scale;
		row->metrics[METRIC_MAJOR_FAULTS_PER_REQ] = (double)d->major_faults * scale;
	} else {
		row_blank(row, METRIC_MINOR_FAULTS_PER_REQ, "children have ended unreaped");
	}
	if (d->has_schedstat)
		row->metrics[METRIC_RUNQUEUE_US_PER_REQ] = (double)d->wait_ns * scale / 1e3;
	else
		row_blank(row, METRIC_RUNQUEUE_US_PER_REQ, "no schedstat in this kernel");
}

/* Without perf the total is what the tasks counted themselves: those that ended are missing. */
static void fill_switches_from_tasks(struct run *run)
{
	struct row *row = run->row;
	if (run->measured)
		row->metrics[METRIC_CTX_SWITCHES_PER_REQ] =
		    row->metrics[METRIC_CTX_VOLUNTARY_PER_REQ] +
		    row->metrics[METRIC_CTX_INVOLUNTARY_PER_REQ];
	const char *reason = run->target.counters.reason;
	row_blank(row, METRIC_CTX_SWITCHES_PER_REQ, "%s%s",
	    run->measured ? "summed over tasks, " : "",
	    *reason ? reason : "perf counters missed the window");
}

/* CPU time: the total is exact (perf, else schedstat); /proc/PID/stat splits it. */
static void fill_cpu(
    struct run *run, const struct snapshot_difference *d, double window_s, double completed)
{
	struct row *row = run->row;
	double cpu_s;
	/* a server that answered has used its CPU: a counter that stands still has missed it */
	if (run->edge[0].valid && run->edge[1].valid && run->edge[1].cpu_ns > run->edge[0].cpu_ns &&
	    is_near(run->edge[1].at_ns - run->edge[0].at_ns, window_s)) {
		double distance_s = (double)(run->edge[1].at_ns - run->edge[0].at_ns) / 1e9;
		double scale = window_s / distance_s / completed;
		row->metrics[METRIC_CTX_SWITCHES_PER_REQ] =
		    (double)(run->edge[1].switches - run->edge[0].switches) * scale;
		cpu_s = (double)(run->edge[1].cpu_ns - run->edge[0].cpu_ns) / 1e9 * window_s /
		    distance_s;
	} else {
		fill_switches_from_tasks(run);
		cpu_s = run->measured && d->has_schedstat && d->cpu_ns > 0
		    ? (double)d->cpu_ns / 1e9 * window_s / d->distance_s
		    : NAN;
	}
	if (isnan(cpu_s)) {
		row_blank(row, METRIC_SERVER_CPU, "neither perf counters nor schedstat");
		return;
	}
	row->metrics[METRIC_SERVER_CPU] = cpu_s / window_s;
	if (cpu_s > 0)
		row->metrics[METRIC_HARNESS_CPU_SHARE] =
		    (double)(run->harness_cpu_ns[1] - run->harness_cpu_ns[0]) / 1e9 / cpu_s;
	if (!run->measured || d->user_share < 0) {
		row_blank(row, METRIC_CPU_USER_US_PER_REQ, "too few clock ticks to split CPU time");
		row_blank(row, METRIC_CPU_SYS_US_PER_REQ, "too few clock ticks to split CPU time");
		return;
	}
	row->metrics[METRIC_CPU_USER_US_PER_REQ] = cpu_s * 1e6 / completed * d->user_share;
	row->metrics[METRIC_CPU_SYS_US_PER_REQ] = cpu_s * 1e6 / completed * (1 - d->user_share);
}

void measure_fill_syscalls(struct row *row, const char *source, double requests_per_call)
{
	double calls = 0;
	for (uint32_t i = 0; i < row->syscalls.count; i++)
		calls += (double)row->syscalls.items[i].calls;
	row->syscall_source = source;
	row->syscalls_per_call = requests_per_call;
	row->metrics[METRIC_SYSCALLS_PER_REQ] = calls * requests_per_call;
}

void measure_fill_server(struct run *run, const struct result *result)
{
	double window_s = (double)(run->window_ns[1] - run->window_ns[0]) / 1e9;
	double completed = (double)result->completed;
	if (run->window_ns[0] == 0 || run->window_ns[1] <= run->window_ns[0] || completed < 1)
		return;
	struct snapshot_difference d = { .user_share = -1 };
	if (run->measured) {
		d = snapshot_subtract(&run->before, &run->after);
		fill_tasks(run, &d, window_s / d.distance_s / completed);
	} else {
		row_blank(run->row, METRIC_CTX_VOLUNTARY_PER_REQ,
		    "/proc/PID/task could not be read");
	}
	fill_cpu(run, &d, window_s, completed);
	if (run->counted && is_near(run->counting_ns[1] - run->counting_ns[0], window_s))
		measure_fill_syscalls(run->row, "bpf", window_s / completed * 1e9 /
		    (double)(run->counting_ns[1] - run->counting_ns[0]));
}
