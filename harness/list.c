/* list.c: `c10k list`: what can be measured, how, and with which plans. 80 columns. */
#include "harness/list.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/paths.h"
#include "harness/plan.h"
#include "harness/servers.h"
#include "lib/core/units.h"
#include "lib/sys/die.h"

static const char help_text[] =
    "Examples:\n"
    "  c10k list                servers, plans and experiments\n"
    "  c10k list servers\n"
    "\n"
    "Usage: c10k list [servers|plans|experiments]\n";

static void list_servers(const struct paths *paths)
{
	struct server_names found;
	struct server_info info;
	servers_find(paths, &found);
	printf("%-10s %-11s %-7s %s\n", "server", "family", "limit", "calls, and how it waits");
	for (uint32_t i = 0; i < found.count; i++) {
		struct plan_server server = { 0 };
		char limit[UNITS_CAP] = "-";
		memcpy(server.name, found.names[i], sizeof(server.name));
		memcpy(server.program, found.names[i], sizeof(server.program));
		if (!server_describe(paths, &server, &info)) {
			printf("%-10s %s\n", server.name, info.problem);
			continue;
		}
		if (info.max_connections)
			snprintf(limit, sizeof(limit), "%u", info.max_connections);
		printf("%-10s %-11s %-7s %s\n  %s\n", info.name, info.family, limit, info.api,
		    info.summary);
	}
	if (found.count == 0)
		printf("none are built: run make all\n");
}

static int is_plan(const struct dirent *entry)
{
	size_t len = strlen(entry->d_name);
	return len > 4 && strcmp(entry->d_name + len - 4, ".ini") == 0;
}

static void list_plans(const struct paths *paths)
{
	struct dirent **entries;
	struct server_names found;
	servers_find(paths, &found);
	printf("%-10s %s\n", "plan", "what it runs (c10k bench --dry-run PLAN shows all of it)");
	int count = scandir(paths->plans, &entries, is_plan, alphasort);
	for (int i = 0; i < count; i++) {
		static struct plan plan;
		char path[PATH_CAP], message[PLAN_MESSAGE_CAP];
		path_make(path, "%s/%s", paths->plans, entries[i]->d_name);
		char *text = file_read(path);
		struct plan_names known = servers_as_plan_names(&found);
		bool good = text && plan_parse(&plan, path, text, known, message);
		printf("%-10.*s %s\n", (int)strlen(entries[i]->d_name) - 4, entries[i]->d_name,
		    good ? plan.title : text ? message : "cannot be read");
		free(text);
		free(entries[i]);
	}
	if (count >= 0)
		free(entries);
}

static void list_experiments(void)
{
	printf("%-10s %s\n", "experiment", "what it shows");
	for (int i = 0; i < EXPERIMENT_COUNT; i++)
		printf("%-10s %s\n", experiment_names[i], experiment_summaries[i]);
}

int list_main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "all";
	struct paths paths;
	if (strcmp(what, "-h") == 0 || strcmp(what, "--help") == 0) {
		fputs(help_text, stdout);
		return 0;
	}
	bool all = argc == 1;
	if (argc > 2 || (!all && strcmp(what, "servers") != 0 && strcmp(what, "plans") != 0 &&
	    strcmp(what, "experiments") != 0))
		usage_die("list: \"%s\": use servers, plans or experiments, or nothing for all",
		    argv[argc - 1]);
	paths_find(&paths);
	if (all || strcmp(what, "servers") == 0)
		list_servers(&paths);
	if (all)
		putchar('\n');
	if (all || strcmp(what, "plans") == 0)
		list_plans(&paths);
	if (all)
		putchar('\n');
	if (all || strcmp(what, "experiments") == 0)
		list_experiments();
	return 0;
}
