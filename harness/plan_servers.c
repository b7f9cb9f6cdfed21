/*
 * plan_servers.c: the servers a plan names, and what the command line changes in a plan.
 *
 * A list of servers is "all", names, names with one option, or, on the command line, a name as the
 * run shows it (`select+`). The plan keeps each server once; the experiments refer to it.
 */
#include "harness/plan.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

const char *plan_join(char *out, size_t cap, const char *const *names, uint32_t count)
{
	size_t len = 0;
	out[0] = '\0';
	for (uint32_t i = 0; i < count && len < cap; i++)
		len += (size_t)snprintf(out + len, cap - len, "%s%s", i ? ", " : "", names[i]);
	return out;
}

static bool is_known(struct plan_names known, const char *name)
{
	for (uint32_t i = 0; i < known.count; i++)
		if (strcmp(known.names[i], name) == 0)
			return true;
	return false;
}

bool plan_next_piece(const char **list, char *piece, size_t cap)
{
	const char *from = *list;
	while (isspace((unsigned char)*from) || *from == ',')
		from++;
	if (*from == '\0')
		return false;
	size_t len = strcspn(from, ",");
	*list = from + len;
	while (len > 0 && isspace((unsigned char)from[len - 1]))
		len--;
	if (len >= cap)
		len = cap - 1; /* too long to be anything that exists: the look-up complains */
	memcpy(piece, from, len);
	piece[len] = '\0';
	return true;
}

/* "epoll" or "select[fd-setsize=16384]"; NULL or what is wrong with it. */
static const char *split_server(const char *piece, struct plan_server *server)
{
	*server = (struct plan_server){ 0 };
	size_t len = strcspn(piece, "[");
	if (len == 0 || len >= sizeof(server->program) - 1)
		return "is no server's name";
	memcpy(server->program, piece, len);
	memcpy(server->name, piece, len);
	if (piece[len] == '\0')
		return NULL;
	const char *option = piece + len + 1;
	size_t option_len = strcspn(option, "=");
	size_t value_len = option[option_len] == '=' ? strcspn(option + option_len + 1, "]") : 0;
	if (option_len == 0 || value_len == 0 || option_len >= sizeof(server->option) ||
	    value_len >= sizeof(server->value) ||
	    strcmp(option + option_len + 1 + value_len, "]") != 0)
		return "is not written NAME[option=value]";
	memcpy(server->option, option, option_len);
	memcpy(server->value, option + option_len + 1, value_len);
	server->name[len] = '+';
	return NULL;
}

static int find_shown(const struct plan *plan, const char *name)
{
	for (uint32_t i = 0; i < plan->server_count; i++)
		if (strcmp(plan->servers[i].name, name) == 0)
			return (int)i;
	return -1;
}

static bool use_server(struct experiment *e, uint32_t place)
{
	for (uint32_t i = 0; i < e->server_count; i++)
		if (e->servers[i] == place)
			return true; /* "all, epoll" is not an error */
	e->servers[e->server_count++] = place;
	return true;
}

/* Index of the server in the plan, added when it is new; -1 when another variant has its name. */
static int place_of(struct plan *plan, const struct plan_server *server)
{
	int shown = find_shown(plan, server->name);
	if (shown >= 0)
		return memcmp(&plan->servers[shown], server, sizeof(*server)) == 0 ? shown : -1;
	if (plan->server_count == PLAN_SERVERS_MAX)
		return -1;
	plan->servers[plan->server_count] = *server;
	return (int)plan->server_count++;
}

