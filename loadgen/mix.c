/*
 * mix.c: reads a mix with inih. That tells neither line numbers nor sections without keys, so the
 * reader that hands it the lines counts them and opens the sections.
 *
 * The first complaint stands; everything after it is read and forgotten.
 */
#include "mix.h"

#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/units.h"

enum key { KEY_TARGET, KEY_WEIGHT, KEY_METHOD, KEY_BODY, KEY_EXPECT, KEY_STATUS, KEY_COUNT };
static const char *const key_names[KEY_COUNT] = {
	"target", "weight", "method", "body", "expect", "status"
};

struct reader {
	struct target *targets;
	uint32_t count;        /* sections so far; keys are of the last one */
	const char *file;
	const char *rest;      /* text not yet read */
	char *message;
	bool failed;
	int line;
	int section_line;
	uint32_t seen;         /* keys of this section, as bits */
};

__attribute__((format(printf, 2, 3))) static bool complain(struct reader *r, const char *format,
    ...)
{
	if (r->failed)
		return false;
	r->failed = true;
	int len = snprintf(r->message, MIX_MESSAGE_CAP, "%s:%d: ", r->file, r->line ? r->line : 1);
	if (len > 0 && len < MIX_MESSAGE_CAP) {
		va_list args;
		va_start(args, format);
		vsnprintf(r->message + len, (size_t)(MIX_MESSAGE_CAP - len), format, args);
		va_end(args);
	}
	return false;
}

/* --- values ----------------------------------------------------------------------------------- */

/* All of a file, with a NUL behind it, in memory that is never freed. 0 or -errno. */
static int read_file(const char *path, struct slice *text)
{
	FILE *file = fopen(path, "r");
	if (!file)
		return -errno;
	char *bytes = malloc(BODY_LEN_MAX + 1), *fitting = NULL;
	size_t len = bytes ? fread(bytes, 1, BODY_LEN_MAX + 1, file) : 0;
	int error = !bytes ? -ENOMEM : ferror(file) ? -errno : len > BODY_LEN_MAX ? -EFBIG : 0;
	fclose(file);
	if (!error)
		fitting = realloc(bytes, len + 1);
	if (!fitting) {
		free(bytes);
		return error ? error : -ENOMEM;
	}
	fitting[len] = '\0';
	*text = (struct slice){ fitting, len };
	return 0;
}

int mix_read_value(const char *text, struct slice *value)
{
	*value = (struct slice){ text, strlen(text) };
	return *text == '@' ? read_file(text + 1, value) : 0;
}

bool mix_is_path(const char *path)
{
	for (const char *at = path; *at; at++)
		if (*at <= ' ' || *at > '~' || *at == '#')
			return false;
	return *path == '/';
}

/* Text that outlives inih's line; @FILE is read. */
static bool keep_value(struct reader *r, enum key key, const char *text, struct slice *value)
{
	char *copy = strdup(text);
	int error = copy ? mix_read_value(copy, value) : -ENOMEM;
	if (error || value->ptr != copy)
		free(copy);
	if (error)
		*value = (struct slice){ NULL, 0 };
	return !error
	    || complain(r, "[%s] %s = %s: cannot be read (%s)", r->targets[r->count - 1].name,
		key_names[key], text, strerror(-error));
}

static bool read_weight(struct reader *r, const char *text, struct target *t)
{
	char *end;
	double weight = strtod(text, &end);
	/* what is no plain number ("inf", "0x1p3") is refused as well */
	if (text[strspn(text, "0123456789.")] || end == text || *end || !(weight > 0))
		return complain(r, "[%s] weight = %s: give a number above 0, such as 99.5", t->name,
		    text);
	t->weight = weight;
	return true;
}

static bool read_value(struct reader *r, enum key key, const char *text)
{
	struct target *t = &r->targets[r->count - 1];
	uint64_t status;
	switch (key) {
	case KEY_TARGET:
		if (!mix_is_path(text))
			return complain(r, "[%s] target = %s: give a path that starts with /, "
			    "other than plain characters as %%XX", t->name, text);
		t->path = strdup(text);
		return t->path != NULL || complain(r, "no memory");
	case KEY_WEIGHT:
		return read_weight(r, text, t);
	case KEY_METHOD:
		if (strcmp(text, "GET") != 0 && strcmp(text, "POST") != 0)
			return complain(r, "[%s] method = %s: give GET or POST", t->name, text);
		t->method = *text == 'G' ? "GET" : "POST";
		return true;
	case KEY_BODY:
		return keep_value(r, key, text, &t->body);
	case KEY_EXPECT:
		return keep_value(r, key, text, &t->expect);
	case KEY_STATUS:
		if (!units_parse_digits((struct slice){ text, strlen(text) }, &status)
		    || status < 200 || status > 599)
			return complain(r, "[%s] status = %s: give a number from 200 to 599",
			    t->name, text);
		t->status = (uint16_t)status;
		return true;
	case KEY_COUNT:
		break;
	}
	return false;
}

