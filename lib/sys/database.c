/*
 * database.c: see database.h. hiredis reads the protocol, through callbacks of ours that keep a
 * value where the last one lay: no allocation per answer. Questions are written as inline
 * commands, "GET key" and a line end, which Redis takes as well as arrays; a key holds no byte that
 * would end one (lib/core/service.c).
 */
#include "lib/sys/database.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/core/conn.h"
#include "lib/core/units.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/io.h"
#include "lib/sys/net.h"

#define NOBODY UINT64_MAX
enum { DIAL_MAX_MS = 1000, SILENCE_MAX_S = 5, ROW_FIRST = 256, OUT_FIRST = 4096, QUESTION_MAX = 128 };

static struct sockaddr_storage address;
static socklen_t address_len;

bool database_set_url(const char *url)
{
	static const char scheme[] = "redis://";
	char host[256];
	uint64_t port = 6379;
	if (strncmp(url, scheme, strlen(scheme)) != 0)
		return false;
	url += strlen(scheme);
	size_t len = strcspn(url, ":/");
	if (len == 0 || len >= sizeof host)
		return false;
	memcpy(host, url, len);
	host[len] = '\0';
	url += len;
	if (*url == ':') {
		size_t digits = strspn(url + 1, "0123456789");
		struct slice text = { url + 1, digits };
		if (!units_parse_digits(text, &port) || port < 1 || port > 65535)
			return false;
		url += 1 + digits;
	}
	if (*url == '/')
		url++;
	return *url == '\0' && net_resolve(host, (uint16_t)port, &address, &address_len) == 0;
}

