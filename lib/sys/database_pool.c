/*
 * database_pool.c: see database_pool.h. hiredis's blocking half: a link sends a command and waits
 * for the answer. A link that fails is closed; the next one in need opens another. One that was
 * cut while it lay idle is replaced at once, so that a database that is back answers the first who
 * asks.
 */
#include "lib/sys/database_pool.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <unistd.h>

#include "lib/sys/database.h"

enum { ANSWER_MAX_S = 5 };

static struct {
	pthread_mutex_t lock;
	pthread_cond_t one_free;
	redisContext *idle[DATABASE_POOL_LINKS]; /* the last given back is taken first */
	int idle_count, taken_count;
} pool = { .lock = PTHREAD_MUTEX_INITIALIZER, .one_free = PTHREAD_COND_INITIALIZER };

static redisContext *dial(void)
{
	int fd = database_dial(false);
	if (fd < 0)
		return NULL;
	redisContext *link = redisConnectFd(fd);
	if (link && !link->err && redisSetTimeout(link, (struct timeval){ ANSWER_MAX_S, 0 }) == REDIS_OK)
		return link;
	if (link)
		redisFree(link);
	else
		close(fd);
	return NULL;
}

/* A link, or NULL when the database cannot be reached. */
static redisContext *take(void)
{
	redisContext *link = NULL;
	pthread_mutex_lock(&pool.lock);
	while (pool.taken_count == DATABASE_POOL_LINKS)
		pthread_cond_wait(&pool.one_free, &pool.lock);
	pool.taken_count++;
	if (pool.idle_count > 0)
		link = pool.idle[--pool.idle_count];
	pthread_mutex_unlock(&pool.lock);
	return link ? link : dial();
}

static void give(redisContext *link)
{
	if (link && link->err) {
		redisFree(link);
		link = NULL;
	}
	pthread_mutex_lock(&pool.lock);
	pool.taken_count--;
	if (link)
		pool.idle[pool.idle_count++] = link;
	pthread_cond_signal(&pool.one_free);
	pthread_mutex_unlock(&pool.lock);
}

/* NULL without a link, and when it breaks over it. */
static redisReply *get(redisContext *link, struct slice key)
{
	return link ? redisCommand(link, "GET %b", key.ptr, key.len) : NULL;
}

/* The database has ended it: since when, nobody who did not use it can tell. */
static bool was_cut(const redisContext *link)
{
	return link->err == REDIS_ERR_EOF ||
	    (link->err == REDIS_ERR_IO && (errno == EPIPE || errno == ECONNRESET));
}

void database_pool_answer(struct conn *c)
{
	struct slice key = conn_query_key(c), value = { NULL, CONN_NO_ANSWER };
	redisContext *link = take();
	redisReply *reply = get(link, key);
	if (link && !reply && was_cut(link)) { /* perhaps it is back: a new link tells */
		redisFree(link);
		link = dial();
		reply = get(link, key);
	}
	if (reply && reply->type == REDIS_REPLY_STRING)
		value = (struct slice){ reply->str, (size_t)reply->len };
	else if (reply && reply->type == REDIS_REPLY_NIL)
		value.len = CONN_NO_KEY;
	conn_query_done(c, value);
	freeReplyObject(reply);
	give(link);
}
