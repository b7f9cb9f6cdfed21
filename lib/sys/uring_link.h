/*
 * uring_link.h: the link to the database through an io_uring: one send carries what all connections
 * have asked since the last, one receive is always under way. Of interest to the io_uring shell
 * alone, hence inline, as uring.h.
 *
 * What the kernel sends from must not move meanwhile, so questions are copied first; the socket is
 * closed when both operations have ended.
 */
#ifndef URING_LINK_H
#define URING_LINK_H

#include <sys/socket.h>

#include "lib/sys/database.h"
#include "lib/sys/uring.h"

struct uring_link {
	char asked[4096], heard[16384];
	bool asking, hearing, lost;
};

/*
 * Once a turn of the loop: asks what there is to ask, and hears. The completions carry these two
 * user_data; tell them to uring_link_done().
 */
static inline void uring_link_turn(struct uring_link *k, struct database *db, struct io_uring *ring,
    uint64_t ask, uint64_t hear)
{
	struct slice questions = slice_first(database_output(db), sizeof k->asked);
	if (!k->asking && !k->lost && questions.len > 0) {
		struct io_uring_sqe *sqe = uring_submission(ring);
		memcpy(k->asked, questions.ptr, questions.len);
		database_sent(db, questions.len);
		io_uring_prep_send(sqe, db->fd, k->asked, questions.len, MSG_NOSIGNAL | MSG_WAITALL);
		sqe->user_data = ask;
		k->asking = true;
	}
	if (!k->hearing && !k->lost && db->fd >= 0) {
		struct io_uring_sqe *sqe = uring_submission(ring);
		io_uring_prep_recv(sqe, db->fd, k->heard, sizeof k->heard, 0);
		sqe->user_data = hear;
		k->hearing = true;
	}
}

/* One of the two has ended with `result`. */
static inline void uring_link_done(struct uring_link *k, struct database *db, bool hearing, int result)
{
	if (hearing)
		k->hearing = false;
	else
		k->asking = false;
	if (hearing && result > 0)
		database_feed(db, k->heard, (size_t)result);
	else if (hearing)
		k->lost = true; /* a send that failed is heard of, too */
	if (k->lost && !k->asking) {
		database_hang_up(db);
		k->lost = false;
	}
}

#endif
