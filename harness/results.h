/*
 * results.h: the results folder: one run at a time, a folder per run, `latest` pointing to the
 * newest. Each function dies with one line that says how to mend things.
 */
#ifndef RESULTS_H
#define RESULTS_H

#include "harness/paths.h"

enum { EXIT_LOCKED = 5 };

/*
 * Makes the folder and takes its lock, which the kernel gives back when this process ends, however
 * it ends. Exits with EXIT_LOCKED when another run holds it.
 */
void results_lock(const char *results);

/*
 * Makes results/YYYYMMDD-HHMMSS-PLAN with logs/ in it; `name` and `folder` tell its name and path.
 */
void results_make_run(
    const char *results, const char *plan, char name[PATH_CAP], char folder[PATH_CAP]);

/* Lets results/latest point to the run. A warning when it cannot. */
void results_set_latest(const char *results, const char *name);

#endif
