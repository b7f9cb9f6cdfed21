/*
 * plan.c: reads plan files with inih.
 *
 * inih calls back once per key and neither tells line numbers nor sections without keys, so the
 * reader that hands it the lines counts them and opens the sections. The first complaint stands;
 * everything after it is read and forgotten.
 *
 * A key belongs to [plan] (a default for all experiments) or to an experiment; an experiment
 * starts from what [plan] said so far, so [plan] comes first.
 */
#include "harness/plan.h"

#include <ctype.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "lib/core/units.h"

const char *const experiment_names[EXPERIMENT_COUNT] = {
	[EXPERIMENT_THROUGHPUT] = "throughput",
	[EXPERIMENT_IDLE] = "idle",
	[EXPERIMENT_MEMORY] = "memory",
	[EXPERIMENT_WAIT] = "wait",
	[EXPERIMENT_CHURN] = "churn",
	[EXPERIMENT_MIXED] = "mixed",
	[EXPERIMENT_FILE] = "file",
	[EXPERIMENT_QUERY] = "query",
	[EXPERIMENT_STREAM] = "stream",
	[EXPERIMENT_SLOW] = "slow",
	[EXPERIMENT_SCALING] = "scaling",
	[EXPERIMENT_COST] = "cost",
	[EXPERIMENT_LATENCY] = "latency",
	[EXPERIMENT_BATCH] = "batch",
	[EXPERIMENT_LEDGER] = "ledger",
	[EXPERIMENT_COMPUTE] = "compute",
};

const char *const experiment_summaries[EXPERIMENT_COUNT] = {
	[EXPERIMENT_THROUGHPUT] = "all connections busy: the price of a request and of a switch",
	[EXPERIMENT_IDLE] = "few busy, many silent: what an idle connection costs the busy ones",
	[EXPERIMENT_MEMORY] = "connections held: bytes for each, in the process and in the kernel",
	[EXPERIMENT_WAIT] = "each request waits 100 ms: how many a model can wait for at once",
	[EXPERIMENT_CHURN] = "connections that end after K requests: accept, and what it starts",
	[EXPERIMENT_MIXED] = "one request in 200 computes for 10 ms: what the others wait for it",
	[EXPERIMENT_FILE] = "4 KiB from a file, at random places: who waits for the disk, and how",
	[EXPERIMENT_QUERY] = "a key from Redis: a pool of links, or one link for all",
	[EXPERIMENT_STREAM] = "64 KiB an answer, 16 asked for at once: copies, partial writes",
	[EXPERIMENT_SCALING] = "as many CPUs and workers as there are: what each brings",
	[EXPERIMENT_SLOW] = "clients that send and read slowly: what the others wait for them",
	[EXPERIMENT_COST] = "equal work for all, at fixed rates: CPU time a request, and latency",
	[EXPERIMENT_LATENCY] = "from idle to overload at its own pace: where latency takes off",
	[EXPERIMENT_BATCH] = "so many requests, timed as a whole by hyperfine: what users time",
	[EXPERIMENT_COMPUTE] = "every request computes for 1 ms: who runs, who is ready, who waits",
	[EXPERIMENT_LEDGER] = "all connections busy, not for speed: system calls, one by one",
};

enum { SECTION_NONE = -2, SECTION_PLAN = -1 }; /* else an index into plan.experiments */

struct reader {
	struct plan *plan;
	struct plan_names known;
	struct experiment defaults;
	const char *file;
	const char *rest;       /* text not yet read */
	char *message;
	bool failed;
	int line;
	int section;
	int section_line;
	uint32_t seen;          /* keys of this section, as bits of key_table */
	char twin[PLAN_NAME_CAP]; /* named in this section; resolved at its end */
};

__attribute__((format(printf, 2, 3))) static bool complain(struct reader *r,
    const char *format, ...)
{
	if (r->failed)
		return false;
	r->failed = true;
	int line = r->line > 0 ? r->line : 1;
	int len = snprintf(r->message, PLAN_MESSAGE_CAP, "%s:%d: ", r->file, line);
	if (len > 0 && len < PLAN_MESSAGE_CAP) {
		va_list args;
		va_start(args, format);
		vsnprintf(r->message + len, (size_t)(PLAN_MESSAGE_CAP - len), format, args);
		va_end(args);
	}
	return false;
}

/* --- values ----------------------------------------------------------------------------------- */

