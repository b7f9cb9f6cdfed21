/*
 * hdrlog.c: HdrHistogram's V2 compressed encoding. Outer frame: cookie, length, zlib stream.
 * Inside: a header of 40 bytes, then the counts of the buckets from 0 up to the highest that is not
 * empty; a run of empty buckets is one negative number. All fixed-size fields are big-endian. The
 * bucket layout of struct histogram is HdrHistogram's own for lowest 1, highest 2^36 - 1 and 3
 * digits, so that an index here is an index there.
 */
#include "lib/sys/hdrlog.h"

#include <errno.h>
#include <stdlib.h>
#include <zlib.h>

enum {
	COOKIE_PLAIN = 0x1c849313,      /* V2, 8-byte counts as LEB128 */
	COOKIE_COMPRESSED = 0x1c849314,
	FRAME_LEN = 8,
	HEADER_LEN = 40,
	VARINT_MAX = 9,
	PLAIN_MAX = HEADER_LEN + VARINT_MAX * HISTOGRAM_BUCKET_COUNT,
};

static void put_u32(unsigned char *out, uint32_t value)
{
	for (int i = 0; i < 4; i++)
		out[i] = (unsigned char)(value >> (24 - 8 * i));
}

static uint32_t get_u32(const unsigned char *in)
{
	return (uint32_t)in[0] << 24 | (uint32_t)in[1] << 16 | (uint32_t)in[2] << 8 | in[3];
}

static void put_u64(unsigned char *out, uint64_t value)
{
	put_u32(out, (uint32_t)(value >> 32));
	put_u32(out + 4, (uint32_t)value);
}

static uint64_t get_u64(const unsigned char *in)
{
	return (uint64_t)get_u32(in) << 32 | get_u32(in + 4);
}

/* Zig-zag, then 7 bits a byte, low ones first; a ninth byte holds all of the last 8. */
static size_t put_varint(unsigned char *out, int64_t value)
{
	uint64_t rest = (uint64_t)value << 1 ^ (uint64_t)(value >> 63);
	size_t len = 0;
	while (rest >= 0x80 && len < VARINT_MAX - 1) {
		out[len++] = (unsigned char)(rest | 0x80);
		rest >>= 7;
	}
	out[len++] = (unsigned char)rest;
	return len;
}

/* Bytes taken, 0 when `left` is too few. */
static size_t get_varint(const unsigned char *in, size_t left, int64_t *value)
{
	uint64_t bits = 0;
	size_t len = 0;
	for (;;) {
		if (len == left)
			return 0;
		unsigned char byte = in[len];
		bool last = len == VARINT_MAX - 1;
		bits |= (uint64_t)(last ? byte : byte & 0x7f) << (7 * len);
		len++;
		if (last || !(byte & 0x80))
			break;
	}
	*value = (int64_t)(bits >> 1) ^ -(int64_t)(bits & 1);
	return len;
}

static size_t put_plain(unsigned char *out, const struct histogram *h)
{
	uint32_t count = HISTOGRAM_BUCKET_COUNT;
	while (count > 0 && h->buckets[count - 1] == 0)
		count--;
	size_t len = HEADER_LEN;
	for (uint32_t i = 0; i < count;) {
		uint32_t run = i;
		while (h->buckets[run] == 0)
			run++;
		int64_t value = run > i ? -(int64_t)(run - i) : (int64_t)h->buckets[i];
		len += put_varint(out + len, value);
		i = run > i ? run : i + 1;
	}
	uint64_t one; /* values are nanoseconds as they are: a ratio of 1.0 */
	memcpy(&one, &(double){ 1.0 }, sizeof one);
	put_u32(out, COOKIE_PLAIN);
	put_u32(out + 4, (uint32_t)(len - HEADER_LEN));
	put_u32(out + 8, 0); /* normalizing index offset: its own affair, buckets are in order */
	put_u32(out + 12, 3);               /* significant digits */
	put_u64(out + 16, 1);               /* lowest and highest trackable value */
	put_u64(out + 24, HISTOGRAM_MAX_NS);
	put_u64(out + 32, one);
	return len;
}

