/* run.h: the run as the main thread leads it: phases, edges of the measure window, the harness. */
#ifndef LOADGEN_RUN_H
#define LOADGEN_RUN_H

#include "stats.h"
#include "worker.h"

/*
 * Runs the load from the first connect to the end of the drain and fills *r, verdict included. A
 * signal (SIGINT, SIGTERM) ends it early, with what was measured so far: returns its number, or 0.
 */
int run_load(const struct load *load, struct result *r);

#endif
