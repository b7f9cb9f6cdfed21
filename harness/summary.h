/* summary.h: what a run ends with on the terminal: its report's answers, in a few lines each. */
#ifndef SUMMARY_H
#define SUMMARY_H

#include <stdbool.h>
#include <stdint.h>

#include "harness/progress.h"

/* The run's grade and its answers, from its file, in lines of 80 columns. */
void summary_print_answers(const char *run_folder, bool colour);

/* How many cells there are, and which file to open: report.html, or cells.csv without one. */
void summary_print_cells(
    const struct progress *p, const char *run_folder, uint64_t spent_ns, bool has_report);

#endif
