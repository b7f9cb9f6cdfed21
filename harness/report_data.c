/*
 * report_data.c: table rows into memory. The store is opened read-only: a report never changes a
 * run. A value that is NULL there is NAN here and is printed as "-", never as 0.
 *
 * Server names end up in class names, in file names and in gnuplot scripts: a name outside the
 * whitelist ends the report here, so nothing after this point needs to think about it.
 */
#include "harness/report_data.h"

#include <errno.h>
#include <math.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/figures_style.h"
#include "harness/schema.h"
#include "lib/sys/die.h"

/* A text column that lives as long as the data; NULL becomes "". */
static const char *text(struct report_data *data, sqlite3_stmt *row, int column)
{
	const char *value = (const char *)sqlite3_column_text(row, column);
	return value && *value ? report_printf(&data->pool, "%s", value) : "";
}

static double number(sqlite3_stmt *row, int column)
{
	return sqlite3_column_type(row, column) == SQLITE_NULL ? (double)NAN
							       : sqlite3_column_double(row, column);
}

static long whole(sqlite3_stmt *row, int column)
{
	return (long)sqlite3_column_int64(row, column);
}

static bool name_allowed(const char *name)
{
	size_t len = strlen(name);
	return len > 0 && len <= 40 && name[0] != '-'
	    && strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.+-")
	    == len;
}

/* Each takes one row; false ends the report. */
typedef bool take_row(struct report_data *data, sqlite3_stmt *row);

static bool take_key(struct report_data *data, sqlite3_stmt *row)
{
	data->keys = report_grow(data->keys, &data->key_cap, data->key_count, sizeof(*data->keys));
	data->keys[data->key_count++]
	    = (struct report_key){ text(data, row, 0), text(data, row, 1) };
	return true;
}

static bool take_server(struct report_data *data, sqlite3_stmt *row)
{
	struct report_server server = {
		.name = text(data, row, 0),
		.family = text(data, row, 1),
		.api = text(data, row, 2),
		.language = text(data, row, 3),
		.summary = text(data, row, 4),
		.max_connections = whole(row, 5),
		.source = text(data, row, 6),
		.source_lines = whole(row, 7),
		.about = text(data, row, 8),
	};
	if (!name_allowed(server.name)) {
		warn_line("report: a server's name has characters outside [A-Za-z0-9_.+-]");
		return false;
	}
	data->servers
	    = report_grow(data->servers, &data->server_cap, data->server_count, sizeof(server));
	data->servers[data->server_count++] = server;
	return true;
}

static bool take_case(struct report_data *data, sqlite3_stmt *row)
{
	data->cases
	    = report_grow(data->cases, &data->case_cap, data->case_count, sizeof(*data->cases));
	data->cases[data->case_count++] = (struct report_case_row){
		.server = text(data, row, 0),
		.case_id = text(data, row, 1),
		.section = text(data, row, 2),
		.sending = text(data, row, 3),
		.passed = whole(row, 4) != 0,
		.detail = text(data, row, 5),
	};
	return true;
}

/* Columns before the metrics, in the order that take_cell() reads them. */
static const char cell_columns[] = "experiment, target, reason, marks, blank, loadgen, log, "
				   "server, twin, connections, idle, rep, position, verdict, "
				   "requests_per_conn, slow, level_per_s, level_percent, cache, cpus, "
				   "series, hlog, pipeline, "
				   "iif(json_valid(loadgen), json_extract(loadgen, "
				   "'$.achieved_share'), NULL)";
enum { CELL_COLUMN_COUNT = 24 };

