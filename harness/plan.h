/*
 * plan.h: what to run: a plan file is a [plan] section and one section per experiment. Parsing is
 * pure: text and the names of the servers that exist go in, a plan or one line of complaint comes
 * out. Nothing is assumed silently: an unknown key, server or experiment is an error that says
 * what is allowed.
 *
 *     [plan]
 *     title = Eight models, briefly
 *     servers = all            ; or epoll, poll, select[fd-setsize=16384]; or all, -fork
 *     blocks = 3               ; how often everything is repeated, each time in another order
 *
 *     [idle]                   ; an experiment, as `c10k list experiments` names it; it may have
 *                              ; several sections, each with loads of its own
 *     connections = 100
 *     idle = 0, 1k, 10k
 *     duration = 1s
 *
 * `tokio?` is left out where it is not built. `select[fd-setsize=16384]` runs servers/select with
 * `--fd-setsize 16384` and is shown as `select+`.
 *
 * `rates = 10k, 50%` makes an open loop of each. A percentage is of the capacity that [throughput]
 * finds in block 1 with as many connections: in [cost] the slowest server's, so that all do equal
 * work, in [latency] each server's own. See capacity.h.
 *
 * `pipeline = 16`, usual in [stream], lets each connection have so many requests in flight.
 */
#ifndef PLAN_H
#define PLAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PLAN_SERVERS_MAX = 64,
	PLAN_EXPERIMENTS_MAX = 32,  /* sections */
	PLAN_LEVELS_MAX = 16,       /* values in one list of connections */
	PLAN_BLOCKS_MAX = 100,
	PLAN_CPUS_MAX = 256,
	PLAN_PIPELINE_MAX = 64,     /* the load generator's own limit */
	PLAN_CONNECTIONS_MAX = 10 * 1000 * 1000,
	PLAN_NAME_CAP = 32,
	PLAN_TEXT_CAP = 64,
	PLAN_MESSAGE_CAP = 512,
	BATCH_RUNS = 5,             /* that hyperfine times in a cell */
};

enum experiment_kind {
	EXPERIMENT_THROUGHPUT,
	EXPERIMENT_IDLE,
	EXPERIMENT_MEMORY,
	EXPERIMENT_WAIT,
	EXPERIMENT_CHURN,
	EXPERIMENT_MIXED,
	EXPERIMENT_FILE,
	EXPERIMENT_QUERY,
	EXPERIMENT_STREAM,
	EXPERIMENT_SLOW,
	EXPERIMENT_SCALING,
	EXPERIMENT_COST,
	EXPERIMENT_LATENCY,
	EXPERIMENT_BATCH,
	EXPERIMENT_LEDGER,
	EXPERIMENT_COMPUTE,
	EXPERIMENT_COUNT
};

/* One line each for `c10k list experiments`. */
extern const char *const experiment_names[EXPERIMENT_COUNT];
extern const char *const experiment_summaries[EXPERIMENT_COUNT];

/* A server as a plan names it: a program of servers/, perhaps with one option. */
struct plan_server {
	char name[PLAN_NAME_CAP];    /* shown: "epoll", "select+" */
	char program[PLAN_NAME_CAP]; /* "select" */
	char option[PLAN_NAME_CAP];  /* "fd-setsize", or "" */
	char value[PLAN_NAME_CAP];   /* "16384" */
};

struct plan_levels {
	uint32_t values[PLAN_LEVELS_MAX];
	uint32_t count;
};

/* What an open loop asks for; both 0: a closed loop. */
struct plan_rate {
	uint32_t per_s;   /* of all connections together */
	uint32_t percent; /* of capacity */
};

struct plan_rates {
	struct plan_rate values[PLAN_LEVELS_MAX];
	uint32_t count;
};

