/*
 * resume.h: `c10k bench --resume RUN`: a run that ended early, by Ctrl-C, a kill or a power cut, goes on with
 * exactly the cells that its file lacks, in the order that its seed gave. The file says all that is
 * needed for that: the options it was started with, plan and seed.
 */
#ifndef RESUME_H
#define RESUME_H

#include "harness/bench_options.h"
#include "harness/store.h"

/* Writes down what a later --resume needs, beside plan_text and seed. */
void resume_store(struct store *store, const struct bench_options *o, int argc, char **argv);

/*
 * Locks the results folder, opens the run that o->resume names and makes *o what it was then; name and
 * folder of the run are told as by results_make_run(). Exits with one line when there is no such
 * run; with 0 when nothing is missing in it.
 */
struct store *resume_open(struct bench_options *o, char name[PATH_CAP], char folder[PATH_CAP]);

/* Exits with one line that says what has changed, when `now` is not as it was (provenance.h). */
void resume_check(struct store *store, struct store *now, const struct bench_options *o);

/* Removes report and table of a run that goes on: they tell of fewer cells, should it be killed. */
void resume_clear(const char *folder);

/*
 * Where the latest block beyond the plan began (--until-decided), whether or not it was finished; UINT32_MAX
 * when there was none.
 */
uint32_t resume_block(struct store *store);

#endif