/* One server of a list. On failure writes what is wrong, without a place, to `problem`. */
static bool add_server(struct plan *plan, struct experiment *e, const char *piece,
    struct plan_names known, char problem[PLAN_MESSAGE_CAP])
{
	struct plan_server server;
	char all[PLAN_MESSAGE_CAP / 2];
	char name[PLAN_TEXT_CAP + PLAN_NAME_CAP];
	size_t len = strlen(piece);
	bool optional = len > 0 && piece[len - 1] == '?';
	if (optional) {
		snprintf(name, sizeof(name), "%.*s", (int)len - 1, piece);
		if (!is_known(known, name))
			return true;
		piece = name;
	}
	int shown = find_shown(plan, piece);
	if (shown >= 0)
		return use_server(e, (uint32_t)shown);
	const char *wrong = split_server(piece, &server);
	if (wrong || !is_known(known, server.program)) {
		snprintf(problem, PLAN_MESSAGE_CAP, "server \"%s\" %s: use all, or of %s", piece,
		    wrong ? wrong : "does not exist",
		    plan_join(all, sizeof(all), known.names, known.count));
		return false;
	}
	int place = place_of(plan, &server);
	if (place < 0) {
		snprintf(problem, PLAN_MESSAGE_CAP,
		    "server \"%s\": one variant of a server in a plan", piece);
		return false;
	}
	return use_server(e, (uint32_t)place);
}

/* "-fork": all the others. */
static bool leave_out(const struct plan *plan, struct experiment *e, const char *name,
    char problem[PLAN_MESSAGE_CAP])
{
	for (uint32_t i = 0; i < e->server_count; i++)
		if (strcmp(plan->servers[e->servers[i]].name, name) == 0) {
			e->servers[i] = e->servers[--e->server_count];
			return true;
		}
	snprintf(problem, PLAN_MESSAGE_CAP, "-%s: no such server stands before it, as in all, -%s",
	    name, name);
	return false;
}

bool plan_set_servers(struct plan *plan, struct experiment *e, const char *list,
    struct plan_names known, char problem[PLAN_MESSAGE_CAP])
{
	char piece[PLAN_TEXT_CAP + PLAN_NAME_CAP];
	e->server_count = 0;
	while (plan_next_piece(&list, piece, sizeof(piece))) {
		if (piece[0] == '-') {
			if (!leave_out(plan, e, piece + 1, problem))
				return false;
			continue;
		}
		if (strcmp(piece, "all") != 0) {
			if (!add_server(plan, e, piece, known, problem))
				return false;
			continue;
		}
		for (uint32_t i = 0; i < known.count; i++)
			if (!add_server(plan, e, known.names[i], known, problem))
				return false;
	}
	if (e->server_count == 0)
		snprintf(problem, PLAN_MESSAGE_CAP, "no server: use all, or a list of names");
	return e->server_count > 0;
}

/* --- changes from the command line ----------------------------------------------------------- */

static bool change_servers(struct plan *plan, const char *list, struct plan_names known,
    char message[PLAN_MESSAGE_CAP])
{
	char problem[PLAN_MESSAGE_CAP];
	for (uint32_t i = 0; i < plan->experiment_count; i++) {
		struct experiment *e = &plan->experiments[i];
		uint32_t twin = PLAN_NO_TWIN;
		if (!plan_set_servers(plan, e, list, known, problem)) {
			snprintf(message, PLAN_MESSAGE_CAP, "--servers: %.*s",
			    PLAN_MESSAGE_CAP - 16, problem);
			return false;
		}
		for (uint32_t s = 0; s < e->server_count; s++)
			if (e->servers[s] == e->twin)
				twin = e->twin;
		e->twin = twin;
	}
	return true;
}

