/* test_raw.c: figures of a request and of a connection from what the kernel counted. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "harness/raw.h"
#include "harness/row.h"

static double raw[RAW_COUNT], metrics[METRIC_COUNT];

/* A window of 2 s and 1,000 requests; perf was read 2.5 s apart, the tasks 4 s. */
static int set_up(void **state)
{
	(void)state;
	for (int i = 0; i < RAW_COUNT; i++)
		raw[i] = NAN;
	for (int i = 0; i < METRIC_COUNT; i++)
		metrics[i] = -1;
	raw[RAW_WINDOW_NS] = 2e9;
	raw[RAW_COMPLETED] = 1000;
	raw[RAW_HARNESS_CPU_NS] = 16e6;
	raw[RAW_PERF_NS] = 2.5e9;
	raw[RAW_PERF_SWITCHES] = 5000;
	raw[RAW_PERF_CPU_NS] = 2e9;
	raw[RAW_TASKS_NS] = 4e9;
	raw[RAW_VOLUNTARY] = 6000;
	raw[RAW_INVOLUNTARY] = 200;
	raw[RAW_TASK_CPU_NS] = 3e9;
	raw[RAW_TASK_WAIT_NS] = 1e9;
	raw[RAW_TICK_USER_US] = 750000;
	raw[RAW_TICK_SYSTEM_US] = 2250000;
	raw[RAW_MINOR_FAULTS] = 40;
	raw[RAW_MAJOR_FAULTS] = 0;
	return 0;
}

static void assert_metric(enum metric metric, double expected)
{
	if (!(fabs(metrics[metric] - expected) <= 1e-12 * fabs(expected)))
		fail_msg("metric %d is %.17g, not %.17g", metric, metrics[metric], expected);
}

static void test_requests(void **state)
{
	(void)state;
	raw_derive(raw, metrics);
	assert_metric(METRIC_CTX_SWITCHES_PER_REQ, 4); /* 5,000 in 2.5 s: 4,000 in 2 s */
	assert_metric(METRIC_CTX_VOLUNTARY_PER_REQ, 3);
	assert_metric(METRIC_CTX_INVOLUNTARY_PER_REQ, 0.1);
	assert_metric(METRIC_CPU_USER_US_PER_REQ, 400); /* 1.6 s of CPU, a quarter of it */
	assert_metric(METRIC_CPU_SYS_US_PER_REQ, 1200);
	assert_metric(METRIC_RUNQUEUE_US_PER_REQ, 500);
	assert_metric(METRIC_MINOR_FAULTS_PER_REQ, 0.02);
	assert_metric(METRIC_MAJOR_FAULTS_PER_REQ, 0);
	assert_metric(METRIC_SERVER_CPU, 0.8);
	assert_metric(METRIC_HARNESS_CPU_SHARE, 0.01);
	assert_true(isnan(metrics[METRIC_USER_BYTES_PER_CONN]));
}

static void test_only_its_own(void **state)
{
	(void)state;
	raw_derive(raw, metrics);
	for (int i = 0; i < METRIC_COUNT; i++) {
		bool is_own = i >= METRIC_RAW_FIRST && i <= METRIC_RAW_LAST;
		assert_int_equal(is_own, isnan(metrics[i]) || metrics[i] > -1);
	}
}

static void test_without_perf(void **state)
{
	(void)state;
	raw[RAW_PERF_NS] = raw[RAW_PERF_SWITCHES] = raw[RAW_PERF_CPU_NS] = NAN;
	raw_derive(raw, metrics);
	assert_metric(METRIC_CTX_SWITCHES_PER_REQ, 3.1);
	assert_metric(METRIC_SERVER_CPU, 0.75);
	assert_metric(METRIC_CPU_USER_US_PER_REQ, 375);
}

static void test_blank(void **state)
{
	(void)state;
	raw[RAW_TICK_USER_US] = 30000; /* four ticks tell nothing */
	raw[RAW_TICK_SYSTEM_US] = 10000;
	raw[RAW_MINOR_FAULTS] = NAN;
	raw_derive(raw, metrics);
	assert_true(isnan(metrics[METRIC_CPU_USER_US_PER_REQ]));
	assert_true(isnan(metrics[METRIC_CPU_SYS_US_PER_REQ]));
	assert_true(isnan(metrics[METRIC_MINOR_FAULTS_PER_REQ]));
	assert_metric(METRIC_SERVER_CPU, 0.8);
	raw[RAW_TASKS_NS] = NAN;
	raw_derive(raw, metrics);
	assert_true(isnan(metrics[METRIC_CTX_VOLUNTARY_PER_REQ]));
	assert_metric(METRIC_CTX_SWITCHES_PER_REQ, 4);
}

static void test_memory(void **state)
{
	(void)state;
	raw[RAW_CLIENTS] = 100;
	raw[RAW_PSS_BYTES] = 409600;
	raw[RAW_PAGE_TABLE_BYTES] = 8192;
	raw[RAW_NEW_THREADS] = 100;
	raw[RAW_NEW_PROCESSES] = 10;
	raw[RAW_NEW_SOCKETS] = 100;
	raw[RAW_NEW_EPOLL_ITEMS] = 101;
	raw[RAW_NEW_URING_REQUESTS] = 50;
	raw[RAW_BYTES_PER_THREAD] = 20000;
	raw[RAW_BYTES_PER_PROCESS] = 3000;
	raw[RAW_BYTES_PER_SOCKET] = 2500;
	raw[RAW_BYTES_PER_EPOLL_ITEM] = 200;
	raw_derive(raw, metrics);
	assert_metric(METRIC_USER_BYTES_PER_CONN, 4096);
	assert_metric(METRIC_PAGE_TABLE_BYTES_PER_CONN, 81.92);
	assert_metric(METRIC_STACK_BYTES_PER_CONN, 20300);
	assert_metric(METRIC_SOCKET_BYTES_PER_CONN, 2500 + 202 + 128);
	assert_metric(METRIC_KERNEL_BYTES_PER_CONN, 81.92 + 20300 + 2830);
}

static void test_syscalls(void **state)
{
	(void)state;
	raw[RAW_SYSCALL_NS] = 1e9; /* half of the window, so half of its requests */
	assert_true(fabs(raw_syscall_share(raw) - 1.0 / 500) < 1e-15);
	raw[RAW_SYSCALL_NS] = NAN;
	raw[RAW_SYSCALL_REQUESTS] = 1250;
	assert_true(fabs(raw_syscall_share(raw) - 1.0 / 1250) < 1e-15);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_requests, set_up),
		cmocka_unit_test_setup(test_only_its_own, set_up),
		cmocka_unit_test_setup(test_without_perf, set_up),
		cmocka_unit_test_setup(test_blank, set_up),
		cmocka_unit_test_setup(test_memory, set_up),
		cmocka_unit_test_setup(test_syscalls, set_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
