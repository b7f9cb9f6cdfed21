/*
 * strace.h: where BPF is not permitted, strace(1) counts the system calls of a program that it
 * starts itself: any user may. It stops the program twice at each call, so nothing but the counts
 * is of use.
 */
#ifndef STRACE_H
#define STRACE_H

#include <stdbool.h>

#include "harness/syscalls.h"

enum { STRACE_ARGUMENTS = 9 };

/* NULL, or why it cannot be used. */
const char *strace_problem(void);
/*
 * What stands before a program's own arguments: strace counts it and its children into the file
 * `log`. The program is our child, strace its grandchild.
 */
void strace_arguments(char *argv[STRACE_ARGUMENTS], char *log);
/*
 * Reads the log into *list, once the program has ended: strace may need a moment to write it. False
 * when it does not come.
 */
bool strace_read(const char *log, struct syscall_list *list);

#endif
