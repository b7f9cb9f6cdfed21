/*
 * servers.h: the servers that are built, and what each says of itself (--describe, see
 * docs/CONTRACT.md). The harness knows servers only as processes.
 */
#ifndef SERVERS_H
#define SERVERS_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/cells.h"
#include "harness/paths.h"
#include "harness/plan.h"

struct server_info {
	char name[PLAN_NAME_CAP];       /* as the run shows it */
	char program[PATH_CAP];
	char option[PLAN_NAME_CAP + 2]; /* "--fd-setsize", or "" */
	char value[PLAN_NAME_CAP];
	char family[32];
	char api[128];
	char language[32];
	char summary[256];
	uint32_t max_connections;       /* 0: not capped by the model */
	uint32_t max_waiting;           /* so many more are served in turn, an answer each */
	uint32_t max_workers;           /* of --workers; 0: as many as are wanted */
	uint32_t max_cpus;              /* that it can use; 0: all */
	char source[PATH_CAP];          /* relative to the project; "" when not found */
	uint32_t source_lines;
	char about[4096];               /* the comment that it opens with */
	char problem[256];              /* why it cannot be described; "" when all is well */
};

struct server_names {
	char names[PLAN_SERVERS_MAX][PLAN_NAME_CAP];
	const char *pointers[PLAN_SERVERS_MAX];
	uint32_t count;
};

/*
 * The executables in build/servers whose names are of A-Z, a-z, 0-9, _ . + and -, by family of
 * waiting where known, else by name.
 */
void servers_find(const struct paths *paths, struct server_names *found);
/* " asio nginx": those of the project that are not among them; "" when all are. */
void servers_missing(const struct server_names *found, char *out, size_t cap);
struct plan_names servers_as_plan_names(const struct server_names *found);

/*
 * Does the model serve as many connections as the cell has? Where some of them are silent for a
 * while none may wait for a turn: it would not come. Nor where requests are pipelined: a place that
 * is handed on after an answer leaves the others of the batch without one.
 */
bool server_can_serve(const struct server_info *info, const struct cell *cell);

/* Not equivalent: neither checked nor ranked (docs/CONTRACT.md). */
bool server_is_reference(const struct server_info *info);
/* What the cell asks for and a reference does not serve; NULL when it takes part. */
const char *server_lacks(const struct server_info *info, const struct cell *cell);

/* Asks the server. False when it gave no good answer: info->problem says what. */
bool server_describe(
    const struct paths *paths, const struct plan_server *server, struct server_info *info);

#endif
