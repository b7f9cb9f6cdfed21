/*
 * report_text.c: a pool of strings, and numbers in the three digits that a reader can hold. A
 * report is some ten thousand short strings and ends at once, so nothing is given back before the
 * end.
 */
#include "harness/report_text.h"

#include <ctype.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "lib/core/units.h"
#include "lib/sys/die.h"

void *report_alloc(size_t len)
{
	void *block = calloc(1, len ? len : 1);
	if (!block)
		die("report: out of memory");
	return block;
}

void *report_grow(void *block, size_t *cap, size_t count, size_t item_len)
{
	if (count < *cap)
		return block;
	*cap = *cap ? *cap * 2 : 64;
	block = realloc(block, *cap * item_len);
	if (!block)
		die("report: out of memory");
	return block;
}

static const char *keep(struct report_pool *pool, char *string)
{
	pool->strings = report_grow(pool->strings, &pool->cap, pool->count, sizeof(*pool->strings));
	return pool->strings[pool->count++] = string;
}

void report_text_free(struct report_pool *pool)
{
	for (size_t i = 0; i < pool->count; i++)
		free(pool->strings[i]);
	free(pool->strings);
	*pool = (struct report_pool){ 0 };
}

const char *report_printf(struct report_pool *pool, const char *format, ...)
{
	char *string;
	va_list args;
	va_start(args, format);
	int len = vasprintf(&string, format, args);
	va_end(args);
	if (len < 0)
		die("report: out of memory");
	return keep(pool, string);
}

/* Markdown leaves an underscore inside a word alone, and so should a reader in a terminal. */
static bool needs_escape(const char *text, const char *at)
{
	if (*at == '_')
		return at == text || !isalnum((unsigned char)at[-1])
		    || !isalnum((unsigned char)at[1]);
	return strchr("\\`*{}[]<>|", *at) != NULL;
}

const char *report_escape(struct report_pool *pool, const char *text)
{
	char *out = report_alloc(2 * strlen(text) + 1);
	char *to = out;
	for (const char *at = text; *at; at++) {
		if (needs_escape(text, at))
			*to++ = '\\';
		*to++ = (unsigned char)*at < ' ' ? ' ' : *at;
	}
	return keep(pool, out);
}

const char *report_code(struct report_pool *pool, const char *text)
{
	size_t len = strlen(text);
	char *out = report_alloc(len + 3);
	out[0] = '`';
	for (size_t i = 0; i < len; i++)
		out[i + 1] = text[i] == '`' ? '\'' : (unsigned char)text[i] < ' ' ? ' ' : text[i];
	out[len + 1] = '`';
	return keep(pool, out);
}

const char *report_list(struct report_pool *pool, const char *const *words, size_t count)
{
	const char *list = count ? words[0] : "";
	for (size_t i = 1; i < count; i++)
		list = report_printf(
		    pool, "%s%s%s", list, i + 1 == count ? " and " : ", ", words[i]);
	return list;
}

const char *report_whole(struct report_pool *pool, double value)
{
	if (!isfinite(value))
		return "-";
	const char *digits = report_printf(pool, "%.0f", fabs(value));
	size_t len = strlen(digits);
	char *out = report_alloc(len + len / 3 + 2);
	char *to = out;
	if (value < 0)
		*to++ = '-';
	for (size_t i = 0; i < len; i++) {
		if (i && (len - i) % 3 == 0)
			*to++ = ',';
		*to++ = digits[i];
	}
	return keep(pool, out);
}

/* Two or three significant digits without an exponent; what is below 0.0005 is told as such. */
static const char *plain(struct report_pool *pool, double value)
{
	double size = fabs(value);
	if (size > 0 && size < 0.0005)
		return "<0.0005";
	int decimals = size >= 99.95 || size == 0 ? 0
	    : size >= 9.995                       ? 1
	    : size >= 0.0995                      ? 2
	    : size >= 0.00995                     ? 3
						  : 4;
	return report_printf(pool, "%.*f", decimals, value);
}

const char *report_value(struct report_pool *pool, enum report_unit unit, double value)
{
	char buffer[UNITS_CAP];
	if (!isfinite(value))
		return "-";
	/* memory per connection may come out below the baseline: the sign is part of the finding */
	const char *sign = value < 0 ? "-" : "";
	double size = fabs(value);
	switch (unit) {
	case REPORT_RATE:
		return report_printf(
		    pool, "%s%s", sign, units_format_count(buffer, sizeof(buffer), size));
	case REPORT_US:
		return report_printf(
		    pool, "%s%s", sign, units_format_time_ns(buffer, sizeof(buffer), size * 1e3));
	case REPORT_BYTES:
		return report_printf(
		    pool, "%s%s", sign, units_format_size(buffer, sizeof(buffer), size));
	case REPORT_SHARE: return report_printf(pool, "%s%%", plain(pool, value * 100));
	case REPORT_COUNT: return report_whole(pool, value);
	case REPORT_PLAIN: break;
	}
	return plain(pool, value);
}

const char *report_interval(struct report_pool *pool, enum report_unit unit, struct estimate e)
{
	const char *median = report_value(pool, unit, e.median);
	if (e.count < 2)
		return median;
	return report_printf(pool, "%s [%s, %s]", median, report_value(pool, unit, e.low),
	    report_value(pool, unit, e.high));
}

const char *report_ratio(struct report_pool *pool, struct estimate ratio)
{
	if (!ratio.count)
		return "-";
	const char *median = plain(pool, ratio.median);
	if (ratio.count < 2)
		return report_printf(pool, "%sx", median);
	return report_printf(
	    pool, "%sx [%s, %s]", median, plain(pool, ratio.low), plain(pool, ratio.high));
}
