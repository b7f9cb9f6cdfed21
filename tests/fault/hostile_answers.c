/*
 * hostile_answers.c: what servers should not do to the load generator, and what it makes of it.
 *
 *     hostile_answers PORT LOADGEN
 *
 * One answer in three is hostile in one way (hostile_server.h), in a closed loop and in an open
 * one. The load generator must count each of them under the one right error (docs/MEASURING.md has
 * the same table), no other request under any, and none as completed; and it must live on, in a
 * build with sanitizers. Prints a line for each run, then how many passed and failed.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "harness/process.h"
#include "tests/fault/hostile_server.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define S_NS UINT64_C(1000000000)

enum {
	CONNECTIONS = 8,
	GOOD_FIRST = CONNECTIONS + 1, /* of the preflight and of the barrier */
	OUTPUT_CAP = 256 * 1024,
	EXIT_INVALID = 4,
};

static const char *const error_names[] = {
	"connect", "timeout", "reset", "closed", "status", "body", "malformed"
};

struct scenario {
	const char *error; /* that each hostile answer is counted as; NULL: it is good after all */
	struct hostile_answer answer;
};

static const struct scenario scenarios[] = {
	{ "timeout", { "Content-Length larger than the body",
	    SLICE(OK "Content-Length: 100\r\n\r\nHello, World!"), HOSTILE_KEEP, { 0 } } },
	{ "malformed", { "Content-Length smaller than the body",
	    SLICE(OK "Content-Length: 5\r\n\r\nHello, World!"), HOSTILE_KEEP, { 0 } } },
	{ "body", { "a shorter body",
	    SLICE(OK "Content-Length: 5\r\n\r\nHello"), HOSTILE_KEEP, { 0 } } },
	{ "body", { "another body",
	    SLICE(OK "Content-Length: 13\r\n\r\nHello, Wurld!"), HOSTILE_KEEP, { 0 } } },
	{ "status", { "another status",
	    SLICE("HTTP/1.1 503 No\r\nContent-Length: 13\r\n\r\nHello, World!"),
	    HOSTILE_KEEP, { 0 } } },
	{ "closed", { "truncated in the head", SLICE(OK "Content-Le"), HOSTILE_CLOSE, { 0 } } },
	{ "closed", { "truncated in the body",
	    SLICE(OK "Content-Length: 13\r\n\r\nHello,"), HOSTILE_CLOSE, { 0 } } },
	{ "malformed", { "garbage", SLICE("\x16\x03\x01\0\x05 220 ready\r\n\r\n\xff\xfe"),
	    HOSTILE_KEEP, { 0 } } },
	{ NULL, { "interim heads, then a good answer",
	    SLICE("HTTP/1.1 100 Continue\r\n\r\n"
		  "HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n"
		  GOOD_ANSWER), HOSTILE_KEEP, { 0 } } },
	{ "malformed", { "interim heads without end", SLICE("HTTP/1.1 100 Continue\r\n\r\n"),
	    HOSTILE_REPEAT, SLICE("HTTP/1.1 103 Early Hints\r\n\r\n") } },
	{ "malformed", { "chunked",
	    SLICE(OK "Transfer-Encoding: chunked\r\n\r\nd\r\nHello, World!\r\n0\r\n\r\n"),
	    HOSTILE_KEEP, { 0 } } },
	{ "timeout", { "slow", SLICE(GOOD_ANSWER), HOSTILE_DRIP, { 0 } } },
	{ "reset", { "reset amid the body",
	    SLICE(OK "Content-Length: 13\r\n\r\nHello,"), HOSTILE_RESET, { 0 } } },
	{ "reset", { "reset before any byte", { 0 }, HOSTILE_RESET, { 0 } } },
	{ "closed", { "closed before any byte", { 0 }, HOSTILE_CLOSE, { 0 } } },
	{ "malformed", { "a byte behind the answer",
	    SLICE(GOOD_ANSWER "!"), HOSTILE_KEEP, { 0 } } },
	{ "malformed", { "a second answer behind the answer",
	    SLICE(GOOD_ANSWER GOOD_ANSWER), HOSTILE_KEEP, { 0 } } },
	{ "malformed", { "a head without end", SLICE(OK), HOSTILE_REPEAT,
	    SLICE("Filler: ffffffffffffffffffffffffffffffffffffffffffffffffffff\r\n") } },
};

