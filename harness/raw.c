/*
 * raw.c: a difference is scaled from its own distance in time to the window's length, then divided
 * by the window's requests. Nothing here asks what is known: a figure made of NAN is NAN.
 */
#include "harness/raw.h"

#include <math.h>

#include "harness/row.h"

enum { URING_REQUEST_BYTES = 256 }; /* struct io_kiocb, Linux 5.15 to 6.18: taken on trust */
static const double split_least_us = 50000; /* 5 clock ticks: fewer do not split CPU time */

const char *const raw_columns[RAW_COUNT] = {
	[RAW_WINDOW_NS] = "window_ns",
	[RAW_COMPLETED] = "completed",
	[RAW_PERF_NS] = "perf_ns",
	[RAW_PERF_SWITCHES] = "perf_switches",
	[RAW_PERF_CPU_NS] = "perf_cpu_ns",
	[RAW_TASKS_NS] = "tasks_ns",
	[RAW_VOLUNTARY] = "voluntary",
	[RAW_INVOLUNTARY] = "involuntary",
	[RAW_TASK_CPU_NS] = "task_cpu_ns",
	[RAW_TASK_WAIT_NS] = "task_wait_ns",
	[RAW_TICK_USER_US] = "tick_user_us",
	[RAW_TICK_SYSTEM_US] = "tick_system_us",
	[RAW_MINOR_FAULTS] = "minor_faults",
	[RAW_MAJOR_FAULTS] = "major_faults",
	[RAW_HARNESS_CPU_NS] = "harness_cpu_ns",
	[RAW_SYSCALL_NS] = "syscall_ns",
	[RAW_SYSCALL_REQUESTS] = "syscall_requests",
	[RAW_CLIENTS] = "clients",
	[RAW_PSS_BYTES] = "pss_bytes",
	[RAW_PAGE_TABLE_BYTES] = "page_table_bytes",
	[RAW_NEW_THREADS] = "new_threads",
	[RAW_NEW_PROCESSES] = "new_processes",
	[RAW_NEW_SOCKETS] = "new_sockets",
	[RAW_NEW_EPOLL_ITEMS] = "new_epoll_items",
	[RAW_NEW_URING_REQUESTS] = "new_uring_requests",
	[RAW_BYTES_PER_THREAD] = "bytes_per_thread",
	[RAW_BYTES_PER_PROCESS] = "bytes_per_process",
	[RAW_BYTES_PER_SOCKET] = "bytes_per_socket",
	[RAW_BYTES_PER_EPOLL_ITEM] = "bytes_per_epoll_item",
};

/* Of CPU time and switches perf's count is exact; the tasks' lacks those that have ended. */
static void derive_requests(const double raw[RAW_COUNT], double metrics[])
{
	bool has_perf = isfinite(raw[RAW_PERF_NS]);
	double completed = raw[RAW_COMPLETED], window_ns = raw[RAW_WINDOW_NS];
	double of_tasks = window_ns / raw[RAW_TASKS_NS] / completed;
	double of_perf = window_ns / raw[RAW_PERF_NS] / completed;
	double voluntary = raw[RAW_VOLUNTARY] * of_tasks;
	double involuntary = raw[RAW_INVOLUNTARY] * of_tasks;
	double cpu_ns =
	    has_perf ? raw[RAW_PERF_CPU_NS] * of_perf : raw[RAW_TASK_CPU_NS] * of_tasks;
	double ticks_us = raw[RAW_TICK_USER_US] + raw[RAW_TICK_SYSTEM_US];
	double us_per_tick_us = ticks_us >= split_least_us ? cpu_ns / 1e3 / ticks_us : NAN;
	metrics[METRIC_CTX_SWITCHES_PER_REQ] =
	    has_perf ? raw[RAW_PERF_SWITCHES] * of_perf : voluntary + involuntary;
	metrics[METRIC_CTX_VOLUNTARY_PER_REQ] = voluntary;
	metrics[METRIC_CTX_INVOLUNTARY_PER_REQ] = involuntary;
	metrics[METRIC_CPU_USER_US_PER_REQ] = raw[RAW_TICK_USER_US] * us_per_tick_us;
	metrics[METRIC_CPU_SYS_US_PER_REQ] = raw[RAW_TICK_SYSTEM_US] * us_per_tick_us;
	metrics[METRIC_RUNQUEUE_US_PER_REQ] = raw[RAW_TASK_WAIT_NS] * of_tasks / 1e3;
	metrics[METRIC_MINOR_FAULTS_PER_REQ] = raw[RAW_MINOR_FAULTS] * of_tasks;
	metrics[METRIC_MAJOR_FAULTS_PER_REQ] = raw[RAW_MAJOR_FAULTS] * of_tasks;
	metrics[METRIC_SERVER_CPU] = cpu_ns * completed / window_ns;
	metrics[METRIC_HARNESS_CPU_SHARE] = raw[RAW_HARNESS_CPU_NS] / (cpu_ns * completed);
}

static void derive_memory(const double raw[RAW_COUNT], double metrics[])
{
	double clients = raw[RAW_CLIENTS];
	double page_tables = raw[RAW_PAGE_TABLE_BYTES];
	double stacks = raw[RAW_NEW_THREADS] * raw[RAW_BYTES_PER_THREAD] +
	    raw[RAW_NEW_PROCESSES] * raw[RAW_BYTES_PER_PROCESS];
	double sockets = raw[RAW_NEW_SOCKETS] * raw[RAW_BYTES_PER_SOCKET] +
	    raw[RAW_NEW_EPOLL_ITEMS] * raw[RAW_BYTES_PER_EPOLL_ITEM] +
	    raw[RAW_NEW_URING_REQUESTS] * URING_REQUEST_BYTES;
	metrics[METRIC_USER_BYTES_PER_CONN] = raw[RAW_PSS_BYTES] / clients;
	metrics[METRIC_KERNEL_BYTES_PER_CONN] = (page_tables + stacks + sockets) / clients;
	metrics[METRIC_PAGE_TABLE_BYTES_PER_CONN] = page_tables / clients;
	metrics[METRIC_STACK_BYTES_PER_CONN] = stacks / clients;
	metrics[METRIC_SOCKET_BYTES_PER_CONN] = sockets / clients;
}

void raw_derive(const double raw[RAW_COUNT], double metrics[])
{
	derive_requests(raw, metrics);
	derive_memory(raw, metrics);
}

double raw_syscall_share(const double raw[RAW_COUNT])
{
	if (isfinite(raw[RAW_SYSCALL_REQUESTS]))
		return 1 / raw[RAW_SYSCALL_REQUESTS];
	return raw[RAW_WINDOW_NS] / raw[RAW_SYSCALL_NS] / raw[RAW_COMPLETED];
}
