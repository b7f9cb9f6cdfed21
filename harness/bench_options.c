/* bench_options.c: getopt_long(3), and every refusal one line with what would be right. */
#include "harness/bench_options.h"

#include <ctype.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "harness/cpus.h"
#include "lib/core/units.h"
#include "lib/sys/die.h"

static const char help_text[] =
    "Examples:\n"
    "  c10k bench                            the plan c10k: everything, 10 minutes\n"
    "  c10k bench quick                      a first look, 3 minutes\n"
    "  c10k bench --dry-run full             what it would do, and how long that takes\n"
    "  c10k bench --servers epoll,poll --experiments idle --blocks 10\n"
    "  c10k bench my/plan.ini                a plan of your own (harness/plans/ has examples)\n"
    "  c10k bench --resume results/latest    go on with a run that was interrupted or killed\n"
    "\n"
    "Usage: c10k bench [PLAN] [options]\n"
    "\n"
    "Measures every server of a plan, each cell with a freshly started server, and writes\n"
    "results/RUN/ with report.html, report.md, cells.csv and run.sqlite. Ctrl-C keeps what is\n"
    "finished, and so does a kill.\n"
    "\n"
    "      --dry-run            only print the plan and its expected duration\n"
    "      --servers LIST       these servers instead of the plan's\n"
    "      --experiments LIST   only these of the plan's experiments\n"
    "      --blocks N           so many repetitions of everything\n"
    "      --until-decided      then further blocks, up to 30, of servers that are undecided against\n"
    "                           the one the plan measures twice (its `twin`: epoll)\n"
    "      --seed N             order of the cells (random; every run records its own)\n"
    "      --unchecked          measure without the conformance check; marks every row\n"
    "      --out DIR            results folder (results/ of the project)\n"
    "      --resume RUN         measure what RUN lacks, as it began; no plan or other option beside\n"
    "      --server-cpus LIST   CPUs of the server, as in 2-3: it has the first one, and the others\n"
    "                           only in experiment scaling (half of the cores)\n"
    "      --client-cpus LIST   CPUs of load generator and harness (the other half)\n"
    "  -h, --help               this text\n"
    "\n"
    "Exit: 0 done, 1 could not run, 2 usage, 4 no cell is valid, 5 another run holds the lock,\n"
    "130/143 interrupted.\n";

enum {
	OPTION_DRY_RUN = 256, OPTION_SERVERS, OPTION_EXPERIMENTS, OPTION_BLOCKS, OPTION_SEED,
	OPTION_UNCHECKED, OPTION_UNTIL_DECIDED, OPTION_OUT, OPTION_SERVER_CPUS, OPTION_CLIENT_CPUS,
	OPTION_RESUME
};

static const struct option long_options[] = {
	{ "dry-run", no_argument, NULL, OPTION_DRY_RUN },
	{ "servers", required_argument, NULL, OPTION_SERVERS },
	{ "experiments", required_argument, NULL, OPTION_EXPERIMENTS },
	{ "blocks", required_argument, NULL, OPTION_BLOCKS },
	{ "seed", required_argument, NULL, OPTION_SEED },
	{ "unchecked", no_argument, NULL, OPTION_UNCHECKED },
	{ "until-decided", no_argument, NULL, OPTION_UNTIL_DECIDED },
	{ "out", required_argument, NULL, OPTION_OUT },
	{ "resume", required_argument, NULL, OPTION_RESUME },
	{ "server-cpus", required_argument, NULL, OPTION_SERVER_CPUS },
	{ "client-cpus", required_argument, NULL, OPTION_CLIENT_CPUS },
	{ "help", no_argument, NULL, 'h' },
	{ NULL, 0, NULL, 0 }
};

static uint64_t parse_number(const char *option, const char *text, uint64_t least, uint64_t most)
{
	uint64_t number;
	if (!units_parse_digits((struct slice){ text, strlen(text) }, &number) || number < least ||
	    number > most)
		usage_die("%s %s: give a number from %llu to %llu", option, text,
		    (unsigned long long)least, (unsigned long long)most);
	return number;
}

static void parse_cpus(const char *option, const char *text, struct cpu_list *list)
{
	struct cpu_list server, client;
	char all[1024], more[1024];
	if (cpus_parse(text, list))
		return;
	cpus_choose(&server, &client);
	usage_die("%s %s: give a list such as 0-3,8 of the CPUs here: %s%s%s", option, text,
	    cpus_format(&client, all, sizeof(all)), server.cpus[0] == client.cpus[0] ? "" : ",",
	    server.cpus[0] == client.cpus[0] ? "" : cpus_format(&server, more, sizeof(more)));
}

