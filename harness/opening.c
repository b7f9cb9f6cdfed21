/* opening.c: comments of C, C++, Go and Rust, line by line. */
#include "harness/opening.h"

#include <stdbool.h>
#include <string.h>

struct text {
	char *out;
	size_t len, cap;
};

static void put(struct text *t, const char *from, size_t len)
{
	size_t room = t->cap - 1 - t->len;
	len = len < room ? len : room;
	memcpy(t->out + t->len, from, len);
	t->len += len;
	t->out[t->len] = '\0';
}

/* A line without its mark and the blanks around it; an empty one begins a paragraph. */
static void put_line(struct text *t, const char *line, size_t len, const char *marks)
{
	while (len && strchr(marks, *line))
		line++, len--;
	while (len && strchr(" \t\r", line[len - 1]))
		len--;
	bool at_start = t->len == 0, after_break = t->len && t->out[t->len - 1] == '\n';
	if (len == 0) {
		if (!at_start && !after_break)
			put(t, "\n\n", 2);
		return;
	}
	if (!at_start && !after_break)
		put(t, " ", 1);
	put(t, line, len);
}

void opening_read(const char *source, char *out, size_t cap)
{
	struct text t = { .out = out, .cap = cap };
	out[0] = '\0';
	bool block = strncmp(source, "/*", 2) == 0;
	if (!block && strncmp(source, "//", 2) != 0)
		return;
	const char *end = block ? strstr(source, "*/") : NULL;
	for (const char *line = source; *line && line != end;) {
		if (!block && strncmp(line, "//", 2) != 0)
			break;
		size_t len = strcspn(line, "\n");
		if (end && line + len > end)
			len = (size_t)(end - line);
		put_line(&t, line, len, block ? "/* \t" : "/! \t");
		line += len;
		line += *line == '\n';
	}
	while (t.len && out[t.len - 1] == '\n')
		out[--t.len] = '\0';
}
