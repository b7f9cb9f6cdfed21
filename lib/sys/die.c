/*
 * die.c: the ends of a program, each one line on standard error. Nothing is flushed or cleaned
 * up beyond what exit() does: a message that says how to mend things is all that a failed set-up
 * owes its user.
 */
#include "lib/sys/die.h"

#include <ctype.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

const char *die_program = "c10k";

enum { EXIT_SETUP = 1, EXIT_USAGE = 2, EXIT_SKIPPED = 77 };

/* One line, whatever it quotes: a file's name or a plan's value may hold a newline or an escape. */
static void print_line(const char *kind, int error, const char *format, va_list args)
{
	char text[8192];
	vsnprintf(text, sizeof(text), format, args);
	for (char *ch = text; *ch; ch++)
		if (iscntrl((unsigned char)*ch))
			*ch = '?';
	fprintf(stderr, "%s: %s%s%s%s\n", die_program, kind, text, error ? ": " : "",
	    error ? strerror(error) : "");
}

void die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	print_line("", 0, format, args);
	va_end(args);
	exit(EXIT_SETUP);
}

void die_errno(int error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	print_line("", error, format, args);
	va_end(args);
	exit(EXIT_SETUP);
}

void usage_die(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	print_line("", 0, format, args);
	va_end(args);
	exit(EXIT_USAGE);
}

const char *usage_refused(char *const *argv)
{
	const char *word = argv[optind]; /* where there are more letters behind the one refused */
	bool amid = word && optopt && word[0] == '-' && word[1] == optopt;
	return amid ? word : argv[optind - 1];
}

void skip_die(int error, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	print_line("", error, format, args);
	va_end(args);
	exit(EXIT_SKIPPED);
}

void warn_line(const char *format, ...)
{
	va_list args;
	va_start(args, format);
	print_line("warning: ", 0, format, args);
	va_end(args);
}
