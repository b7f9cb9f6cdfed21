/*
 * test_http.c: the head parser line by line, where tests/unit/test_wire.c sees only what comes of
 * it: which line is refused, what is kept of it, the target in each form, chunk and trailer lines,
 * the head of an answer, dates.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <time.h>

#include <cmocka.h>

#include "lib/core/http.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])
#define LINE(text) SLICE(text "\r\n")

static struct http_request request;
static struct slice target;

static enum http_step line(const char *text)
{
	char with_end[HTTP_HEAD_MAX + 64];
	int len = snprintf(with_end, sizeof with_end, "%s\r\n", text);
	enum http_step step =
	    http_head_line(&request, (struct slice){ with_end, (size_t)len }, &target);
	if (step == HTTP_TARGET) { /* its memory goes */
		static char kept[HTTP_HEAD_MAX];
		memcpy(kept, target.ptr, target.len);
		target.ptr = kept;
	}
	return step;
}

static int set_up(void **state)
{
	(void)state;
	http_request_init(&request);
	return 0;
}

/* A request line and a Host that are good, to try a field behind them. */
static void begin(const char *request_line)
{
	http_request_init(&request);
	assert_int_equal(line(request_line), HTTP_TARGET);
	assert_int_equal(line("Host: c"), HTTP_MORE);
}

static void test_request_lines(void **state)
{
	static const struct {
		const char *text;
		uint16_t status; /* 0: good */
		const char *target;
	} rows[] = {
		{ "GET / HTTP/1.1", 0, "/" },
		{ "GET /a?b=c HTTP/1.1", 0, "/a?b=c" },
		{ "GET /%00%zz HTTP/1.1", 0, "/%00%zz" },
		{ "GET http://host/path?q HTTP/1.1", 0, "/path?q" },
		{ "GET http://host:80 HTTP/1.1", 0, "/" },
		{ "GET http://host?q HTTP/1.1", 0, "/" },
		{ "GET HtTp://[::1]:8080/x HTTP/1.0", 0, "/x" },
		{ "OPTIONS * HTTP/1.1", 0, "*" },
		{ "OPTIONS http://host HTTP/1.1", 0, "/" },
		{ "GET / HTTP/1.9", 0, "/" },
		{ "FOO / HTTP/1.1", 501, "/" },
		{ "A-METHOD-OF-THIRTY-TWO-OCTETS-OK / HTTP/1.1", 501, "/" },
		{ "A-METHOD-OF-THIRTY-THREE-OCTETS-X / HTTP/1.1", 501, NULL },
		{ "GET https://host/ HTTP/1.1", 400, NULL },
		{ "GET http:/x HTTP/1.1", 400, NULL },
		{ "GET http://host:port/ HTTP/1.1", 400, NULL },
		{ "GET http://host:99999/ HTTP/1.1", 400, NULL },
		{ "POST * HTTP/1.1", 400, NULL },
		{ "GET ** HTTP/1.1", 400, NULL },
		{ "OPTIONS ** HTTP/1.1", 400, NULL },
		{ "OPTIONS x HTTP/1.1", 400, NULL },
		{ "GET", 400, NULL },
		{ "GET ", 400, NULL },
		{ "GET /", 400, NULL },
		{ "GET / ", 400, NULL },
		{ "GET / HTTP/1.", 400, NULL },
		{ "GET / HTTP/1.11", 400, NULL },
		{ "GET / HTTP/1x1", 400, NULL },
		{ "GET / HTTP/1.x", 400, NULL },
		{ "GET / HTTP/1.-", 400, NULL },
		{ "GET / HTTP/x.1", 400, NULL },
		{ "GET / HTTP/-.1", 400, NULL },
		{ "GET / HTTPS/1.1", 400, NULL },
		{ "GET / HTTP/0.9", 505, NULL },
		{ "GET / HTTP/9.9", 505, NULL },
		{ "CONNECT host:80 HTTP/1.1", 501, NULL },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		http_request_init(&request);
		enum http_step step = line(rows[i].text);
		bool good = rows[i].target != NULL;
		if (step != (good ? HTTP_TARGET : HTTP_BAD) || request.status != rows[i].status ||
		    request.fatal == good)
			fail_msg(
			    "\"%s\": step %d, status %u", rows[i].text, (int)step, request.status);
		if (good &&
		    !slice_equals(target, (struct slice){ rows[i].target, strlen(rows[i].target) }))
			fail_msg(
			    "\"%s\": target \"%.*s\"", rows[i].text, (int)target.len, target.ptr);
		if (!good)
			assert_non_null(strstr(request.reason, "RFC"));
	}
}

