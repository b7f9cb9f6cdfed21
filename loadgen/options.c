/*
 * options.c: the command line. -c, -t and -d mean what users of wrk expect. Every refusal is one
 * line that names the option, what was given, and what would be right; nothing is guessed or
 * silently adjusted. See getopt_long(3).
 */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>

#include "lib/core/units.h"
#include "lib/sys/affinity.h"
#include "lib/sys/die.h"

static const char help_text[] =
    "Examples:\n"
    "  loadgen -R 10k -c 1k http://127.0.0.1:8080/             open loop: 10,000 requests/s\n"
    "  loadgen -c 10k -d 30s http://127.0.0.1:8080/            as fast as 10,000 connections go\n"
    "  loadgen -c 100 --idle 10k http://127.0.0.1:8080/        100 busy among 10,000 silent\n"
    "  loadgen -c 1k -t 2 --cpu 2,3 http://[::1]:8080/         two workers on CPUs 2 and 3\n"
    "  loadgen -c 64 --json - http://127.0.0.1:8080/bytes/4096  the result for programs\n"
    "\n"
    "Usage: loadgen [options] http://HOST[:PORT][/PATH]\n"
    "       loadgen merge [--json FILE|-] A.json B.json ...\n"
    "\n"
    "Without -R a closed loop: each connection sends its next request when the last answer is\n"
    "complete and verified. Reported is the service time, from sending a request to the end of\n"
    "its answer. With -R an open loop: requests are due at times that no server can slow down;\n"
    "any free connection takes the next, and those that find none wait. Reported is the response\n"
    "time as well, from when a request was due.\n"
    "\n"
    "  -c N              connections that send requests (10)\n"
    "  -R RATE           open loop: so many requests a second, over all workers\n"
    "      --arrivals poisson|constant  how they follow one another (poisson)\n"
    "  -t N              worker threads, each with its share of the connections (1)\n"
    "  -d TIME           how long to measure (10s); 0 only connects and holds\n"
    "  -w TIME           warm-up before that, not measured (1s)\n"
    "      --requests N  instead of -d and -w: end when so many are answered, all in all\n"
    "      --idle N      further connections: answered once, then silent (0)\n"
    "      --slow N      further connections that are slow: half send a byte every 100 ms, half\n"
    "                    read 1 KiB/s (0); not in the rate, with latencies of their own\n"
    "      --slow-target PATH  what those that read slowly ask for (the URL's path)\n"
    "      --requests-per-connection N  then it is closed and opened anew\n"
    "      --pipeline N  send N requests at once, the next N when all are answered (1)\n"
    "      --ramp TIME   closed loop: spread the first requests over so much of the warm-up (0)\n"
    "      --hold TIME   stay silent on all connections before the warm-up (0)\n"
    "      --timeout TIME  longest wait for a connect or an answer (10s)\n"
    "      --status N    wanted status (any 2xx)\n"
    "      --expect TEXT wanted body (that of the first answer); @FILE: what is in it\n"
    "      --body TEXT   POST this; @FILE: what is in it\n"
    "      --mix FILE    several targets, drawn by weight: docs/MEASURING.md shows one\n"
    "      --seed N      of Poisson arrivals and of the mix (random)\n"
    "      --cpu LIST    pin workers to these CPUs, as in 0-3,8\n"
    "      --calibrate   first measure what this host can do against a built-in server that does\n"
    "                    nothing, and the generator's own error; without URL only that\n"
    "      --json FILE   write the result as JSON; - for standard output instead of the report\n"
    "      --series FILE a line of CSV for each interval: rate, errors, latency, connections\n"
    "      --hlog FILE   the window's latencies, interval by interval, as an HdrHistogram log\n"
    "      --step TIME   length of these intervals (100ms in a series, 1s in a log)\n"
    "      --sync FD     tell a harness the run's edges on this inherited stream socket\n"
    "  -h, --help        this text\n"
    "      --version\n"
    "\n"
    "Numbers: 250, 10k, 1M. Times: 300ms, 30s, 2m; a bare number is seconds.\n"
    "Exit: 0 ok, 1 could not run, 2 usage, 4 the result is invalid, 130 interrupted.\n";

enum {
	OPTION_IDLE = 256, OPTION_RAMP, OPTION_HOLD, OPTION_TIMEOUT, OPTION_STATUS, OPTION_EXPECT, OPTION_CPU,
	OPTION_JSON, OPTION_SERIES, OPTION_HLOG, OPTION_SYNC, OPTION_ARRIVALS, OPTION_VERSION,
	OPTION_PER_CONNECTION, OPTION_PIPELINE, OPTION_SLOW, OPTION_SLOW_TARGET, OPTION_BODY,
	OPTION_MIX, OPTION_SEED, OPTION_CALIBRATE, OPTION_STEP,
	OPTION_REQUESTS
};
enum { RATE_MAX = 10000000, DEPTH_MAX = 64 };

