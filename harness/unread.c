/*
 * unread.c: see unread.h. One question and one answer of a few microseconds, about one socket that
 * is named by its two addresses: those of ours, swapped. Notice: while it asks, the peer runs; a
 * server that waits for a timer or for a slow reader rightly leaves bytes unread, hence the
 * timeout.
 */
#include "harness/unread.h"

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "lib/sys/clock.h"

int unread_open(void)
{
	return socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
}

/* Does the socket from `source` to `target` hold bytes that its process has not read? */
static bool has_unread(
    int diag_fd, const struct sockaddr_in *source, const struct sockaddr_in *target)
{
	struct {
		struct nlmsghdr head;
		struct inet_diag_req_v2 body;
	} question = {
		.head = { .nlmsg_len = sizeof question,
		    .nlmsg_type = SOCK_DIAG_BY_FAMILY,
		    .nlmsg_flags = NLM_F_REQUEST },
		.body = { .sdiag_family = AF_INET,
		    .sdiag_protocol = IPPROTO_TCP,
		    .idiag_states = UINT32_MAX },
	};
	struct inet_diag_sockid *id = &question.body.id;
	id->idiag_sport = source->sin_port;
	id->idiag_dport = target->sin_port;
	id->idiag_src[0] = source->sin_addr.s_addr;
	id->idiag_dst[0] = target->sin_addr.s_addr;
	id->idiag_cookie[0] = id->idiag_cookie[1] = INET_DIAG_NOCOOKIE;

	union {
		struct nlmsghdr head;
		char bytes[1024];
	} answer;
	struct inet_diag_msg message;
	if (send(diag_fd, &question, sizeof question, 0) < 0)
		return false;
	ssize_t len = recv(diag_fd, &answer, sizeof answer, 0);
	if (len < (ssize_t)(NLMSG_HDRLEN + sizeof message) ||
	    answer.head.nlmsg_type != SOCK_DIAG_BY_FAMILY)
		return false; /* no such socket (any more), or no such service in this kernel */
	memcpy(&message, answer.bytes + NLMSG_HDRLEN, sizeof message);
	return message.idiag_rqueue > 0;
}

void unread_wait(int diag_fd, int fd, uint64_t timeout_ns)
{
	struct sockaddr_in mine, peer;
	socklen_t mine_len = sizeof mine, peer_len = sizeof peer;
	if (diag_fd < 0 || getsockname(fd, (struct sockaddr *)&mine, &mine_len) < 0 ||
	    getpeername(fd, (struct sockaddr *)&peer, &peer_len) < 0)
		return;
	uint64_t start_ns = clock_now_ns();
	while (has_unread(diag_fd, &peer, &mine) && clock_now_ns() - start_ns < timeout_ns)
		sched_yield();
}
