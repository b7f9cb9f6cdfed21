/*
 * http.c: the request head, line by line.
 *
 * Each field that steers framing or the connection is checked where it stands; what only the
 * whole head can tell (Host absent, length against coding) is checked at its end. A repeated or
 * doubtful framing field is never repaired: two parsers that repair differently are how requests
 * are smuggled (RFC 9112 11.2). Fields that mean nothing to this server are checked for form and
 * forgotten.
 */
#include "lib/core/http.h"

#include "lib/core/units.h"

enum { TOKEN = 1, TARGET = 2, VALUE = 4, HOST = 8 };

/* clang-format off */
static const unsigned char classes[256] = {
	['\t'] = VALUE, [' '] = VALUE,
	['!'] = TOKEN | TARGET | VALUE | HOST, ['"'] = TARGET | VALUE, ['#'] = TOKEN | VALUE,
	['$'] = TOKEN | TARGET | VALUE | HOST, ['%'] = TOKEN | TARGET | VALUE | HOST,
	['&'] = TOKEN | TARGET | VALUE | HOST, ['\''] = TOKEN | TARGET | VALUE | HOST,
	['('] = TARGET | VALUE | HOST, [')'] = TARGET | VALUE | HOST,
	['*'] = TOKEN | TARGET | VALUE | HOST, ['+'] = TOKEN | TARGET | VALUE | HOST,
	[','] = TARGET | VALUE, ['-'] = TOKEN | TARGET | VALUE | HOST, ['.'] = TOKEN | TARGET | VALUE | HOST,
	['/'] = TARGET | VALUE, ['0' ... '9'] = TOKEN | TARGET | VALUE | HOST,
	[':'] = TARGET | VALUE, [';'] = TARGET | VALUE | HOST, ['<'] = TARGET | VALUE,
	['='] = TARGET | VALUE | HOST, ['>'] = TARGET | VALUE, ['?'] = TARGET | VALUE, ['@'] = TARGET | VALUE,
	['A' ... 'Z'] = TOKEN | TARGET | VALUE | HOST,
	['['] = TARGET | VALUE, ['\\'] = TARGET | VALUE, [']'] = TARGET | VALUE,
	['^'] = TOKEN | TARGET | VALUE, ['_'] = TOKEN | TARGET | VALUE | HOST, ['`'] = TOKEN | TARGET | VALUE,
	['a' ... 'z'] = TOKEN | TARGET | VALUE | HOST,
	['{'] = TARGET | VALUE, ['|'] = TOKEN | TARGET | VALUE, ['}'] = TARGET | VALUE,
	['~'] = TOKEN | TARGET | VALUE | HOST,
	[0x80 ... 0xff] = VALUE,
};
/* clang-format on */

static bool all_are(struct slice s, unsigned char class)
{
	for (size_t i = 0; i < s.len; i++)
		if (!(classes[(unsigned char)s.ptr[i]] & class))
			return false;
	return true;
}

static enum http_step bad(struct http_request *r, uint16_t status, const char *reason)
{
	r->status = status;
	r->reason = reason;
	r->fatal = true;
	return HTTP_BAD;
}

void http_request_init(struct http_request *r)
{
	*r = (struct http_request){ 0 };
}

/* --- the request line (RFC 9112 3) ----------------------------------------------------------- */

static enum http_method method_of(struct slice name)
{
	static const struct slice names[] = {
		[HTTP_GET] = { "GET", 3 },         [HTTP_HEAD] = { "HEAD", 4 },
		[HTTP_POST] = { "POST", 4 },       [HTTP_OPTIONS] = { "OPTIONS", 7 },
		[HTTP_PUT] = { "PUT", 3 },         [HTTP_DELETE] = { "DELETE", 6 },
		[HTTP_PATCH] = { "PATCH", 5 },     [HTTP_TRACE] = { "TRACE", 5 },
		[HTTP_CONNECT] = { "CONNECT", 7 },
	};
	for (unsigned m = 0; m < HTTP_UNKNOWN; m++)
		if (slice_equals(name, names[m]))
			return (enum http_method)m;
	return HTTP_UNKNOWN;
}

/*
 * host[:port] without userinfo, path or list (RFC 9110 7.2). An empty one is allowed by the
 * grammar.
 */