static void parse_option(struct bench_options *o, int option, const char *value)
{
	switch (option) {
	case OPTION_DRY_RUN: o->dry_run = true; break;
	case OPTION_SERVERS: o->changes.servers = value; break;
	case OPTION_EXPERIMENTS: o->changes.experiments = value; break;
	case OPTION_BLOCKS:
		o->changes.blocks = (uint32_t)parse_number("--blocks", value, 1, PLAN_BLOCKS_MAX);
		break;
	case OPTION_SEED: o->seed = parse_number("--seed", value, 0, INT64_MAX); break;
	case OPTION_UNCHECKED: o->unchecked = true; break;
	case OPTION_UNTIL_DECIDED: o->until_decided = true; break;
	case OPTION_RESUME: o->resume = value; break;
	case OPTION_OUT: path_make(o->results, "%s", value); break;
	case OPTION_SERVER_CPUS: parse_cpus("--server-cpus", value, &o->server_cpus); break;
	case OPTION_CLIENT_CPUS: parse_cpus("--client-cpus", value, &o->client_cpus); break;
	default: break;
	}
}

/* "quick" is a file of harness/plans; anything with a slash or .ini is a path. */
static void find_plan(struct bench_options *o, const struct paths *paths, const char *plan)
{
	const char *slash = strrchr(plan, '/');
	const char *base = slash ? slash + 1 : plan;
	size_t len = strlen(base);
	bool has_suffix = len > 4 && strcmp(base + len - 4, ".ini") == 0;
	if (slash || has_suffix)
		path_make(o->plan_path, "%s", plan);
	else
		path_make(o->plan_path, "%s/%s.ini", paths->plans, plan);
	snprintf(o->plan_name, sizeof(o->plan_name), "%.*s", (int)(has_suffix ? len - 4 : len),
	    base);
	for (char *ch = o->plan_name; *ch; ch++)
		if (!isalnum((unsigned char)*ch) && !strchr("-_.", *ch))
			*ch = '_';
	if (access(o->plan_path, R_OK) != 0)
		usage_die("plan \"%s\": there is no %s (c10k list plans shows what there is)", plan,
		    o->plan_path);
}

static void keep_command(struct bench_options *o, int argc, char **argv)
{
	size_t len = (size_t)snprintf(o->command, sizeof(o->command), "c10k");
	for (int i = 0; i < argc && len < sizeof(o->command); i++)
		len += (size_t)snprintf(o->command + len, sizeof(o->command) - len, " %s", argv[i]);
}

/* Returns the plan that is named, or NULL. */
static const char *parse(struct bench_options *o, int argc, char **argv)
{
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1;) {
		if (option == 'h') {
			fputs(help_text, stdout);
			exit(0);
		}
		if (option == ':')
			usage_die("bench: %s needs a value (c10k bench --help shows examples)",
			    argv[optind - 1]);
		if (option == '?')
			usage_die("bench: unknown option %s (c10k bench --help lists them)",
			    usage_refused(argv));
		parse_option(o, option, optarg);
	}
	if (argc - optind > 1)
		usage_die("bench: one plan, not \"%s\" and \"%s\"", argv[optind], argv[optind + 1]);
	if ((o->server_cpus.count > 0) != (o->client_cpus.count > 0))
		usage_die("bench: give both --server-cpus and --client-cpus, or neither");
	return optind < argc ? argv[optind] : NULL;
}

void bench_options_parse(struct bench_options *o, const struct paths *paths, int argc, char **argv)
{
	uint32_t seed = 1;
	*o = (struct bench_options){ 0 };
	keep_command(o, argc, argv); /* before getopt moves the arguments */
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		seed = (uint32_t)getpid();
	o->seed = seed;
	path_make(o->results, "%s", paths->results);
	const char *plan = parse(o, argc, argv);
	bool alone = argc == 2 || (argc == 3 && argv[2] == o->resume);
	if (o->resume && !alone)
		usage_die("bench: --resume stands alone: plan and options are those of the run");
	if (!o->resume)
		find_plan(o, paths, plan ? plan : "c10k");
}

void bench_options_repeat(struct bench_options *o, int argc, char **argv)
{
	optind = 0; /* getopt(3): from the start */
	parse(o, argc, argv);
}