static void test_hosts(void **state)
{
	static const struct {
		const char *text;
		bool good;
	} rows[] = {
		{ "Host: c", true },
		{ "Host: c:", true },
		{ "Host: c:65535", true },
		{ "Host: c:65536", false },
		{ "Host: c:8:8", false },
		{ "Host: a b", false },
		{ "Host: [::1]", true },
		{ "Host: [::1]:80", true },
		{ "Host: [::1", false },
		{ "Host: [::1]x", false },
		{ "Host: [::1/]", false },
		{ "Host: [me@::1]", false },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		http_request_init(&request);
		assert_int_equal(line("GET / HTTP/1.1"), HTTP_TARGET);
		enum http_step step = line(rows[i].text);
		if (step != (rows[i].good ? HTTP_MORE : HTTP_BAD))
			fail_msg("\"%s\": step %d", rows[i].text, (int)step);
	}
}

/* Every byte in a target: exactly the visible ASCII characters but # pass. */
static void test_every_byte_in_a_target(void **state)
{
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		char text[] = "GET /x HTTP/1.1\r\n";
		text[5] = (char)byte;
		http_request_init(&request);
		enum http_step step =
		    http_head_line(&request, (struct slice){ text, sizeof text - 1 }, &target);
		bool good = byte > ' ' && byte < 0x7f && byte != '#';
		assert_int_equal(step, good ? HTTP_TARGET : HTTP_BAD);
	}
}

