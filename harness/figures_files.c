/* figures_files.c: the files of a figure, opened, written and closed with what went wrong told. */
#include <errno.h>
#include <math.h>

#include "harness/figures.h"
#include "lib/sys/die.h"

FILE *figures_open(
    const char *plots, struct report_data *data, const char *name, const char *extension)
{
	const char *path = report_printf(&data->pool, "%s/%s.%s", plots, name, extension);
	FILE *file = fopen(path, "w");
	if (!file)
		warn_line("report: cannot write %s: %s", path, strerror(errno));
	return file;
}

bool figures_close(FILE *file, const char *name)
{
	bool whole = !ferror(file);
	whole = fclose(file) == 0 && whole;
	if (!whole)
		warn_line("report: cannot write all of %s: is the disk full?", name);
	return whole;
}

void figures_put_value(FILE *out, double value)
{
	if (isfinite(value))
		fprintf(out, "\t%.9g", value);
	else
		fputc('\t', out);
}
