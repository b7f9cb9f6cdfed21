/*
 * verify.c: every cell against itself (verify_cell.h); then report, tables and figures are derived again into
 * a folder aside and compared byte by byte, since the same store gives the same files.
 */
#include "harness/verify.h"

#include <dirent.h>
#include <errno.h>
#include <ftw.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "harness/cell_digest.h"
#include "harness/csv.h"
#include "harness/paths.h"
#include "harness/report.h"
#include "harness/schema.h"
#include "harness/verify_cell.h"
#include "lib/sys/die.h"

enum { EXIT_DIFFERS = 4 };

static const char help_text[] =
    "Examples:\n"
    "  c10k verify results/latest\n"
    "\n"
    "Usage: c10k verify RUN\n"
    "\n"
    "Says whether a run's report is true to what was measured: recomputes rates, percentiles\n"
    "and means from the histograms in run.sqlite, costs of requests and connections from the\n"
    "kernel's counts there, compares each cell with its SHA-256, and derives report, tables\n"
    "and figures again to compare them byte by byte.\n"
    "\n"
    "Exit: 0 true, 1 could not tell, 2 usage, 4 something differs (the lines say what).\n";

static void verify_store(struct verify *v, const char *path)
{
	sqlite3 *db = NULL;
	sqlite3_stmt *row = NULL;
	int code = sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(db, "PRAGMA integrity_check(1)", -1, &row, NULL);
	if (code == SQLITE_OK && sqlite3_step(row) == SQLITE_ROW &&
	    strcmp((const char *)sqlite3_column_text(row, 0), "ok") != 0)
		verify_differ(v, "run.sqlite", "damaged: %s", sqlite3_column_text(row, 0));
	sqlite3_finalize(row);
	char problem[SCHEMA_PROBLEM_CAP];
	if (code == SQLITE_OK && !schema_is_ours(db, problem))
		die("%s: %s", path, problem);
	if (code == SQLITE_OK)
		code = sqlite3_prepare_v2(db, CELL_DIGEST_SELECT " ORDER BY id", -1, &row, NULL);
	while (code == SQLITE_OK && (code = sqlite3_step(row)) == SQLITE_ROW) {
		verify_cell(v, row);
		code = SQLITE_OK;
	}
	if (code != SQLITE_DONE)
		die("%s: %s", path, sqlite3_errmsg(db));
	sqlite3_finalize(row);
	sqlite3_close(db);
}

/* --- what is derived ------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *place)
{
	(void)about, (void)type, (void)place;
	return remove(path);
}

/* False when there is no such file. */
static bool read_whole(const char *path, char **bytes, size_t *len)
{
	FILE *file = fopen(path, "re");
	struct stat about;
	if (!file)
		return false;
	if (fstat(fileno(file), &about) != 0 || !(*bytes = malloc((size_t)about.st_size + 1)))
		die_errno(errno, "cannot read %s", path);
	*len = fread(*bytes, 1, (size_t)about.st_size, file);
	fclose(file);
	return true;
}

static void compare_file(struct verify *v, const char *run, const char *aside, const char *name)
{
	char path[PATH_CAP], *own = NULL, *again = NULL;
	size_t own_len = 0, again_len = 0;
	path_make(path, "%s/%s", run, name);
	bool is_there = read_whole(path, &own, &own_len);
	path_make(path, "%s/%s", aside, name);
	bool is_derived = read_whole(path, &again, &again_len);
	if (!is_there)
		verify_differ(v, name, "missing (c10k report makes it)");
	else if (!is_derived)
		verify_differ(v, name, "is no part of this run's report");
	else if (own_len != again_len || memcmp(own, again, own_len) != 0)
		verify_differ(v, name, "is not what run.sqlite gives");
	free(own);
	free(again);
}

/* Each file that is in either folder, once. Returns how many. */
static uint32_t compare_plots(struct verify *v, const char *run, const char *aside)
{
	char path[PATH_CAP], name[PATH_CAP];
	const char *const folders[] = { aside, run };
	uint32_t count = 0;
	for (int i = 0; i < 2; i++) {
		path_make(path, "%s/plots", folders[i]);
		DIR *folder = opendir(path);
		for (struct dirent *entry; folder && (entry = readdir(folder));) {
			if (entry->d_name[0] == '.')
				continue;
			path_make(path, "%s/plots/%s", aside, entry->d_name);
			if (i == 1 && access(path, F_OK) == 0)
				continue;
			path_make(name, "plots/%s", entry->d_name);
			compare_file(v, run, aside, name);
			count++;
		}
		if (folder)
			closedir(folder);
	}
	return count;
}

/* A run that was killed has none of them, and says nothing untrue. */
static bool has_report(const char *run)
{
	char html[PATH_CAP], md[PATH_CAP], csv[PATH_CAP];
	path_make(html, "%s/report.html", run);
	path_make(md, "%s/report.md", run);
	path_make(csv, "%s/cells.csv", run);
	return access(html, F_OK) == 0 || access(md, F_OK) == 0 || access(csv, F_OK) == 0;
}

static uint32_t verify_derived(struct verify *v, const char *run)
{
	static const char *const names[] = { "report.html", "report.md", "cells.csv" };
	char aside[] = "/tmp/c10k-verify-XXXXXX", path[PATH_CAP], link[PATH_CAP];
	char *real = realpath(run, NULL);
	if (!real || !mkdtemp(aside))
		die_errno(errno, "%s cannot be derived again in /tmp", run);
	path_make(path, "%s/run.sqlite", real);
	path_make(link, "%s/run.sqlite", aside);
	if (symlink(path, link) != 0)
		die_errno(errno, "%s", link);
	uint32_t count = sizeof(names) / sizeof(*names);
	if (csv_write(aside) != 0 || report_run(aside) != 0)
		verify_differ(v, "report", "cannot be derived again");
	for (uint32_t i = 0; i < count; i++)
		compare_file(v, run, aside, names[i]);
	count += compare_plots(v, run, aside);
	nftw(aside, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(real);
	return count;
}

int verify_main(int argc, char **argv)
{
	struct verify v = { 0 };
	char path[PATH_CAP];
	if (argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		fputs(help_text, stdout);
		return 0;
	}
	if (argc != 2 || argv[1][0] == '-')
		usage_die("verify: give one folder of a run: c10k verify results/latest");
	path_make(path, "%s/run.sqlite", argv[1]);
	if (access(path, R_OK) != 0)
		usage_die("verify: %s: no run: give its folder (results/latest)", argv[1]);
	printf("%s\n", argv[1]);
	verify_store(&v, path);
	uint32_t files = has_report(argv[1]) ? verify_derived(&v, argv[1]) : 0;
	printf("  %u cells, %u numbers recomputed from %u histograms and the counters beside them\n",
	    v.cells, v.numbers, v.histograms);
	if (files)
		printf("  %u files of report, tables and figures derived again\n", files);
	else
		printf("  no report yet (c10k report makes it)\n");
	if (v.differences)
		printf("  NOT TRUE: %u difference%s\n", v.differences, v.differences == 1 ? "" : "s");
	else
		printf("  true: everything is as it was measured\n");
	return v.differences ? EXIT_DIFFERS : 0;
}
