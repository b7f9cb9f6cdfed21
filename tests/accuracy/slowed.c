/*
 * slowed.c: conn_feed() that takes SLOWED_NS longer, by a busy loop. The linker puts it around the
 * real one (--wrap in ld(1)), which makes of a server one that is slower by a known time a request,
 * and in nothing else: decide.sh asks whether the harness finds that out.
 */
#include <stdlib.h>

#include "lib/core/conn.h"
#include "lib/sys/clock.h"

void __real_conn_feed(struct conn *c, const void *bytes, size_t len);
void __wrap_conn_feed(struct conn *c, const void *bytes, size_t len);

static uint64_t slowed_ns;

__attribute__((constructor)) static void read_environment(void)
{
	const char *text = getenv("SLOWED_NS");
	slowed_ns = text ? strtoull(text, NULL, 10) : 0;
}

void __wrap_conn_feed(struct conn *c, const void *bytes, size_t len)
{
	uint64_t until_ns = clock_now_ns() + slowed_ns;
	while (clock_now_ns() < until_ns)
		;
	__real_conn_feed(c, bytes, len);
}