static int on_key(void *user, const char *section, const char *name, const char *value)
{
	struct reader *r = user;
	(void)section; /* the reader knows it, with its line */
	if (r->failed)
		return 1;
	if (r->count == 0)
		return complain(r,
		    "\"%s\" stands before any section: begin with a name, as in [home]", name);
	for (int key = 0; key < KEY_COUNT; key++) {
		if (strcmp(key_names[key], name) != 0)
			continue;
		if (r->seen & 1u << key)
			return complain(r, "\"%s\" is given twice in this section", name);
		r->seen |= 1u << key;
		return read_value(r, (enum key)key, value);
	}
	return complain(r, "unknown key \"%s\": use target, weight, method, body, expect or status",
	    name);
}

/* --- sections and lines ----------------------------------------------------------------------- */

/* What a section must have said by its end. Complaints name the line where it began. */
static bool close_section(struct reader *r)
{
	if (r->failed || r->count == 0)
		return !r->failed;
	struct target *t = &r->targets[r->count - 1];
	int line = r->line;
	r->line = r->section_line;
	if (!t->path)
		complain(r, "[%s] needs a target, such as target = /", t->name);
	if (!t->method)
		t->method = t->body.ptr ? "POST" : "GET";
	else if (t->body.ptr && strcmp(t->method, "GET") == 0)
		complain(r, "[%s] has a body: method = POST sends it", t->name);
	r->line = line;
	return !r->failed;
}

/* Into columns, and between quotes in messages. */
static bool is_name(const char *name, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (!isgraph((unsigned char)name[i]))
			return false;
	return len > 0 && len < TARGET_NAME_CAP;
}

static bool open_section(struct reader *r, const char *name, size_t len)
{
	if (!close_section(r))
		return false;
	if (!is_name(name, len))
		return complain(r, "[%.*s]: a name is 1 to %d visible characters", (int)len, name,
		    TARGET_NAME_CAP - 1);
	if (r->count == TARGETS_MAX)
		return complain(r, "[%.*s]: at most %d targets", (int)len, name, TARGETS_MAX);
	for (uint32_t i = 0; i < r->count; i++)
		if (strlen(r->targets[i].name) == len && memcmp(r->targets[i].name, name, len) == 0)
			return complain(r, "[%.*s] stands there twice: give it another name",
			    (int)len, name);
	struct target *t = &r->targets[r->count++];
	*t = (struct target){ .weight = 1 };
	memcpy(t->name, name, len);
	r->section_line = r->line;
	r->seen = 0;
	return true;
}

/* fgets() for inih over the text, counting lines and opening sections. */
static char *next_line(char *line, int cap, void *user)
{
	struct reader *r = user;
	if (*r->rest == '\0' || r->failed)
		return NULL;
	r->rest += strspn(r->rest, " \t"); /* inih takes an indented line for more of the one above */
	size_t len = strcspn(r->rest, "\n");
	r->line++;
	if (len + 2 > (size_t)cap) {
		complain(r, "a line of more than %d characters: put what is so long into a file, "
		    "and give @FILE", cap - 2);
		return NULL;
	}
	memcpy(line, r->rest, len);
	line[len] = '\0';
	r->rest += len + (r->rest[len] == '\n');
	const char *end = strchr(line, ']');
	if (*line == '[' && end)
		open_section(r, line + 1, (size_t)(end - line - 1));
	return line;
}

uint32_t mix_parse(struct target targets[TARGETS_MAX], const char *file, const char *text,
    char message[MIX_MESSAGE_CAP])
{
	struct reader r = { .targets = targets, .file = file, .rest = text, .message = message };
	int bad_line = ini_parse_stream(next_line, &r, on_key, &r);
	if (!r.failed && bad_line > 0) {
		r.line = bad_line;
		complain(&r,
		    "this is neither \"key = value\" nor \"[name]\" nor a comment (; or #)");
	}
	close_section(&r);
	if (r.count == 0)
		complain(&r, "no target: add a section, such as [home] with target = /");
	return r.failed ? 0 : r.count;
}

uint32_t mix_read(struct target targets[TARGETS_MAX], const char *file,
    char message[MIX_MESSAGE_CAP])
{
	struct slice text;
	int error = read_file(file, &text);
	if (error) {
		snprintf(message, MIX_MESSAGE_CAP, "--mix %s: cannot be read (%s)", file,
		    strerror(-error));
		return 0;
	}
	uint32_t count = mix_parse(targets, file, text.ptr, message);
	free((void *)text.ptr);
	return count;
}