static const struct option long_options[] = {
	{ "arrivals", required_argument, NULL, OPTION_ARRIVALS },
	{ "body", required_argument, NULL, OPTION_BODY },
	{ "mix", required_argument, NULL, OPTION_MIX },
	{ "pipeline", required_argument, NULL, OPTION_PIPELINE },
	{ "requests", required_argument, NULL, OPTION_REQUESTS },
	{ "requests-per-connection", required_argument, NULL, OPTION_PER_CONNECTION },
	{ "seed", required_argument, NULL, OPTION_SEED },
	{ "slow", required_argument, NULL, OPTION_SLOW },
	{ "slow-target", required_argument, NULL, OPTION_SLOW_TARGET },
	{ "idle", required_argument, NULL, OPTION_IDLE },
	{ "ramp", required_argument, NULL, OPTION_RAMP },
	{ "hold", required_argument, NULL, OPTION_HOLD },
	{ "timeout", required_argument, NULL, OPTION_TIMEOUT },
	{ "status", required_argument, NULL, OPTION_STATUS },
	{ "expect", required_argument, NULL, OPTION_EXPECT },
	{ "calibrate", no_argument, NULL, OPTION_CALIBRATE },
	{ "cpu", required_argument, NULL, OPTION_CPU },
	{ "json", required_argument, NULL, OPTION_JSON },
	{ "series", required_argument, NULL, OPTION_SERIES },
	{ "hlog", required_argument, NULL, OPTION_HLOG },
	{ "step", required_argument, NULL, OPTION_STEP },
	{ "sync", required_argument, NULL, OPTION_SYNC },
	{ "help", no_argument, NULL, 'h' },
	{ "version", no_argument, NULL, OPTION_VERSION },
	{ NULL, 0, NULL, 0 }
};

static struct slice text_slice(const char *text)
{
	return (struct slice){ text, strlen(text) };
}

static uint32_t parse_count(const char *option, const char *text, uint64_t least, uint64_t most)
{
	uint64_t count;
	if (!units_parse_count(text_slice(text), &count) || count < least || count > most)
		usage_die("%s %s: give a number from %llu to %llu, as in 100 or 10k", option, text,
		    (unsigned long long)least, (unsigned long long)most);
	return (uint32_t)count;
}

static uint64_t parse_time_ns(const char *option, const char *text)
{
	static const uint64_t day_ns = UINT64_C(86400) * 1000000000;
	uint64_t time_ns;
	if (!units_parse_time_ns(text_slice(text), &time_ns) || time_ns > day_ns)
		usage_die("%s %s: give a time of 24h at most, such as 500ms, 10s or 2m", option,
		    text);
	return time_ns;
}

static enum arrivals_kind parse_arrivals(const char *text)
{
	if (strcmp(text, arrivals_kind_names[ARRIVALS_POISSON]) == 0)
		return ARRIVALS_POISSON;
	if (strcmp(text, arrivals_kind_names[ARRIVALS_CONSTANT]) == 0)
		return ARRIVALS_CONSTANT;
	usage_die("--arrivals %s: give poisson or constant", text);
}

/* As the schema's integers: not over 2^63 - 1. */
static uint64_t parse_step(const char *text)
{
	uint64_t step_ns = parse_time_ns("--step", text);
	if (step_ns < 1000000)
		usage_die("--step %s: give a millisecond or more", text);
	return step_ns;
}

static uint64_t parse_seed(const char *text)
{
	uint64_t seed;
	if (!units_parse_digits(text_slice(text), &seed) || seed > INT64_MAX)
		usage_die("--seed %s: give a number from 0 to %lld", text, (long long)INT64_MAX);
	return seed;
}

/* Short, since people type it again. */
static uint64_t random_seed(void)
{
	uint32_t seed;
	if (getrandom(&seed, sizeof seed, 0) != sizeof seed)
		die_errno(errno, "getrandom");
	return seed;
}

static struct slice parse_value(const char *option, const char *text)
{
	struct slice value;
	int error = mix_read_value(text, &value);
	if (error)
		usage_die("%s %s: cannot be read (%s)", option, text, strerror(-error));
	return value;
}

