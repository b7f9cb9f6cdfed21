/* diff_env.c: facts side by side; those that are equal are only counted. */
#include "harness/diff_env.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/provenance.h"
#include "harness/report_data.h"
#include "lib/sys/die.h"

static const char help_text[] =
    "Examples:\n"
    "  c10k diff-env results/yesterday results/latest\n"
    "\n"
    "Usage: c10k diff-env A B\n"
    "\n"
    "Says why the numbers of two runs may differ: machine, set-up, limits, versions, programs,\n"
    "servers and plan, and what else went on. What is equal is counted, not listed.\n";

struct diff {
	struct report_data a, b;
	const char *title; /* of the part, until its first line is printed */
	uint32_t equal, different;
};

/* Counts a difference; the part's title comes before its first. */
static void differ(struct diff *d)
{
	if (d->title)
		printf("\n%s\n", d->title);
	d->title = NULL;
	d->different++;
}

/* "-" is the side that has nothing. */
static void compare(struct diff *d, const char *name, const char *a, const char *b)
{
	if (!strcmp(a, b)) {
		d->equal++;
		return;
	}
	differ(d);
	printf("  %-28s A  %s\n  %-28s B  %s\n", name, *a ? a : "-", "", *b ? b : "-");
}

static void compare_libraries(struct diff *d, const char *a, const char *b)
{
	json_t *left = json_loads(a, 0, NULL), *right = json_loads(b, 0, NULL), *value;
	const char *name;
	json_object_foreach(left, name, value) {
		const char *other = json_string_value(json_object_get(right, name));
		compare(d, name, json_string_value(value), other ? other : "");
	}
	json_object_foreach(right, name, value)
		if (!json_object_get(left, name))
			compare(d, name, "", json_string_value(value));
	json_decref(left);
	json_decref(right);
}

static void compare_facts(struct diff *d, enum provenance_part part, const char *title)
{
	d->title = title;
	for (size_t i = 0; i < provenance_fact_count; i++) {
		const struct provenance_fact *fact = &provenance_facts[i];
		const char *a = report_key(&d->a, fact->key), *b = report_key(&d->b, fact->key);
		if (fact->part == part && !strcmp(fact->key, "libraries"))
			compare_libraries(d, a, b);
		else if (fact->part == part)
			compare(d, fact->name, a, b);
	}
}

/* Programs by their hashes; the plan has its own part. */
static void compare_programs(struct diff *d)
{
	size_t len = strlen(PROVENANCE_HASH);
	d->title = "Programs (SHA-256)";
	for (size_t i = 0; i < d->a.key_count; i++) {
		const char *key = d->a.keys[i].key;
		if (!strncmp(key, PROVENANCE_HASH, len) && strcmp(key + len, "plan"))
			compare(d, key + len, d->a.keys[i].value, report_key(&d->b, key));
	}
	for (size_t i = 0; i < d->b.key_count; i++) {
		const char *key = d->b.keys[i].key;
		if (!strncmp(key, PROVENANCE_HASH, len) && !*report_key(&d->a, key))
			compare(d, key + len, "", d->b.keys[i].value);
	}
}

static const char *limit_of(struct diff *d, const struct report_data *data, const char *server)
{
	const struct report_server *s = report_server(data, server);
	if (!s)
		return "not in this run";
	return s->max_connections ? report_printf(&d->a.pool, "%ld connections", s->max_connections)
				  : "no limit";
}

static void compare_servers(struct diff *d)
{
	d->title = "Servers";
	for (size_t i = 0; i < d->a.server_count; i++)
		compare(d, d->a.servers[i].name, limit_of(d, &d->a, d->a.servers[i].name),
		    limit_of(d, &d->b, d->a.servers[i].name));
	for (size_t i = 0; i < d->b.server_count; i++)
		if (!report_server(&d->a, d->b.servers[i].name))
			compare(d, d->b.servers[i].name, "not in this run",
			    limit_of(d, &d->b, d->b.servers[i].name));
}

/* Is the line one of the text's? */
static bool has_line(const char *text, const char *line, size_t len)
{
	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (strcspn(at, "\n") == len && !strncmp(at, line, len))
			return true;
	return false;
}

static void print_lines(char side, const char *text, const char *other)
{
	for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n')
		if (!has_line(other, at, strcspn(at, "\n")))
			printf("    %c %.*s\n", side, (int)strcspn(at, "\n"), at);
}

static void compare_plans(struct diff *d)
{
	static const char *const keys[][2] = { { "plan", "plan" }, { "command", "command" },
		{ "seed", "seed" }, { "planned_cells", "cells" }, { "status", "status" } };
	const char *a = report_key(&d->a, "plan_text"), *b = report_key(&d->b, "plan_text");
	d->title = "Plan";
	for (size_t i = 0; i < sizeof(keys) / sizeof(*keys); i++)
		compare(d, keys[i][1], report_key(&d->a, keys[i][0]), report_key(&d->b, keys[i][0]));
	if (!strcmp(a, b)) {
		d->equal++;
		return;
	}
	differ(d);
	printf("  its text, lines that only one has\n");
	print_lines('A', a, b);
	print_lines('B', b, a);
}

int diff_env_main(int argc, char **argv)
{
	struct diff d = { 0 };
	if (argc == 2 && (!strcmp(argv[1], "-h") || !strcmp(argv[1], "--help"))) {
		fputs(help_text, stdout);
		return 0;
	}
	if (argc != 3 || argv[1][0] == '-' || argv[2][0] == '-')
		usage_die("diff-env: give the folders of two runs: c10k diff-env A B");
	if (!report_data_open(&d.a, argv[1]) || !report_data_open(&d.b, argv[2]))
		return 1;
	printf("A  %s\nB  %s\n", argv[1], argv[2]);
	compare_facts(&d, PROVENANCE_MACHINE, "Machine");
	compare_facts(&d, PROVENANCE_SYSTEM, "How it is set up");
	compare_facts(&d, PROVENANCE_LIMITS, "Limits");
	compare_facts(&d, PROVENANCE_VERSIONS, "Versions");
	compare_programs(&d);
	compare_servers(&d);
	compare_plans(&d);
	compare_facts(&d, PROVENANCE_CONDITIONS, "What else went on");
	printf("\n%u differ, %u are equal\n", d.different, d.equal);
	report_data_close(&d.a);
	report_data_close(&d.b);
	return 0;
}
