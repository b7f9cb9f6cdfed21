/*
 * mix.h: what is asked of a server: one target, or several that are drawn by weight. A mix is an
 * INI file with a section for each target, whose name the report shows:
 *
 *     [short]                   ; up to 16 sections
 *     target = /                ; path with query, required
 *     weight = 99.5             ; its share, over the sum of all; 1 without
 *     [long]
 *     target = /compute/10000
 *     weight = 0.5
 *     status = 200              ; wanted; any 2xx without
 *     expect = @answer.bin      ; wanted body, TEXT or @FILE; that of the first answer without
 *     [upload]
 *     target = /echo
 *     body = Hello              ; TEXT or @FILE: makes it a POST
 *     method = POST             ; GET or POST
 */
#ifndef LOADGEN_MIX_H
#define LOADGEN_MIX_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/slice.h"

enum {
	TARGETS_MAX = 16,
	TARGET_NAME_CAP = 33,
	MIX_MESSAGE_CAP = 512,
	BODY_LEN_MAX = 16 * 1024 * 1024,
};

struct target {
	char name[TARGET_NAME_CAP]; /* "" without a mix */
	const char *method;         /* "GET" or "POST" */
	const char *path;
	double weight;
	struct slice body;          /* of the request; ptr is NULL when there is none */
	struct slice expect;        /* wanted of the answer; ptr is NULL for that of the first */
	uint16_t status;            /* wanted; 0: any 2xx */
};

/* Of TEXT itself, of @FILE what is in it, at most BODY_LEN_MAX, never freed. 0 or -errno. */
int mix_read_value(const char *text, struct slice *value);

/* May it stand in a request line: a slash, then visible ASCII without '#'? */
bool mix_is_path(const char *path);

/*
 * The targets of a mix, whose text is given; `file` is its name, for complaints. Returns how many,
 * or 0: then *message is one line that says where and what, and how to mend it.
 */
uint32_t mix_parse(struct target targets[TARGETS_MAX], const char *file, const char *text,
    char message[MIX_MESSAGE_CAP]);

/* As mix_parse(), of a file. What the targets point to is never freed. */
uint32_t mix_read(struct target targets[TARGETS_MAX], const char *file,
    char message[MIX_MESSAGE_CAP]);

#endif
