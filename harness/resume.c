/* resume.c: the options come back through the parser they went through when the run was started. */
#include "harness/resume.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/provenance.h"
#include "harness/results.h"
#include "lib/sys/die.h"

void resume_store(struct store *store, const struct bench_options *o, int argc, char **argv)
{
	json_t *list = json_array();
	for (int i = 0; i < argc; i++) {
		json_t *word = json_string(argv[i]); /* none of a folder whose name is not UTF-8 */
		json_array_append_new(list, word ? word : json_string(""));
	}
	char *text = json_dumps(list, 0);
	char *plan = realpath(o->plan_path, NULL);
	if (!text)
		die("out of memory");
	store_put_run(store, "arguments", text);
	store_put_run(store, "plan_path", plan ? plan : "(a pipe)"); /* its text is in the store, too */
	free(plan);
	free(text);
	json_decref(list);
}

/* The value; a run without it was killed before it had begun. */
static char *get_or_die(struct store *store, const char *key, const char *run)
{
	char *value = store_get_run(store, key);
	if (!value)
		usage_die("bench --resume %s: it ended before it had begun (no %s): start a new one", run,
		    key);
	return value;
}

/* The strings stay: options point into them. */
static void repeat_options(struct bench_options *o, struct store *store, const char *run)
{
	char *text = get_or_die(store, "arguments", run);
	json_t *list = json_loads(text, 0, NULL);
	size_t count = json_array_size(list);
	char **argv = calloc(count + 1, sizeof(*argv));
	if (!argv || count == 0)
		die("%s: its options cannot be read", run);
	for (size_t i = 0; i < count; i++)
		argv[i] = strdup(json_string_value(json_array_get(list, i)));
	bench_options_repeat(o, (int)count, argv);
	json_decref(list);
	free(text);
}

/* A plan that was edited is another plan; one that is gone can no longer mislead. */
static void check_plan_file(struct bench_options *o, struct store *store, const char *run)
{
	char *path = get_or_die(store, "plan_path", run);
	char *then = get_or_die(store, "plan_text", run), *now = file_read(path);
	if (now && strcmp(now, then) != 0)
		usage_die("bench --resume %s: the plan %s has changed since: put it back (c10k "
		    "report %s writes its text into report.md), or start a new run", run, path, run);
	path_make(o->plan_path, "%s", path);
	free(now);
	free(then);
	free(path);
}

struct store *resume_open(struct bench_options *o, char name[PATH_CAP], char folder[PATH_CAP])
{
	const char *run = o->resume;
	char path[PATH_CAP], results[PATH_CAP];
	char *real = realpath(run, NULL), *slash = real ? strrchr(real, '/') : NULL;
	path_make(path, "%s/run.sqlite", real ? real : run);
	if (!slash || access(path, F_OK) != 0)
		usage_die("bench --resume %s: no run: give its folder (results/latest)", run);
	path_make(folder, "%s", real);
	path_make(name, "%s", slash + 1);
	*slash = '\0';
	path_make(results, "%s", real[0] ? real : "/");
	free(real);
	results_lock(results);

	struct store *store = store_open(path);
	if (!store)
		usage_die("bench --resume %s: it ended before it had begun: start a new one", run);
	char *status = get_or_die(store, "status", run), *seed = get_or_die(store, "seed", run);
	char *plan = get_or_die(store, "plan", run);
	if (strcmp(status, "complete") == 0) {
		printf("%s is complete: nothing is missing (c10k report %s makes its report again)\n",
		    run, run);
		store_close(store);
		exit(0);
	}
	repeat_options(o, store, run);
	check_plan_file(o, store, run);
	path_make(o->results, "%s", results); /* the folder may have moved */
	snprintf(o->plan_name, sizeof(o->plan_name), "%s", plan);
	o->seed = strtoull(seed, NULL, 10);
	free(plan);
	free(seed);
	free(status);
	return store;
}

void resume_check(struct store *store, struct store *now, const struct bench_options *o)
{
	char changes[1024];
	if (provenance_holds(store, now, changes))
		return;
	store_close(store);
	usage_die("bench --resume %s: changed since it began: %s: put that back as it was, or start a new "
		  "run", o->resume, changes);
}

void resume_clear(const char *folder)
{
	static const char *const derived[] = { "report.html", "report.md", "cells.csv" };
	char path[PATH_CAP];
	for (size_t i = 0; i < sizeof(derived) / sizeof(*derived); i++) {
		path_make(path, "%s/%s", folder, derived[i]);
		unlink(path);
	}
}

uint32_t resume_block(struct store *store)
{
	char *text = store_get_run(store, "extended_from");
	uint32_t position = text ? (uint32_t)strtoul(text, NULL, 10) : UINT32_MAX;
	free(text);
	return position;
}