/* Keeps the experiments on the list, in the plan's order. */
static bool change_experiments(struct plan *plan, const char *list, char message[PLAN_MESSAGE_CAP])
{
	bool there[EXPERIMENT_COUNT] = { false }, wanted[EXPERIMENT_COUNT] = { false };
	const char *names[EXPERIMENT_COUNT];
	char piece[PLAN_TEXT_CAP], all[PLAN_TEXT_CAP * 3];
	uint32_t name_count = 0, kept = 0;
	for (uint32_t i = 0; i < plan->experiment_count; i++)
		there[plan->experiments[i].kind] = true;
	for (uint32_t kind = 0; kind < EXPERIMENT_COUNT; kind++)
		if (there[kind])
			names[name_count++] = experiment_names[kind];
	while (plan_next_piece(&list, piece, sizeof(piece))) {
		uint32_t kind = 0;
		while (kind < EXPERIMENT_COUNT &&
		    (!there[kind] || strcmp(experiment_names[kind], piece) != 0))
			kind++;
		if (kind == EXPERIMENT_COUNT) {
			snprintf(message, PLAN_MESSAGE_CAP,
			    "--experiments: the plan has no \"%s\": use %s", piece,
			    plan_join(all, sizeof(all), names, name_count));
			return false;
		}
		wanted[kind] = true;
	}
	for (uint32_t i = 0; i < plan->experiment_count; i++)
		if (wanted[plan->experiments[i].kind])
			plan->experiments[kept++] = plan->experiments[i];
	if (kept == 0)
		snprintf(message, PLAN_MESSAGE_CAP, "--experiments: give at least one of %s",
		    plan_join(all, sizeof(all), names, name_count));
	plan->experiment_count = kept;
	return kept > 0;
}

bool plan_change(struct plan *plan, const struct plan_changes *changes, struct plan_names known,
    char message[PLAN_MESSAGE_CAP])
{
	if (changes->servers && !change_servers(plan, changes->servers, known, message))
		return false;
	if (changes->experiments && !change_experiments(plan, changes->experiments, message))
		return false;
	for (uint32_t i = 0; i < plan->experiment_count && changes->blocks; i++)
		plan->experiments[i].blocks = changes->blocks;
	char problem[PLAN_MESSAGE_CAP];
	for (uint32_t i = 0; i < plan->experiment_count && changes->experiments; i++)
		if (!plan_knows_capacity(plan, &plan->experiments[i], problem)) {
			snprintf(message, PLAN_MESSAGE_CAP, "--experiments %.*s: %.*s", PLAN_TEXT_CAP,
			    changes->experiments, PLAN_MESSAGE_CAP / 2, problem);
			return false;
		}
	return true;
}

bool plan_uses(const struct plan *plan, uint32_t server)
{
	for (uint32_t i = 0; i < plan->experiment_count; i++)
		for (uint32_t s = 0; s < plan->experiments[i].server_count; s++)
			if (plan->experiments[i].servers[s] == server)
				return true;
	return false;
}

void plan_fit_cpus(struct plan *plan, uint32_t count)
{
	for (uint32_t i = 0; i < plan->experiment_count; i++) {
		struct plan_levels *cpus = &plan->experiments[i].cpus;
		if (plan->experiments[i].kind != EXPERIMENT_SCALING)
			continue;
		cpus->count = 0;
		for (uint32_t k = 1; k < count && cpus->count < PLAN_LEVELS_MAX - 1; k *= 2)
			cpus->values[cpus->count++] = k;
		cpus->values[cpus->count++] = count;
	}
}

uint32_t plan_load_count(const struct experiment *e)
{
	return e->connections.count * e->idle.count * e->requests.count * e->slow.count *
	    e->cpus.count * e->cold.count * e->rates.count;
}

char *plan_format_count(char out[PLAN_NAME_CAP], uint32_t count)
{
	uint32_t unit = count >= 1000000 ? 1000000 : count >= 1000 ? 1000 : 1;
	const char *name = unit == 1000000 ? "M" : unit == 1000 ? "k" : "";
	if (count % unit == 0)
		snprintf(out, PLAN_NAME_CAP, "%u%s", count / unit, name);
	else if (count % (unit / 10) == 0)
		snprintf(out, PLAN_NAME_CAP, "%u.%u%s", count / unit, count / (unit / 10) % 10,
		    name);
	else
		snprintf(out, PLAN_NAME_CAP, "%u", count);
	return out;
}
