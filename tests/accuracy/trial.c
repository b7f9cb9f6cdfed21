/*
 * trial.c: see trial.h. Everything blocks. The errand has a thread of its own and the main thread
 * runs the load generator, since the kernel ends a child with the thread that forked it.
 */
#include "tests/accuracy/trial.h"

#include <arpa/inet.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "harness/process.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/hdrlog.h"

enum {
	TEXT_CAP = 512 * 1024,
	ARGUMENTS_MAX = 24,
};

struct trial_place trial_place;

static char text[TEXT_CAP]; /* an answer, a run's output */

/* --- asking the server ------------------------------------------------------------------------ */

int trial_dial(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET,
		.sin_port = htons(trial_place.port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	struct timeval limit = { .tv_sec = 10 };
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	if (connect(fd, (struct sockaddr *)&address, sizeof address) == 0)
		return fd;
	close(fd);
	return -1;
}

char *trial_ask_on(int fd, const char *path, char *answer, size_t cap)
{
	size_t len = 0;
	int request_len = snprintf(answer, cap, "GET %s HTTP/1.1\r\nHost: reference\r\n\r\n", path);
	if (send(fd, answer, (size_t)request_len, MSG_NOSIGNAL) != request_len)
		return NULL;
	for (;;) {
		ssize_t got = recv(fd, answer + len, cap - 1 - len, 0);
		if (got <= 0)
			return NULL;
		len += (size_t)got;
		answer[len] = '\0';
		char *end = strstr(answer, "\r\n\r\n");
		char *field = strstr(answer, "Content-Length: ");
		if (!end || !field)
			continue;
		size_t body_len = strtoul(field + strlen("Content-Length: "), NULL, 10);
		if (answer + len >= end + 4 + body_len)
			return end + 4;
	}
}

char *trial_ask(const char *path, char *answer, size_t cap)
{
	int fd = trial_dial();
	char *body = fd < 0 ? NULL : trial_ask_on(fd, path, answer, cap);
	if (fd >= 0)
		close(fd);
	return body;
}

static void ask_histogram(const char *path, struct histogram *h)
{
	const char *body = trial_ask(path, text, sizeof text);
	if (!body || hdrlog_decode((struct slice){ body, strlen(body) }, h) != 0)
		die("the reference server gives no %s", path);
}

static void ask_counts(long long *requests, long long *answered)
{
	const char *body = trial_ask("/counts", text, sizeof text);
	static const char format[] = "{\"requests\": %lld, \"answered\": %lld}";
	if (!body || sscanf(body, format, requests, answered) != 2)
		die("the reference server gives no /counts");
}

uint64_t trial_server_waited_ns(void)
{
	char path[64];
	unsigned long long ran_ns, waited_ns;
	snprintf(path, sizeof path, "/proc/%d/schedstat", (int)trial_place.server_pid);
	FILE *file = fopen(path, "r");
	if (!file || fscanf(file, "%llu %llu", &ran_ns, &waited_ns) != 2)
		die("%s cannot be read: is the reference server gone?", path);
	fclose(file);
	return waited_ns;
}

/* --- running the load generator --------------------------------------------------------------- */

static void *run_errand(void *argument)
{
	const struct errand *e = argument;
	char answer[512];
	struct timespec wait = clock_timespec(e->after_ns);
	nanosleep(&wait, NULL);
	if (e->path && !trial_ask(e->path, answer, sizeof answer))
		die("the reference server does not answer %s", e->path);
	return NULL;
}

static json_t *member(const struct trial *t, const char *group, const char *name)
{
	return json_object_get(json_object_get(t->json, group), name);
}

static void take_latency(const struct trial *t, const char *name, struct histogram *h)
{
	const char *hdr = json_string_value(json_object_get(member(t, "latency_ns", name), "hdr"));
	histogram_init(h);
	if (hdr && hdrlog_decode((struct slice){ hdr, strlen(hdr) }, h) != 0)
		die("the load generator's %s histogram cannot be read", name);
}

void trial_init(struct trial *t, const char *path, struct errand errand, const char *options)
{
	char words[256], url[128], *argv[ARGUMENTS_MAX], *rest;
	int argc = 0, code;
	pthread_t thread;
	long long requests_before, answered_before;
	snprintf(words, sizeof words, "%s --cpu %d --json - %s", trial_place.loadgen,
	    trial_place.client_cpu, options);
	snprintf(url, sizeof url, "http://127.0.0.1:%u%s", trial_place.port, path);
	for (char *word = strtok_r(words, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		argv[argc++] = word;
	argv[argc++] = url;
	argv[argc] = NULL;

	if (!trial_ask("/reset", text, sizeof text))
		die("the reference server does not answer");
	ask_counts(&requests_before, &answered_before);
	if (pthread_create(&thread, NULL, run_errand, &errand) != 0)
		die("no thread");
	code = process_capture(argv, text, sizeof text, 30 * S_NS);
	pthread_join(thread, NULL);
	t->json = json_loads(text, 0, NULL);
	if ((code != 0 && code != 4) || !t->json)
		die("loadgen %s %s: exit code %d, %zu bytes", options, url, code, strlen(text));
	t->rate_per_s = json_number_value(json_object_get(t->json, "rate_per_s"));
	take_latency(t, "service", &t->service);
	take_latency(t, "response", &t->response);
	ask_counts(&t->requests, &t->answered);
	t->requests -= requests_before;
	t->answered -= answered_before;
	ask_histogram("/residence", &t->residence);
	ask_histogram("/gaps", &t->gaps);
}

void trial_deinit(struct trial *t)
{
	json_decref(t->json);
}

double trial_number(const struct trial *t, const char *group, const char *name)
{
	json_t *value = member(t, group, name);
	if (!json_is_number(value))
		die("the load generator's JSON has no %s.%s", group, name);
	return json_number_value(value);
}
