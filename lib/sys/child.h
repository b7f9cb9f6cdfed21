/* child.h: a child process of a server, which never outlives it. */
#ifndef CHILD_H
#define CHILD_H

#include <sys/types.h>

/*
 * As fork(2), or -errno: -EAGAIN when no more processes are permitted. The child is killed when the
 * thread that called this ends (PR_SET_PDEATHSIG, prctl(2)).
 */
pid_t child_fork(void);

#endif