static void parse_cpus(struct options *o, const char *text)
{
	o->cpu_count = affinity_parse_list(text, o->cpus, OPTIONS_CPU_MAX);
	if (o->cpu_count < 0)
		usage_die("--cpu %s: give a list of CPUs, such as 0-3,8", text);
	for (int i = 0; i < o->cpu_count; i++)
		if (affinity_try(o->cpus[i]) != 0)
			usage_die("--cpu %s: this process cannot run on CPU %d", text, o->cpus[i]);
}

static int parse_socket(const char *text)
{
	uint64_t fd;
	int type;
	if (!units_parse_digits(text_slice(text), &fd) || fd > INT32_MAX
	    || getsockopt((int)fd, SOL_SOCKET, SO_TYPE, &type, &(socklen_t){ sizeof type }) < 0)
		usage_die("--sync %s: no open socket has this number; programs use it", text);
	return (int)fd;
}

static const char *parse_path(const char *option, const char *text)
{
	if (!*text || strcmp(text, "-") == 0)
		usage_die("%s %s: give the name of a file", option, text);
	return text;
}

static void parse_option(struct options *o, int option, const char *value)
{
	switch (option) {
	case 'c':
		o->active_count = parse_count("-c", value, 1, 10000000);
		o->active_given = true;
		break;
	case 't': o->worker_count = parse_count("-t", value, 1, 1024); break;
	case 'R': o->rate_per_s = parse_count("-R", value, 1, RATE_MAX); break;
	case OPTION_ARRIVALS:
		o->arrivals = parse_arrivals(value);
		o->arrivals_given = true;
		break;
	case 'd':
		o->duration_ns = parse_time_ns("-d", value);
		o->duration_given = true;
		break;
	case 'w':
		o->warmup_ns = parse_time_ns("-w", value);
		o->warmup_given = true;
		break;
	case OPTION_REQUESTS:
		o->requests = parse_count("--requests", value, 1, UINT32_MAX);
		break;
	case OPTION_IDLE: o->idle_count = parse_count("--idle", value, 0, 10000000); break;
	case OPTION_RAMP: o->ramp_ns = parse_time_ns("--ramp", value); break;
	case OPTION_HOLD: o->hold_ns = parse_time_ns("--hold", value); break;
	case OPTION_TIMEOUT:
		o->timeout_ns = parse_time_ns("--timeout", value);
		if (o->timeout_ns == 0)
			usage_die("--timeout 0: nothing answers in no time; give one such as 10s");
		break;
	case OPTION_STATUS: o->status = (uint16_t)parse_count("--status", value, 200, 599); break;
	case OPTION_EXPECT: o->expect = value; break;
	case OPTION_BODY: o->body = value; break;
	case OPTION_MIX: o->mix_file = value; break;
	case OPTION_SEED: o->seed = parse_seed(value); break;
	case OPTION_SLOW: o->slow_count = parse_count("--slow", value, 0, 10000000); break;
	case OPTION_SLOW_TARGET: o->slow_target = value; break;
	case OPTION_PIPELINE: o->depth = parse_count("--pipeline", value, 1, DEPTH_MAX); break;
	case OPTION_PER_CONNECTION:
		o->requests_per_connection =
		    parse_count("--requests-per-connection", value, 1, UINT16_MAX);
		break;
	case OPTION_CPU:
		parse_cpus(o, value);
		break;
	case OPTION_JSON:
		o->json_path = strcmp(value, "-") == 0 ? value : parse_path("--json", value);
		break;
	case OPTION_SERIES: o->series_path = parse_path("--series", value); break;
	case OPTION_HLOG: o->hlog_path = parse_path("--hlog", value); break;
	case OPTION_STEP: o->series_step_ns = o->hlog_step_ns = parse_step(value); break;
	case OPTION_CALIBRATE: o->calibrate = true; break;
	case OPTION_SYNC: o->sync_fd = parse_socket(value); break;
	default: break;
	}
}

/* Host and port from "127.0.0.1:8080", "name" or "[::1]:8080". */
static void parse_authority(struct options *o, struct slice authority)
{
	const char *colon = memchr(authority.ptr, ':', authority.len);
	struct slice host = authority;
	if (authority.len && *authority.ptr == '[') {
		const char *bracket = memchr(authority.ptr, ']', authority.len);
		if (!bracket)
			usage_die("%s: the IPv6 address lacks its ]", o->url);
		host = (struct slice){ authority.ptr + 1, (size_t)(bracket - authority.ptr) - 1 };
		colon = bracket + 1 < authority.ptr + authority.len ? bracket + 1 : NULL;
	} else if (colon) {
		host.len = (size_t)(colon - authority.ptr);
	}
	uint64_t port = 80;
	if (colon) {
		struct slice digits = slice_skip(authority, (size_t)(colon - authority.ptr) + 1);
		if (*colon != ':' || !units_parse_digits(digits, &port) || port < 1 || port > 65535)
			usage_die("%s: the port must be a number from 1 to 65535", o->url);
	}
	if (host.len == 0 || host.len >= sizeof o->host || authority.len >= sizeof o->authority)
		usage_die("%s: the host is missing or too long", o->url);
	memcpy(o->host, host.ptr, host.len);
	memcpy(o->authority, authority.ptr, authority.len);
	o->port = (uint16_t)port;
}

