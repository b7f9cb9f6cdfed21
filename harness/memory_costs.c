/*
 * memory_costs.c: what a socket, an epoll registration, a thread and a process cost this kernel: makes
 * hundreds or thousands of each, here, and looks at how the total of all slabs in /proc/meminfo grows. Needs no
 * rights, no knowledge of the kernel's structures, and counts the waste at the end of each slab.
 *
 * The first of each go into room that lies free already, and what others do at the same time
 * falsifies a figure: they are made in batches, and the median of the batches counts.
 */
#include "harness/memory.h"

#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/paths.h"
#include "lib/sys/file_limit.h"

enum {
	BATCHES = 5, PAIRS_MOST = 800, PAIRS_LEAST = 80, THREADS = 400, PROCESSES = 100, /* in each */
	SPARE_FILES = 64, STACK_BYTES = 64 * 1024
};

static double slab_total(void)
{
	return memory_read_kilobytes("/proc/meminfo", "Slab");
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/*
 * The usual growth of a batch, for each of its `count` objects; totals[] are those between the
 * batches.
 */
static double usual_growth(const double totals[BATCHES + 1], uint32_t count)
{
	double growth[BATCHES];
	for (int i = 0; i < BATCHES; i++)
		growth[i] = (totals[i + 1] - totals[i]) / count;
	qsort(growth, BATCHES, sizeof(*growth), compare);
	return fmax(growth[BATCHES / 2], 0);
}

/* --- sockets --------------------------------------------------------------------------------- */

static int open_listener(struct sockaddr_in *address)
{
	socklen_t len = sizeof(*address);
	*address = (struct sockaddr_in){
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0 && bind(fd, (struct sockaddr *)address, len) == 0 && listen(fd, 16) == 0 &&
	    getsockname(fd, (struct sockaddr *)address, &len) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* Both ends of one more connection; they vanish without TIME_WAIT when closed. */
static bool open_pair(int listener, const struct sockaddr_in *address, int ends[2])
{
	const struct linger reset = { .l_onoff = 1 };
	ends[1] = -1;
	ends[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ends[0] >= 0 &&
	    connect(ends[0], (const struct sockaddr *)address, sizeof(*address)) == 0)
		ends[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	for (int i = 0; i < 2 && ends[1] >= 0; i++)
		setsockopt(ends[i], SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return ends[1] >= 0;
}

static void measure_sockets(struct memory_costs *costs, int *fds, uint32_t pairs)
{
	struct sockaddr_in address;
	double totals[BATCHES + 1] = { slab_total() };
	uint32_t count = 0, wanted = BATCHES * pairs;
	int listener = open_listener(&address), epoll = epoll_create1(EPOLL_CLOEXEC);
	while (listener >= 0 && count < wanted && open_pair(listener, &address, fds + 2 * count))
		if (++count % pairs == 0)
			totals[count / pairs] = slab_total();
	if (count == wanted && epoll >= 0) {
		costs->socket = usual_growth(totals, 2 * pairs);
		totals[0] = slab_total();
		for (uint32_t i = 0; i < 2 * wanted; i++) {
			struct epoll_event event = { .events = EPOLLIN };
			epoll_ctl(epoll, EPOLL_CTL_ADD, fds[i], &event);
			if ((i + 1) % (2 * pairs) == 0)
				totals[(i + 1) / (2 * pairs)] = slab_total();
		}
		costs->epoll_item = usual_growth(totals, 2 * pairs);
	}
	for (uint32_t i = 0; i < 2 * count; i++)
		close(fds[i]);
	if (epoll >= 0)
		close(epoll);
	if (listener >= 0)
		close(listener);
}

/* --- threads --------------------------------------------------------------------------------- */

static void *wait_for_end(void *fd)
{
	char byte;
	ssize_t n = read(*(const int *)fd, &byte, 1);
	(void)n;
	return NULL;
}

/*
 * A kernel stack is a power of two of pages; the kernel tells their sum and how many tasks there
 * are.
 */
static double kernel_stack_bytes(void)
{
	char line[128];
	unsigned tasks = 0;
	double stacks = memory_read_kilobytes("/proc/meminfo", "KernelStack");
	file_first_line("/proc/loadavg", line, sizeof(line));
	if (sscanf(line, "%*f %*f %*f %*u/%u", &tasks) != 1 || tasks == 0 || stacks <= 0)
		return NAN;
	return exp2(round(log2(stacks / tasks)));
}

static void measure_threads(struct memory_costs *costs)
{
	static pthread_t threads[BATCHES * THREADS];
	double totals[BATCHES + 1] = { slab_total() };
	uint32_t count = 0;
	int gate[2];
	pthread_attr_t attr;
	if (pipe(gate) != 0)
		return;
	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	while (count < BATCHES * THREADS &&
	    pthread_create(&threads[count], &attr, wait_for_end, &gate[0]) == 0)
		if (++count % THREADS == 0)
			totals[count / THREADS] = slab_total();
	if (count == BATCHES * THREADS)
		costs->thread = usual_growth(totals, THREADS) + kernel_stack_bytes();
	close(gate[1]);
	for (uint32_t i = 0; i < count; i++)
		pthread_join(threads[i], NULL);
	close(gate[0]);
	pthread_attr_destroy(&attr);
}

/* --- processes ------------------------------------------------------------------------------- */

/*
 * A child of ours stands for a server's: it has somewhat more mappings, some 200 bytes each. Before
 * the threads are made, since their stacks are mappings, too.
 */
static void measure_processes(struct memory_costs *costs)
{
	pid_t pids[BATCHES * PROCESSES];
	double totals[BATCHES + 1] = { slab_total() };
	uint32_t count = 0;
	int gate[2];
	if (pipe(gate) != 0)
		return;
	for (pid_t pid; count < BATCHES * PROCESSES && (pid = fork()) >= 0;) {
		if (pid == 0) {
			close(gate[1]);
			wait_for_end(&gate[0]);
			_exit(0);
		}
		pids[count++] = pid;
		if (count % PROCESSES == 0)
			totals[count / PROCESSES] = slab_total();
	}
	if (count == BATCHES * PROCESSES)
		costs->process = usual_growth(totals, PROCESSES) + kernel_stack_bytes();
	close(gate[1]);
	close(gate[0]);
	for (uint32_t i = 0; i < count; i++)
		waitpid(pids[i], NULL, 0);
}

void memory_measure_costs(struct memory_costs *costs)
{
	uint64_t room = (file_limit_raise() - SPARE_FILES) / (2 * BATCHES);
	uint32_t pairs = room < PAIRS_MOST ? (uint32_t)room : PAIRS_MOST;
	int *fds = malloc(2 * sizeof(*fds) * BATCHES * PAIRS_MOST);
	*costs = (struct memory_costs){ NAN, NAN, NAN, NAN };
	if (fds && pairs >= PAIRS_LEAST && slab_total() > 0)
		measure_sockets(costs, fds, pairs);
	if (slab_total() > 0) {
		measure_processes(costs);
		measure_threads(costs);
		costs->process -= costs->thread; /* which is counted as well */
	}
	free(fds);
}
