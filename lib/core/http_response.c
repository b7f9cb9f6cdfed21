/*
 * http_response.c: the response head and its date. Written with memcpy from literals: a format
 * string would cost more than all the rest of an answer.
 */
#include "lib/core/http.h"

#include "lib/core/units.h"

const char *http_status_text(uint16_t status)
{
	switch (status) {
	case 100: return "Continue";
	case 200: return "OK";
	case 204: return "No Content";
	case 400: return "Bad Request";
	case 404: return "Not Found";
	case 405: return "Method Not Allowed";
	case 408: return "Request Timeout";
	case 411: return "Length Required";
	case 413: return "Content Too Large";
	case 414: return "URI Too Long";
	case 417: return "Expectation Failed";
	case 431: return "Request Header Fields Too Large";
	case 501: return "Not Implemented";
	case 503: return "Service Unavailable";
	case 505: return "HTTP Version Not Supported";
	default: return "Error";
	}
}

size_t http_put_head(char *out, const struct http_response *response, struct slice fixed)
{
	const char *text = http_status_text(response->status);
	char *at = out;
	if (response->status == 200) {
		at = slice_put(at, SLICE("HTTP/1.1 200 OK\r\n"));
	} else {
		at = slice_put(at, SLICE("HTTP/1.1 "));
		at += units_put_digits(at, response->status);
		*at++ = ' ';
		at = slice_put(at, (struct slice){ text, strlen(text) });
		at = slice_put(at, SLICE("\r\n"));
	}
	at = slice_put(at, fixed);
	if (response->type.len > 0) {
		at = slice_put(at, SLICE("Content-Type: "));
		at = slice_put(at, response->type);
		at = slice_put(at, SLICE("\r\n"));
	}
	if (response->status != 204) {
		at = slice_put(at, SLICE("Content-Length: "));
		at += units_put_digits(at, response->content_length);
		at = slice_put(at, SLICE("\r\n"));
	}
	if (response->allow.len > 0) {
		at = slice_put(at, SLICE("Allow: "));
		at = slice_put(at, response->allow);
		at = slice_put(at, SLICE("\r\n"));
	}
	if (response->close)
		at = slice_put(at, SLICE("Connection: close\r\n"));
	else if (response->keep_alive)
		at = slice_put(at, SLICE("Connection: keep-alive\r\n"));
	at = slice_put(at, SLICE("\r\n"));
	return (size_t)(at - out);
}

static char *put_two_digits(char *out, unsigned value)
{
	out[0] = (char)('0' + value / 10);
	out[1] = (char)('0' + value % 10);
	return out + 2;
}

void http_put_date(char *out, uint64_t unix_s)
{
	static const char days[] = "ThuFriSatSunMonTueWed"; /* 1 January 1970 was a Thursday */
	static const char months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	uint64_t day_count = unix_s / 86400;
	unsigned second = (unsigned)(unix_s % 86400);

	/*
	 * civil date from days; years begin in March (Hinnant, "chrono-compatible low-level date
	 * algorithms")
	 */
	uint64_t z = day_count + 719468;
	uint64_t era = z / 146097;
	unsigned day_of_era = (unsigned)(z % 146097);
	unsigned year_of_era =
	    (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
	unsigned day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
	unsigned shifted_month = (5 * day_of_year + 2) / 153;
	unsigned day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
	unsigned month = shifted_month < 10 ? shifted_month + 2 : shifted_month - 10; /* from 0 */
	unsigned year = (unsigned)(era * 400) + year_of_era + (month < 2);

	memcpy(out, days + 3 * (day_count % 7), 3);
	memcpy(out + 3, ", ", 2);
	char *at = put_two_digits(out + 5, day);
	*at++ = ' ';
	memcpy(at, months + 3 * (size_t)month, 3);
	at[3] = ' ';
	at = put_two_digits(at + 4, year / 100 % 100);
	at = put_two_digits(at, year % 100);
	*at++ = ' ';
	at = put_two_digits(at, second / 3600);
	*at++ = ':';
	at = put_two_digits(at, second / 60 % 60);
	*at++ = ':';
	at = put_two_digits(at, second % 60);
	memcpy(at, " GMT", 4);
}
