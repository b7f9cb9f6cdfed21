/* merge.h: `loadgen merge`: results of several machines as one. */
#ifndef LOADGEN_MERGE_H
#define LOADGEN_MERGE_H

#include "options.h"
#include "stats.h"

/*
 * Parses `merge [--json FILE|-] A.json B.json ...`, argv[0] being "merge", and reads the files.
 * They are taken to have run at the same time, against one server: counts, connections and rates
 * add, histograms are united bucket by bucket, the verdict is the gravest and every reason is told
 * with the name of its file. What cannot be one result is refused in one line, exit 2.
 */
void merge_results(struct options *o, struct result *r, int argc, char **argv);

#endif