/* The URL's own target; or those of the mix, which the URL then only says where to find. */
static void find_targets(struct options *o)
{
	char message[MIX_MESSAGE_CAP];
	if (!o->mix_file) {
		o->targets[0] = (struct target){
			.method = o->body ? "POST" : "GET",
			.path = o->target,
			.weight = 1,
			.status = o->status,
		};
		if (o->body)
			o->targets[0].body = parse_value("--body", o->body);
		if (o->expect)
			o->targets[0].expect = parse_value("--expect", o->expect);
		o->target_count = 1;
		return;
	}
	if (strcmp(o->target, "/") != 0)
		usage_die("%s: with --mix the file gives the paths; give host and port only",
		    o->url);
	if (o->body || o->expect || o->status)
		usage_die("%s with --mix: say it in the file, for each target",
		    o->body ? "--body" : o->expect ? "--expect" : "--status");
	o->target_count = mix_read(o->targets, o->mix_file, message);
	if (!o->target_count)
		usage_die("%s", message);
}

void options_set_url(struct options *o, const char *url)
{
	struct slice rest = text_slice(url);
	o->url = url;
	if (!slice_starts_with(rest, SLICE("http://")))
		usage_die("%s: give a URL that starts with http://", o->url);
	rest = slice_skip(rest, 7);
	for (size_t i = 0; i < rest.len; i++)
		if (rest.ptr[i] <= ' ' || rest.ptr[i] > '~' || rest.ptr[i] == '#')
			usage_die("%s: write other than plain characters as %%XX", o->url);
	size_t len = strcspn(rest.ptr, "/?");
	if (memchr(rest.ptr, '@', len))
		usage_die("%s: no user and password here", o->url);
	parse_authority(o, (struct slice){ rest.ptr, len });
	rest = slice_skip(rest, len);
	const char *slash = *rest.ptr == '/' ? "" : "/";
	int written = snprintf(o->target, sizeof o->target, "%s%s", slash, rest.ptr);
	if (written >= (int)sizeof o->target)
		usage_die("the path of the URL is longer than %zu bytes", sizeof o->target - 1);
	find_targets(o);
}

static void check_populations(const struct options *o)
{
	if (o->depth > 1) {
		const char *other = o->rate_per_s ? "-R" : o->mix_file ? "--mix"
		    : o->requests_per_connection ? "--requests-per-connection"
		    : o->slow_count ? "--slow" : NULL;
		if (other)
			usage_die("--pipeline with %s: batches are of equal requests, in a closed "
			    "loop, on connections that stay; leave one out", other);
	}
	if (o->requests_per_connection && !o->duration_ns)
		usage_die("--requests-per-connection: with -d 0 nothing is sent; give a time");
	if (o->slow_target && !o->slow_count)
		usage_die("--slow-target: nobody asks for it; say how many do, as in --slow 20");
	if (o->slow_target && !mix_is_path(o->slow_target))
		usage_die("--slow-target %s: give a path that starts with /, other than plain "
		    "characters as %%XX", o->slow_target);
	if (o->slow_count && !o->duration_ns)
		usage_die("--slow: with -d 0 nothing is sent; give a time");
}

static void check_files(const struct options *o)
{
	const char *const paths[] = { o->json_path, o->series_path, o->hlog_path };
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < i; j++)
			if (paths[i] && paths[j] && strcmp(paths[i], paths[j]) == 0)
				usage_die("%s: two results cannot go into one file", paths[i]);
}

/* A fixed number is sent as fast as it goes, and begins with the first of them. */
static void set_requests(struct options *o)
{
	const char *other = o->duration_given ? "-d" : o->warmup_given ? "-w"
	    : o->rate_per_s ? "-R" : o->depth > 1 ? "--pipeline" : o->slow_count ? "--slow"
	    : o->requests_per_connection ? "--requests-per-connection"
	    : o->calibrate ? "--calibrate" : o->hlog_path ? "--hlog" : NULL;
	if (other)
		usage_die("--requests with %s: it ends when these are answered, in a closed loop, "
		    "one at a time; leave one out", other);
	if (o->requests < o->active_count)
		usage_die("--requests %u: give one to each of the %u connections at least (-c)",
		    o->requests, o->active_count);
	o->duration_ns = o->warmup_ns = 0;
}

