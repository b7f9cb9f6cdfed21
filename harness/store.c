/* store.c: SQLite, see https://www.sqlite.org/wal.html. */
#include "harness/store.h"

#include <math.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/cell_digest.h"
#include "harness/schema.h"
#include "lib/sys/die.h"

struct store {
	sqlite3 *db;
	sqlite3_stmt *put_run;
	sqlite3_stmt *put_server;
	sqlite3_stmt *put_conformance;
	sqlite3_stmt *put_row;
	sqlite3_stmt *put_raw;
	sqlite3_stmt *put_syscall;
	sqlite3_stmt *put_timeline;
	sqlite3_stmt *put_thread;
	sqlite3_stmt *get_row, *seal_row, *find_row; /* by id; by id; by load */
	sqlite3_stmt *get_run;
	char path[PATH_CAP];
};

__attribute__((noreturn)) static void fail(const struct store *store)
{
	int code = store->db ? sqlite3_errcode(store->db) : SQLITE_NOMEM;
	const char *cure = code == SQLITE_FULL ? " (free some space; finished cells are kept)"
	    : code == SQLITE_CANTOPEN || code == SQLITE_READONLY || code == SQLITE_PERM
	    ? " (make the folder writable, or give another with --out)" : "";
	die("%s: %s%s", store->path, store->db ? sqlite3_errmsg(store->db) : "out of memory", cure);
}

static void run_sql(struct store *store, const char *sql)
{
	if (sqlite3_exec(store->db, sql, NULL, NULL, NULL) != SQLITE_OK)
		fail(store);
}

static sqlite3_stmt *prepare(struct store *store, const char *sql)
{
	sqlite3_stmt *statement;
	if (sqlite3_prepare_v3(store->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, NULL) !=
	    SQLITE_OK)
		fail(store);
	return statement;
}

static sqlite3_int64 get_number(struct store *store, const char *sql)
{
	sqlite3_stmt *select = prepare(store, sql);
	if (sqlite3_step(select) != SQLITE_ROW)
		fail(store);
	sqlite3_int64 number = sqlite3_column_int64(select, 0);
	sqlite3_finalize(select);
	return number;
}

static void step(struct store *store, sqlite3_stmt *statement)
{
	if (sqlite3_step(statement) != SQLITE_DONE)
		fail(store);
	sqlite3_reset(statement);
	sqlite3_clear_bindings(statement);
}

static void bind_text(sqlite3_stmt *statement, int place, const char *text)
{
	sqlite3_bind_text(statement, place, text, -1, SQLITE_STATIC);
}

/* Which cell a row is: the columns that are unique together. */
#define ROW_KEY \
	"experiment, server, twin, target, connections, idle, slow, cpus, cache, requests_per_conn, " \
	"pipeline, level_per_s, level_percent, rep"
#define ROW_KEY_MARKS "?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?"

enum { ROW_FIXED = 24 }; /* columns of `cell` that are no metrics, but for the first */

static sqlite3_stmt *prepare_row(struct store *store)
{
	char sql[4096];
	size_t len = (size_t)snprintf(sql, sizeof(sql),
	    "INSERT INTO cell (" ROW_KEY ", position, started_at, verdict, reason, marks, blank,"
	    " batch_times, loadgen, log, series, hlog");
	for (int i = 0; i < METRIC_COUNT; i++)
		len += (size_t)snprintf(sql + len, sizeof(sql) - len, ", %s",
		    metric_columns[i].name);
	len += (size_t)snprintf(sql + len, sizeof(sql) - len, ") VALUES (?");
	for (int i = 0; i < METRIC_COUNT + ROW_FIXED; i++)
		len += (size_t)snprintf(sql + len, sizeof(sql) - len, ", ?");
	snprintf(sql + len, sizeof(sql) - len, ")");
	return prepare(store, sql);
}

static sqlite3_stmt *prepare_raw(struct store *store)
{
	char sql[1024];
	size_t len = (size_t)snprintf(sql, sizeof(sql), "INSERT INTO raw (cell_id");
	for (int i = 0; i < RAW_COUNT; i++)
		len += (size_t)snprintf(sql + len, sizeof(sql) - len, ", %s", raw_columns[i]);
	len += (size_t)snprintf(sql + len, sizeof(sql) - len, ") VALUES (?");
	for (int i = 0; i < RAW_COUNT; i++)
		len += (size_t)snprintf(sql + len, sizeof(sql) - len, ", ?");
	snprintf(sql + len, sizeof(sql) - len, ")");
	return prepare(store, sql);
}

