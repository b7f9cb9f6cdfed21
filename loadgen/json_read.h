/* json_read.h: a result that json_write() has written, read back. */
#ifndef LOADGEN_JSON_READ_H
#define LOADGEN_JSON_READ_H

#include "options.h"
#include "stats.h"

/*
 * Fills *o and *r with what the file says, histograms bucket by bucket; `workers`, `url` and
 * `expect` are the caller's to free. Ends the program with one line, exit 2, when the file is none
 * or damaged.
 *
 * Not in a result, and not needed to show one again: host and target apart, in_system_ns, the time
 * of edges; of several workers, each has the highest share of spinning, waiting and full waits.
 */
void json_read(const char *path, struct options *o, struct result *r);

#endif
