/* test_service.c: which target means what, for which method; the pattern, the work, the counts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <jansson.h>

#include "lib/core/service.h"

#define COUNT(array) (sizeof(array) / sizeof(array)[0])

static struct service_plan plan_of(enum http_method method, const char *target)
{
	return service_plan(method, (struct slice){ target, strlen(target) });
}

static void test_targets(void **state)
{
	static const struct {
		const char *target;
		enum service_kind kind;
		uint64_t number;
		uint16_t status;
	} rows[] = {
		{ "/", SERVICE_TEXT, 0, 200 },
		{ "/?", SERVICE_TEXT, 0, 200 },
		{ "/?a/b", SERVICE_TEXT, 0, 200 },
		{ "/stats", SERVICE_STATS, 0, 200 },
		{ "/stats?x", SERVICE_STATS, 0, 200 },
		{ "/bytes/0", SERVICE_BYTES, 0, 200 },
		{ "/bytes/067", SERVICE_BYTES, 67, 200 },
		{ "/bytes/67108864", SERVICE_BYTES, 67108864, 200 },
		{ "/bytes/67108865", SERVICE_TEXT, 0, 404 },
		{ "/bytes/18446744073709551616", SERVICE_TEXT, 0, 404 },
		{ "/bytes/", SERVICE_TEXT, 0, 404 },
		{ "/bytes", SERVICE_TEXT, 0, 404 },
		{ "/bytes/-1", SERVICE_TEXT, 0, 404 },
		{ "/bytes/1/", SERVICE_TEXT, 0, 404 },
		{ "/bytes/1?2", SERVICE_BYTES, 1, 200 },
		{ "/sleep/100", SERVICE_SLEEP, 100, 200 },
		{ "/sleep/60001", SERVICE_TEXT, 0, 404 },
		{ "/compute/10000", SERVICE_COMPUTE, 10000, 200 },
		{ "/compute/10000001", SERVICE_TEXT, 0, 404 },
		{ "/file/4096", SERVICE_FILE, 4096, 200 },
		{ "/query/user:1", SERVICE_QUERY, 0, 200 },
		{ "/query/", SERVICE_TEXT, 0, 404 },
		{ "/query/a/b", SERVICE_TEXT, 0, 404 },
		{ "/query/a b", SERVICE_TEXT, 0, 404 },
		{ "//", SERVICE_TEXT, 0, 404 },
		{ "/Stats", SERVICE_TEXT, 0, 404 },
		{ "/stats/", SERVICE_TEXT, 0, 404 },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct service_plan plan = plan_of(HTTP_GET, rows[i].target);
		if (plan.status != rows[i].status ||
		    (plan.status == 200 && plan.kind != rows[i].kind) ||
		    (plan.status == 200 && rows[i].number && plan.number != rows[i].number))
			fail_msg("%s: status %u, kind %u", rows[i].target, plan.status, plan.kind);
	}
}

static void test_methods(void **state)
{
	static const struct {
		enum http_method method;
		const char *target;
		uint16_t status;
		const char *allow;
	} rows[] = {
		{ HTTP_HEAD, "/", 200, NULL },
		{ HTTP_POST, "/echo", 200, NULL },
		{ HTTP_POST, "/", 405, "GET, HEAD, OPTIONS" },
		{ HTTP_PUT, "/bytes/1", 405, "GET, HEAD, OPTIONS" },
		{ HTTP_TRACE, "/", 405, "GET, HEAD, OPTIONS" },
		{ HTTP_GET, "/echo", 405, "POST, OPTIONS" },
		{ HTTP_HEAD, "/echo", 405, "POST, OPTIONS" },
		{ HTTP_OPTIONS, "/echo", 204, "POST, OPTIONS" },
		{ HTTP_OPTIONS, "/", 204, "GET, HEAD, OPTIONS" },
		{ HTTP_OPTIONS, "*", 204, "GET, HEAD, POST, OPTIONS" },
		{ HTTP_OPTIONS, "/none", 404, NULL },
		{ HTTP_DELETE, "/none", 404, NULL },
	};
	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct service_plan plan = plan_of(rows[i].method, rows[i].target);
		if (plan.status != rows[i].status || !plan.allow != !rows[i].allow ||
		    (plan.allow && strcmp(plan.allow, rows[i].allow) != 0))
			fail_msg("%s: status %u, Allow: %s", rows[i].target, plan.status,
			    plan.allow ? plan.allow : "none");
	}
	struct service_plan echo = plan_of(HTTP_POST, "/echo"),
			    refused = plan_of(HTTP_GET, "/echo");
	assert_true(service_wants_body(&echo));
	assert_false(service_wants_body(&refused));
}

static void test_key(void **state)
{
	char target[128] = "/query/";
	(void)state;
	struct service_plan plan = plan_of(HTTP_GET, "/query/user:42?x");
	assert_int_equal(plan.key_offset, 7);
	assert_int_equal(plan.key_len, 7);
	memset(target + 7, 'k', SERVICE_KEY_MAX + 1);
	assert_int_equal(plan_of(HTTP_GET, target).status, 404);
	target[7 + SERVICE_KEY_MAX] = '\0';
	plan = plan_of(HTTP_GET, target);
	assert_int_equal(plan.status, 200);
	assert_int_equal(plan.key_len, SERVICE_KEY_MAX);
}

static void test_pattern(void **state)
{
	static const char alphabet[] =
	    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_";
	(void)state;
	for (uint64_t offset = 0; offset < 200; offset++) {
		struct slice s = service_pattern(offset, 1000);
		assert_int_equal(s.len, 1000);
		for (size_t i = 0; i < s.len; i++)
			assert_int_equal(s.ptr[i], alphabet[(offset + i) % 64]);
	}
	/* walked as a stream is */
	for (uint64_t at = 0, total = 1000003; at < total;) {
		struct slice s = service_pattern(at, total - at);
		assert_in_range(s.len, 1, total - at);
		assert_int_equal(s.ptr[0], alphabet[at % 64]);
		assert_int_equal(s.ptr[s.len - 1], alphabet[(at + s.len - 1) % 64]);
		at += s.len;
	}
	assert_int_equal(service_pattern(5, 0).len, 0);
}

