/* exports.h: the files of --series (CSV) and --hlog (HdrHistogram interval log). */
#ifndef LOADGEN_EXPORTS_H
#define LOADGEN_EXPORTS_H

#include <stdio.h>

#include "options.h"
#include "stats.h"

/* Before the run, since a result that cannot be kept is not worth waiting for; dies with a line. */
FILE *export_open(const char *path);

/* After it: both files, those that were asked for. False, with a line, when one cannot be written. */
bool exports_write(FILE *series, FILE *hlog, const struct options *o, const struct result *r);

#endif
