/* json.h: the result for programs, schema c10k.loadgen/1. */
#ifndef LOADGEN_JSON_H
#define LOADGEN_JSON_H

#include <stdio.h>

#include "options.h"
#include "stats.h"

/* Writes one object. False when the file could not be written. */
bool json_write(FILE *file, const struct options *o, const struct result *r);

#endif
