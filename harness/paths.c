/* paths.c: the layout of the house, and small files read whole. */
#include "harness/paths.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/sys/die.h"

void path_make(char path[PATH_CAP], const char *format, ...)
{
	va_list args;
	va_start(args, format);
	int len = vsnprintf(path, PATH_CAP, format, args);
	va_end(args);
	if (len < 0 || len >= PATH_CAP)
		die("path of more than %d bytes: move the project nearer to the root", PATH_CAP);
}

void paths_find(struct paths *paths)
{
	char self[PATH_CAP];
	ssize_t len = readlink("/proc/self/exe", self, sizeof(self) - 1);
	if (len <= 0)
		die_errno(errno, "cannot tell where I am (is /proc mounted?)");
	self[len] = '\0';
	*strrchr(self, '/') = '\0';
	path_make(paths->build, "%s", self);
	char *slash = strrchr(self, '/');
	*(slash == self ? slash + 1 : slash) = '\0';
	path_make(paths->root, "%s", self);
	path_make(paths->servers, "%s/servers", paths->build);
	path_make(paths->loadgen, "%s/loadgen", paths->build);
	path_make(paths->plans, "%s/harness/plans", paths->root);
	path_make(paths->results, "%s/results", paths->root);
}

char *file_read(const char *path)
{
	FILE *file = fopen(path, "re");
	if (!file)
		return NULL;
	size_t len = 0, cap = 4096;
	char *text = malloc(cap);
	while (text) {
		len += fread(text + len, 1, cap - 1 - len, file);
		if (len < cap - 1)
			break;
		cap *= 2;
		char *more = realloc(text, cap);
		if (!more)
			free(text);
		text = more;
	}
	int problem = ferror(file) ? errno : 0;
	fclose(file);
	if (text && problem) {
		free(text);
		text = NULL;
		errno = problem;
	}
	if (text)
		text[len] = '\0';
	return text;
}

char *file_first_line(const char *path, char *out, int cap)
{
	out[0] = '\0';
	FILE *file = fopen(path, "re");
	if (!file)
		return out;
	if (!fgets(out, cap, file))
		out[0] = '\0';
	fclose(file);
	out[strcspn(out, "\n")] = '\0';
	return out;
}
