/*
 * victim.h: a server under test, started afresh and watched from outside, and blocking clients that
 * come in crowds. For one test program: all of it is static.
 */
#ifndef VICTIM_H
#define VICTIM_H

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "harness/probe.h"
#include "harness/process.h"
#include "harness/tree.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"

#define MS UINT64_C(1000000)

enum { CLIENTS_MAX = 1200 };

static uint16_t port;
static const char *program;
static const char *scenario;
static struct process process;
static bool started; /* a scenario that does not concern the program starts nothing */
static bool failed;
static int clients[CLIENTS_MAX];

__attribute__((format(printf, 1, 2))) static inline void complain(const char *format, ...)
{
	va_list arguments;
	printf("FAILED %s, %s: ", strrchr(program, '/') + 1, scenario);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	failed = true;
}

static inline void pause_ms(uint64_t ms)
{
	struct timespec ts = clock_timespec(ms * MS);
	nanosleep(&ts, NULL);
}

/* --- the server ------------------------------------------------------------------------------- */

/*
 * Starts the program, by `how` ("ulimit -n 64; exec") if not NULL, and waits until it answers.
 */
static inline bool start(const char *how)
{
	char line[512], body[64];
	snprintf(line, sizeof line, "%s %s --host 127.0.0.1 --port %u --workers 1",
	    how ? how : "exec", program, port);
	char *argv[] = { "/bin/sh", "-c", line, NULL };
	struct process_options options = { .argv = argv, .output_fd = -1, .keep_fd = -1 };
	started = true;
	if (process_spawn(&process, &options) < 0 || process_release(&process) < 0) {
		complain("cannot be started");
		return false;
	}
	for (int i = 0; i < 500 && !process_has_ended(&process); i++) {
		if (probe_get(port, "/", body, sizeof body, 1000 * MS) == 200)
			return true;
		pause_ms(10);
	}
	complain("does not start%s%s", how ? " by " : "", how ? how : "");
	process_kill(&process);
	return false;
}

/* It has got SIGTERM at `since_ns`, and should be gone, or be gone soon. */
static inline void await_end(uint64_t since_ns)
{
	char words[64];
	while (!process_has_ended(&process) && clock_now_ns() - since_ns < 2000 * MS)
		pause_ms(1);
	if (!process_stop(&process, 0))
		complain("it did not end with code 0 within 2 s of SIGTERM: %s",
		    process_describe_end(&process, words, sizeof words));
}

static inline void stop(void)
{
	char words[64];
	if (process_has_ended(&process))
		complain("has ended: %s", process_describe_end(&process, words, sizeof words));
	else if (!process_stop(&process, 2000 * MS))
		complain("SIGTERM did not end it with code 0 in 2 s: %s",
		    process_describe_end(&process, words, sizeof words));
	process_kill(&process);
}

/* CPU time of one process so far, in ticks of 10 ms. */
static inline unsigned long cpu_ticks_of(pid_t pid)
{
	char path[64], text[1024];
	unsigned long user = 0, system = 0;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *file = fopen(path, "re");
	if (!file)
		return 0;
	text[fread(text, 1, sizeof text - 1, file)] = '\0';
	fclose(file);
	const char *behind_name = strrchr(text, ')');
	if (behind_name)
		sscanf(behind_name + 2, "%*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu",
		    &user, &system);
	return user + system;
}

/* "RssAnon:" and its like of /proc/PID/status. */
static inline unsigned long kib_of(pid_t pid, const char *field)
{
	char path[64], line[256];
	unsigned long kib = 0;
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file))
		if (strncmp(line, field, strlen(field)) == 0)
			kib = strtoul(line + strlen(field), NULL, 10);
	if (file)
		fclose(file);
	return kib;
}

static inline unsigned long anonymous_kib_of(pid_t pid)
{
	return kib_of(pid, "RssAnon:");
}

/* Over the server and its children. */
static inline unsigned long sum_of(unsigned long (*figure)(pid_t))
{
	struct tree tree = { 0 };
	unsigned long sum = 0;
	tree_read(&tree, process.pid);
	for (uint32_t i = 0; i < tree.count; i++)
		sum += figure(tree.pids[i]);
	tree_deinit(&tree);
	return sum;
}

/* With clients that do nothing it does nothing: within 5 s there is half a second without work. */
static inline void await_quiet(void)
{
	unsigned long spent = 0;
	for (int i = 0; i < 10; i++) {
		unsigned long before = sum_of(cpu_ticks_of);
		pause_ms(500);
		spent = sum_of(cpu_ticks_of) - before;
		if (spent <= 2)
			return;
	}
	complain("%lu ms of CPU time in 500 ms with nothing to do: a busy loop", spent * 10);
}

/* --- clients ---------------------------------------------------------------------------------- */

static inline int dial(void)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = 3 };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		die_errno(errno, "socket");
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

static inline void say(int fd, const char *text)
{
	(void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* A child that goes on sending a byte at a time, for 12 s. */
static inline pid_t start_trickle(int fd)
{
	pid_t pid = fork();
	for (int i = 0; pid == 0 && i < 40; i++) {
		say(fd, "x");
		pause_ms(300);
	}
	if (pid == 0)
		_exit(0);
	return pid;
}

/* One request; the answer's status and what it says (a body in one piece with its head), or -1. */
static inline int ask(int fd, const char *path, char *answer, size_t cap)
{
	char request[256];
	snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: c\r\n\r\n", path);
	say(fd, request);
	ssize_t n = recv(fd, answer, cap - 1, 0);
	answer[n > 0 ? n : 0] = '\0';
	return n > 12 && memcmp(answer, "HTTP/1.1 ", 9) == 0 ? (int)strtol(answer + 9, NULL, 10)
							     : -1;
}

/* A counter of /stats, asked on an open connection. */
static inline long long counter(int fd, const char *name)
{
	char answer[1024], key[32];
	if (ask(fd, "/stats", answer, sizeof answer) != 200)
		return -1;
	snprintf(key, sizeof key, "\"%s\": ", name);
	const char *at = strstr(answer, key);
	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

/* A counter, asked by a client that comes for it alone; itself not counted. */
static inline long long counter_alone(const char *name)
{
	int fd = dial();
	long long value = fd < 0 ? -1 : counter(fd, name) - (strcmp(name, "open") == 0);
	if (fd >= 0)
		close(fd);
	return value;
}

static inline int dial_all(int count)
{
	for (int i = 0; i < count; i++)
		clients[i] = dial();
	return count;
}

static inline void close_all(int count)
{
	for (int i = 0; i < count; i++)
		if (clients[i] >= 0)
			close(clients[i]);
}

/* How many of them get an answer of 200; the others see an end or a 503, with the usual fields. */
static inline int served_count(int count)
{
	char answer[1024];
	int served = 0;
	for (int i = 0; i < count; i++) {
		int status = clients[i] < 0 ? -1 : ask(clients[i], "/", answer, sizeof answer);
		served += status == 200;
		if (status == 503 && !(strstr(answer, "\r\nServer: c10k/") && strstr(answer, "\r\nDate: ")))
			complain("a 503 without Server or Date");
	}
	return served;
}

#endif