static bool take_cell(struct report_data *data, sqlite3_stmt *row)
{
	struct report_cell_row cell = {
		.experiment = text(data, row, 0),
		.target = text(data, row, 1),
		.reason = text(data, row, 2),
		.marks = text(data, row, 3),
		.blank = text(data, row, 4),
		.loadgen = text(data, row, 5),
		.log = text(data, row, 6),
		.server = report_server(data, text(data, row, 7)),
		.twin = whole(row, 8) != 0,
		.connections = whole(row, 9),
		.idle = whole(row, 10),
		.rep = whole(row, 11),
		.position = whole(row, 12),
		.requests_per_conn = whole(row, 14),
		.slow = whole(row, 15),
		.level_per_s = whole(row, 16),
		.level_percent = whole(row, 17),
		.cpus = whole(row, 19),
		.cold = !strcmp(text(data, row, 18), "cold"),
		.series = text(data, row, 20),
		.hlog = text(data, row, 21),
		.pipeline = whole(row, 22),
		.verdict = VERDICT_FAILED,
	};
	if (!cell.server) {
		warn_line("report: cell %ld belongs to a server that table server does not list",
		    cell.position);
		return false;
	}
	const char *verdict = text(data, row, 13);
	for (int i = 0; i < VERDICT_COUNT; i++)
		if (!strcmp(verdict_names[i], verdict))
			cell.verdict = (enum verdict)i;
	int column = CELL_COLUMN_COUNT;
	for (int i = 0; i < METRIC_COUNT; i++)
		cell.metric[i] = number(row, column++);
	cell.metric[METRIC_CPU_US_PER_REQ]
	    = cell.metric[METRIC_CPU_USER_US_PER_REQ] + cell.metric[METRIC_CPU_SYS_US_PER_REQ];
	cell.metric[METRIC_BYTES_PER_CONN]
	    = cell.metric[METRIC_USER_BYTES_PER_CONN] + cell.metric[METRIC_KERNEL_BYTES_PER_CONN];
	cell.metric[METRIC_ACHIEVED_SHARE] = number(row, CELL_COLUMN_COUNT - 1);
	data->cells = report_grow(data->cells, &data->cell_cap, data->cell_count, sizeof(cell));
	data->cells[data->cell_count++] = cell;
	return true;
}

static bool take_syscall(struct report_data *data, sqlite3_stmt *row)
{
	struct report_syscall call = {
		.server = report_server(data, text(data, row, 0)),
		.connections = whole(row, 1),
		.name = text(data, row, 2),
		.per_req = number(row, 3),
		.source = text(data, row, 4),
	};
	/* it goes into gnuplot's data as it is */
	if (!call.server || !name_allowed(call.name))
		return true;
	data->syscalls
	    = report_grow(data->syscalls, &data->syscall_cap, data->syscall_count, sizeof(call));
	data->syscalls[data->syscall_count++] = call;
	return true;
}

static bool take_timeline(struct report_data *data, sqlite3_stmt *row)
{
	struct report_timeline timeline = {
		.cell_id = whole(row, 0),
		.server = report_server(data, text(data, row, 1)),
		.target = text(data, row, 2),
		.connections = whole(row, 3),
		.window_ns = number(row, 4),
		.switches = number(row, 5),
		.reason = text(data, row, 6),
	};
	data->timelines = report_grow(
	    data->timelines, &data->timeline_cap, data->timeline_count, sizeof(timeline));
	data->timelines[data->timeline_count++] = timeline;
	return true;
}

/* In the order of their timelines. */
static bool take_thread(struct report_data *data, sqlite3_stmt *row)
{
	data->threads = report_grow(
	    data->threads, &data->thread_cap, data->thread_count, sizeof(*data->threads));
	data->threads[data->thread_count++] = (struct report_thread){
		.name = text(data, row, 1),
		.spans = text(data, row, 2),
		.running_ns = number(row, 3),
		.preempted_ns = number(row, 4),
		.ready_ns = number(row, 5),
	};
	for (size_t i = 0; i < data->timeline_count; i++)
		data->timelines[i].thread_count += data->timelines[i].cell_id == whole(row, 0);
	return true;
}

static void share_threads(struct report_data *data)
{
	const struct report_thread *next = data->threads;
	for (size_t i = 0; i < data->timeline_count; i++) {
		data->timelines[i].threads = next;
		next += data->timelines[i].thread_count;
	}
}