struct experiment {
	enum experiment_kind kind;
	struct plan_levels connections; /* active ones */
	struct plan_levels idle; /* connected and silent; combined with each of `connections` */
	struct plan_levels requests; /* churn: on a connection, then it is opened anew; 0: never */
	struct plan_levels slow; /* connections of slow clients beside the active ones */
	struct plan_levels cpus; /* scaling: of the server, as many as it has workers; else one of 0 */
	struct plan_levels cold; /* file: 1 when the data file is dropped from the page cache first */
	struct plan_rates rates; /* mixed, slow, cost, latency; else one of 0 */
	uint64_t slo_ns;         /* latency: p99 is to stay below it */
	uint32_t batch_requests; /* batch: of all connections together, in each of BATCH_RUNS runs */
	uint32_t pipeline; /* requests a connection sends at once; the next when all are answered */
	char target[PLAN_TEXT_CAP];
	uint64_t duration_ns;           /* measure window */
	uint64_t warmup_ns;             /* see also cell_warmup_ns() */
	uint64_t hold_ns;               /* memory: how long the connections are held */
	uint32_t blocks;
	uint32_t servers[PLAN_SERVERS_MAX]; /* indices into plan.servers */
	uint32_t server_count;
	uint32_t twin; /* this server runs twice a block (A/A); PLAN_NO_TWIN for none */
};
#define PLAN_NO_TWIN UINT32_MAX

struct plan {
	char title[PLAN_TEXT_CAP * 2];
	struct plan_server servers[PLAN_SERVERS_MAX];
	uint32_t server_count;
	struct experiment experiments[PLAN_EXPERIMENTS_MAX];
	uint32_t experiment_count;
};

/* The names of the servers that exist: what "all" means. */
struct plan_names {
	const char *const *names;
	uint32_t count;
};

/* What the command line asks for over the plan; NULL or 0 for nothing. */
struct plan_changes {
	const char *servers;     /* "epoll,poll" */
	const char *experiments; /* "idle,wait" */
	uint32_t blocks;
};

/*
 * Reads `text`; `file` is its name for messages. False and one line in `message`, "FILE:LINE: ...",
 * when it is no plan.
 */
bool plan_parse(struct plan *plan, const char *file, const char *text, struct plan_names known,
    char message[PLAN_MESSAGE_CAP]);

/* Applies the changes. False and one line in `message` when they make no sense. */
bool plan_change(struct plan *plan, const struct plan_changes *changes, struct plan_names known,
    char message[PLAN_MESSAGE_CAP]);

/* Experiment scaling goes from 1 CPU, doubling, to all `count` of this machine. */
void plan_fit_cpus(struct plan *plan, uint32_t count);

/* How many loads an experiment has: each combination of its levels. */
uint32_t plan_load_count(const struct experiment *e);

/* Which of plan.servers its experiments use. */
bool plan_uses(const struct plan *plan, uint32_t server);

/* "1", "100", "1.5k", "10k", "1M": as plans write counts, exact. Returns `out`. */
char *plan_format_count(char out[PLAN_NAME_CAP], uint32_t count);
/* "10k", "50%", or "" of a closed loop. */
char *plan_format_rate(char out[PLAN_NAME_CAP], struct plan_rate rate);

/* Have the two a value in common? */
bool plan_levels_meet(const struct plan_levels *a, const struct plan_levels *b);

/* --- shared by plan.c, plan_servers.c and plan_rates.c --------------------------------------- */

/* "a, b, c" into `out`, for messages; returns it. */
const char *plan_join(char *out, size_t cap, const char *const *names, uint32_t count);
/* The next piece of a comma-separated list, without the spaces around it; false at its end. */
bool plan_next_piece(const char **list, char *piece, size_t cap);
/*
 * Gives the experiment the servers of the list. False, and what is wrong, without a place, in
 * `problem`.
 */
bool plan_set_servers(struct plan *plan, struct experiment *e, const char *list,
    struct plan_names known, char problem[PLAN_MESSAGE_CAP]);
/* "10k, 25%, 50%" into `rates`. Likewise. */
bool plan_read_rates(const char *list, struct plan_rates *rates, char problem[PLAN_MESSAGE_CAP]);
/* True unless a rate of the experiment is of a capacity that the plan does not measure before. */
bool plan_knows_capacity(
    const struct plan *plan, const struct experiment *e, char problem[PLAN_MESSAGE_CAP]);
/* True unless a section of the same experiment before it has one of its cells, or does not go with
 * it. */
bool plan_stands_apart(
    const struct plan *plan, const struct experiment *e, char problem[PLAN_MESSAGE_CAP]);

#endif
