/*
 * preflight.h: all that can be known before the load starts. Each check that fails ends the program
 * with one line: what is short, by how much, and the command that mends it.
 */
#ifndef LOADGEN_PREFLIGHT_H
#define LOADGEN_PREFLIGHT_H

#include "options.h"
#include "session.h"
#include "worker.h"

/*
 * Checks files, ports and memory for the connections asked for, before it opens the first. Then it
 * finds the server, and asks it once for each target: those first answers, which must be as
 * --status, --expect or the mix want them, are what every later one is compared with. Fills the
 * load's address and `exchanges` (EXCHANGES_MAX), whose bytes live as long as the program.
 */
void preflight(const struct options *o, struct load *load, struct exchange *exchanges);

#endif
