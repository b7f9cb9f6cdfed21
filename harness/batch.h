/*
 * batch.h: a cell of the experiment batch: hyperfine times the load generator from its start to its
 * end, while it sends a fixed number of requests to one server, several times over. This is the
 * number that a user would take himself, start, connects and all: what other cells measure inside a
 * window is a part of it.
 */
#ifndef BATCH_H
#define BATCH_H

#include "harness/measure.h"

/* Why batches cannot be timed; NULL when they can. */
const char *batch_problem(void);

/* As measure_cell(), for a cell that is possible. */
bool batch_measure(const struct measure_setup *setup, const struct cell *cell,
    const struct server_info *info, struct row *row);

#endif
