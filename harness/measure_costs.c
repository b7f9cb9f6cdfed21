/*
 * measure_costs.c: the ledger of a cell: what a connection held costs the server, and what a
 * request does. Readings at the edges become the row's raw counts, raw.c makes its metrics of
 * these, and what is blank gets its reason.
 */
#include <math.h>

#include "harness/measure_private.h"

enum { CONNECTIONS_FOR_MEMORY = 100 }; /* with fewer the difference is noise */

/* At the barrier each connection has had one answer, and awaits the others of its first batch. */
static bool is_pipelined(const struct run *run)
{
	return run->cell->experiment->pipeline > 1;
}

static void take_memory(struct run *run)
{
	double *raw = run->row->raw;
	const struct memory *idle = &run->memory_idle, *held = &run->memory_held;
	const struct memory_costs *costs = &run->setup->costs;
	raw[RAW_CLIENTS] = cell_clients(run->cell);
	if (idle->pss >= 0 && held->pss >= 0 && !is_pipelined(run))
		raw[RAW_PSS_BYTES] = held->pss - idle->pss;
	raw[RAW_BYTES_PER_THREAD] = costs->thread;
	raw[RAW_BYTES_PER_PROCESS] = costs->process;
	raw[RAW_BYTES_PER_SOCKET] = costs->socket;
	raw[RAW_BYTES_PER_EPOLL_ITEM] = costs->epoll_item;
	if (idle->processes == 0 || held->processes == 0)
		return; /* nobody was there to be read */
	raw[RAW_PAGE_TABLE_BYTES] = held->page_tables - idle->page_tables;
	raw[RAW_NEW_THREADS] = held->threads - idle->threads;
	raw[RAW_NEW_PROCESSES] = held->processes - idle->processes;
	raw[RAW_NEW_SOCKETS] = held->sockets - idle->sockets;
	raw[RAW_NEW_EPOLL_ITEMS] = held->epoll_items - idle->epoll_items;
	raw[RAW_NEW_URING_REQUESTS] = held->uring_requests - idle->uring_requests;
}

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
	take_memory(run);
	raw_derive(row->raw, row->metrics);
	if (isnan(row->metrics[METRIC_USER_BYTES_PER_CONN]))
		row_blank(row, METRIC_USER_BYTES_PER_CONN, "%s", is_pipelined(run)
			? "pipelined: answers are on their way" : "no /proc/PID/smaps_rollup");
	if (isnan(row->metrics[METRIC_KERNEL_BYTES_PER_CONN]))
		row_blank(row, METRIC_KERNEL_BYTES_PER_CONN,
		    "the cost of a socket or a thread could not be measured (file limit?)");
}

/* A harness that came too late to an edge has read something else than the window. */
static bool is_near(uint64_t distance_ns, double window_ns)
{
	return fabs((double)distance_ns - window_ns) < 0.2 * window_ns;
}

/* The counters of perf, where there are any and they were read at the window's edges. */
static void take_perf(struct run *run)
{
	double *raw = run->row->raw;
	const struct counters_reading *edge = run->edge;
	/* a server that answered has used its CPU: a counter that stands still has missed it */
	if (!edge[0].valid || !edge[1].valid || edge[1].cpu_ns <= edge[0].cpu_ns ||
	    !is_near(edge[1].at_ns - edge[0].at_ns, raw[RAW_WINDOW_NS]))
		return;
	raw[RAW_PERF_NS] = (double)(edge[1].at_ns - edge[0].at_ns);
	raw[RAW_PERF_SWITCHES] = (double)(edge[1].switches - edge[0].switches);
	raw[RAW_PERF_CPU_NS] = (double)(edge[1].cpu_ns - edge[0].cpu_ns);
}

