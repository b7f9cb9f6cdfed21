/*
 * aio.h: a context of Linux AIO and a queue before it, so that all that a turn asks for is handed
 * over by one io_submit(). Of interest to the Linux AIO shell alone, hence all inline: nothing else
 * needs libaio.
 *
 * All processes of a machine share the operations of sysctl fs.aio-max-nr (65,536 unless set), and
 * a context takes its part when it is made. Half of them are for one server, divided among its
 * workers, so that two servers run beside each other.
 */
#ifndef AIO_H
#define AIO_H

#include <errno.h>
#include <libaio.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/die.h"
#include "lib/sys/server_main.h"

struct aio {
	io_context_t context;
	struct iocb *queue;     /* to be submitted; after that the kernel has a copy of its own */
	struct iocb **in_queue; /* their addresses, as io_submit() wants them */
	uint32_t count;         /* in the queue */
	uint32_t cap;           /* at most: in the queue, under way, not yet harvested */
};

/* The operations of one server; 0 where the kernel has no AIO. */
static inline uint32_t aio_operations_max(void)
{
	unsigned max = 0;
	FILE *file = fopen("/proc/sys/fs/aio-max-nr", "re");
	if (file && fscanf(file, "%u", &max) != 1)
		max = 0;
	if (file)
		fclose(file);
	return max / 2;
}

/* One operation for each descriptor, where there are so many; dies where there is no AIO. */
static inline void aio_open(struct aio *a, const struct worker *w)
{
	uint32_t share = aio_operations_max() / w->env.service->worker_count;
	*a = (struct aio){ .cap = share < (uint32_t)w->fd_cap ? share : (uint32_t)w->fd_cap };
	int error = io_setup((int)a->cap, &a->context);
	if (error == -EAGAIN)
		skip_die(EAGAIN, "no %u operations are left: raise sysctl fs.aio-max-nr", a->cap);
	if (error)
		skip_die(-error, "Linux AIO is not to be had (containers often forbid it)");
	a->queue = calloc(a->cap, sizeof *a->queue);
	a->in_queue = calloc(a->cap, sizeof *a->in_queue);
	if (!a->queue || !a->in_queue)
		die("no memory for %u operations; lower the file limit (ulimit -n)", a->cap);
	for (uint32_t i = 0; i < a->cap; i++)
		a->in_queue[i] = &a->queue[i];
}

/* Waits for what is under way; a poll is given up. */
static inline void aio_close(struct aio *a)
{
	io_destroy(a->context);
	free(a->in_queue);
	free(a->queue);
}

/* An empty submission; its completion will carry `data`. */
static inline struct iocb *aio_submission(struct aio *a)
{
	CHECK(a->count < a->cap);
	return &a->queue[a->count++];
}

/* Hands over what has gathered. Short of kernel memory (EAGAIN) the rest goes with the next. */
static inline void aio_submit(struct aio *a)
{
	uint32_t done = 0;
	while (done < a->count) {
		int n = io_submit(a->context, a->count - done, a->in_queue + done);
		if (n == -EAGAIN)
			break;
		if (n < 0) /* the very first fails, or none */
			skip_die(-n, "io_submit cannot poll sockets here: it needs Linux 4.18");
		done += (uint32_t)n;
	}
	a->count -= done;
	memmove(a->queue, a->queue + done, a->count * sizeof *a->queue);
}

#endif
