/* ask.h: the first answers, with which all later ones are compared. */
#ifndef LOADGEN_ASK_H
#define LOADGEN_ASK_H

#include "lib/sys/net.h"
#include "options.h"
#include "session.h"
#include "worker.h"

/* A connection to one address, established by then: the descriptor, or -errno. */
int ask_connect(const struct net_address *address, uint64_t deadline_ns);

/*
 * Asks load->address once for each exchange that the run will have (worker.h says where each
 * stands), the first time on the connection `fd`, and fills `exchanges`, whose bytes live as long
 * as the program. Each answer must be as its target wants it; the first that is not ends the
 * program with one line.
 */
void ask_all(const struct options *o, struct load *load, int fd, struct exchange *exchanges);

#endif
