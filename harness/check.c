/*
 * check.c: see check.h. One connection at a time, on blocking sockets: so a failure belongs to one
 * case, and the connection of the next case is the proof that the server has survived the last.
 * Nothing is waited for that does not come: a connection that should be kept is asked for one more
 * answer, one that should end is read to its end.
 */
#include "harness/check.h"

#include <errno.h>
#include <jansson.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/probe.h"
#include "harness/unread.h"
#include "harness/wire.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"

enum {
	PATIENCE_S = 3,   /* for an answer */
	TIMEOUTS_MAX = 5, /* then the server hangs, and the rest is not tried */
	EXIT_SKIPPED = 77,
	CAME_CAP = 4 * 1024 * 1024,
	DETAIL_CAP = 4096,
	QUOTE_LEN = 300,    /* bytes of a message shown in a failure */
	SPLIT_STRIDE = 997, /* pieces of the long middle of a long message */
	ARGUMENTS_MAX = 32,
	FIRST_PORT = 23100,
	PORT_COUNT = 400,
};
#define START_NS (5 * UINT64_C(1000000000))
#define STOP_NS (2 * UINT64_C(1000000000))
#define READ_NS UINT64_C(2000000)  /* for the server to read one piece */
#define PAUSE_NS UINT64_C(2000000) /* between two looks at a server that starts */

struct check {
	const struct check_options *options;
	struct check_summary *summary;
	struct process process;
	uint16_t port;
	char server[64]; /* what its Server field says */
	int diag_fd;
	uint32_t timeout_count;
	int fd;     /* the connection of the case */
	bool ended; /* the server has ended it */
	size_t came_len;
	char *came;
	char detail[DETAIL_CAP];
};

/* --- telling ---------------------------------------------------------------------------------- */

static void report(struct check *k, const char *case_id, const char *section,
    enum wire_sending sending, bool passed)
{
	if (passed)
		k->summary->passed++;
	else
		k->summary->failed++;
	if (!k->options->on_result)
		return;
	struct check_result result = { case_id, section, wire_sending_name(sending), passed,
		passed ? NULL : k->detail };
	k->options->on_result(k->options->context, &result);
}

__attribute__((format(printf, 2, 3))) static void say(struct check *k, const char *format, ...)
{
	size_t at = strlen(k->detail);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(k->detail + at, DETAIL_CAP - at, format, arguments);
	va_end(arguments);
}

/* A quotation as in C, cut in the middle when it is long. */
static void say_quoted(struct check *k, const char *label, struct slice bytes)
{
	say(k, "\n%s \"", label);
	for (size_t i = 0; i < bytes.len; i++) {
		unsigned char ch = (unsigned char)bytes.ptr[i];
		if (i == QUOTE_LEN && bytes.len > 2 * QUOTE_LEN) {
			say(k, "\" ... %zu bytes ... \"", bytes.len - 2 * QUOTE_LEN);
			i = bytes.len - QUOTE_LEN - 1;
		} else if (ch == '\r') {
			say(k, "\\r");
		} else if (ch == '\n') {
			say(k, "\\n");
		} else if (ch < ' ' || ch >= 0x7f || ch == '"' || ch == '\\') {
			say(k, "\\%03o", ch);
		} else {
			say(k, "%c", ch);
		}
	}
	say(k, "\"");
}

static void say_case(struct check *k, const struct wire_case *c, struct slice sent)
{
	say(k, "\nasked for:");
	for (int i = 0; i < WIRE_ANSWERS_MAX && c->status[i]; i++)
		say(k, " %u,", c->status[i]);
	if (c->flags & WIRE_CUT)
		say(k, " no success,");
	say(k, " then the connection %s (%s: %s)", c->flags & WIRE_CLOSE ? "ends" : "is kept",
	    c->section, c->rule);
	say_quoted(k, "sent:", sent);
	say_quoted(k, "came:", (struct slice){ k->came, k->came_len });
	if (k->ended)
		say(k, ", then the end");
}

/* --- one connection --------------------------------------------------------------------------- */