static struct slice slice_of(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static bool read_levels(struct reader *r, const char *key, const char *value,
    struct plan_levels *levels, uint64_t least)
{
	char piece[PLAN_TEXT_CAP];
	*levels = (struct plan_levels){ 0 };
	for (const char *list = value; plan_next_piece(&list, piece, sizeof(piece));) {
		uint64_t number;
		if (!units_parse_count(slice_of(piece), &number) || number < least ||
		    number > PLAN_CONNECTIONS_MAX)
			return complain(r,
			    "%s \"%s\": use counts from %u to 10M, such as 1, 100, 10k", key, piece,
			    (unsigned)least);
		if (levels->count == PLAN_LEVELS_MAX)
			return complain(r, "%s: at most %d values", key, PLAN_LEVELS_MAX);
		for (uint32_t i = 0; i < levels->count; i++)
			if (levels->values[i] == number)
				return complain(r, "%s: %s stands there twice", key, piece);
		levels->values[levels->count++] = (uint32_t)number;
	}
	return levels->count > 0 || complain(r, "%s: give at least one count", key);
}

static bool read_time(struct reader *r, const char *key, const char *value, uint64_t *time_ns,
    uint64_t least_ns)
{
	const uint64_t most_ns = 3600 * UINT64_C(1000000000);
	if (!units_parse_time_ns(slice_of(value), time_ns) || *time_ns < least_ns ||
	    *time_ns > most_ns)
		return complain(r, "%s \"%s\": use a time from %gms to 1h, such as 500ms or 2s", key,
		    value, (double)least_ns / 1e6);
	return true;
}

static bool read_number(
    struct reader *r, const char *key, const char *value, uint32_t *out, uint32_t most)
{
	uint64_t number;
	if (!units_parse_digits(slice_of(value), &number) || number < 1 || number > most)
		return complain(r, "%s \"%s\": use a number from 1 to %u", key, value, most);
	*out = (uint32_t)number;
	return true;
}

/* [mixed] and [slow] have one, and it is a number. */
static bool read_rate(struct reader *r, const char *value, struct plan_rates *rates)
{
	char problem[PLAN_MESSAGE_CAP];
	if (!plan_read_rates(value, rates, problem))
		return complain(r, "%s", problem);
	return (rates->count == 1 && rates->values[0].per_s) ||
	    complain(r, "rate \"%s\": use one number of requests/s, such as 10k", value);
}

static bool read_total(struct reader *r, const char *value, uint32_t *requests)
{
	uint64_t number;
	if (!units_parse_count(slice_of(value), &number) || number < 1 || number > PLAN_CONNECTIONS_MAX)
		return complain(r, "total \"%s\": use requests from 1 to 10M, such as 20k", value);
	*requests = (uint32_t)number;
	return true;
}

static bool read_cache(struct reader *r, const char *value, struct plan_levels *cold)
{
	char piece[PLAN_TEXT_CAP];
	*cold = (struct plan_levels){ 0 };
	for (const char *list = value; plan_next_piece(&list, piece, sizeof(piece));) {
		bool is_cold = strcmp(piece, "cold") == 0;
		if (!is_cold && strcmp(piece, "warm") != 0)
			return complain(r, "cache \"%s\": use warm, cold or both", piece);
		if (cold->count > 0 && (cold->count > 1 || cold->values[0] == is_cold))
			return complain(r, "cache: %s stands there twice", piece);
		cold->values[cold->count++] = is_cold;
	}
	return cold->count > 0 || complain(r, "cache: give warm, cold or both");
}

static bool read_target(struct reader *r, const char *value, char target[PLAN_TEXT_CAP])
{
	bool fits = value[0] == '/' && strlen(value) < PLAN_TEXT_CAP;
	for (const char *ch = value; fits && *ch; ch++)
		fits = isgraph((unsigned char)*ch);
	if (!fits)
		return complain(r, "target \"%s\": use a path such as / or /sleep/100", value);
	strcpy(target, value);
	return true;
}

/* --- keys ------------------------------------------------------------------------------------- */

enum key {
	KEY_TITLE, KEY_SERVERS, KEY_BLOCKS, KEY_DURATION, KEY_WARMUP, KEY_CONNECTIONS, KEY_IDLE,
	KEY_TARGET, KEY_TWIN, KEY_HOLD, KEY_REQUESTS, KEY_RATE, KEY_SLOW, KEY_RATES, KEY_SLO,
	KEY_TOTAL, KEY_CACHE, KEY_PIPELINE, KEY_COUNT
};
/* [plan]; an experiment with keys of its own; all the others */
enum {
	IN_PLAN = 1, IN_MEMORY = 2, IN_CHURN = 4, IN_MIXED = 8, IN_SLOW = 16, IN_COST = 32,
	IN_LATENCY = 64, IN_BATCH = 128, IN_FILE = 256, IN_OTHER = 512
};
enum {
	IN_PACED = IN_COST | IN_LATENCY,
	IN_LOAD = IN_CHURN | IN_MIXED | IN_SLOW | IN_FILE | IN_PACED | IN_OTHER
};

static const struct {
	const char *name;
	int where;
} key_table[KEY_COUNT] = {
	[KEY_TITLE] = { "title", IN_PLAN },
	[KEY_SERVERS] = { "servers", IN_PLAN | IN_LOAD | IN_MEMORY | IN_BATCH },
	[KEY_BLOCKS] = { "blocks", IN_PLAN | IN_LOAD | IN_MEMORY | IN_BATCH },
	[KEY_DURATION] = { "duration", IN_PLAN | IN_LOAD },
	[KEY_WARMUP] = { "warmup", IN_PLAN | IN_LOAD },
	[KEY_CONNECTIONS] = { "connections", IN_LOAD | IN_MEMORY | IN_BATCH },
	[KEY_IDLE] = { "idle", IN_OTHER },
	[KEY_TARGET] = { "target", IN_CHURN | IN_SLOW | IN_FILE | IN_PACED | IN_BATCH | IN_OTHER },
	[KEY_TWIN] = { "twin", IN_LOAD & ~IN_LATENCY }, /* there rates differ: no one is compared */
	[KEY_HOLD] = { "hold", IN_MEMORY },
	[KEY_REQUESTS] = { "requests", IN_CHURN },
	[KEY_RATE] = { "rate", IN_MIXED | IN_SLOW },
	[KEY_SLOW] = { "slow", IN_SLOW },
	[KEY_RATES] = { "rates", IN_PACED },
	[KEY_SLO] = { "slo", IN_LATENCY },
	[KEY_TOTAL] = { "total", IN_BATCH },
	[KEY_CACHE] = { "cache", IN_FILE },
	[KEY_PIPELINE] = { "pipeline", IN_FILE | IN_OTHER },
};

static int place_of_section(const struct reader *r)
{
	if (r->section == SECTION_PLAN)
		return IN_PLAN;
	static const int places[EXPERIMENT_COUNT] = {
		[EXPERIMENT_MEMORY] = IN_MEMORY, [EXPERIMENT_CHURN] = IN_CHURN,
		[EXPERIMENT_MIXED] = IN_MIXED, [EXPERIMENT_SLOW] = IN_SLOW,
		[EXPERIMENT_COST] = IN_COST, [EXPERIMENT_LATENCY] = IN_LATENCY,
		[EXPERIMENT_BATCH] = IN_BATCH, [EXPERIMENT_FILE] = IN_FILE,
	};
	int place = places[r->plan->experiments[r->section].kind];
	return place ? place : IN_OTHER;
}

static bool read_value(struct reader *r, enum key key, const char *value)
{
	struct experiment *e = r->section == SECTION_PLAN ? &r->defaults
	                                                  : &r->plan->experiments[r->section];
	char problem[PLAN_MESSAGE_CAP];
	switch (key) {
	case KEY_TITLE:
		if (strlen(value) >= sizeof(r->plan->title))
			return complain(r, "title: at most %zu characters",
			    sizeof(r->plan->title) - 1);
		strcpy(r->plan->title, value);
		return true;
	case KEY_SERVERS:
		return plan_set_servers(r->plan, e, value, r->known, problem) ||
		    complain(r, "%s", problem);
	case KEY_BLOCKS:
		return read_number(r, "blocks", value, &e->blocks, PLAN_BLOCKS_MAX);
	case KEY_DURATION:
		return read_time(r, "duration", value, &e->duration_ns, 100000000);
	case KEY_WARMUP:
		return read_time(r, "warmup", value, &e->warmup_ns, 0);
	case KEY_HOLD:
		return read_time(r, "hold", value, &e->hold_ns, 100000000);
	case KEY_CONNECTIONS:
		return read_levels(r, "connections", value, &e->connections, 1);
	case KEY_IDLE:
		return read_levels(r, "idle", value, &e->idle, 0);
	case KEY_TARGET:
		return read_target(r, value, e->target);
	case KEY_REQUESTS:
		return read_levels(r, "requests", value, &e->requests, 0);
	case KEY_RATE:
		return read_rate(r, value, &e->rates);
	case KEY_RATES:
		return plan_read_rates(value, &e->rates, problem) || complain(r, "%s", problem);
	case KEY_SLO:
		return read_time(r, "slo", value, &e->slo_ns, 10000);
	case KEY_SLOW:
		return read_levels(r, "slow", value, &e->slow, 0);
	case KEY_TOTAL:
		return read_total(r, value, &e->batch_requests);
	case KEY_CACHE:
		return read_cache(r, value, &e->cold);
	case KEY_PIPELINE:
		return read_number(r, "pipeline", value, &e->pipeline, PLAN_PIPELINE_MAX);
	case KEY_TWIN:
		snprintf(r->twin, sizeof(r->twin), "%s", value);
		return true;
	case KEY_COUNT:
		break;
	}
	return false;
}

static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct reader *r = user;
	(void)section; /* the reader knows it, with its line */
	if (r->failed)
		return 1;
	if (r->section == SECTION_NONE)
		return complain(r, "\"%s\" stands before any section: begin with [plan]", name);
	int where = place_of_section(r);
	const char *allowed[KEY_COUNT];
	uint32_t count = 0;
	for (int key = 0; key < KEY_COUNT; key++) {
		if (!(key_table[key].where & where))
			continue;
		allowed[count++] = key_table[key].name;
		if (strcmp(key_table[key].name, name) != 0)
			continue;
		if (r->seen & 1u << key)
			return complain(r, "\"%s\" is given twice in this section", name);
		r->seen |= 1u << key;
		return read_value(r, (enum key)key, value);
	}
	if (strcmp(name, key_table[KEY_PIPELINE].name) == 0)
		return complain(r, "\"pipeline\" has no meaning here: only in a closed loop, on "
		    "connections that stay, are requests sent together, as in [stream]");
	char all[PLAN_MESSAGE_CAP / 2];
	return complain(r, "unknown key \"%s\" here: use %s", name,
	    plan_join(all, sizeof(all), allowed, count));
}

