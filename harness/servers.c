/* servers.c: lists build/servers and asks each program to describe itself. */
#include "harness/servers.h"

#include <dirent.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/opening.h"
#include "harness/process.h"

/* From the simplest way of waiting to the newest: the order in which people meet them. */
static const char *const usual_order[] = {
	"iterative", "fork", "prefork", "thread", "threadpool", "select", "poll", "epoll", "epoll-et",
	"epoll-oneshot", "percore", "libev", "libevent", "libuv", "linux-aio", "io_uring", "coro", "asio",
	"tokio", "tokio-current", "smol", "async-std", "go", "nginx",
};

static size_t rank_of(const char *name)
{
	size_t rank = 0, count = sizeof(usual_order) / sizeof(*usual_order);
	while (rank < count && strcmp(usual_order[rank], name) != 0)
		rank++;
	return rank;
}

static int compare(const void *a, const void *b)
{
	size_t rank_a = rank_of(a), rank_b = rank_of(b);
	return rank_a != rank_b ? (rank_a > rank_b) - (rank_a < rank_b) : strcmp(a, b);
}

void servers_find(const struct paths *paths, struct server_names *found)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyz" "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789" "_.+-"; /* as the report takes them */
	*found = (struct server_names){ 0 };
	DIR *folder = opendir(paths->servers);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		struct stat about;
		size_t len = strlen(entry->d_name);
		if (strchr(".-", entry->d_name[0]) || len >= PLAN_NAME_CAP - 1 ||
		    found->count == PLAN_SERVERS_MAX || strspn(entry->d_name, letters) != len ||
		    fstatat(dirfd(folder), entry->d_name, &about, 0) != 0 ||
		    !S_ISREG(about.st_mode) ||
		    faccessat(dirfd(folder), entry->d_name, X_OK, 0) != 0)
			continue;
		memcpy(found->names[found->count++], entry->d_name, len + 1);
	}
	if (folder)
		closedir(folder);
	qsort(found->names, found->count, sizeof(found->names[0]), compare);
	for (uint32_t i = 0; i < found->count; i++)
		found->pointers[i] = found->names[i];
}

static bool has(const struct server_names *found, const char *name)
{
	for (uint32_t i = 0; i < found->count; i++)
		if (strcmp(found->names[i], name) == 0)
			return true;
	return false;
}

void servers_missing(const struct server_names *found, char *out, size_t cap)
{
	size_t len = 0;
	out[0] = '\0';
	for (size_t i = 0; i < sizeof(usual_order) / sizeof(*usual_order) && len < cap; i++)
		if (!has(found, usual_order[i]))
			len += (size_t)snprintf(out + len, cap - len, " %s", usual_order[i]);
}

struct plan_names servers_as_plan_names(const struct server_names *found)
{
	return (struct plan_names){ found->pointers, found->count };
}

static void find_source(const struct paths *paths, const char *program, struct server_info *info)
{
	static const struct {
		const char *folder, *ending;
	} places[] = { { "servers", "c" }, { "servers", "cc" }, { "servers/rust/src/bin", "rs" },
		{ "servers/go", "go" } };
	char path[PATH_CAP], *text = NULL;
	for (size_t i = 0; !text && i < sizeof(places) / sizeof(places[0]); i++) {
		path_make(info->source, "%s/%s.%s", places[i].folder, program, places[i].ending);
		path_make(path, "%s/%s", paths->root, info->source);
		text = file_read(path);
	}
	if (!text) {
		info->source[0] = '\0';
		return;
	}
	for (const char *at = text; (at = strchr(at, '\n')); at++)
		info->source_lines++;
	opening_read(text, info->about, sizeof(info->about));
	free(text);
}

static void copy_string(const json_t *object, const char *key, char *out, size_t cap)
{
	const char *text = json_string_value(json_object_get(object, key));
	snprintf(out, cap, "%s", text ? text : "");
}

bool server_can_serve(const struct server_info *info, const struct cell *cell)
{
	uint64_t wanted = cell_clients(cell);
	const struct experiment *e = cell->experiment;
	bool in_turn = cell->idle == 0 && e->kind != EXPERIMENT_MEMORY && e->pipeline == 1;
	uint64_t most = (uint64_t)info->max_connections + (in_turn ? info->max_waiting : 0);
	return !server_lacks(info, cell) && (info->max_connections == 0 || wanted <= most);
}

bool server_is_reference(const struct server_info *info)
{
	return strcmp(info->family, "reference") == 0;
}

const char *server_lacks(const struct server_info *info, const struct cell *cell)
{
	const char *target = cell->slow ? CELL_SLOW_TARGET : cell->experiment->target;
	bool served = !target[0] || !strcmp(target, "/") || !strcmp(target, "/bytes/65536");
	return served || !server_is_reference(info) ? NULL : target;
}

/* A limit; 0 when it is not told. */
static uint32_t copy_limit(const json_t *limits, const char *key)
{
	json_int_t most = json_integer_value(json_object_get(limits, key));
	return most > 0 && most < UINT32_MAX ? (uint32_t)most : 0;
}

bool server_describe(
    const struct paths *paths, const struct plan_server *server, struct server_info *info)
{
	char answer[4096], describe[] = "--describe";
	*info = (struct server_info){ 0 };
	memcpy(info->name, server->name, sizeof(info->name));
	memcpy(info->value, server->value, sizeof(info->value));
	if (server->option[0])
		snprintf(info->option, sizeof(info->option), "--%s", server->option);
	path_make(info->program, "%s/%s", paths->servers, server->program);
	find_source(paths, server->program, info);

	char *argv[] = { info->program, info->option, info->value, describe, NULL };
	char *plain[] = { info->program, describe, NULL };
	char *const *chosen = info->option[0] ? argv : plain;
	int code = process_capture(chosen, answer, sizeof(answer), 5000000000);
	json_t *about = code == 0 ? json_loads(answer, 0, NULL) : NULL;
	if (!json_is_object(about)) {
		char *end = strchr(answer, '\n');
		if (end)
			*end = '\0';
		const char *what = code == 0 ? "no JSON object, exit code" : "exit code";
		snprintf(info->problem, sizeof(info->problem), "--describe: %s %d%s%.120s",
		    code < 0 ? "cannot run, errno" : what, abs(code), answer[0] ? ": " : "",
		    answer);
		json_decref(about);
		return false;
	}
	copy_string(about, "family", info->family, sizeof(info->family));
	copy_string(about, "api", info->api, sizeof(info->api));
	copy_string(about, "language", info->language, sizeof(info->language));
	copy_string(about, "summary", info->summary, sizeof(info->summary));
	json_t *limits = json_object_get(about, "limits");
	info->max_connections = copy_limit(limits, "max_connections");
	info->max_waiting = copy_limit(limits, "max_waiting");
	info->max_workers = copy_limit(limits, "max_workers");
	info->max_cpus = copy_limit(limits, "max_cpus");
	json_decref(about);
	return true;
}