/* What is right by itself and makes no sense together. */
static void check_together(struct options *o)
{
	if (o->requests)
		set_requests(o);
	bool counts_are_usual = !o->url && !o->active_given;
	if (o->worker_count > o->active_count && !counts_are_usual)
		usage_die("-t %u: more workers than connections (-c %u)", o->worker_count,
		    o->active_count);
	if (o->arrivals_given && !o->rate_per_s)
		usage_die("--arrivals: only an open loop has them; give its rate, as in -R 10k");
	if (o->rate_per_s && !o->duration_ns)
		usage_die("-R %u: with -d 0 nothing is sent; give a time", o->rate_per_s);
	check_populations(o);
	if (o->calibrate && !o->duration_ns)
		usage_die("--calibrate: with -d 0 there is no rate to compare; give a time");
	if (o->calibrate && o->depth > 1)
		usage_die("--calibrate with --pipeline: its ceiling is that of one request at a time; "
		    "leave one out");
	if (((o->warmup_given && o->warmup_ns) || o->ramp_ns) && !o->duration_ns)
		usage_die("-w: with -d 0 nothing is measured, nor warmed up for; use --hold");
	if (o->ramp_ns && o->rate_per_s)
		usage_die("--ramp: an open loop sends when it is due (-R); leave one of them out");
	if (o->ramp_ns > o->warmup_ns)
		usage_die("--ramp: longer than the warm-up, in which it belongs; give a longer -w");
	if (o->hlog_path && !o->duration_ns)
		usage_die("--hlog: with -d 0 nothing is measured; give a time");
	check_files(o);
}

/* An unknown letter, which may stand among others, or the unknown word before optind. */
__attribute__((noreturn))
static void die_unknown(const char *word)
{
	if (optopt && optopt < OPTION_IDLE && optopt != 'h')
		usage_die("-%c: no such option; -h lists them", optopt);
	if (optopt)
		usage_die("%s: this option takes no value", word);
	usage_die("%s: no such option; -h lists them", word);
}

/* Has this option a meaning for --calibrate without a URL? */
static bool is_of_client(int option)
{
	return option == 'c' || option == 't' || option == OPTION_CPU || option == OPTION_CALIBRATE;
}

__attribute__((noreturn)) static void refuse_alone(int option)
{
	char name[2] = { (char)option, '\0' };
	const char *text = name;
	for (const struct option *o = long_options; o->name; o++)
		if (o->val == option)
			text = o->name;
	usage_die("%s%s: --calibrate alone takes -c, -t and --cpu; or give a URL",
	    text == name ? "-" : "--", text);
}

void options_init(struct options *o)
{
	*o = (struct options){
		.active_count = 10,
		.worker_count = 1,
		.depth = 1,
		.seed = random_seed(),
		.duration_ns = UINT64_C(10000000000),
		.warmup_ns = UINT64_C(1000000000),
		.timeout_ns = UINT64_C(10000000000),
		.series_step_ns = UINT64_C(100000000),
		.hlog_step_ns = UINT64_C(1000000000),
		.sync_fd = -1,
	};
}

void options_parse(struct options *o, int argc, char **argv)
{
	int of_server = 0; /* the last option that concerns a server */
	options_init(o);
	opterr = 0;
	for (;;) {
		int option = getopt_long(argc, argv, ":c:t:d:w:R:h", long_options, NULL);
		if (option == -1)
			break;
		if (option == 'h') {
			fputs(help_text, stdout);
			exit(0);
		}
		if (option == OPTION_VERSION) {
			puts("loadgen of c10k, schema c10k.loadgen/1");
			exit(0);
		}
		if (option == ':')
			usage_die("%s needs a value; -h shows examples", argv[optind - 1]);
		if (option == '?')
			die_unknown(argv[optind - 1]);
		parse_option(o, option, optarg);
		if (!is_of_client(option))
			of_server = option;
	}
	bool alone = o->calibrate && optind == argc;
	if (alone && of_server)
		refuse_alone(of_server);
	if (!alone && optind + 1 != argc)
		usage_die(optind == argc ? "which URL? For example: loadgen http://127.0.0.1:8080/"
					 : "one URL, please, at the end of the line");
	if (!alone)
		options_set_url(o, argv[optind]);
	check_together(o);
}