static void test_every_byte_in_a_name_and_a_value(void **state)
{
	static const char marks[] = "!#$%&'*+-.^_`|~"; /* tchar, RFC 9110 5.6.2 */
	(void)state;
	for (int byte = 0; byte < 256; byte++) {
		bool alphanumeric = (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') ||
		    (byte >= 'A' && byte <= 'Z');
		char name[] = "XyZ: v\r\n", value[] = "X: ayb\r\n";
		begin("GET / HTTP/1.1");
		name[1] = (char)byte;
		bool good = byte && (alphanumeric || strchr(marks, byte));
		/* a colon ends the name earlier: "X" with the value "Z: v" */
		enum http_step step =
		    http_head_line(&request, (struct slice){ name, sizeof name - 1 }, &target);
		assert_int_equal(step, good || byte == ':' ? HTTP_MORE : HTTP_BAD);

		begin("GET / HTTP/1.1");
		value[4] = (char)byte;
		step = http_head_line(&request, (struct slice){ value, sizeof value - 1 }, &target);
		good = byte == '\t' || (byte >= ' ' && byte != 0x7f);
		assert_int_equal(step, good ? HTTP_MORE : HTTP_BAD);
	}
}

static void test_what_is_kept(void **state)
{
	(void)state;
	begin("POST /echo HTTP/1.1");
	assert_int_equal(request.method, HTTP_POST);
	assert_int_equal(line("Content-Length: 5"), HTTP_MORE);
	assert_int_equal(line("Content-Length: 5"), HTTP_MORE); /* the same again (RFC 9110 8.6) */
	assert_int_equal(line("Expect: 100-CONTINUE"), HTTP_MORE);
	assert_int_equal(line("Connection: x, Close ,y"), HTTP_MORE);
	assert_int_equal(line(""), HTTP_END);
	assert_true(request.has_length && request.content_length == 5 && request.expect_continue);
	assert_true(request.close && http_must_close(&request) && !request.chunked);

	begin("GET / HTTP/1.0");
	assert_int_equal(line("Expect: anything"), HTTP_MORE);
	assert_int_equal(line(""), HTTP_END);
	assert_true(request.http10 && http_must_close(&request) && !request.expect_unknown);
	begin("GET / HTTP/1.0");
	assert_int_equal(line("Connection: Keep-Alive"), HTTP_MORE);
	assert_int_equal(line(""), HTTP_END);
	assert_false(http_must_close(&request));
	begin("GET / HTTP/1.0");
	assert_int_equal(line("Connection: close"), HTTP_MORE);
	assert_int_equal(line("Connection: keep-alive"), HTTP_MORE);
	assert_true(http_must_close(&request));
}

static void test_framing_fields(void **state)
{
	static const struct {
		const char *first, *second;
		uint16_t status;
	} rows[] = {
		{ "Content-Length: 5", "Content-Length: 05", 0 },
		{ "Content-Length: 5", "Content-Length: 50", 400 },
		/* clang-format off */
		{ "Content-Length: 1 ", NULL, 0 },
		{ "Content-Length: 1a", NULL, 400 },
		{ "Content-Length: 1_000", NULL, 400 },
		{ "Content-Length: 5,5", NULL, 400 },
		{ "Content-Length: 18446744073709551615", NULL, 0 },
		{ "Content-Length: 18446744073709551616", NULL, 400 },
		{ "Content-Length: 99999999999999999999999", NULL, 400 },
		{ "Transfer-Encoding: chunked", "Content-Length: 5", 400 },
		{ "Content-Length: 5", "Transfer-Encoding: chunked", 400 },
		{ "Transfer-Encoding: chunked", "Transfer-Encoding: chunked", 400 },
		{ "Transfer-Encoding: identity", NULL, 501 },
		{ "Transfer-Encoding: chunked;q=1", NULL, 501 },
		{ "Transfer-Encoding: \"chunked\"", NULL, 501 },
		{ "Transfer-Encoding: chunked, identity", NULL, 400 },
		{ "Transfer-Encoding:", NULL, 400 },
		{ "Transfer-Encoding: chunked", NULL, 0 },
		{ "Content-Length : 5", NULL, 400 },
		{ "Content_Length: x", NULL, 0 }, /* another field */
		/* clang-format on */
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		begin("POST /echo HTTP/1.1");
		enum http_step step = line(rows[i].first);
		if (step == HTTP_MORE && rows[i].second)
			step = line(rows[i].second);
		if (step != (rows[i].status ? HTTP_BAD : HTTP_MORE) ||
		    request.status != rows[i].status)
			fail_msg(
			    "\"%s\": step %d, status %u", rows[i].first, (int)step, request.status);
	}
}

static void test_end_of_the_head(void **state)
{
	(void)state;
	assert_int_equal(line("GET / HTTP/1.1"), HTTP_TARGET);
	assert_int_equal(line(""), HTTP_BAD);
	assert_int_equal(request.status, 400); /* no Host */
	begin("POST /echo HTTP/1.1");
	assert_int_equal(line("Content-Length: 1048577"), HTTP_MORE);
	assert_int_equal(line(""), HTTP_BAD);
	assert_int_equal(request.status, 413);
	begin("POST /echo HTTP/1.1");
	assert_int_equal(line("Expect: 100-continue, x"), HTTP_MORE);
	assert_int_equal(line(""), HTTP_BAD);
	assert_int_equal(request.status, 417);
}

static void test_bounds(void **state)
{
	static char text[HTTP_HEAD_MAX + 64];
	(void)state;
	/* a request line of HTTP_LINE_MAX with its CR LF, and one more byte */
	for (int over = 0; over < 2; over++) {
		http_request_init(&request);
		size_t len = HTTP_LINE_MAX - 2 + (size_t)over;
		memset(text, 'a', len);
		memcpy(text, "GET /", 5);
		memcpy(text + len - 9, " HTTP/1.1", 9);
		text[len] = '\0';
		assert_int_equal(line(text), over ? HTTP_BAD : HTTP_TARGET);
		assert_int_equal(request.status, over ? 414 : 0);
	}
	/* the whole head: HTTP_HEAD_MAX, and one more byte */
	for (int over = 0; over < 2; over++) {
		begin("GET / HTTP/1.1");
		size_t len = (size_t)HTTP_HEAD_MAX - request.head_len - 2 - 2 + (size_t)over;
		memset(text, 'v', len);
		memcpy(text, "X:", 2);
		text[len] = '\0';
		assert_int_equal(line(text), HTTP_MORE);
		assert_int_equal(line(""), over ? HTTP_BAD : HTTP_END);
		assert_int_equal(request.status, over ? 431 : 0);
	}
	begin("GET / HTTP/1.1");
	for (int i = 1; i < HTTP_FIELDS_MAX; i++)
		assert_int_equal(line("X: y"), HTTP_MORE);
	assert_int_equal(line("X: y"), HTTP_BAD);
	assert_int_equal(request.status, 431);

	http_request_init(&request);
	for (int i = 0; i < HTTP_LEADING_CRLF_MAX; i++)
		assert_int_equal(line(""), HTTP_MORE);
	assert_int_equal(line(""), HTTP_BAD);
	assert_int_equal(request.status, 400);
}

/* What may still become a line, and what may not. */
static void test_partial_lines(void **state)
{
	static char text[HTTP_HEAD_MAX + 1];
	(void)state;
	memset(text, 'A', sizeof text);
	assert_int_equal(http_head_partial(&request, text, HTTP_LINE_MAX), HTTP_MORE);
	assert_int_equal(http_head_partial(&request, text, HTTP_LINE_MAX + 1), HTTP_BAD);
	assert_int_equal(request.status, 501); /* a method without end */
	http_request_init(&request);
	memcpy(text, "GET /", 5);
	assert_int_equal(http_head_partial(&request, text, HTTP_LINE_MAX + 1), HTTP_BAD);
	assert_int_equal(request.status, 414);
	begin("GET / HTTP/1.1");
	assert_int_equal(
	    http_head_partial(&request, text, (size_t)HTTP_HEAD_MAX - request.head_len), HTTP_MORE);
	assert_int_equal(
	    http_head_partial(&request, text, (size_t)HTTP_HEAD_MAX - request.head_len + 1),
	    HTTP_BAD);
	assert_int_equal(request.status, 431);
}

static void test_chunk_lines(void **state)
{
	static const struct {
		struct slice line;
		bool good;
		uint64_t size;
	} rows[] = {
		{ LINE("0"), true, 0 },
		{ LINE("1a"), true, 26 },
		{ LINE("FFFFFFFFFFFFFFFF"), true, UINT64_MAX },
		{ LINE("0000000000000000000001"), true, 1 },
		{ LINE("5;x"), true, 5 },
		{ LINE("5 ;x=\"y\""), true, 5 },
		{ LINE("10000000000000000"), false, 0 },
		{ LINE(""), false, 0 },
		{ LINE(";x"), false, 0 },
		{ LINE("5 "), false, 0 },
		{ LINE(" 5"), false, 0 },
		{ LINE("5x"), false, 0 },
		{ LINE("0x5"), false, 0 },
		{ LINE("-5"), false, 0 },
		{ LINE("5;\001"), false, 0 },
		{ LINE("5;\r"), false, 0 },
		{ SLICE("5\n"), false, 0 },
		{ SLICE("\n"), false, 0 },
	};
	char longest[HTTP_CHUNK_LINE_MAX + 1] = "5;";
	uint64_t five;
	(void)state;
	memset(longest + 2, 'x', sizeof longest - 2);
	for (size_t len = HTTP_CHUNK_LINE_MAX; len <= sizeof longest; len++) {
		memcpy(longest + len - 2, "\r\n", 2);
		assert_int_equal(http_chunk_line((struct slice){ longest, len }, &five),
		    len == HTTP_CHUNK_LINE_MAX);
		longest[len - 2] = 'x';
	}
	for (size_t i = 0; i < COUNT(rows); i++) {
		uint64_t size = 0;
		bool good = http_chunk_line(rows[i].line, &size);
		if (good != rows[i].good || size != rows[i].size)
			fail_msg("\"%.*s\": %d, %llu", (int)rows[i].line.len - 2, rows[i].line.ptr,
			    good, (unsigned long long)size);
	}
}

static void test_trailers(void **state)
{
	(void)state;
	begin("POST /echo HTTP/1.1");
	assert_int_equal(line(""), HTTP_END);
	assert_int_equal(http_trailer_line(&request, LINE("Content-Length: 7")), HTTP_MORE);
	assert_false(request.has_length); /* never merged into the head */
	assert_int_equal(http_trailer_line(&request, LINE("")), HTTP_END);
	assert_int_equal(http_trailer_line(&request, LINE("no colon")), HTTP_BAD);
	assert_int_equal(request.status, 400);
	while (request.field_count < HTTP_FIELDS_MAX)
		assert_int_equal(http_trailer_line(&request, LINE("X: y")), HTTP_MORE);
	assert_int_equal(http_trailer_line(&request, LINE("X: y")), HTTP_BAD);
	assert_int_equal(request.status, 431);
}

static void test_response_heads(void **state)
{
	char out[HTTP_RESPONSE_HEAD_MAX + 1];
	struct slice fixed = SLICE("Server: c10k/test\r\nDate: now\r\n");
	(void)state;
	struct http_response ok = {
		.status = 200, .type = SLICE("text/plain"), .content_length = 13
	};
	out[http_put_head(out, &ok, fixed)] = '\0';
	assert_string_equal(out,
	    "HTTP/1.1 200 OK\r\nServer: c10k/test\r\nDate: now\r\nContent-Type: text/plain\r\n"
	    "Content-Length: 13\r\n\r\n");
	struct http_response none = { .status = 204, .allow = SLICE("GET"), .keep_alive = true };
	out[http_put_head(out, &none, fixed)] = '\0';
	assert_string_equal(out,
	    "HTTP/1.1 204 No Content\r\nServer: c10k/test\r\nDate: now\r\nAllow: GET\r\n"
	    "Connection: keep-alive\r\n\r\n");
	struct http_response last = { .status = 431, .close = true, .keep_alive = true };
	out[http_put_head(out, &last, fixed)] = '\0';
	assert_string_equal(out,
	    "HTTP/1.1 431 Request Header Fields Too Large\r\nServer: c10k/test\r\nDate: now\r\n"
	    "Content-Length: 0\r\nConnection: close\r\n\r\n");
	/* the longest there can be fits its room */
	char longest_fixed[128];
	memset(longest_fixed, 'x', sizeof longest_fixed);
	struct http_response longest = { .status = 431,
		.close = true,
		.type = SLICE("application/octet-stream"),
		.allow = SLICE("GET, HEAD, POST, OPTIONS"),
		.content_length = UINT64_MAX };
	assert_in_range(
	    http_put_head(out, &longest, (struct slice){ longest_fixed, sizeof longest_fixed }), 1,
	    HTTP_RESPONSE_HEAD_MAX);
}

static void test_dates(void **state)
{
	static const uint64_t seconds[] = { 0, 784111777, 951782399, 951782400, 951868800,
		1709164800, 1709251199, 1709251200, 4102444799, 4107542400, 253402300799 };
	char date[HTTP_DATE_LEN + 1] = "", wanted[64];
	(void)state;
	http_put_date(date, 784111777);
	assert_string_equal(date, "Sun, 06 Nov 1994 08:49:37 GMT");
	for (uint64_t i = 0; i < 20000 + COUNT(seconds); i++) {
		time_t second = (time_t)(i < 20000 ? i * 86400 * 7 / 3 : seconds[i - 20000]);
		struct tm tm;
		strftime(
		    wanted, sizeof wanted, "%a, %d %b %Y %H:%M:%S GMT", gmtime_r(&second, &tm));
		http_put_date(date, (uint64_t)second);
		assert_string_equal(date, wanted);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_request_lines, set_up),
		cmocka_unit_test_setup(test_hosts, set_up),
		cmocka_unit_test_setup(test_every_byte_in_a_target, set_up),
		cmocka_unit_test_setup(test_every_byte_in_a_name_and_a_value, set_up),
		cmocka_unit_test_setup(test_what_is_kept, set_up),
		cmocka_unit_test_setup(test_framing_fields, set_up),
		cmocka_unit_test_setup(test_end_of_the_head, set_up),
		cmocka_unit_test_setup(test_bounds, set_up),
		cmocka_unit_test_setup(test_partial_lines, set_up),
		cmocka_unit_test_setup(test_chunk_lines, set_up),
		cmocka_unit_test_setup(test_trailers, set_up),
		cmocka_unit_test_setup(test_response_heads, set_up),
		cmocka_unit_test_setup(test_dates, set_up),
	};
	return cmocka_run_group_tests_name("http", tests, NULL, NULL);
}
