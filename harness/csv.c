/*
 * csv.c: the columns people ask for first, in a fixed order; the rest behind, so that spreadsheets
 * made for an older run keep working. Written aside and renamed: a reader never sees half a file.
 */
#include "harness/csv.h"

#include <errno.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "harness/paths.h"
#include "lib/sys/die.h"

static const char query[] =
    "SELECT experiment, c.server, family, connections, idle, rep, verdict, reason, rate_per_s,"
    " errors, p50_us, p90_us, p99_us, p99_9_us, max_us, ctx_switches_per_req,"
    " ctx_voluntary_per_req, ctx_involuntary_per_req, cpu_user_us_per_req, cpu_sys_us_per_req,"
    " runqueue_us_per_req, threads, user_bytes_per_conn, kernel_bytes_per_conn, established,"
    " answered, starved, fairness, littles_law_residual, client_cpu,"
    " twin, target, position, started_at, marks, elapsed_s, requests, p99_99_us, mean_us,"
    " server_cpu, snapshot_us, server_requests, client_requests, blank,"
    " requests_per_conn, offered_per_s, slow, level_per_s, level_percent, batch_median_s,"
    " batch_mean_s, batch_stddev_s, batch_min_s, batch_max_s, cache, cached_start, cached_end,"
    " minor_faults_per_req, major_faults_per_req, syscalls_per_req, page_table_bytes_per_conn,"
    " stack_bytes_per_conn, socket_bytes_per_conn, harness_cpu_share, cpus, pipeline"
    " FROM cell c LEFT JOIN server s ON s.name = c.server ORDER BY position";

static void put_text(FILE *file, const char *text)
{
	if (!strpbrk(text, ",\"\r\n")) {
		fputs(text, file);
		return;
	}
	fputc('"', file);
	for (; *text; text++) {
		if (*text == '"')
			fputc('"', file);
		fputc(*text, file);
	}
	fputc('"', file);
}

static void put_line(FILE *file, sqlite3_stmt *select)
{
	int count = sqlite3_column_count(select);
	for (int i = 0; i < count; i++) {
		if (i > 0)
			fputc(',', file);
		if (sqlite3_column_type(select, i) == SQLITE_FLOAT)
			fprintf(file, "%.7g", sqlite3_column_double(select, i));
		else if (sqlite3_column_type(select, i) != SQLITE_NULL)
			put_text(file, (const char *)sqlite3_column_text(select, i));
	}
	fputc('\n', file);
}

static int copy_cells(sqlite3 *db, FILE *file)
{
	sqlite3_stmt *select = NULL;
	int code = sqlite3_prepare_v2(db, query, -1, &select, NULL);
	for (int i = 0; code == SQLITE_OK && i < sqlite3_column_count(select); i++)
		fprintf(file, "%s%s", i ? "," : "", sqlite3_column_name(select, i));
	fputc('\n', file);
	while (code == SQLITE_OK && (code = sqlite3_step(select)) == SQLITE_ROW) {
		put_line(file, select);
		code = SQLITE_OK;
	}
	sqlite3_finalize(select);
	return code == SQLITE_DONE ? 0 : -1;
}

int csv_write(const char *run_folder)
{
	char source[PATH_CAP], path[PATH_CAP], aside[PATH_CAP];
	path_make(source, "%s/run.sqlite", run_folder);
	path_make(path, "%s/cells.csv", run_folder);
	path_make(aside, "%s/cells.csv.tmp", run_folder);
	sqlite3 *db = NULL;
	FILE *file = fopen(aside, "we");
	if (!file) {
		warn_line("%s: %s", aside, strerror(errno));
		return 1;
	}
	int problem = -1;
	if (sqlite3_open_v2(source, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK)
		problem = copy_cells(db, file);
	if (problem)
		warn_line("%s: %s", source, sqlite3_errmsg(db));
	sqlite3_close(db);
	bool written = !ferror(file);
	written &= fclose(file) == 0;
	if (!problem && (!written || rename(aside, path) != 0)) {
		warn_line("%s: %s", path, strerror(errno));
		problem = -1;
	}
	return problem ? 1 : 0;
}
