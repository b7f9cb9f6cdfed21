/*
 * service.c: the routes, the work of /compute, the pattern of /bytes, the counters of /stats.
 *
 * A route is a name, what may follow it, and the methods it takes. Nothing is decoded: a percent
 * sign in a path names no resource of ours. A query behind '?' is ignored.
 */
#include "lib/core/service.h"

#include "lib/core/units.h"

static const char get_methods[] = "GET, HEAD, OPTIONS";
static const char echo_methods[] = "POST, OPTIONS";
static const char all_methods[] = "GET, HEAD, POST, OPTIONS";

struct route {
	struct slice path;   /* whole, or up to and with the slash before a parameter */
	enum service_kind kind;
	uint64_t number_max; /* of a numeric parameter; 0: the route takes none */
};

static const struct route routes[] = {
	{ { "/", 1 }, SERVICE_TEXT, 0 },
	{ { "/echo", 5 }, SERVICE_ECHO, 0 },
	{ { "/stats", 6 }, SERVICE_STATS, 0 },
	{ { "/bytes/", 7 }, SERVICE_BYTES, SERVICE_BYTES_MAX },
	{ { "/sleep/", 7 }, SERVICE_SLEEP, SERVICE_SLEEP_MAX_MS },
	{ { "/compute/", 9 }, SERVICE_COMPUTE, SERVICE_COMPUTE_MAX },
	{ { "/file/", 6 }, SERVICE_FILE, SERVICE_FILE_MAX },
	{ { "/query/", 7 }, SERVICE_QUERY, 0 },
};

static bool is_key(struct slice s)
{
	if (s.len == 0 || s.len > SERVICE_KEY_MAX)
		return false;
	for (size_t i = 0; i < s.len; i++) {
		char ch = s.ptr[i];
		bool letter = (ch | 0x20) >= 'a' && (ch | 0x20) <= 'z';
		if (!letter && !(ch >= '0' && ch <= '9') && ch != '-' && ch != '_' && ch != ':' && ch != '.')
			return false;
	}
	return true;
}

/* Does `path` name `route`? Then what its parameter says goes into *plan. */
static bool matches(const struct route *route, struct slice path, struct service_plan *plan)
{
	bool has_parameter = route->number_max > 0 || route->kind == SERVICE_QUERY;
	if (!has_parameter)
		return slice_equals(path, route->path);
	if (!slice_starts_with(path, route->path))
		return false;
	struct slice parameter = slice_skip(path, route->path.len);
	if (route->kind == SERVICE_QUERY) {
		plan->key_offset = (uint8_t)route->path.len;
		plan->key_len = (uint8_t)(parameter.len & 0xff);
		return is_key(parameter);
	}
	return units_parse_digits(parameter, &plan->number) && plan->number <= route->number_max;
}

static bool is_allowed(enum service_kind kind, enum http_method method)
{
	return kind == SERVICE_ECHO ? method == HTTP_POST : method == HTTP_GET || method == HTTP_HEAD;
}

struct service_plan service_plan(enum http_method method, struct slice target)
{
	struct service_plan plan = { .status = 200, .kind = SERVICE_TEXT, .text = "Hello, World!" };
	const char *query = memchr(target.ptr, '?', target.len);
	if (query)
		target.len = (size_t)(query - target.ptr);
	if (slice_equals(target, SLICE("*"))) {
		plan.status = 204;
		plan.allow = all_methods;
		return plan;
	}
	for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
		if (!matches(&routes[i], target, &plan))
			continue;
		plan.kind = (uint8_t)routes[i].kind;
		if (is_allowed(routes[i].kind, method))
			return plan;
		plan.kind = SERVICE_TEXT;
		plan.allow = routes[i].kind == SERVICE_ECHO ? echo_methods : get_methods;
		plan.status = method == HTTP_OPTIONS ? 204 : 405;
		plan.text = "not for this method (RFC 9110 15.5.6)";
		return plan;
	}
	plan.status = 404;
	plan.text = "there are /, /bytes/N, /echo, /sleep/MS, /compute/N, /file/N, /query/KEY, /stats";
	return plan;
}

bool service_wants_body(const struct service_plan *plan)
{
	return plan->kind == SERVICE_ECHO;
}

uint64_t service_compute(uint64_t count)
{
	/*
	 * each step needs the one before (xorshift, then multiply), so a unit takes its time:
	 * about 1 us
	 */
	enum { STEPS_A_UNIT = 300 };
	uint64_t x = 88172645463325252u;
	for (uint64_t unit = 0; unit < count; unit++)
		for (int step = 0; step < STEPS_A_UNIT; step++) {
			x ^= x >> 12;
			x ^= x << 25;
			x ^= x >> 27;
			x *= 2685821657736338717u;
		}
	return x;
}

#define ALPHABET "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_"
#define TIMES8(text) text text text text text text text text
enum { PATTERN_PERIOD = 64, PATTERN_LEN = 32 * 1024 };

struct slice service_pattern(uint64_t offset, uint64_t len)
{
	static const char pattern[PATTERN_LEN + 1] = TIMES8(TIMES8(TIMES8(ALPHABET)));
	size_t start = (size_t)(offset % PATTERN_PERIOD);
	size_t most = PATTERN_LEN - start;
	return (struct slice){ pattern + start, len < most ? (size_t)len : most };
}

size_t service_put_stats(char *out, const struct service *s)
{
	struct {
		const char *name;
		uint64_t value;
	} counters[] = { { "workers", s->worker_count }, { "accepted", 0 }, { "open", 0 },
		{ "requests", 0 }, { "refused", 0 } };
	for (uint32_t i = 0; i < (s->parts ? s->worker_count : 1); i++) {
		const struct service *part = s->parts ? &s->parts[i] : s;
		counters[1].value += atomic_load_explicit(&part->accepted, memory_order_relaxed);
		counters[2].value += atomic_load_explicit(&part->open, memory_order_relaxed);
		counters[3].value += atomic_load_explicit(&part->requests, memory_order_relaxed);
		counters[4].value += atomic_load_explicit(&part->refused, memory_order_relaxed);
	}
	char *at = slice_put(out, SLICE("{\"model\": \""));
	at = slice_put(at, (struct slice){ s->model, strlen(s->model) });
	*at++ = '"';
	for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++) {
		at = slice_put(at, SLICE(", \""));
		at = slice_put(at, (struct slice){ counters[i].name, strlen(counters[i].name) });
		at = slice_put(at, SLICE("\": "));
		at += units_put_digits(at, counters[i].value);
	}
	return (size_t)(slice_put(at, SLICE("}\n")) - out);
}