static void take_tasks(struct run *run)
{
	double *raw = run->row->raw;
	struct snapshot_difference d = snapshot_subtract(&run->before, &run->after);
	run->row->metrics[METRIC_SNAPSHOT_US] =
	    (double)(run->after.end_ns - run->after.begin_ns) / 1e3;
	run->row->metrics[METRIC_THREADS] = run->after.thread_count;
	raw[RAW_TASKS_NS] = (double)d.distance_ns;
	raw[RAW_VOLUNTARY] = (double)d.voluntary;
	raw[RAW_INVOLUNTARY] = (double)d.involuntary;
	if (d.has_schedstat)
		raw[RAW_TASK_WAIT_NS] = (double)d.wait_ns;
	if (d.has_schedstat && d.cpu_ns > 0)
		raw[RAW_TASK_CPU_NS] = (double)d.cpu_ns;
	if (d.user_us >= 0 && d.system_us >= 0) {
		raw[RAW_TICK_USER_US] = (double)d.user_us;
		raw[RAW_TICK_SYSTEM_US] = (double)d.system_us;
	}
	if (d.minor_faults >= 0 && d.major_faults >= 0) {
		raw[RAW_MINOR_FAULTS] = (double)d.minor_faults;
		raw[RAW_MAJOR_FAULTS] = (double)d.major_faults;
	}
}

static void explain_blanks(struct run *run)
{
	struct row *row = run->row;
	const double *m = row->metrics;
	const char *reason = run->target.counters.reason;
	if (!run->measured)
		row_blank(row, METRIC_CTX_VOLUNTARY_PER_REQ, "/proc/PID/task could not be read");
	else if (isnan(m[METRIC_MINOR_FAULTS_PER_REQ]))
		row_blank(row, METRIC_MINOR_FAULTS_PER_REQ, "children have ended unreaped");
	if (run->measured && isnan(m[METRIC_RUNQUEUE_US_PER_REQ]))
		row_blank(row, METRIC_RUNQUEUE_US_PER_REQ, "no schedstat in this kernel");
	if (isnan(row->raw[RAW_PERF_NS]))
		row_blank(row, METRIC_CTX_SWITCHES_PER_REQ, "%s%s",
		    run->measured ? "summed over tasks, " : "",
		    *reason ? reason : "perf counters missed the window");
	if (isnan(m[METRIC_SERVER_CPU])) {
		row_blank(row, METRIC_SERVER_CPU, "neither perf counters nor schedstat");
	} else if (isnan(m[METRIC_CPU_USER_US_PER_REQ])) {
		row_blank(row, METRIC_CPU_USER_US_PER_REQ, "too few clock ticks to split CPU time");
		row_blank(row, METRIC_CPU_SYS_US_PER_REQ, "too few clock ticks to split CPU time");
	}
}

void measure_fill_syscalls(struct row *row, const char *source)
{
	double calls = 0;
	for (uint32_t i = 0; i < row->syscalls.count; i++)
		calls += (double)row->syscalls.items[i].calls;
	row->syscall_source = source;
	row->metrics[METRIC_SYSCALLS_PER_REQ] = calls * raw_syscall_share(row->raw);
}

void measure_fill_server(struct run *run, const struct result *result)
{
	double *raw = run->row->raw;
	if (run->window_ns[0] == 0 || run->window_ns[1] <= run->window_ns[0] ||
	    result->completed == 0)
		return;
	raw[RAW_WINDOW_NS] = (double)(run->window_ns[1] - run->window_ns[0]);
	raw[RAW_COMPLETED] = (double)result->completed;
	raw[RAW_HARNESS_CPU_NS] = (double)(run->harness_cpu_ns[1] - run->harness_cpu_ns[0]);
	take_perf(run);
	if (run->measured)
		take_tasks(run);
	raw_derive(raw, run->row->metrics);
	explain_blanks(run);
	uint64_t counting_ns = run->counting_ns[1] - run->counting_ns[0];
	if (run->counted && is_near(counting_ns, raw[RAW_WINDOW_NS])) {
		raw[RAW_SYSCALL_NS] = (double)counting_ns;
		measure_fill_syscalls(run->row, "bpf");
	}
}
