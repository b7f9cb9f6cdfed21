/*
 * ask.c: one question for each kind of request, each on a connection of its own, before the load
 * begins. What a target sends back now is the pattern for the whole run, so it must be right:
 * status and body are checked here as they will be then.
 */
#include "ask.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/sys/clock.h"
#include "lib/sys/die.h"

/* Waits until `fd` is ready for `events`; false when the deadline passes first. */
static bool await(int fd, short events, uint64_t deadline_ns)
{
	for (;;) {
		uint64_t now_ns = clock_now_ns();
		if (now_ns >= deadline_ns)
			return false;
		struct timespec left = clock_timespec(deadline_ns - now_ns);
		struct pollfd poll_fd = { .fd = fd, .events = events };
		if (ppoll(&poll_fd, 1, &left, NULL) > 0)
			return true;
	}
}

int ask_connect(const struct net_address *address, uint64_t deadline_ns)
{
	int fd = net_connect(&address->address, address->len, NULL, 0);
	if (fd < 0)
		return fd;
	int error = await(fd, POLLOUT, deadline_ns) ? net_socket_error(fd) : -ETIMEDOUT;
	if (error == 0)
		return fd;
	close(fd);
	return error;
}

/* The whole first answer, in memory that is never freed. */
static struct slice read_answer(int fd, uint16_t *status, uint64_t deadline_ns)
{
	struct reply reply;
	reply_init(&reply);
	char *bytes = NULL;
	size_t len = 0, cap = 0;
	for (;;) {
		if (len == cap) {
			cap = cap ? cap * 2 : 16 * 1024;
			bytes = realloc(bytes, cap);
			if (!bytes)
				die_errno(ENOMEM, "the first answer is too long");
		}
		ssize_t got = recv(fd, bytes + len, cap - len, 0);
		if (got < 0 && errno == EAGAIN) {
			if (!await(fd, POLLIN, deadline_ns))
				die("the server sent no complete answer in time (--timeout)");
			continue;
		}
		if (got <= 0)
			die("the server closed the connection before it had answered");
		struct slice rest = { bytes + len, (size_t)got }, piece;
		len += (size_t)got;
		enum reply_step step;
		while ((step = reply_feed(&reply, &rest, &piece)) == REPLY_BODY)
			;
		if (step == REPLY_BAD)
			die("the first answer is malformed: %s", reply_fault_text(reply.fault));
		if (step == REPLY_DONE && rest.len)
			die("the first answer is malformed: %zu bytes behind its end", rest.len);
		if (step == REPLY_DONE) {
			*status = reply.status;
			return (struct slice){ bytes, len };
		}
	}
}

static void send_request(int fd, struct slice request, uint64_t deadline_ns)
{
	while (request.len) {
		ssize_t sent = send(fd, request.ptr, request.len, MSG_NOSIGNAL);
		if (sent >= 0)
			request = slice_skip(request, (size_t)sent);
		else if (errno != EAGAIN)
			die("the server closed the connection before it had the whole request");
		else if (!await(fd, POLLOUT, deadline_ns))
			die("the server did not take the whole request in time (--timeout)");
	}
}

/* `depth` equal requests in a row. */
static struct slice make_request(const struct options *o, const struct target *t, bool closes,
    uint32_t depth)
{
	char length[48] = "", *head;
	if (strcmp(t->method, "GET") != 0)
		snprintf(length, sizeof length, "Content-Length: %zu\r\n", t->body.len);
	int head_len = asprintf(&head, "%s %s HTTP/1.1\r\nHost: %s\r\n%s%s\r\n", t->method, t->path,
	    o->authority, length, closes ? "Connection: close\r\n" : "");
	size_t len = head_len < 0 ? 0 : (size_t)head_len + t->body.len;
	char *bytes = malloc(len * depth);
	if (head_len < 0 || !bytes)
		die_errno(ENOMEM, "the request");
	char *at = slice_put(bytes, (struct slice){ head, (size_t)head_len });
	if (t->body.len)
		slice_put(at, t->body);
	free(head);
	for (uint32_t i = 1; i < depth; i++)
		memcpy(bytes + i * len, bytes, len);
	return (struct slice){ bytes, len * depth };
}

/* Is the first answer as the target wants it? */
static void judge(const struct options *o, const struct target *t, const struct exchange *x,
    uint16_t status)
{
	char place[256];
	snprintf(place, sizeof place, o->mix_file ? "[%s] of %s" : "%s%s",
	    o->mix_file ? t->name : o->url, o->mix_file ? o->mix_file : "");
	if (!exchange_likes(x, status))
		die("%s answers with status %u: if that is wanted, say %s%u", place, status,
		    o->mix_file ? "status = " : "--status ", status);
	if (t->expect.ptr && !slice_equals(x->body, t->expect))
		die("%s answers with another body than %s says: \"%.*s\"%s (%zu bytes)", place,
		    o->mix_file ? "expect" : "--expect", (int)(x->body.len < 40 ? x->body.len : 40),
		    x->body.ptr, x->body.len < 40 ? "" : "...", x->body.len);
}

static void ask(const struct options *o, const struct target *t, struct load *load, int fd,
    struct exchange *x)
{
	struct net_address address = { load->address, load->address_len };
	uint64_t deadline_ns = clock_now_ns() + o->timeout_ns;
	if (fd < 0)
		fd = ask_connect(&address, deadline_ns);
	if (fd < 0)
		die_errno(-fd, "cannot connect to %s port %u again", o->host, o->port);
	x->request = make_request(o, t, x->closes, x->depth);
	x->status = t->status;
	send_request(fd, slice_first(x->request, x->request.len / x->depth), deadline_ns);
	uint16_t status;
	exchange_init(x, read_answer(fd, &status, deadline_ns));
	close(fd);
	judge(o, t, x, status);
	load->asked_count++;
}

void ask_all(const struct options *o, struct load *load, int fd, struct exchange *exchanges)
{
	for (uint32_t i = 0; i < o->target_count; i++) {
		struct exchange *pair = &exchanges[2 * i];
		pair[0].depth = (uint8_t)o->depth;
		ask(o, &o->targets[i], load, i == 0 ? fd : -1, &pair[0]);
		if (!o->requests_per_connection)
			continue;
		pair[1].depth = 1;
		pair[1].closes = true;
		ask(o, &o->targets[i], load, -1, &pair[1]);
	}
	if (o->slow_target) {
		struct target slow = { .method = "GET", .path = o->slow_target };
		exchanges[EXCHANGE_SLOW].depth = 1;
		ask(o, &slow, load, -1, &exchanges[EXCHANGE_SLOW]);
	}
}
