/*
 * uring.h: buffers lent to the kernel through a shared ring, for io_uring receives that choose
 * one only when bytes are there: io_uring_register_buf_ring(3). Of interest to completion shells
 * alone, hence all inline: nothing else needs liburing.
 *
 * All memory is touched at the start, so it shows as the server's fixed cost, not as a
 * connection's.
 */
#ifndef URING_H
#define URING_H

#include <errno.h>
#include <liburing.h>
#include <stdint.h>
#include <sys/mman.h>

#include "lib/core/slice.h"
#include "lib/sys/die.h"

enum { URING_BUFFER_COUNT = 1024, URING_BUFFER_LEN = 4096 };

struct uring_buffers {
	struct io_uring_buf_ring *lent;
	char *bytes; /* URING_BUFFER_COUNT times URING_BUFFER_LEN */
};

static inline void uring_lend(struct uring_buffers *r, unsigned id)
{
	io_uring_buf_ring_add(r->lent, r->bytes + (size_t)id * URING_BUFFER_LEN, URING_BUFFER_LEN,
	    (unsigned short)id, io_uring_buf_ring_mask(URING_BUFFER_COUNT), 0);
	io_uring_buf_ring_advance(r->lent, 1);
}

/* What a completion with IORING_CQE_F_BUFFER received; lend its buffer again when done. */
static inline struct slice uring_received(const struct uring_buffers *r, const struct io_uring_cqe *cqe)
{
	size_t id = cqe->flags >> IORING_CQE_BUFFER_SHIFT;
	return (struct slice){ r->bytes + id * URING_BUFFER_LEN, cqe->res > 0 ? (size_t)cqe->res : 0 };
}

/* An empty submission; when the ring is full, what stands there is handed over first. */
static inline struct io_uring_sqe *uring_submission(struct io_uring *ring)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);
	if (!sqe) {
		io_uring_submit(ring);
		sqe = io_uring_get_sqe(ring);
		CHECK(sqe);
	}
	return sqe;
}

/* The kernel's own form of a time span. */
static inline struct __kernel_timespec uring_timespec(uint64_t ns)
{
	return (struct __kernel_timespec){ (long long)(ns / 1000000000), (long long)(ns % 1000000000) };
}

static inline void *uring_map(size_t len)
{
	int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE;
	void *memory = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, -1, 0);
	if (memory == MAP_FAILED)
		die_errno(errno, "no memory for the buffer ring");
	return memory;
}

/*
 * Opens an io_uring of one thread, whose completions run only when it waits, and lends it the
 * buffers as group 0. By hand: liburing 2.3 has no io_uring_setup_buf_ring(). Dies where there is
 * no io_uring.
 */
static inline void uring_open(struct uring_buffers *r, struct io_uring *ring, unsigned entries,
    unsigned completions)
{
	struct io_uring_params params = {
		.flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN,
		.cq_entries = completions,
	};
	int error = io_uring_queue_init_params(entries, ring, &params);
	if (error)
		skip_die(-error, "io_uring is not to be had: it needs Linux 6.1, and "
		                 "kernel.io_uring_disabled = 0 (containers often forbid it)");
	r->bytes = uring_map((size_t)URING_BUFFER_COUNT * URING_BUFFER_LEN);
	r->lent = uring_map(URING_BUFFER_COUNT * sizeof(struct io_uring_buf));
	struct io_uring_buf_reg registration = {
		.ring_addr = (uintptr_t)r->lent,
		.ring_entries = URING_BUFFER_COUNT,
	};
	error = io_uring_register_buf_ring(ring, &registration, 0);
	if (error)
		skip_die(-error, "io_uring has no buffer rings here: it needs Linux 6.1");
	io_uring_buf_ring_init(r->lent);
	for (unsigned id = 0; id < URING_BUFFER_COUNT; id++)
		uring_lend(r, id);
}

#endif