static void test_compute(void **state)
{
	(void)state;
	assert_true(service_compute(0) != service_compute(1));
	assert_true(service_compute(1) != service_compute(2));
	assert_true(service_compute(1000) == UINT64_C(3052595568816018386)); /* clients compare it */
}

static void test_stats(void **state)
{
	struct service s = { .model = "a_long_model_name",
		.worker_count = UINT32_MAX,
		.accepted = UINT64_MAX,
		.open = UINT64_MAX,
		.refused = UINT64_MAX,
		.requests = UINT64_MAX };
	char text[SERVICE_STATS_MAX + 1];
	(void)state;
	size_t len = service_put_stats(text, &s);
	assert_in_range(len, 1, SERVICE_STATS_MAX);
	s = (struct service){ .model = "epoll",
		.worker_count = 4,
		.accepted = 12,
		.open = 3,
		.refused = 1,
		.requests = 99 };
	len = service_put_stats(text, &s);
	json_t *stats = json_loadb(text, len, 0, NULL);
	assert_non_null(stats);
	assert_string_equal(json_string_value(json_object_get(stats, "model")), "epoll");
	assert_int_equal(json_integer_value(json_object_get(stats, "workers")), 4);
	assert_int_equal(json_integer_value(json_object_get(stats, "accepted")), 12);
	assert_int_equal(json_integer_value(json_object_get(stats, "open")), 3);
	assert_int_equal(json_integer_value(json_object_get(stats, "refused")), 1);
	assert_int_equal(json_integer_value(json_object_get(stats, "requests")), 99);
	json_decref(stats);
}

/* Each worker counts for itself: any of them tells the sums. */
static void test_stats_of_parts(void **state)
{
	static struct service parts[2];
	char text[SERVICE_STATS_MAX];
	(void)state;
	for (uint64_t i = 0; i < 2; i++)
		parts[i] = (struct service){ .model = "percore", .worker_count = 2, .parts = parts,
			.accepted = 10 + i, .open = 2 + i, .refused = i, .requests = 500 };
	size_t len = service_put_stats(text, &parts[1]);
	json_t *stats = json_loadb(text, len, 0, NULL);
	assert_int_equal(json_integer_value(json_object_get(stats, "workers")), 2);
	assert_int_equal(json_integer_value(json_object_get(stats, "accepted")), 21);
	assert_int_equal(json_integer_value(json_object_get(stats, "open")), 5);
	assert_int_equal(json_integer_value(json_object_get(stats, "refused")), 1);
	assert_int_equal(json_integer_value(json_object_get(stats, "requests")), 1000);
	json_decref(stats);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_targets),
		cmocka_unit_test(test_methods),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_pattern),
		cmocka_unit_test(test_compute),
		cmocka_unit_test(test_stats),
		cmocka_unit_test(test_stats_of_parts),
	};
	return cmocka_run_group_tests_name("service", tests, NULL, NULL);
}