int database_dial(bool nonblocking)
{
	int fd = net_connect(&address, address_len, NULL, 0);
	if (fd < 0)
		return fd;
	struct pollfd connected = { .fd = fd, .events = POLLOUT };
	int error = poll(&connected, 1, DIAL_MAX_MS) == 1 ? net_socket_error(fd) : -ETIMEDOUT;
	if (error == 0 && !nonblocking && fcntl(fd, F_SETFL, 0) < 0)
		error = -errno;
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

/* --- what hiredis calls ---------------------------------------------------------------------- */

static const struct slice no_answer = { NULL, CONN_NO_ANSWER };

static void *keep_value(const redisReadTask *task, char *bytes, size_t len)
{
	struct database *db = task->privdata;
	if (len > db->value_cap || !db->value) {
		char *more = realloc(db->value, len + 1); /* an empty value is one, too */
		if (!more)
			return NULL; /* the reader gives up, and so does the link */
		db->value = more;
		db->value_cap = len;
	}
	memcpy(db->value, bytes, len);
	db->answer = task->type == REDIS_REPLY_STRING ? (struct slice){ db->value, len } : no_answer;
	return db;
}

static void *keep_no_key(const redisReadTask *task)
{
	struct database *db = task->privdata;
	db->answer = (struct slice){ NULL, CONN_NO_KEY };
	return db;
}

static void *keep_none(const redisReadTask *task)
{
	struct database *db = task->privdata;
	db->answer = no_answer;
	return db;
}

static void *keep_no_array(const redisReadTask *task, int count)
{
	(void)count;
	return keep_none(task);
}

static void *keep_no_integer(const redisReadTask *task, long long number)
{
	(void)number;
	return keep_none(task);
}

static void keep_all(void *reply)
{
	(void)reply; /* it is the database itself */
}

static redisReplyObjectFunctions functions = {
	.createString = keep_value,
	.createArray = keep_no_array,
	.createInteger = keep_no_integer,
	.createNil = keep_no_key,
	.freeObject = keep_all,
};

/* --- asking ---------------------------------------------------------------------------------- */

static void open_link(struct database *db)
{
	uint64_t now_ns = clock_now_ns();
	if (now_ns < db->retry_ns)
		return;
	db->retry_ns = now_ns + UINT64_C(1000000000);
	int fd = database_dial(!db->blocking);
	if (fd < 0)
		return;
	db->reader = redisReaderCreateWithFunctions(&functions);
	CHECK(db->reader);
	db->reader->privdata = db;
	db->fd = fd;
	db->out_len = 0;
}

static void *grown(void *memory, uint32_t *cap, size_t item_len)
{
	*cap *= 2;
	memory = realloc(memory, *cap * item_len);
	if (!memory)
		die("no memory for questions to the database");
	return memory;
}

void database_init(struct database *db)
{
	*db = (struct database){ .fd = -1, .row_cap = ROW_FIRST / 2, .out_cap = OUT_FIRST / 2 };
	db->row = grown(NULL, &db->row_cap, sizeof *db->row);
	db->out = grown(NULL, &db->out_cap, 1);
}

void database_deinit(struct database *db)
{
	database_hang_up(db);
	free(db->value);
	free(db->out);
	free(db->row);
}

/* Into a ring that is full no more: what wrapped round to its front goes behind its old end. */
static void stand_in_row(struct database *db, uint64_t tag)
{
	uint32_t cap = db->row_cap;
	if (db->row_count == cap) {
		db->row = grown(db->row, &db->row_cap, sizeof *db->row);
		memcpy(db->row + cap, db->row, db->row_first * sizeof *db->row);
	}
	db->row[(db->row_first + db->row_count++) % db->row_cap] = tag;
}

bool database_ask(struct database *db, struct slice key, uint64_t tag)
{
	/* not before the last one who was disappointed by the old link has heard of it */
	bool opened = db->fd < 0 && db->row_count == 0;
	if (opened)
		open_link(db);
	if (db->row_count == 0)
		db->silent_s = 0; /* database_check() begins to count */
	stand_in_row(db, tag);
	if (db->fd < 0)
		return false;
	while (db->out_cap - db->out_len < QUESTION_MAX)
		db->out = grown(db->out, &db->out_cap, 1);
	char *at = slice_put(db->out + db->out_len, SLICE("GET "));
	at = slice_put(at, key);
	at = slice_put(at, SLICE("\r\n"));
	db->out_len = (uint32_t)(at - db->out);
	return opened;
}

void database_forget(struct database *db, uint64_t tag)
{
	for (uint32_t i = 0; i < db->row_count; i++) {
		uint64_t *asker = &db->row[(db->row_first + i) % db->row_cap];
		if (*asker == tag)
			*asker = NOBODY;
	}
}

/* --- sending and hearing --------------------------------------------------------------------- */

struct slice database_output(const struct database *db)
{
	return (struct slice){ db->out, db->fd < 0 ? 0 : db->out_len };
}

void database_sent(struct database *db, size_t len)
{
	db->out_len -= (uint32_t)len;
	memmove(db->out, db->out + len, db->out_len);
}

void database_feed(struct database *db, const char *bytes, size_t len)
{
	db->silent_s = 0;
	redisReaderFeed(db->reader, bytes, len); /* what it cannot take, it says when it is asked */
}

void database_send(struct database *db)
{
	struct slice output = database_output(db);
	if (output.len == 0)
		return;
	/* what the socket does not take goes with the next; a broken one is heard of as end of file */
	ssize_t n = io_send(db->fd, output);
	if (n > 0)
		database_sent(db, (size_t)n);
}

bool database_hear(struct database *db)
{
	char bytes[CONN_FEED_MAX];
	ssize_t n = io_recv(db->fd, bytes, sizeof bytes);
	if (n > 0)
		database_feed(db, bytes, (size_t)n);
	else if (n != -EAGAIN)
		database_hang_up(db);
	return db->fd >= 0;
}

void database_hang_up(struct database *db)
{
	if (db->fd < 0)
		return;
	redisReaderFree(db->reader);
	close(db->fd);
	db->fd = -1;
}

void database_check(struct database *db, uint32_t now_s)
{
	if (db->fd < 0 || db->row_count == 0)
		return;
	if (db->silent_s == 0)
		db->silent_s = now_s;
	else if (now_s - db->silent_s > SILENCE_MAX_S)
		shutdown(db->fd, SHUT_RDWR);
}

bool database_next(struct database *db, uint64_t *tag, struct slice *value)
{
	while (db->row_count > 0) {
		void *reply = NULL;
		/* what is no Redis's ends the link as its end of file would */
		if (db->fd >= 0 && redisReaderGetReply(db->reader, &reply) != REDIS_OK)
			shutdown(db->fd, SHUT_RDWR);
		if (db->fd >= 0 && !reply)
			return false;
		*tag = db->row[db->row_first];
		db->row_first = (db->row_first + 1) % db->row_cap;
		db->row_count--;
		*value = reply ? db->answer : no_answer;
		if (*tag != NOBODY)
			return true;
	}
	return false;
}
