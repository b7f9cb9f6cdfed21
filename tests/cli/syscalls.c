/*
 * syscalls.c: the counter of system calls against strace.
 *
 *     syscalls PORT PROGRAM
 *
 * A server gets 10,000 requests, one after the other: once under strace while the counter counts,
 * too, and once with the counter alone. Calls that are frequent must agree within 1%, per request.
 * Prints what was counted, and how many comparisons passed and failed; exit 77 when BPF is not
 * permitted.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/probe.h"
#include "harness/process.h"
#include "harness/strace.h"
#include "harness/syscalls.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"

enum { REQUESTS = 10000, FREQUENT = REQUESTS / 20 };
static const uint64_t ready_ns = 10000000000, answer_ns = 2000000000;

static int dial(uint16_t port)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) != 0)
		die("cannot connect to the server");
	return fd;
}

/* The answer to GET / is short: it comes in one piece. */
static void ask(int fd)
{
	static const char request[] = "GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n";
	char answer[4096];
	ssize_t sent = send(fd, request, sizeof(request) - 1, MSG_NOSIGNAL);
	ssize_t len = sent > 0 ? recv(fd, answer, sizeof(answer) - 1, 0) : 0;
	answer[len > 0 ? len : 0] = '\0';
	if (!strstr(answer, "Hello, World!"))
		die("the server answers something else: %s", answer);
}

static void await(uint16_t port)
{
	char body[256];
	uint64_t until_ns = clock_now_ns() + ready_ns;
	while (probe_get(port, "/", body, sizeof(body), answer_ns) != 200)
		if (clock_now_ns() > until_ns)
			die("the server is not ready");
}

/* One life of the server, counted by BPF; by strace too when there is a log. */
static void run(char *program, uint16_t port, char *log, struct syscall_list *list)
{
	struct syscall_counter counter;
	struct process process;
	char number[8], host_flag[] = "--host", host[] = "127.0.0.1", port_flag[] = "--port",
	    workers_flag[] = "--workers", workers[] = "1";
	char *argv[STRACE_ARGUMENTS + 8] = { 0 };
	char *const served[] = { program, host_flag, host, port_flag, number, workers_flag,
		workers };
	snprintf(number, sizeof(number), "%u", port);
	if (log)
		strace_arguments(argv, log);
	memcpy(argv + (log ? STRACE_ARGUMENTS : 0), served, sizeof(served));
	if (!syscall_counter_open(&counter)) {
		printf("syscalls skipped: BPF: %s\n", counter.reason);
		exit(77);
	}
	struct process_options options = { .argv = argv, .output_fd = -1, .keep_fd = -1 };
	if (process_spawn(&process, &options) != 0)
		die("%s cannot be started", program);
	syscall_counter_switch(&counter, true);
	if (process_release(&process) != 0)
		die("%s cannot be started", argv[0]);
	await(port);
	int fd = dial(port);
	for (int i = 0; i < REQUESTS; i++)
		ask(fd);
	close(fd);
	process_stop(&process, answer_ns);
	syscall_counter_switch(&counter, false);
	struct tree tree = { .pids = &process.pid, .count = 1 };
	if (!syscall_counter_read(&counter, &tree, list))
		die("%s", counter.reason);
	syscall_counter_close(&counter);
}

static double per_request(const struct syscall_list *list, const char *name)
{
	for (uint32_t i = 0; i < list->count; i++)
		if (strcmp(list->items[i].name, name) == 0)
			return (double)list->items[i].calls / REQUESTS;
	return 0;
}

int main(int argc, char **argv)
{
	struct syscall_list traced, both, alone;
	char log[] = "/tmp/c10k-strace-XXXXXX";
	int passed = 0, failed = 0, fd = mkstemp(log);
	if (argc != 3 || fd < 0)
		usage_die("give a port and a program");
	if (strace_problem()) {
		printf("syscalls skipped: %s\n", strace_problem());
		return 77;
	}
	uint16_t port = (uint16_t)atoi(argv[1]);
	run(argv[2], port, log, &both);
	bool is_read = strace_read(log, &traced);
	unlink(log);
	if (!is_read)
		die("strace wrote no summary");
	run(argv[2], port, NULL, &alone);
	printf("%-18s %10s %10s %10s\n", "calls a request", "strace", "BPF", "BPF alone");
	for (uint32_t i = 0; i < traced.count && traced.items[i].calls >= FREQUENT; i++) {
		const char *name = traced.items[i].name;
		double expected = per_request(&traced, name), margin = 0.01 * expected;
		double a = per_request(&both, name), b = per_request(&alone, name);
		bool agree = fabs(a - expected) <= margin && fabs(b - expected) <= margin;
		printf("%-18s %10.4f %10.4f %10.4f%s\n", name, expected, a, b,
		    agree ? "" : "  differ");
		passed += agree;
		failed += !agree;
	}
	printf("%d passed, %d failed\n", passed, failed);
	return passed == 0 || failed > 0;
}