/* --- sections and lines ---------------------------------------------------------------------- */

/* What a section must have said by its end. Complaints name the line where it began. */
static bool close_section(struct reader *r)
{
	if (r->section < 0 || r->failed)
		return !r->failed;
	struct experiment *e = &r->plan->experiments[r->section];
	char problem[PLAN_MESSAGE_CAP];
	int line = r->line;
	r->line = r->section_line;
	if (e->connections.count == 0)
		complain(r, "[%s] needs \"connections\", such as connections = 1, 100, 10k",
		    experiment_names[e->kind]);
	if (e->server_count == 0 && !plan_set_servers(r->plan, e, "all", r->known, problem))
		complain(r, "%s", problem);
	for (uint32_t i = 0; i < e->connections.count && e->kind == EXPERIMENT_BATCH; i++)
		if (e->connections.values[i] > e->batch_requests)
			complain(r, "[batch] total = %u: give a request to each of %u connections",
			    e->batch_requests, e->connections.values[i]);
	for (uint32_t i = 0; i < e->server_count && r->twin[0]; i++)
		if (strcmp(r->plan->servers[e->servers[i]].name, r->twin) == 0)
			e->twin = e->servers[i];
	if (r->twin[0] && e->twin == PLAN_NO_TWIN)
		complain(r, "twin \"%s\" is none of the servers of [%s]", r->twin,
		    experiment_names[e->kind]);
	if (!r->failed && (!plan_knows_capacity(r->plan, e, problem) ||
	    !plan_stands_apart(r->plan, e, problem)))
		complain(r, "%s", problem);
	r->line = line;
	return !r->failed;
}

