/*
 * main.c: the load generator, in the order in which it works: options, preflight, calibration if
 * asked for, the run, the report. What each does stands in its own file; who may do I/O stands in
 * docs/ARCHITECTURE.md.
 */
#include <errno.h>
#include <string.h>

#include "calibrate.h"
#include "json.h"
#include "lib/sys/die.h"
#include "options.h"
#include "output.h"
#include "preflight.h"
#include "run.h"

enum { EXIT_INVALID = 4, EXIT_SIGNAL = 128 };

/* Opened before the run: a result that cannot be kept is not worth waiting for. */
static FILE *open_json(const char *path)
{
	if (!path)
		return NULL;
	if (strcmp(path, "-") == 0)
		return stdout;
	FILE *file = fopen(path, "w");
	if (!file)
		die_errno(errno, "cannot write %s", path);
	return file;
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
	options_parse(&options, argc, argv);
	if (!options.url) {
		signal_number = calibrate_host(&options);
		return signal_number ? EXIT_SIGNAL + signal_number : 0;
	}
	FILE *json = open_json(options.json_path);
	load.options = &options;
	preflight(&options, &load, exchanges);
	if (options.calibrate) {
		signal_number = calibrate(&options, &calibration);
		if (signal_number)
			return EXIT_SIGNAL + signal_number;
		result.calibration = &calibration;
	}

	signal_number = run_load(&load, &result);

	if (json != stdout)
		output_report(&options, &result);
	if (json && !json_write(json, &options, &result))
		die_errno(errno, "cannot write %s", options.json_path);
	if (signal_number)
		return EXIT_SIGNAL + signal_number;
	return result.verdict == VERDICT_INVALID ? EXIT_INVALID : 0;
}
