/*
 * report_text.h: strings and numbers as the report prints them. Every string made here lives in a
 * pool until report_text_free(), so a section can nest calls as it likes and owns nothing.
 *
 * The sections write one small markup, which report_doc.c turns into HTML and Markdown:
 *   `code`   **strong**   [text](link)   {epoll} a server's name with its mark   \x the character x
 * itself Whatever comes from the store passes report_escape() first.
 */
#ifndef REPORT_TEXT_H
#define REPORT_TEXT_H

#include <stddef.h>

#include "lib/core/estimate.h"

struct report_pool {
	char **strings;
	size_t count;
	size_t cap;
};

void report_text_free(struct report_pool *pool);
/* Memory or the end of the program. */
void *report_alloc(size_t len);
void *report_grow(void *block, size_t *cap, size_t count, size_t item_len);

__attribute__((format(printf, 2, 3))) const char *report_printf(
    struct report_pool *pool, const char *format, ...);
/* `text` so that it stands for itself in the markup: line ends become spaces. */
const char *report_escape(struct report_pool *pool, const char *text);
/* `text` as inline code. */
const char *report_code(struct report_pool *pool, const char *text);
/* "a, b and c" of `count` words. */
const char *report_list(struct report_pool *pool, const char *const *words, size_t count);

/* "10,000" */
const char *report_whole(struct report_pool *pool, double value);
/* What a value is, for printing and for axes. */
enum report_unit {
	REPORT_RATE,  /* 149k */
	REPORT_US,    /* 41.2us, 1.30ms */
	REPORT_BYTES, /* 25.1 KiB */
	REPORT_PLAIN, /* 1.02, 0.021 */
	REPORT_SHARE, /* 98% of 0..1 */
	REPORT_COUNT  /* 10,000 */
};
/* Two or three significant digits; "-" for what is missing. */
const char *report_value(struct report_pool *pool, enum report_unit unit, double value);
/* "149k [145k, 152k]"; one run has no interval. */
const char *report_interval(struct report_pool *pool, enum report_unit unit, struct estimate e);
/* "4.7x [4.4, 5.0]" */
const char *report_ratio(struct report_pool *pool, struct estimate ratio);

#endif
