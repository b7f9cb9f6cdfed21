/* slice.h: a borrowed view of bytes: it owns nothing and ends with what it points into. */
#ifndef SLICE_H
#define SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

struct slice {
	const char *ptr;
	size_t len;
};

/* The characters of a string literal, without the NUL. */
#define SLICE(literal) ((struct slice){ "" literal, sizeof(literal) - 1 })

static inline bool slice_equals(struct slice a, struct slice b)
{
	return a.len == b.len && memcmp(a.ptr, b.ptr, a.len) == 0;
}

static inline bool slice_starts_with(struct slice s, struct slice prefix)
{
	return s.len >= prefix.len && memcmp(s.ptr, prefix.ptr, prefix.len) == 0;
}

/* s without its first `count` bytes; count <= s.len. */
static inline struct slice slice_skip(struct slice s, size_t count)
{
	return (struct slice){ s.ptr + count, s.len - count };
}

/* The first `most` bytes of s, or all of it. */
static inline struct slice slice_first(struct slice s, size_t most)
{
	return (struct slice){ s.ptr, s.len < most ? s.len : most };
}

/* Copies s to `out`, which has room for it; returns the place behind it. */
static inline char *slice_put(char *out, struct slice s)
{
	memcpy(out, s.ptr, s.len);
	return out + s.len;
}

/* ASCII case-insensitive; `lower` is written in lower case (field names, tokens: RFC 9110 5.1). */
static inline bool slice_equals_nocase(struct slice s, struct slice lower)
{
	if (s.len != lower.len)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char ch = s.ptr[i];
		if (ch >= 'A' && ch <= 'Z')
			ch = (char)(ch | 0x20);
		if (ch != lower.ptr[i])
			return false;
	}
	return true;
}

#endif