static int get_plain(const unsigned char *in, size_t len, struct histogram *h)
{
	if (len < HEADER_LEN || get_u32(in) != COOKIE_PLAIN || get_u32(in + 4) != len - HEADER_LEN
	    || get_u32(in + 12) != 3 || get_u64(in + 16) != 1
	    || get_u64(in + 24) != HISTOGRAM_MAX_NS)
		return -EINVAL;
	histogram_init(h);
	uint64_t index = 0;
	for (size_t at = HEADER_LEN; at < len;) {
		int64_t value;
		size_t taken = get_varint(in + at, len - at, &value);
		if (taken == 0 || value == INT64_MIN)
			return -EINVAL;
		at += taken;
		if (value <= 0) {
			index += value ? (uint64_t)-value : 1;
			if (index > HISTOGRAM_BUCKET_COUNT)
				return -EINVAL;
			continue;
		}
		if (index >= HISTOGRAM_BUCKET_COUNT)
			return -EINVAL;
		uint64_t low_ns = histogram_bucket_low_ns((uint32_t)index);
		uint64_t high_ns = histogram_bucket_high_ns((uint32_t)index);
		h->buckets[index++] = (uint64_t)value;
		h->count += (uint64_t)value;
		h->sum_ns += (uint64_t)value * (low_ns + (high_ns - low_ns) / 2);
		h->min_ns = low_ns < h->min_ns ? low_ns : h->min_ns;
		h->max_ns = high_ns;
	}
	return 0;
}

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* RFC 4648 section 4 */
static char *base64_encode(const unsigned char *in, size_t len)
{
	char *text = malloc((len + 2) / 3 * 4 + 1);
	if (!text)
		return NULL;
	char *out = text;
	for (size_t i = 0; i < len; i += 3) {
		size_t left = len - i;
		uint32_t bits = (uint32_t)in[i] << 16;
		bits |= left > 1 ? (uint32_t)in[i + 1] << 8 : 0;
		bits |= left > 2 ? in[i + 2] : 0;
		*out++ = alphabet[bits >> 18];
		*out++ = alphabet[bits >> 12 & 63];
		*out++ = left > 1 ? alphabet[bits >> 6 & 63] : '=';
		*out++ = left > 2 ? alphabet[bits & 63] : '=';
	}
	*out = '\0';
	return text;
}

/* Into out, room for text.len / 4 * 3 bytes: how many, or 0 when the text is none. */
static size_t base64_decode(struct slice text, unsigned char *out)
{
	size_t len = 0;
	if (text.len % 4)
		return 0;
	for (size_t i = 0; i < text.len; i += 4) {
		uint32_t bits = 0;
		size_t padding = 0;
		for (size_t j = 0; j < 4; j++) {
			char ch = text.ptr[i + j];
			const char *place = ch ? strchr(alphabet, ch) : NULL;
			bool may_pad = j >= 2 && i + 4 == text.len;
			if (!place && !(ch == '=' && may_pad))
				return 0;
			if (place && padding)
				return 0;
			padding += !place;
			bits = bits << 6 | (place ? (uint32_t)(place - alphabet) : 0);
		}
		for (size_t j = 0; j < 3 - padding; j++)
			out[len++] = (unsigned char)(bits >> (16 - 8 * j));
	}
	return len;
}

char *hdrlog_encode(const struct histogram *h)
{
	char *text = NULL;
	unsigned char *plain = malloc(PLAIN_MAX);
	uLongf packed_len = compressBound(PLAIN_MAX);
	unsigned char *packed = malloc(FRAME_LEN + packed_len);
	if (!plain || !packed)
		goto end;
	size_t len = put_plain(plain, h);
	if (compress(packed + FRAME_LEN, &packed_len, plain, len) != Z_OK)
		goto end;
	put_u32(packed, COOKIE_COMPRESSED);
	put_u32(packed + 4, (uint32_t)packed_len);
	text = base64_encode(packed, FRAME_LEN + packed_len);
end:
	free(packed);
	free(plain);
	return text;
}

int hdrlog_decode(struct slice text, struct histogram *h)
{
	int error = -ENOMEM;
	unsigned char *packed = malloc(text.len / 4 * 3 + 1);
	unsigned char *plain = malloc(PLAIN_MAX);
	if (!packed || !plain)
		goto end;
	error = -EINVAL;
	size_t len = base64_decode(text, packed);
	if (len < FRAME_LEN || get_u32(packed) != COOKIE_COMPRESSED
	    || get_u32(packed + 4) != len - FRAME_LEN)
		goto end;
	uLongf plain_len = PLAIN_MAX;
	if (uncompress(plain, &plain_len, packed + FRAME_LEN, len - FRAME_LEN) != Z_OK)
		goto end;
	error = get_plain(plain, plain_len, h);
end:
	free(plain);
	free(packed);
	return error;
}
