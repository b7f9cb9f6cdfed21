/*
 * units.h: numbers as people write them. "10k", "1.5M" (counts, powers of 1,000), "300ms", "30s",
 * "2m", "1h" (times), "64KiB", "1MiB" (sizes). Parsing is strict: the whole string, no sign, no
 * overflow. Printing is for columns: short and rounded.
 */
#ifndef UNITS_H
#define UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "lib/core/slice.h"

/* "250", "10k", "1.5M", "2G". False, and *count as it was, when it is none or does not fit. */
bool units_parse_count(struct slice text, uint64_t *count);
/* "100ns", "50us", "300ms", "1.5s", "2m", "1h"; a bare number is seconds. */
bool units_parse_time_ns(struct slice text, uint64_t *time_ns);
/* "4096", "64KiB", "1MiB", "1GiB"; "64k" is 64 KiB. */
bool units_parse_size(struct slice text, uint64_t *len);
/* Decimal digits only, no sign, no leading or trailing anything: for protocol fields. */
bool units_parse_digits(struct slice text, uint64_t *value);

/* Each writes at most `cap` bytes with a NUL and returns `out`; cap >= UNITS_CAP. */
enum { UNITS_CAP = 24 };
char *units_format_count(char *out, size_t cap, double count);     /* "312k", "1.02M", "87" */
char *units_format_time_ns(char *out, size_t cap, double time_ns); /* "41.2us", "1.30ms", "2.00s" */
char *units_format_size(char *out, size_t cap, double len);        /* "512 B", "64.0 KiB" */
/* Decimal digits of `value` without NUL; returns how many (at most 20). */
size_t units_put_digits(char *out, uint64_t value);

#endif