static struct store *open_file(const char *path, int flags)
{
	struct store *store = calloc(1, sizeof(*store));
	if (!store)
		die("out of memory");
	snprintf(store->path, sizeof(store->path), "%s", path);
	if (sqlite3_open_v2(path, &store->db, SQLITE_OPEN_READWRITE | flags, NULL) != SQLITE_OK)
		fail(store);
	sqlite3_busy_timeout(store->db, 5000);
	run_sql(store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;");
	return store;
}

static void prepare_all(struct store *store)
{
	store->put_run = prepare(store, "INSERT OR REPLACE INTO run (key, value) VALUES (?, ?)");
	store->put_server = prepare(store,
	    "INSERT INTO server (name, family, api, language, summary, max_connections, source,"
	    " source_lines, about) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)");
	store->put_conformance = prepare(store,
	    "INSERT OR REPLACE INTO conformance (server, case_id, section, sending, passed, detail)"
	    " VALUES (?, ?, ?, ?, ?, ?)");
	store->put_row = prepare_row(store);
	store->put_raw = prepare_raw(store);
	store->put_timeline = prepare(store,
	    "INSERT INTO timeline (cell_id, window_ns, switches, switches_counted, reason)"
	    " VALUES (?, ?, ?, ?, ?)");
	store->put_thread = prepare(store,
	    "INSERT INTO timeline_thread (cell_id, tid, name, running_ns, preempted_ns, waiting_ns,"
	    " ready_ns, spans) VALUES (?, ?, ?, ?, ?, ?, ?, ?)");
	store->put_syscall = prepare(store,
	    "INSERT INTO syscall (cell_id, name, calls, per_req, source) VALUES (?, ?, ?, ?, ?)");
	store->get_row = prepare(store, CELL_DIGEST_SELECT " WHERE id = ?");
	store->seal_row = prepare(store,
	    "UPDATE cell SET " CELL_DIGEST_COLUMN " = ? WHERE id = ?");
	store->find_row = prepare(store,
	    "SELECT verdict, rate_per_s FROM cell WHERE (" ROW_KEY ") = (" ROW_KEY_MARKS ")");
	store->get_run = prepare(store, "SELECT value FROM run WHERE key = ?");
}

struct store *store_create(const char *path)
{
	struct store *store = open_file(path, SQLITE_OPEN_CREATE);
	run_sql(store, "BEGIN;");
	run_sql(store, schema_sql);
	run_sql(store, "COMMIT;");
	prepare_all(store);
	return store;
}

struct store *store_open(const char *path)
{
	struct store *store = open_file(path, 0);
	bool empty = get_number(store, "SELECT count(*) = 0 FROM sqlite_schema") != 0;
	if (empty) {
		sqlite3_close(store->db);
		free(store);
		return NULL;
	}
	char problem[SCHEMA_PROBLEM_CAP];
	if (!schema_is_ours(store->db, problem))
		die("%s: %s", path, problem);
	prepare_all(store);
	return store;
}

void store_close(struct store *store)
{
	sqlite3_finalize(store->put_run);
	sqlite3_finalize(store->put_server);
	sqlite3_finalize(store->put_conformance);
	sqlite3_finalize(store->put_row);
	sqlite3_finalize(store->put_raw);
	sqlite3_finalize(store->put_syscall);
	sqlite3_finalize(store->put_timeline);
	sqlite3_finalize(store->put_thread);
	sqlite3_finalize(store->get_row);
	sqlite3_finalize(store->seal_row);
	sqlite3_finalize(store->find_row);
	sqlite3_finalize(store->get_run);
	/* a reader then needs no right to write beside it */
	run_sql(store, "PRAGMA journal_mode = DELETE;");
	sqlite3_close(store->db);
	free(store);
}

void store_put_run(struct store *store, const char *key, const char *value)
{
	bind_text(store->put_run, 1, key);
	bind_text(store->put_run, 2, value);
	step(store, store->put_run);
}

char *store_get_run(struct store *store, const char *key)
{
	char *value = NULL;
	bind_text(store->get_run, 1, key);
	int code = sqlite3_step(store->get_run);
	if (code == SQLITE_ROW) {
		value = strdup((const char *)sqlite3_column_text(store->get_run, 0));
		if (!value)
			die("out of memory");
	} else if (code != SQLITE_DONE) {
		fail(store);
	}
	sqlite3_reset(store->get_run);
	return value;
}

void store_each_run(struct store *store,
    void (*take)(void *context, const char *key, const char *value), void *context)
{
	sqlite3_stmt *select = prepare(store, "SELECT key, value FROM run ORDER BY key");
	int code;
	while ((code = sqlite3_step(select)) == SQLITE_ROW)
		take(context, (const char *)sqlite3_column_text(select, 0),
		    (const char *)sqlite3_column_text(select, 1));
	if (code != SQLITE_DONE)
		fail(store);
	sqlite3_finalize(select);
}

void store_format_run(struct store *store, const char *key, const char *format, ...)
{
	char value[1024];
	va_list args;
	va_start(args, format);
	vsnprintf(value, sizeof(value), format, args);
	va_end(args);
	store_put_run(store, key, value);
}

void store_put_server(struct store *store, const struct server_info *info)
{
	sqlite3_stmt *put = store->put_server;
	char summary[512];
	snprintf(summary, sizeof(summary), "%s%s%s%s%s%s", info->summary,
	    info->option[0] ? " (" : "", info->option, info->option[0] ? " " : "", info->value,
	    info->option[0] ? ")" : "");
	bind_text(put, 1, info->name);
	bind_text(put, 2, info->family);
	bind_text(put, 3, info->api);
	bind_text(put, 4, info->language);
	bind_text(put, 5, summary);
	if (info->max_connections)
		sqlite3_bind_int64(put, 6, info->max_connections);
	if (info->source[0]) {
		bind_text(put, 7, info->source);
		sqlite3_bind_int64(put, 8, info->source_lines);
		bind_text(put, 9, info->about);
	}
	step(store, put);
}

static void put_raw(struct store *store, const struct row *row, sqlite3_int64 cell_id)
{
	sqlite3_bind_int64(store->put_raw, 1, cell_id);
	for (int i = 0; i < RAW_COUNT; i++)
		if (isfinite(row->raw[i])) /* whole numbers become INTEGER */
			sqlite3_bind_double(store->put_raw, 2 + i, row->raw[i]);
	step(store, store->put_raw);
}

static void put_syscalls(struct store *store, const struct row *row, sqlite3_int64 cell_id)
{
	double share = raw_syscall_share(row->raw);
	for (uint32_t i = 0; row->syscall_source && i < row->syscalls.count; i++) {
		const struct syscall_count *item = &row->syscalls.items[i];
		sqlite3_bind_int64(store->put_syscall, 1, cell_id);
		bind_text(store->put_syscall, 2, item->name);
		sqlite3_bind_int64(store->put_syscall, 3, (sqlite3_int64)item->calls);
		sqlite3_bind_double(store->put_syscall, 4, (double)item->calls * share);
		bind_text(store->put_syscall, 5, row->syscall_source);
		step(store, store->put_syscall);
	}
}

static void put_thread(
    struct store *store, const struct timeline_thread *thread, sqlite3_int64 cell_id)
{
	sqlite3_stmt *put = store->put_thread;
	char *spans = timeline_format(thread);
	sqlite3_bind_int64(put, 1, cell_id);
	sqlite3_bind_int64(put, 2, thread->tid);
	bind_text(put, 3, thread->name);
	for (int state = 0; state < TIMELINE_STATES; state++)
		sqlite3_bind_int64(put, 4 + state,
		    (sqlite3_int64)timeline_sum_ns(thread, (enum timeline_state)state));
	sqlite3_bind_int64(put, 7, (sqlite3_int64)thread->ready_ns);
	bind_text(put, 8, spans);
	step(store, put);
	free(spans);
}

static void put_timeline(struct store *store, const struct timeline *t, sqlite3_int64 cell_id)
{
	sqlite3_stmt *put = store->put_timeline;
	if (t->thread_count == 0 && !t->reason[0])
		return;
	sqlite3_bind_int64(put, 1, cell_id);
	sqlite3_bind_int64(put, 2, (sqlite3_int64)(t->end_ns - t->begin_ns));
	sqlite3_bind_int64(put, 3, (sqlite3_int64)t->switches);
	if (t->has_counted)
		sqlite3_bind_int64(put, 4, (sqlite3_int64)t->switches_counted);
	bind_text(put, 5, t->reason);
	step(store, put);
	for (uint32_t i = 0; i < t->thread_count; i++)
		put_thread(store, &t->threads[i], cell_id);
}

/* The columns of ROW_KEY from place 1 on; the place behind them. */
static int bind_key(sqlite3_stmt *statement, const struct cell *cell)
{
	int place = 1;
	bind_text(statement, place++, experiment_names[cell->experiment->kind]);
	bind_text(statement, place++, cell->server->name);
	sqlite3_bind_int(statement, place++, cell->twin);
	bind_text(statement, place++, cell->experiment->target);
	sqlite3_bind_int64(statement, place++, cell->connections);
	sqlite3_bind_int64(statement, place++, cell->idle);
	sqlite3_bind_int64(statement, place++, cell->slow);
	sqlite3_bind_int64(statement, place++, cell->cpus);
	bind_text(statement, place++, cell_cache(cell));
	sqlite3_bind_int64(statement, place++, cell->requests);
	sqlite3_bind_int64(statement, place++, cell->experiment->pipeline);
	sqlite3_bind_int64(statement, place++, cell->level.per_s);
	sqlite3_bind_int64(statement, place++, cell->level.percent);
	sqlite3_bind_int64(statement, place++, cell->rep);
	return place;
}

/* The row's digest is that of what the store gives back, not of what was put in. */
static void seal_row(struct store *store, sqlite3_int64 id)
{
	char digest[DIGEST_CAP];
	sqlite3_bind_int64(store->get_row, 1, id);
	if (sqlite3_step(store->get_row) != SQLITE_ROW)
		fail(store);
	cell_digest(store->get_row, digest);
	sqlite3_reset(store->get_row);
	bind_text(store->seal_row, 1, digest);
	sqlite3_bind_int64(store->seal_row, 2, id);
	step(store, store->seal_row);
}

void store_put_row(struct store *store, const struct row *row)
{
	sqlite3_stmt *put = store->put_row;
	int place = bind_key(put, row->cell);
	sqlite3_bind_int64(put, place++, row->cell->position);
	bind_text(put, place++, row->started_at);
	bind_text(put, place++, verdict_names[row->verdict]);
	bind_text(put, place++, row->reason);
	bind_text(put, place++, row->marks);
	bind_text(put, place++, row->blank);
	bind_text(put, place++, row->batch_times[0] ? row->batch_times : NULL);
	bind_text(put, place++, row->loadgen);
	bind_text(put, place++, row->log[0] ? row->log : NULL);
	bind_text(put, place++, row->series);
	bind_text(put, place++, row->hlog);
	for (int i = 0; i < METRIC_COUNT; i++, place++) {
		if (!isfinite(row->metrics[i]))
			continue; /* NULL */
		if (metric_columns[i].whole)
			sqlite3_bind_int64(put, place, (sqlite3_int64)row->metrics[i]);
		else
			sqlite3_bind_double(put, place, row->metrics[i]);
	}
	run_sql(store, "SAVEPOINT row;"); /* a transaction of its own, unless the caller has one */
	step(store, put);
	sqlite3_int64 id = sqlite3_last_insert_rowid(store->db);
	put_raw(store, row, id);
	put_syscalls(store, row, id);
	put_timeline(store, &row->timeline, id);
	seal_row(store, id);
	run_sql(store, "RELEASE row;");
}

bool store_find_row(
    struct store *store, const struct cell *cell, enum verdict *verdict, double *rate_per_s)
{
	sqlite3_stmt *find = store->find_row;
	bind_key(find, cell);
	int code = sqlite3_step(find);
	if (code == SQLITE_ROW) {
		const char *name = (const char *)sqlite3_column_text(find, 0);
		*verdict = VERDICT_FAILED;
		for (int i = 0; i < VERDICT_COUNT; i++)
			if (strcmp(verdict_names[i], name) == 0)
				*verdict = (enum verdict)i;
		*rate_per_s = sqlite3_column_type(find, 1) == SQLITE_NULL
		    ? (double)NAN : sqlite3_column_double(find, 1);
	} else if (code != SQLITE_DONE) {
		fail(store);
	}
	sqlite3_reset(find);
	return code == SQLITE_ROW;
}

void store_begin(struct store *store)
{
	run_sql(store, "BEGIN;");
}

void store_commit(struct store *store)
{
	run_sql(store, "COMMIT;");
}

void store_put_conformance(struct store *store, const char *server, const char *case_id,
    const char *section, const char *sending, bool passed, const char *detail)
{
	sqlite3_stmt *put = store->put_conformance;
	bind_text(put, 1, server);
	bind_text(put, 2, case_id);
	bind_text(put, 3, section);
	bind_text(put, 4, sending);
	sqlite3_bind_int(put, 5, passed);
	bind_text(put, 6, detail);
	step(store, put);
}

void store_count_verdicts(struct store *store, uint32_t counts[VERDICT_COUNT])
{
	sqlite3_stmt *select = prepare(store, "SELECT count(*) FROM cell WHERE verdict = ?");
	for (int i = 0; i < VERDICT_COUNT; i++) {
		bind_text(select, 1, verdict_names[i]);
		if (sqlite3_step(select) != SQLITE_ROW)
			fail(store);
		counts[i] = (uint32_t)sqlite3_column_int64(select, 0);
		sqlite3_reset(select);
	}
	sqlite3_finalize(select);
}

bool store_has_passed(struct store *store, const char *server)
{
	sqlite3_stmt *select = prepare(store,
	    "SELECT count(*) > 0 AND min(passed) = 1 FROM conformance WHERE server = ?");
	bind_text(select, 1, server);
	if (sqlite3_step(select) != SQLITE_ROW)
		fail(store);
	bool passed = sqlite3_column_int(select, 0) != 0;
	sqlite3_finalize(select);
	return passed;
}