static const char *const usual_targets[EXPERIMENT_COUNT] = {
	[EXPERIMENT_WAIT] = "/sleep/100",
	[EXPERIMENT_SCALING] = "/compute/100",
	[EXPERIMENT_MIXED] = "/ and /compute/10000",
	[EXPERIMENT_FILE] = "/file/4096",
	[EXPERIMENT_COMPUTE] = "/compute/1000",
	[EXPERIMENT_QUERY] = "/query/key:1",
	[EXPERIMENT_STREAM] = "/bytes/65536",
};

static const char *const usual_rates[EXPERIMENT_COUNT] = {
	[EXPERIMENT_MIXED] = "10k",
	[EXPERIMENT_SLOW] = "1k",
	[EXPERIMENT_COST] = "10k, 25%, 50%, 75%, 90%",
	[EXPERIMENT_LATENCY] = "10%, 25%, 50%, 75%, 90%, 100%, 125%, 150%",
};

static bool open_section(struct reader *r, const char *name, size_t len)
{
	if (!close_section(r))
		return false;
	r->section_line = r->line;
	r->seen = 0;
	r->twin[0] = '\0';
	if (len == 4 && memcmp(name, "plan", 4) == 0) {
		if (r->section != SECTION_NONE)
			return complain(r, "[plan] comes first, and once");
		r->section = SECTION_PLAN;
		return true;
	}
	char all[PLAN_MESSAGE_CAP / 2];
	int kind = 0;
	while (kind < EXPERIMENT_COUNT && (strlen(experiment_names[kind]) != len ||
	    memcmp(experiment_names[kind], name, len) != 0))
		kind++;
	if (kind == EXPERIMENT_COUNT)
		return complain(r,
		    "unknown experiment [%.*s]: use %s", (int)len, name,
		    plan_join(all, sizeof(all), experiment_names, EXPERIMENT_COUNT));
	if (r->section == SECTION_NONE)
		return complain(r, "begin with [plan]");
	if (r->plan->experiment_count == PLAN_EXPERIMENTS_MAX)
		return complain(r, "more than %d experiments", PLAN_EXPERIMENTS_MAX);
	r->section = (int)r->plan->experiment_count++;
	struct experiment *e = &r->plan->experiments[r->section];
	*e = r->defaults;
	e->kind = (enum experiment_kind)kind;
	if (usual_targets[kind])
		strcpy(e->target, usual_targets[kind]);
	if (kind == EXPERIMENT_BATCH)
		e->batch_requests = 20000;
	if (kind == EXPERIMENT_STREAM)
		e->pipeline = 16;
	if (kind == EXPERIMENT_SLOW)
		e->slow = (struct plan_levels){ .values = { 0, 100 }, .count = 2 };
	char problem[PLAN_MESSAGE_CAP];
	return !usual_rates[kind] || plan_read_rates(usual_rates[kind], &e->rates, problem);
}

