/*
 * main.c: the load generator, in the order in which it works: options, preflight, calibration if
 * asked for, the run, the report. What each does stands in its own file; who may do I/O stands in
 * docs/ARCHITECTURE.md.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "calibrate.h"
#include "exports.h"
#include "json.h"
#include "lib/sys/die.h"
#include "merge.h"
#include "options.h"
#include "output.h"
#include "preflight.h"
#include "run.h"

enum { EXIT_INVALID = 4, EXIT_SIGNAL = 128 };

/* A file of ours in the place of a closed standard stream would be printed into. */
static void fill_standard_streams(void)
{
	int fd;
	while ((fd = open("/dev/null", O_RDONLY | O_CLOEXEC)) >= 0 && fd <= STDERR_FILENO)
		;
	close(fd);
}

static FILE *open_json(const char *path)
{
	if (!path)
		return NULL;
	return strcmp(path, "-") == 0 ? stdout : export_open(path);
}

static void check_output(void)
{
	if (fflush(stdout) != 0 || ferror(stdout))
		die_errno(errno, "cannot write the report");
}

/*
 * The report, or JSON instead of it, or both; returns the exit code. Standard output comes last:
 * whoever was to read it may be gone, and that must cost no file.
 */
static int report(FILE *json, const struct options *o, const struct result *r)
{
	bool written = !json || json_write(json, o, r);
	if (!written && json != stdout)
		warn_line("cannot write %s: %s", o->json_path, strerror(errno));
	if (json != stdout)
		output_report(o, r);
	check_output();
	if (!written)
		return EXIT_FAILURE;
	return r->verdict == VERDICT_INVALID ? EXIT_INVALID : 0;
}

int main(int argc, char **argv)
{
	static struct options options;
	static struct load load;
	static struct exchange exchanges[EXCHANGES_MAX];
	static struct result result;
	static struct calibration calibration;
	int signal_number = 0;

	die_program = "loadgen";
	fill_standard_streams();
	if (argc > 1 && strcmp(argv[1], "merge") == 0) {
		merge_results(&options, &result, argc - 1, argv + 1);
		return report(open_json(options.json_path), &options, &result);
	}
	options_parse(&options, argc, argv);
	if (!options.url) {
		signal_number = calibrate_host(&options);
		check_output();
		return signal_number ? EXIT_SIGNAL + signal_number : 0;
	}
	FILE *json = open_json(options.json_path);
	FILE *series = options.series_path ? export_open(options.series_path) : NULL;
	FILE *hlog = options.hlog_path ? export_open(options.hlog_path) : NULL;
	load.options = &options;
	preflight(&options, &load, exchanges);
	if (options.calibrate) {
		signal_number = calibrate(&options, &calibration);
		if (signal_number)
			return EXIT_SIGNAL + signal_number;
		result.calibration = &calibration;
	}

	signal_number = run_load(&load, &result);

	bool written = exports_write(series, hlog, &options, &result);
	int code = report(json, &options, &result);
	if (!written || code == EXIT_FAILURE)
		return EXIT_FAILURE;
	return signal_number ? EXIT_SIGNAL + signal_number : code;
}