static bool read_rows(struct report_data *data, sqlite3 *db, const char *sql, take_row *take)
{
	sqlite3_stmt *row;
	if (sqlite3_prepare_v2(db, sql, -1, &row, NULL) != SQLITE_OK) {
		warn_line("report: %s: %s", data->folder_name, sqlite3_errmsg(db));
		return false;
	}
	int state;
	bool taken = true;
	while (taken && (state = sqlite3_step(row)) == SQLITE_ROW)
		taken = take(data, row);
	if (taken && state != SQLITE_DONE) {
		warn_line("report: %s: %s", data->folder_name, sqlite3_errmsg(db));
		taken = false;
	}
	sqlite3_finalize(row);
	return taken;
}

static const char *cell_query(struct report_data *data)
{
	const char *columns = cell_columns;
	for (int i = 0; i < METRIC_COUNT; i++)
		columns = report_printf(&data->pool, "%s, %s", columns, metric_columns[i].name);
	return report_printf(&data->pool, "SELECT %s FROM cell ORDER BY id", columns);
}

/* "results/20261122-1"'s last part, also behind a slash; the store's own folder where the argument
 * is a link. */
static const char *folder_name(struct report_data *data, const char *run_folder)
{
	char *real = realpath(run_folder, NULL);
	const char *slash = real ? strrchr(real, '/') : NULL;
	const char *name = report_printf(&data->pool, "%s", slash ? slash + 1 : run_folder);
	free(real);
	return name;
}

bool report_data_open(struct report_data *data, const char *run_folder)
{
	*data = (struct report_data){ 0 };
	data->folder_name = folder_name(data, run_folder);
	const char *path = report_printf(&data->pool, "%s/run.sqlite", run_folder);
	sqlite3 *db;
	bool read = false;
	char problem[SCHEMA_PROBLEM_CAP];
	if (access(path, R_OK) != 0)
		usage_die("%s: no run: give its folder (results/latest)", run_folder);
	if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
		warn_line("report: cannot read %s: %s", path, sqlite3_errmsg(db));
	} else if (!schema_is_ours(db, problem)) {
		warn_line("report: %s: %s", path, problem);
	} else {
		sqlite3_busy_timeout(db, 2000);
		read = read_rows(data, db, "SELECT key, value FROM run ORDER BY key", take_key)
		    && read_rows(data, db,
			"SELECT name, family, api, language, summary, max_connections, source, "
			"source_lines, about FROM server ORDER BY name",
			take_server)
		    && read_rows(data, db,
			"SELECT server, case_id, section, sending, passed, detail FROM conformance "
			"ORDER BY case_id, sending, server",
			take_case);
		figures_style_assign(data->servers, data->server_count);
		read = read && read_rows(data, db, cell_query(data), take_cell)
		    && read_rows(data, db,
			/* a block without some call counts in that call's mean, too */
			"WITH counted AS (SELECT DISTINCT id, server, connections FROM cell "
			"JOIN syscall ON id = cell_id WHERE verdict IN ('valid', 'client-limited')) "
			"SELECT server, connections, name, sum(per_req) / (SELECT count(*) FROM counted "
			"AS c WHERE c.server = counted.server AND c.connections = counted.connections), "
			"min(source) FROM counted JOIN syscall ON id = cell_id "
			"GROUP BY 2, 1, 3 ORDER BY 2, 1, 4 DESC, 3",
			take_syscall)
		    && read_rows(data, db,
			"SELECT cell_id, server, target, connections, window_ns, switches, "
			"timeline.reason FROM timeline JOIN cell ON id = cell_id "
			"WHERE rep = 1 AND twin = 0 AND verdict IN ('valid', 'client-limited') ORDER BY cell_id",
			take_timeline)
		    && read_rows(data, db,
			"SELECT cell_id, name, spans, running_ns, preempted_ns, ready_ns "
			"FROM timeline_thread JOIN cell ON id = cell_id WHERE rep = 1 AND twin = 0 "
			"AND verdict IN ('valid', 'client-limited') "
			"ORDER BY cell_id, running_ns DESC, tid",
			take_thread);
		share_threads(data);
	}
	sqlite3_close(db);
	if (read)
		report_data_group(data);
	return read;
}

void report_data_close(struct report_data *data)
{
	free(data->keys);
	free(data->servers);
	free(data->cells);
	free(data->points);
	free(data->syscalls);
	free(data->timelines);
	free(data->threads);
	free(data->cases);
	report_text_free(&data->pool);
}
