/*
 * die.h: the ends of a program. CHECK: a bug of ours, never compiled out. die: the set-up cannot
 * work, exit 1. usage_die: the user asked for what cannot be, exit 2. skip_die: this machine cannot
 * do it at all, exit 77, and the harness shows it as unsupported. Each prints one line that says
 * what is wrong and how to mend it. What a peer does is none of these.
 */
#ifndef DIE_H
#define DIE_H

#include <stdio.h>
#include <stdlib.h>

#define CHECK(condition) \
	((condition) ? (void)0 \
	             : (fprintf(stderr, "%s:%d: bug: %s\n", __FILE__, __LINE__, #condition), abort()))

/* Set once by main: the name before each message. */
extern const char *die_program;

__attribute__((noreturn, format(printf, 1, 2))) void die(const char *format, ...);
/* As die(), with ": " and the system's words for `error` (an errno value) behind. */
__attribute__((noreturn, format(printf, 2, 3))) void die_errno(int error, const char *format, ...);
__attribute__((noreturn, format(printf, 1, 2))) void usage_die(const char *format, ...);
__attribute__((noreturn, format(printf, 2, 3))) void skip_die(int error, const char *format, ...);
/* The word that getopt_long(3) has just refused with '?', "-port" or "--prot". */
const char *usage_refused(char *const *argv);
/* A warning: one line, the program goes on. */
__attribute__((format(printf, 1, 2))) void warn_line(const char *format, ...);

#endif