/* fgets() for inih over the text, counting lines and opening sections. */
static char *next_line(char *line, int cap, void *user)
{
	struct reader *r = user;
	if (*r->rest == '\0' || r->failed)
		return NULL;
	r->rest += strspn(r->rest, " \t"); /* inih takes an indented line for more of the one above */
	size_t len = strcspn(r->rest, "\n");
	r->line++;
	if (len + 2 > (size_t)cap) {
		complain(r, "line of more than %d characters", cap - 2);
		return NULL;
	}
	memcpy(line, r->rest, len);
	line[len] = '\0';
	r->rest += len + (r->rest[len] == '\n');
	const char *end = strchr(line, ']');
	if (*line == '[' && !end)
		complain(r, "no ] behind %s", line);
	else if (*line == '[')
		open_section(r, line + 1, (size_t)(end - line - 1));
	return line;
}

bool plan_parse(struct plan *plan, const char *file, const char *text, struct plan_names known,
    char message[PLAN_MESSAGE_CAP])
{
	*plan = (struct plan){ 0 };
	bool marked = strncmp(text, "\xef\xbb\xbf", 3) == 0; /* some editors' mark of UTF-8 */
	struct reader r = {
		.plan = plan, .known = known, .file = file, .message = message,
		.rest = marked ? text + 3 : text,
		.section = SECTION_NONE,
		.defaults = {
			.idle = { .values = { 0 }, .count = 1 },
			.requests = { .values = { 0 }, .count = 1 },
			.slow = { .values = { 0 }, .count = 1 },
			.cold = { .values = { 0 }, .count = 1 },
			.cpus = { .values = { 0 }, .count = 1 },
			.rates = { .values = { { 0, 0 } }, .count = 1 },
			.target = "/",
			.duration_ns = 2000000000,
			.warmup_ns = 500000000,
			.hold_ns = 3000000000,
			.slo_ns = 10000000,
			.blocks = 3,
			.pipeline = 1,
			.twin = PLAN_NO_TWIN,
		},
	};
	int bad_line = ini_parse_stream(next_line, &r, on_key, &r);
	if (!r.failed && bad_line > 0) {
		r.line = bad_line;
		return complain(&r,
		    "this is neither \"key = value\" nor \"[section]\" nor a comment (; or #)");
	}
	if (r.failed || !close_section(&r))
		return false;
	if (plan->experiment_count == 0)
		return complain(&r, "no experiment: add [throughput] or another (c10k list)");
	return true;
}