static bool is_authority(struct slice s)
{
	size_t host_len;
	if (s.len > 0 && s.ptr[0] == '[') { /* an IPv6 literal */
		const char *end = memchr(s.ptr, ']', s.len);
		if (!end)
			return false;
		host_len = (size_t)(end - s.ptr) + 1;
		for (size_t i = 1; i + 1 < host_len; i++)
			if (s.ptr[i] != ':' && !(classes[(unsigned char)s.ptr[i]] & HOST))
				return false;
	} else {
		const char *colon = s.len ? memchr(s.ptr, ':', s.len) : NULL;
		host_len = colon ? (size_t)(colon - s.ptr) : s.len;
		if (!all_are((struct slice){ s.ptr, host_len }, HOST))
			return false;
	}
	if (host_len == s.len)
		return true;
	if (s.ptr[host_len] != ':')
		return false;
	struct slice port = slice_skip(s, host_len + 1);
	uint64_t number;
	return port.len == 0 || (units_parse_digits(port, &number) && number <= 65535);
}

/* Origin, absolute or asterisk form (RFC 9112 3.2) to the path with its query. */
static bool read_target(struct http_request *r, struct slice raw, struct slice *target)
{
	*target = raw;
	if (raw.ptr[0] == '/')
		return true;
	if (raw.len == 1 && raw.ptr[0] == '*')
		return r->method == HTTP_OPTIONS;
	struct slice scheme = SLICE("http://");
	if (raw.len < scheme.len || !slice_equals_nocase((struct slice){ raw.ptr, scheme.len }, scheme))
		return false;
	struct slice rest = slice_skip(raw, scheme.len);
	size_t len = 0;
	while (len < rest.len && rest.ptr[len] != '/' && rest.ptr[len] != '?')
		len++;
	if (len == 0 || !is_authority((struct slice){ rest.ptr, len }))
		return false;
	*target = slice_skip(rest, len);
	if (target->len == 0 || target->ptr[0] == '?')
		*target = SLICE("/");
	return true;
}

static enum http_step too_long(struct http_request *r, const char *bytes, size_t len)
{
	size_t most = len < HTTP_METHOD_MAX + 1 ? len : HTTP_METHOD_MAX + 1;
	const char *space = memchr(bytes, ' ', most);
	if (!space)
		return bad(r, 501, "method longer than any known (RFC 9112 3)");
	r->method = (uint8_t)method_of((struct slice){ bytes, (size_t)(space - bytes) });
	return bad(r, 414, "request line over 8 KiB (RFC 9112 3)");
}

static enum http_step request_line(struct http_request *r, struct slice line, struct slice *target)
{
	const char *space = memchr(line.ptr, ' ', line.len);
	size_t method_len = space ? (size_t)(space - line.ptr) : line.len;
	struct slice method = { line.ptr, method_len };
	if (method_len == 0 || !all_are(method, TOKEN))
		return bad(r, 400, "method is no token, or no single space behind it (RFC 9112 3)");
	if (method_len > HTTP_METHOD_MAX)
		return bad(r, 501, "method longer than any known (RFC 9112 3)");
	if (!space)
		return bad(r, 400, "request line without a target (RFC 9112 3)");
	r->method = (uint8_t)method_of(method); /* before what may be bad: to HEAD, an error has no body */

	struct slice rest = slice_skip(line, method_len + 1);
	space = memchr(rest.ptr, ' ', rest.len);
	if (!space)
		return bad(r, 400, "request line without a version (RFC 9112 3)");
	struct slice raw = { rest.ptr, (size_t)(space - rest.ptr) };
	struct slice version = slice_skip(rest, raw.len + 1);
	if (raw.len == 0 || !all_are(raw, TARGET))
		return bad(r, 400, "empty target, or a character that none may have (RFC 9112 3.2)");

	const char *v = version.ptr;
	if (version.len != 8 || memcmp(v, "HTTP/", 5) != 0 || v[5] < '0' || v[5] > '9' || v[6] != '.' ||
	    v[7] < '0' || v[7] > '9')
		return bad(r, 400, "version is not HTTP/DIGIT.DIGIT (RFC 9112 2.3)");
	if (v[5] != '1')
		return bad(r, 505, "only HTTP/1.x is spoken here (RFC 9110 15.6.6)");
	r->http10 = v[7] == '0';
	if (r->method == HTTP_CONNECT)
		return bad(r, 501, "no tunnels here (RFC 9110 9.3.6)");
	if (!read_target(r, raw, target))
		return bad(r, 400, "target in none of the forms for this method (RFC 9112 3.2)");
	if (r->method == HTTP_UNKNOWN) {
		r->status = 501;
		r->reason = "unknown method (RFC 9110 9.1)";
	}
	r->has_line = true;
	return HTTP_TARGET;
}

