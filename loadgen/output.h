/* output.h: for people: the report on standard output, progress on standard error. */
#ifndef LOADGEN_OUTPUT_H
#define LOADGEN_OUTPUT_H

#include "options.h"
#include "stats.h"

void output_report(const struct options *o, const struct result *r);

/* One line that rewrites itself, `done` of `total` as a share; nothing without a terminal. */
void output_progress(const char *phase, uint64_t done, uint64_t total, double rate_per_s,
    uint64_t errors);
void output_progress_end(void);
/* The line says this instead of the phase, until it is NULL. */
void output_progress_name(const char *name);

#endif