static char output[OUTPUT_CAP];
static const char *run_name;
static bool failed;

__attribute__((format(printf, 1, 2))) static void complain(const char *format, ...)
{
	va_list arguments;
	printf("FAILED %s: ", run_name);
	va_start(arguments, format);
	vprintf(format, arguments);
	va_end(arguments);
	putchar('\n');
	failed = true;
}

/* The first number of that name behind `group` in the JSON, or -1. */
static long long number(const char *group, const char *name)
{
	char key[64];
	snprintf(key, sizeof key, "\"%s\": ", name);
	const char *at = strstr(output, group);
	at = at ? strstr(at, key) : NULL;
	return at ? strtoll(at + strlen(key), NULL, 10) : -1;
}

/* Runs the load generator against the server; its exit code. */
static int run_load(const char *program, uint16_t port, const struct scenario *s, bool open)
{
	char line[512];
	bool late = s->error && strcmp(s->error, "timeout") == 0;
	snprintf(line, sizeof line,
	    "exec %s -c %d -w 0 -d %s --timeout %s %s --json - http://127.0.0.1:%u/", program,
	    CONNECTIONS, late ? "1s" : "250ms", late ? "700ms" : "10s", open ? "-R 2k" : "", port);
	char *argv[] = { "/bin/sh", "-c", line, NULL };
	hostile_start(port, &s->answer, GOOD_FIRST);
	int code = process_capture(argv, output, sizeof output, 20 * S_NS);
	hostile_stop();
	return code;
}

/* Its account against the server's. */
static void check_counts(const char *error)
{
	if (hostile.hostile_count == 0)
		complain("no answer was hostile");
	for (size_t i = 0; i < COUNT(error_names); i++) {
		bool wanted = error && strcmp(error, error_names[i]) == 0;
		long long counted = number("\"errors\": {", error_names[i]);
		if (counted != (wanted ? hostile.hostile_count : 0))
			complain("%d hostile answers, %lld errors of the kind %s",
			    hostile.hostile_count, counted, error_names[i]);
	}
	/* some were before the window or behind it; in an open loop, which begins with it, few */
	int good_count = hostile.good_count + (error ? 0 : hostile.hostile_count);
	long long completed = number("\"requests\": {", "completed");
	if (completed < 1 || completed > good_count - GOOD_FIRST)
		complain("%d good answers, %d of them before the load: %lld completed", good_count,
		    GOOD_FIRST, completed);
	if (number("\"requests\": {", "lifetime") != hostile.request_count)
		complain("%d requests came, %lld were sent", hostile.request_count,
		    number("\"requests\": {", "lifetime"));
}

static bool run(const char *program, uint16_t port, const struct scenario *s, bool open)
{
	char name[128];
	snprintf(name, sizeof name, "%s, %s loop", s->answer.name, open ? "open" : "closed");
	run_name = name;
	failed = false;
	int code = run_load(program, port, s, open);
	/* a busy machine may make any run invalid */
	if (code != EXIT_INVALID && (s->error || code != 0))
		complain("exit code %d", code);
	if (strstr(output, "Sanitizer") || strstr(output, "runtime error"))
		complain("%.2000s", output);
	else
		check_counts(s->error);
	printf("%-52s %3d times %s\n", name, hostile.hostile_count, s->error ? s->error : "good");
	fflush(stdout);
	return !failed;
}

int main(int argc, char **argv)
{
	int counts[2] = { 0, 0 };
	die_program = "hostile_answers";
	if (argc != 3)
		usage_die("hostile_answers PORT LOADGEN");
	uint16_t port = (uint16_t)strtoul(argv[1], NULL, 10);
	setenv("UBSAN_OPTIONS", "halt_on_error=1", 1);
	for (size_t i = 0; i < COUNT(scenarios); i++) {
		counts[run(argv[2], port, &scenarios[i], false)]++;
		counts[run(argv[2], port, &scenarios[i], true)]++;
	}
	printf("%d passed, %d failed\n", counts[1], counts[0]);
	return counts[0] ? 1 : 0;
}