/* --- fields (RFC 9112 5, 6) ------------------------------------------------------------------ */

static struct slice trimmed(struct slice s)
{
	while (s.len > 0 && (s.ptr[0] == ' ' || s.ptr[0] == '\t'))
		s = slice_skip(s, 1);
	while (s.len > 0 && (s.ptr[s.len - 1] == ' ' || s.ptr[s.len - 1] == '\t'))
		s.len--;
	return s;
}

/* Takes the next element, trimmed, off a comma-separated list. False at its end. */
static bool next_element(struct slice *list, struct slice *element)
{
	if (list->len == 0)
		return false;
	const char *comma = memchr(list->ptr, ',', list->len);
	size_t len = comma ? (size_t)(comma - list->ptr) : list->len;
	*element = trimmed((struct slice){ list->ptr, len });
	*list = slice_skip(*list, comma ? len + 1 : len);
	return true;
}

static enum http_step content_length(struct http_request *r, struct slice value)
{
	uint64_t length;
	if (!units_parse_digits(value, &length))
		return bad(r, 400, "Content-Length is not a number (RFC 9112 6.3)");
	if (r->has_length && r->content_length != length)
		return bad(r, 400, "two Content-Lengths that differ (RFC 9112 6.3)");
	if (r->has_coding)
		return bad(r, 400, "Content-Length beside Transfer-Encoding (RFC 9112 6.1)");
	r->has_length = true;
	r->content_length = length;
	return HTTP_MORE;
}

static enum http_step transfer_encoding(struct http_request *r, struct slice value)
{
	struct slice coding;
	if (r->http10)
		return bad(r, 400, "Transfer-Encoding in HTTP/1.0 (RFC 9112 6.1)");
	if (r->has_length)
		return bad(r, 400, "Transfer-Encoding beside Content-Length (RFC 9112 6.1)");
	if (value.len == 0)
		return bad(r, 400, "empty Transfer-Encoding (RFC 9112 6.1)");
	r->has_coding = true;
	while (next_element(&value, &coding)) {
		if (r->chunked)
			return bad(r, 400, "a coding after chunked (RFC 9112 6.1)");
		if (!slice_equals_nocase(coding, SLICE("chunked")))
			return bad(r, 501, "transfer coding other than chunked (RFC 9112 6.1)");
		r->chunked = true;
	}
	return HTTP_MORE;
}

static enum http_step known_field(struct http_request *r, struct slice name, struct slice value)
{
	struct slice token;
	if (slice_equals_nocase(name, SLICE("host"))) {
		if (r->has_host)
			return bad(r, 400, "two Host fields (RFC 9112 3.2)");
		if (!is_authority(value))
			return bad(r, 400, "Host is not host[:port] (RFC 9112 3.2)");
		r->has_host = true;
	} else if (slice_equals_nocase(name, SLICE("connection"))) {
		while (next_element(&value, &token)) {
			r->close |= slice_equals_nocase(token, SLICE("close"));
			r->keep_alive |= slice_equals_nocase(token, SLICE("keep-alive"));
		}
	} else if (slice_equals_nocase(name, SLICE("content-length"))) {
		return content_length(r, value);
	} else if (slice_equals_nocase(name, SLICE("transfer-encoding"))) {
		return transfer_encoding(r, value);
	} else if (slice_equals_nocase(name, SLICE("expect")) && !r->http10) {
		if (slice_equals_nocase(value, SLICE("100-continue")))
			r->expect_continue = true;
		else
			r->expect_unknown = true;
	}
	return HTTP_MORE;
}

/* Splits "name: value"; false, with the reason, when it is no field line. */
static bool split_field(struct slice line, struct slice *name, struct slice *value, const char **reason)
{
	if (line.ptr[0] == ' ' || line.ptr[0] == '\t') {
		*reason = "line begins with white space: folding is obsolete (RFC 9112 5.2)";
		return false;
	}
	const char *colon = memchr(line.ptr, ':', line.len);
	if (!colon) {
		*reason = "field line without a colon (RFC 9112 5)";
		return false;
	}
	*name = (struct slice){ line.ptr, (size_t)(colon - line.ptr) };
	if (name->len == 0 || !all_are(*name, TOKEN)) {
		*reason = "field name is empty or no token, or white space before the colon (RFC 9112 5.1)";
		return false;
	}
	*value = trimmed(slice_skip(line, name->len + 1));
	if (!all_are(*value, VALUE)) {
		*reason = "control character in a field value (RFC 9110 5.5)";
		return false;
	}
	return true;
}

