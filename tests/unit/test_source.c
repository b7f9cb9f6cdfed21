/*
 * test_source.c: source addresses. What must hold: no address has more connections than it has
 * ports for, however many workers deal them out, and no server but one on loopback sees any.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "loadgen/source.c"

static struct sockaddr_storage server(const char *text)
{
	struct sockaddr_storage storage = { .ss_family = AF_INET };
	struct sockaddr_in *address = (struct sockaddr_in *)&storage;
	assert_int_equal(inet_pton(AF_INET, text, &address->sin_addr), 1);
	return storage;
}

/* The source address in host order; 0: the kernel chooses. */
static uint32_t chosen(const struct sockaddr_storage *to, uint64_t index)
{
	struct sockaddr_in source;
	const struct sockaddr_in *found = source_choose(to, index, &source);
	if (!found)
		return 0;
	assert_ptr_equal(found, &source);
	assert_int_equal(source.sin_family, AF_INET);
	assert_int_equal(source.sin_port, 0);
	return ntohl(source.sin_addr.s_addr);
}

static void test_edges(void **state)
{
	(void)state;
	struct sockaddr_storage to = server("127.0.0.1");
	assert_int_equal(chosen(&to, 0), 0);
	assert_int_equal(chosen(&to, 13999), 0);
	assert_int_equal(chosen(&to, 14000), 0x7f000002);
	assert_int_equal(chosen(&to, 27999), 0x7f000002);
	assert_int_equal(chosen(&to, 28000), 0x7f000003);
	assert_int_equal(chosen(&to, 14000 * 254), 0x7f0000ff);
	assert_int_equal(chosen(&to, 14000 * 255), 0x7f000100);
	assert_int_equal(chosen(&to, 20000000), 0x7f000595); /* the most that can be asked for */
	to = server("127.9.8.7");
	assert_int_equal(chosen(&to, 14000), 0x7f000002);
}

static void test_shares(void **state)
{
	(void)state;
	enum { WORKERS = 7, EACH = 10000, ADDRESSES = WORKERS * EACH / SOURCE_CONNECTIONS };
	struct sockaddr_storage to = server("127.0.0.1");
	uint32_t counts[ADDRESSES] = { 0 };
	for (uint64_t worker = 0; worker < WORKERS; worker++) {
		for (uint64_t i = 0; i < EACH; i++) {
			uint32_t address = chosen(&to, i * WORKERS + worker);
			uint32_t number = address ? address - 0x7f000001 : 0;
			assert_true(number < ADDRESSES);
			counts[number]++;
		}
	}
	for (int i = 0; i < ADDRESSES; i++)
		assert_int_equal(counts[i], SOURCE_CONNECTIONS);
}

static void test_elsewhere(void **state)
{
	(void)state;
	static const char *const addresses[] = { "10.0.0.1", "126.255.255.255", "128.0.0.1", "0.0.0.0" };
	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		struct sockaddr_storage to = server(addresses[i]);
		assert_false(source_is_manifold(&to));
		assert_int_equal(chosen(&to, 1000000), 0);
	}
	struct sockaddr_storage ipv6 = { .ss_family = AF_INET6 };
	((struct sockaddr_in6 *)&ipv6)->sin6_addr = in6addr_loopback;
	assert_false(source_is_manifold(&ipv6));
	assert_int_equal(chosen(&ipv6, 1000000), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_edges),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_elsewhere),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
