/* client.c: starts the load generator and reads its lines. */
#include "harness/client.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/sys/clock.h"

enum { ARGUMENTS_MAX = 40, ARGUMENT_CAP = 64 };

struct arguments {
	char text[ARGUMENTS_MAX][ARGUMENT_CAP];
	char *argv[ARGUMENTS_MAX + 1];
	int count;
};

static void add(struct arguments *a, const char *name, uint64_t value, const char *unit)
{
	snprintf(a->text[a->count], ARGUMENT_CAP, "%s", name);
	a->argv[a->count] = a->text[a->count];
	a->count++;
	snprintf(a->text[a->count], ARGUMENT_CAP, "%" PRIu64 "%s", value, unit);
	a->argv[a->count] = a->text[a->count];
	a->count++;
}

static void add_cpus(struct arguments *a, const struct cpu_list *cpus, char list[1024])
{
	static char flag[] = "--cpu";
	size_t len = 0;
	for (int i = 0; i < cpus->count && len < 1024; i++)
		len += (size_t)snprintf(list + len, 1024 - len, "%s%d", i ? "," : "",
		    cpus->cpus[i]);
	a->argv[a->count++] = flag;
	a->argv[a->count++] = list;
}

/* In steps of 20 ms: short enough to see a scheduler at work, long enough for a p99 of most. */
static void add_course(
    struct arguments *a, const struct client_options *o, char series_path[PATH_CAP],
    char hlog_path[PATH_CAP])
{
	static char series[] = "--series", hlog[] = "--hlog";
	path_make(series_path, "%s", o->series_path);
	path_make(hlog_path, "%s", o->hlog_path);
	a->argv[a->count++] = series;
	a->argv[a->count++] = series_path;
	a->argv[a->count++] = hlog;
	a->argv[a->count++] = hlog_path;
	add(a, "--step", 20, "ms");
}

int client_start(struct client *c, const struct client_options *o)
{
	struct arguments a = { 0 };
	char program[4096], json_path[4096], mix_path[PATH_CAP], series_path[PATH_CAP],
	    hlog_path[PATH_CAP], url[128], cpus[1024];
	static char json[] = "--json", mix[] = "--mix", slow_target[] = "--slow-target";
	static char slow_bytes[] = CELL_SLOW_TARGET;
	const struct experiment *e = o->cell->experiment;
	uint32_t threads = (uint32_t)(o->cpus->count > 0 ? o->cpus->count : 1);

	*c = (struct client){ .sync_fd = -1 };
	int pair[2];
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	snprintf(program, sizeof(program), "%s", o->program);
	snprintf(json_path, sizeof(json_path), "%s", o->json_path);
	bool mixed = e->kind == EXPERIMENT_MIXED;
	snprintf(url, sizeof(url), "http://127.0.0.1:%u%s", o->port, mixed ? "/" : e->target);
	a.argv[a.count++] = program;
	add(&a, "-c", o->cell->connections, "");
	add(&a, "-t", threads < o->cell->connections ? threads : o->cell->connections, "");
	if (o->cell->idle)
		add(&a, "--idle", o->cell->idle, "");
	if (o->cell->slow) {
		add(&a, "--slow", o->cell->slow, "");
		a.argv[a.count++] = slow_target;
		a.argv[a.count++] = slow_bytes;
	}
	if (e->pipeline > 1)
		add(&a, "--pipeline", e->pipeline, "");
	if (o->cell->requests)
		add(&a, "--requests-per-connection", o->cell->requests, "");
	if (o->cell->offered_per_s)
		add(&a, "-R", o->cell->offered_per_s, "");
	if (mixed) {
		path_make(mix_path, "%s", o->mix_path);
		a.argv[a.count++] = mix;
		a.argv[a.count++] = mix_path;
	}
	if (e->kind == EXPERIMENT_MEMORY) {
		add(&a, "-d", 0, "");
		add(&a, "--hold", e->hold_ns, "ns");
	} else {
		add(&a, "-d", e->duration_ns, "ns");
		add(&a, "-w", cell_warmup_ns(o->cell), "ns");
		if (e->kind == EXPERIMENT_WAIT) /* or all answers would come in one wave, again and again */
			add(&a, "--ramp", e->warmup_ns, "ns");
	}
	add(&a, "--seed", o->cell->load_seed, "");
	add(&a, "--sync", (uint64_t)pair[1], "");
	if (o->cpus->count)
		add_cpus(&a, o->cpus, cpus);
	if (o->series_path)
		add_course(&a, o, series_path, hlog_path);
	a.argv[a.count++] = json;
	a.argv[a.count++] = json_path;
	a.argv[a.count++] = url;

	struct process_options options = {
		.argv = a.argv, .cpus = o->cpus, .output_fd = o->log_fd, .keep_fd = pair[1],
	};
	int problem = process_spawn(&c->process, &options);
	if (problem == 0)
		problem = process_release(&c->process);
	close(pair[1]);
	c->sync_fd = pair[0];
	if (problem)
		client_stop(c);
	return problem;
}

/* The event of a whole line at the start of c->line, which is then taken out of it. */
static enum client_event take_line(struct client *c)
{
	char name[16] = "";
	char *end = memchr(c->line, '\n', c->line_len);
	if (!end)
		return CLIENT_NOTHING;
	*end = '\0';
	int fields = sscanf(c->line, "%15s %" SCNu64, name, &c->event_ns);
	c->line_len -= (uint32_t)(end + 1 - c->line);
	memmove(c->line, end + 1, c->line_len);
	if (fields != 2)
		return CLIENT_NOTHING;
	return strcmp(name, "barrier") == 0 ? CLIENT_BARRIER
	    : strcmp(name, "warm") == 0 ? CLIENT_WARM
	    : strcmp(name, "measure") == 0 ? CLIENT_MEASURE
	    : strcmp(name, "measured") == 0 ? CLIENT_MEASURED : CLIENT_NOTHING;
}

enum client_event client_wait(struct client *c, uint64_t timeout_ns)
{
	enum client_event event = take_line(c);
	if (event != CLIENT_NOTHING)
		return event;
	struct pollfd wait = { .fd = c->sync_fd, .events = POLLIN };
	struct timespec timeout = clock_timespec(timeout_ns);
	if (ppoll(&wait, 1, &timeout, NULL) <= 0)
		return CLIENT_NOTHING;
	size_t room = sizeof(c->line) - c->line_len;
	ssize_t n = recv(c->sync_fd, c->line + c->line_len, room, MSG_DONTWAIT);
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		return CLIENT_ENDED;
	if (n > 0)
		c->line_len += (uint32_t)n;
	event = take_line(c);
	if (event == CLIENT_NOTHING && c->line_len == sizeof(c->line))
		return CLIENT_ENDED; /* no load generator of ours writes such lines */
	return event;
}

void client_answer(struct client *c)
{
	/* one that has died is seen by the next wait */
	ssize_t n = send(c->sync_fd, "", 1, MSG_NOSIGNAL | MSG_DONTWAIT);
	(void)n;
}

void client_stop(struct client *c)
{
	if (c->sync_fd >= 0)
		close(c->sync_fd);
	c->sync_fd = -1;
	process_stop(&c->process, 2000000000);
}