static enum http_step field_line(struct http_request *r, struct slice line, bool trailer)
{
	struct slice name, value;
	const char *reason;
	if (++r->field_count > HTTP_FIELDS_MAX)
		return bad(r, 431, "more than 100 fields (RFC 6585 5)");
	if (!split_field(line, &name, &value, &reason))
		return bad(r, 400, reason);
	return trailer ? HTTP_MORE : known_field(r, name, value);
}

static enum http_step head_end(struct http_request *r)
{
	if (!r->has_host && !r->http10)
		return bad(r, 400, "no Host field (RFC 9112 3.2)");
	if (r->has_length && r->content_length > HTTP_BODY_MAX)
		return bad(r, 413, "body over 1 MiB (RFC 9110 15.5.14)");
	if (r->expect_unknown)
		return bad(r, 417, "only 100-continue can be expected (RFC 9110 10.1.1)");
	return HTTP_END;
}

/*
 * Takes the CRLF off a line that is not too long. HTTP_BAD if there is none; HTTP_MORE if all is
 * well.
 */
static enum http_step take_line_end(struct http_request *r, struct slice *line)
{
	if (r->head_len + line->len > HTTP_HEAD_MAX)
		return bad(r, 431, "more than 16 KiB of head (RFC 6585 5)");
	r->head_len = (uint16_t)(r->head_len + line->len);
	if (line->len < 2 || line->ptr[line->len - 2] != '\r')
		return bad(r, 400, "a line that ends without CR LF (RFC 9112 2.2)");
	line->len -= 2;
	return HTTP_MORE;
}

enum http_step http_head_line(struct http_request *r, struct slice line, struct slice *target)
{
	if (!r->has_line && line.len > HTTP_LINE_MAX)
		return too_long(r, line.ptr, line.len);
	if (take_line_end(r, &line) == HTTP_BAD)
		return HTTP_BAD;
	if (r->has_line)
		return line.len == 0 ? head_end(r) : field_line(r, line, false);
	if (line.len > 0)
		return request_line(r, line, target);
	if (++r->leading_crlf_count > HTTP_LEADING_CRLF_MAX)
		return bad(r, 400, "empty lines instead of a request line (RFC 9112 2.2)");
	return HTTP_MORE;
}

enum http_step http_head_partial(struct http_request *r, const char *bytes, size_t len)
{
	if (!r->has_line && len > HTTP_LINE_MAX)
		return too_long(r, bytes, len);
	if (r->head_len + len > HTTP_HEAD_MAX)
		return bad(r, 431, "more than 16 KiB of head (RFC 6585 5)");
	return HTTP_MORE;
}

enum http_step http_trailer_line(struct http_request *r, struct slice line)
{
	if (take_line_end(r, &line) == HTTP_BAD)
		return HTTP_BAD;
	return line.len == 0 ? HTTP_END : field_line(r, line, true);
}

bool http_must_close(const struct http_request *r)
{
	return r->close || (r->http10 && !r->keep_alive);
}

bool http_chunk_line(struct slice line, uint64_t *size)
{
	if (line.len < 3 || line.len > HTTP_CHUNK_LINE_MAX || line.ptr[line.len - 2] != '\r')
		return false;
	line.len -= 2;
	uint64_t sum = 0;
	size_t i = 0;
	for (; i < line.len; i++) {
		char ch = line.ptr[i];
		unsigned digit;
		if (ch >= '0' && ch <= '9')
			digit = (unsigned)(ch - '0');
		else if ((ch | 0x20) >= 'a' && (ch | 0x20) <= 'f')
			digit = (unsigned)((ch | 0x20) - 'a') + 10;
		else
			break;
		if (sum >> 60)
			return false;
		sum = sum << 4 | digit;
	}
	if (i == 0)
		return false;
	struct slice extension = slice_skip(line, i);
	if (extension.len > 0) { /* [BWS] ; anything printable (RFC 9112 7.1.1) */
		struct slice behind = trimmed(extension);
		if (behind.len == 0 || behind.ptr[0] != ';' || !all_are(behind, VALUE))
			return false;
	}
	*size = sum;
	return true;
}