static bool open_connection(struct check *k)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons(k->port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct timeval patience = { .tv_sec = PATIENCE_S };
	int on = 1;
	k->came_len = 0;
	k->ended = false;
	k->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (k->fd < 0)
		die_errno(errno, "socket for the check");
	setsockopt(k->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	setsockopt(k->fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
	setsockopt(k->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	if (connect(k->fd, (struct sockaddr *)&address, sizeof address) == 0)
		return true;
	say(k, "cannot connect: %s", strerror(errno));
	close(k->fd);
	return false;
}

/* All of it; that the server stops reading is not an error here: the judge sees what it answers. */
static void send_all(struct check *k, struct slice bytes)
{
	while (bytes.len > 0) {
		ssize_t n = send(k->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return;
		bytes = slice_skip(bytes, (size_t)n);
	}
}

/* A byte at a time, each after the server has read the last; a long middle in longer pieces. */
static void send_split(struct check *k, const struct wire_case *c, struct slice bytes)
{
	size_t fill_from = c->bytes.len, fill_to = bytes.len - c->rest.len;
	for (size_t at = 0; at < bytes.len;) {
		size_t len = 1;
		if (at > fill_from && fill_to > at + 1 && fill_to - fill_from > SPLIT_STRIDE)
			len = fill_to - at - 1 < SPLIT_STRIDE ? fill_to - at - 1 : SPLIT_STRIDE;
		send_all(k, (struct slice){ bytes.ptr + at, len });
		unread_wait(k->diag_fd, k->fd, READ_NS);
		at += len;
	}
}

/* Receives more; false, with the reason said, when nothing comes. */
static bool receive(struct check *k)
{
	ssize_t n;
	do
		n = recv(k->fd, k->came + k->came_len, CAME_CAP - k->came_len, 0);
	while (n < 0 && errno == EINTR);
	if (n > 0) {
		k->came_len += (size_t)n;
	} else if (n == 0) {
		k->ended = true;
	} else if (errno == EAGAIN) {
		k->timeout_count++;
		say(k, "nothing more came for %d s", PATIENCE_S);
	} else {
		say(k, "%s, and the answer may be lost (RFC 9112 9.6)", strerror(errno));
	}
	return n >= 0;
}

/* Reads until the judge has seen enough. */
static bool await_verdict(struct check *k, const struct wire_case *c, enum wire_sending sending)
{
	char why[WIRE_WHY_CAP];
	bool next_sent = sending == WIRE_COALESCED;
	for (;;) {
		struct slice came = { k->came, k->came_len };
		switch (wire_judge(c, sending, came, k->ended, k->server, why)) {
		case WIRE_RIGHT:
			return true;
		case WIRE_WRONG:
			say(k, "%s", why);
			return false;
		case WIRE_ANSWERED:
			if (!next_sent)
				send_all(k, SLICE(WIRE_NEXT));
			next_sent = true;
			break;
		case WIRE_MORE:
			break;
		}
		if (!receive(k))
			return false;
	}
}

static bool play(
    struct check *k, const struct wire_case *c, enum wire_sending sending, struct slice message)
{
	bool cut = c->flags & WIRE_CUT;
	if (!open_connection(k))
		return false;
	if (sending == WIRE_SPLIT)
		send_split(k, c, message);
	else
		send_all(k, message);
	if (c->flags & WIRE_FIN)
		shutdown(k->fd, SHUT_WR);
	bool passed = await_verdict(k, c, sending);
	close(k->fd);
	if (!passed)
		return false;
	/* the next client; a case cut short has no answer of its own that would show it */
	static const struct wire_case alive = { .bytes = { WIRE_NEXT, sizeof WIRE_NEXT - 1 },
		.status = { 200 },
		.body = WIRE_NEXT_BODY };
	if (!open_connection(k))
		return false;
	send_all(k, alive.bytes);
	passed = await_verdict(k, &alive, WIRE_WHOLE);
	close(k->fd);
	if (!passed)
		say(k, "%s",
		    cut ? " (the next client, after a message cut short)" : " (the next client)");
	return passed;
}

static void check_case(struct check *k, const struct wire_case *c)
{
	size_t message_len = wire_message_len(c), next_len = strlen(WIRE_NEXT);
	char *bytes = malloc(message_len + next_len);
	if (!bytes)
		die("out of memory for case %s", c->id);
	for (enum wire_sending sending = WIRE_WHOLE; sending < WIRE_SENDING_COUNT; sending++) {
		struct slice message = { bytes,
			message_len + (sending == WIRE_COALESCED ? next_len : 0) };
		bool before = sending == WIRE_COALESCED && (c->flags & WIRE_CUT);
		wire_put_message(bytes + (before ? next_len : 0), c);
		memcpy(bytes + (before ? 0 : message_len), WIRE_NEXT, next_len);
		bool passed = false;
		char words[64];
		k->detail[0] = '\0';
		if (process_has_ended(&k->process))
			say(k, "not tried: the server has ended, %s",
			    process_describe_end(&k->process, words, sizeof words));
		else if (k->timeout_count >= TIMEOUTS_MAX)
			say(k, "not tried: the server hangs");
		else if (!(passed = play(k, c, sending, message)))
			say_case(k, c, message);
		report(k, c->id, c->section, sending, passed);
	}
	free(bytes);
}

/* --- the process ------------------------------------------------------------------------------ */

static void report_process(struct check *k, const char *case_id, const char *section)
{
	report(k, case_id, section, WIRE_WHOLE, k->detail[0] == '\0');
}

/* The fields that docs/CONTRACT.md asks of --describe. */
static void judge_description(struct check *k, const json_t *described)
{
	static const char *const texts[] = { "name", "family", "api", "language", "summary" };
	static const char families[] =
	    " process thread readiness library completion coroutine runtime reference ";
	for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
		const char *value = json_string_value(json_object_get(described, texts[i]));
		if (!value || !value[0])
			say(k, "--describe has no text \"%s\"; ", texts[i]);
	}
	const char *name = json_string_value(json_object_get(described, "name"));
	snprintf(k->server, sizeof k->server, "c10k/%s", name ? name : "?");
	const char *family = json_string_value(json_object_get(described, "family"));
	char word[64];
	snprintf(word, sizeof word, " %s ", family ? family : "");
	if (family && !strstr(families, word))
		say(k, "family \"%s\" is none of%s; ", family, families);
	const json_t *limits = json_object_get(described, "limits");
	const json_t *most = json_object_get(limits, "max_connections");
	if (limits && !json_is_object(limits))
		say(k, "\"limits\" is no object; ");
	if (most && !json_is_null(most) && !(json_is_integer(most) && json_integer_value(most) > 0))
		say(k, "\"max_connections\" is no number above 0; ");
}

static void check_describe(struct check *k, char *const *argv)
{
	char text[4096];
	json_error_t error;
	int code = process_capture(argv, text, sizeof text, START_NS);
	json_t *described = code == 0 ? json_loads(text, 0, &error) : NULL;
	k->detail[0] = '\0';
	if (code < 0)
		say(k, "cannot run %s: %s", argv[0], strerror(-code));
	else if (code > 0)
		say(k, "--describe ends with code %d instead of 0", code);
	else if (!json_is_object(described))
		say(k, "--describe prints no JSON object: %s", described ? text : error.text);
	else
		judge_description(k, described);
	json_decref(described);
	report_process(k, "describe", "CONTRACT 2");
}

/* Starts the server and waits until it answers. */
static bool check_start(struct check *k, char *const *argv, int words_fd)
{
	struct process_options options = {
		.argv = argv, .cpus = k->options->cpus, .output_fd = words_fd, .keep_fd = -1
	};
	char body[64], path[32], words[sizeof k->summary->reason], end[64];
	int status = -1;
	k->detail[0] = '\0';
	int error = process_spawn(&k->process, &options);
	if (!error)
		error = process_release(&k->process);
	uint64_t until_ns = clock_now_ns() + START_NS;
	while (!error && !process_has_ended(&k->process) && clock_now_ns() < until_ns) {
		status = probe_get(k->port, "/", body, sizeof body, START_NS);
		if (status > 0)
			break;
		struct timespec pause = clock_timespec(PAUSE_NS);
		nanosleep(&pause, NULL);
	}
	if (error) {
		say(k, "cannot run %s: %s", argv[0], strerror(-error));
	} else if (status != 200) {
		snprintf(path, sizeof path, "/proc/self/fd/%d", words_fd);
		last_words(path, words, sizeof words);
		process_describe_end(&k->process, end, sizeof end);
		say(k, "%s before it answered GET / with 200", k->process.ended ? end : "5 s have passed");
		say(k, "%s%s", words[0] ? "\nits last words: " : "", words);
		const char *last = strrchr(words, '\n');
		snprintf(k->summary->reason, sizeof k->summary->reason, "%s",
		    last ? last + 1 : words[0] ? words : end);
	}
	return status == 200;
}

/* Its Date is now, or a second off: its clock is coarse, and ours goes on. */
static void check_date(struct check *k)
{
	struct tm tm = { 0 };
	const char *date = NULL;
	k->detail[0] = '\0';
	if (open_connection(k)) {
		send_all(k, SLICE(WIRE_NEXT));
		if (receive(k))
			date = memmem(k->came, k->came_len, "\r\nDate: ", 8);
		close(k->fd);
	}
	if (!date || !strptime(date + 8, "%a, %d %b %Y %H:%M:%S GMT", &tm))
		say(k, "no Date");
	else if (llabs((long long)timegm(&tm) - (long long)time(NULL)) > 1)
		say(k, "Date is not now: %.29s", date + 8);
	report_process(k, "date", "RFC 9110 6.6.1");
}

/* Its counters are those of the contract, and it has counted what was sent so far. */
static void check_stats(struct check *k)
{
	static const char *const counters[] = { "workers", "accepted", "open", "requests",
		"refused" };
	char body[1024];
	json_error_t error;
	k->detail[0] = '\0';
	int status = probe_get(k->port, "/stats", body, sizeof body, START_NS);
	json_t *stats = status == 200 ? json_loads(body, 0, &error) : NULL;
	if (!json_is_object(stats)) {
		say(k, "GET /stats: no JSON object, status %d: %.200s", status,
		    status > 0 ? body : "");
	} else {
		const char *model = json_string_value(json_object_get(stats, "model"));
		if (!model || strcmp(model, k->server + strlen("c10k/")) != 0)
			say(k, "\"model\" is not the name of --describe; ");
		for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
			if (!json_is_integer(json_object_get(stats, counters[i])))
				say(k, "no number \"%s\"; ", counters[i]);
		json_int_t accepted = json_integer_value(json_object_get(stats, "accepted"));
		json_int_t least = (json_int_t)(wire_case_count * WIRE_SENDING_COUNT * 2);
		if (accepted < least)
			say(k, "accepted is %lld after %lld connections", (long long)accepted,
			    (long long)least);
	}
	json_decref(stats);
	report_process(k, "stats", "CONTRACT GET /stats");
}

static void check_stop(struct check *k)
{
	char words[64];
	k->detail[0] = '\0';
	bool opened = open_connection(k); /* an idle one must not keep it */
	if (opened && !process_stop(&k->process, STOP_NS))
		say(k, "SIGTERM did not end it with code 0 within 2 s: %s",
		    process_describe_end(&k->process, words, sizeof words));
	if (opened)
		close(k->fd);
	process_kill(&k->process);
	report_process(k, "stop", "CONTRACT 4");
}

/* argv for the program: its own options, then `more`. */
static void put_argv(
    const char *argv[ARGUMENTS_MAX], const char *program, char *const *own, const char *const *more)
{
	size_t count = 0;
	argv[count++] = program;
	while (own && *own && count < ARGUMENTS_MAX - 1)
		argv[count++] = *own++;
	while (*more && count < ARGUMENTS_MAX - 1)
		argv[count++] = *more++;
	argv[count] = NULL;
}

bool check_run(
    const char *program, const struct check_options *options, struct check_summary *summary)
{
	struct check k = { .options = options, .summary = summary, .diag_fd = unread_open() };
	const char *argv[ARGUMENTS_MAX];
	char port[8];
	int words_fd = memfd_create("words", MFD_CLOEXEC);
	*summary = (struct check_summary){ .cases = wire_case_count + 5 };
	k.came = malloc(CAME_CAP);
	/* not always the first one: others may be checking too */
	k.port = probe_free_port((uint16_t)(FIRST_PORT + getpid() % PORT_COUNT), PORT_COUNT);
	if (!k.came || k.port == 0 || words_fd < 0)
		die("no memory, or no free port from %d on, for the check", FIRST_PORT);

	const char *const describe[] = { "--describe", NULL };
	put_argv(argv, program, options->arguments, describe);
	check_describe(&k, (char *const *)(uintptr_t)argv);
	snprintf(port, sizeof port, "%u", k.port);
	const char *const serve[] = { "--host", "127.0.0.1", "--port", port, "--workers", "1",
		NULL };
	put_argv(argv, program, options->arguments, serve);
	/* what does not say its name cannot be judged: each answer tells it */
	bool described = k.server[0] != '\0';
	bool started = described && check_start(&k, (char *const *)(uintptr_t)argv, words_fd);
	summary->skipped = !started && k.process.ended && WIFEXITED(k.process.status) &&
	    WEXITSTATUS(k.process.status) == EXIT_SKIPPED;
	if (described && !summary->skipped)
		report_process(&k, "start", "CONTRACT 3");
	if (started) {
		for (uint32_t i = 0; i < wire_case_count; i++)
			check_case(&k, &wire_cases[i]);
		check_date(&k);
		check_stats(&k);
		check_stop(&k);
	}
	if (described)
		process_kill(&k.process);
	free(k.came);
	close(words_fd);
	if (k.diag_fd >= 0)
		close(k.diag_fd);
	return started && summary->failed == 0;
}
