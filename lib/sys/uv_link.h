/*
 * uv_link.h: a libuv loop's link to the database: watched as any socket is, read when it is
 * readable, and written to before the loop waits, when all who had their turn have asked. Of
 * interest to shells on libuv alone, hence inline: nothing else needs the library.
 */
#ifndef UV_LINK_H
#define UV_LINK_H

#include <stdlib.h>
#include <uv.h>

#include "lib/sys/database.h"
#include "lib/sys/die.h"

struct uv_link {
	struct database database;
	uv_prepare_t before_wait;
	void (*answer)(void *asker, struct slice value);
};

static inline void uv_link_closed(uv_handle_t *watched)
{
	free(watched);
}

static inline void uv_link_readable(uv_poll_t *watched, int status, int events)
{
	struct uv_link *k = watched->data;
	(void)events;
	if (!database_hear(&k->database))
		uv_close((uv_handle_t *)watched, uv_link_closed); /* a new link may come before that */
	else if (status < 0) /* a reset behind answers: libuv watches no more, yet there is more to hear */
		uv_poll_start(watched, UV_READABLE, uv_link_readable);
}

static inline void uv_link_before_wait(uv_prepare_t *before_wait)
{
	struct uv_link *k = before_wait->data;
	uint64_t asker;
	struct slice value;
	while (database_next(&k->database, &asker, &value))
		k->answer((void *)(uintptr_t)asker, value);
	database_send(&k->database);
	if (k->database.row_count == 0)
		uv_unref((uv_handle_t *)before_wait); /* it alone does not keep the loop going */
}

/* `answer` is called with what uv_link_ask() was given, from before a wait. */
static inline void uv_link_init(struct uv_link *k, uv_loop_t *uv,
    void (*answer)(void *asker, struct slice value))
{
	k->answer = answer;
	k->before_wait.data = k;
	database_init(&k->database);
	uv_prepare_init(uv, &k->before_wait);
	uv_prepare_start(&k->before_wait, uv_link_before_wait);
	uv_unref((uv_handle_t *)&k->before_wait);
}

static inline void uv_link_ask(struct uv_link *k, struct slice key, void *asker)
{
	uv_ref((uv_handle_t *)&k->before_wait); /* who waits for an answer does */
	if (!database_ask(&k->database, key, (uintptr_t)asker))
		return;
	uv_poll_t *watched = malloc(sizeof *watched);
	CHECK(watched && uv_poll_init(k->before_wait.loop, watched, k->database.fd) == 0);
	watched->data = k;
	uv_unref((uv_handle_t *)watched);
	uv_poll_start(watched, UV_READABLE, uv_link_readable);
}

#endif
