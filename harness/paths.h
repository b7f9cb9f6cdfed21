/*
 * paths.h: where things are, found from the executable: build/c10k, its neighbours build/loadgen
 * and build/servers/, and the project's folder above. So the harness runs from anywhere.
 */
#ifndef PATHS_H
#define PATHS_H

#include <stdbool.h>

enum { PATH_CAP = 4096 };

struct paths {
	char root[PATH_CAP];    /* the project */
	char build[PATH_CAP];   /* build/ */
	char servers[PATH_CAP];
	char loadgen[PATH_CAP];
	char plans[PATH_CAP];
	char results[PATH_CAP];
};

/* Dies when /proc does not tell. */
void paths_find(struct paths *paths);

/* printf into a path; dies when it does not fit. */
__attribute__((format(printf, 2, 3))) void path_make(char path[PATH_CAP], const char *format, ...);

/* The whole file, in memory from malloc; NULL and errno when it cannot be read. */
char *file_read(const char *path);

/* The first line of a file, without its end; "" when there is none. Returns `out`. */
char *file_first_line(const char *path, char *out, int cap);

#endif
