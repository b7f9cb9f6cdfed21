/*
 * timeline.c: an event for each thread and CPU that only carries the records; those of a CPU share
 * one ring buffer, which is emptied every millisecond. Children and threads that begin inside the
 * window inherit the event. exclude_kernel is 1 on purpose: then any user may record his own
 * threads, and these records are written all the same.
 */
#include "harness/timeline.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "harness/interrupt.h"
#include "harness/paths.h"
#include "harness/tree.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"

enum { CPUS_MAX = 64, RING_BYTES = 512 * 1024 };
static const uint64_t pause_ns = 1000000;

struct ring {
	int cpu;
	int fd; /* the event that owns the buffer */
	char *memory; /* a page of perf's, then the records */
};

/* A thread as /proc tells of it at an edge of the window. */
struct sight {
	pid_t tid;
	char name[16], state;
	uint64_t cpu_ns, ready_ns;
};

struct recorder {
	struct timeline *timeline;
	struct sight before[TIMELINE_THREADS_MAX], after[TIMELINE_THREADS_MAX];
	uint32_t before_count, after_count;
	uint64_t before_ns, after_ns; /* when they were taken: somewhat outside of the window */
	struct ring rings[CPUS_MAX];
	uint32_t ring_count;
	int *fds;
	uint32_t fd_count;
	struct timeline_switch *switches;
	uint32_t switch_count, switch_cap;
	bool lost;
};

static size_t page_bytes(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* --- threads --------------------------------------------------------------------------------- */

static bool read_sight(const char *folder, const char *tid, struct sight *s)
{
	char path[96], text[512];
	*s = (struct sight){ .tid = (pid_t)atoi(tid) };
	snprintf(path, sizeof(path), "%s/%.16s/stat", folder, tid);
	file_first_line(path, text, sizeof(text));
	const char *name = strchr(text, '('), *behind = strrchr(text, ')');
	if (!name || !behind)
		return false;
	snprintf(s->name, sizeof(s->name), "%.*s", (int)(behind - name - 1), name + 1);
	s->state = behind[1] ? behind[2] : '?';
	snprintf(path, sizeof(path), "%s/%.16s/schedstat", folder, tid);
	file_first_line(path, text, sizeof(text));
	sscanf(text, "%" SCNu64 " %" SCNu64, &s->cpu_ns, &s->ready_ns);
	return true;
}

/* False when there are too many. */
static bool read_sights(
    const struct tree *tree, struct sight *sights, uint32_t *count, uint64_t *at_ns)
{
	char path[64];
	struct sight sight;
	*count = 0;
	*at_ns = clock_now_ns();
	for (uint32_t i = 0; i < tree->count; i++) {
		snprintf(path, sizeof(path), "/proc/%d/task", (int)tree->pids[i]);
		DIR *folder = opendir(path);
		for (struct dirent *entry; folder && (entry = readdir(folder));) {
			if (entry->d_name[0] == '.' || !read_sight(path, entry->d_name, &sight))
				continue;
			if (*count < TIMELINE_THREADS_MAX)
				sights[*count] = sight;
			++*count;
		}
		if (folder)
			closedir(folder);
	}
	return *count <= TIMELINE_THREADS_MAX;
}

static const struct sight *find_sight(const struct sight *sights, uint32_t count, pid_t tid)
{
	for (uint32_t i = 0; i < count; i++)
		if (sights[i].tid == tid)
			return &sights[i];
	return NULL;
}

/* --- events and their rings ------------------------------------------------------------------ */

static int open_event(pid_t tid, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.size = sizeof(attr),
		.config = PERF_COUNT_SW_DUMMY,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.context_switch = 1,
		.exclude_kernel = 1,
		.exclude_hv = 1,
		.inherit = 1,
		.use_clockid = 1,
		.clockid = CLOCK_MONOTONIC,
	};
	return (int)syscall(SYS_perf_event_open, &attr, tid, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

static void open_rings(struct recorder *r, pid_t server)
{
	cpu_set_t cpus;
	if (sched_getaffinity(server, sizeof(cpus), &cpus) != 0)
		return;
	for (int cpu = 0; cpu < CPU_SETSIZE && r->ring_count < CPUS_MAX; cpu++)
		if (CPU_ISSET((size_t)cpu, &cpus))
			r->rings[r->ring_count++] = (struct ring){ .cpu = cpu, .fd = -1 };
}

/* 0 or -errno. A thread that has ended meanwhile has none. */
static int attach(struct recorder *r, pid_t tid, struct ring *ring)
{
	int fd = open_event(tid, ring->cpu);
	if (fd < 0)
		return errno == ESRCH ? 0 : -errno;
	r->fds[r->fd_count++] = fd;
	if (ring->memory)
		return ioctl(fd, PERF_EVENT_IOC_SET_OUTPUT, ring->fd) == 0 ? 0 : -errno;
	void *memory = mmap(NULL, page_bytes() + RING_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (memory == MAP_FAILED)
		return -errno;
	ring->fd = fd;
	ring->memory = memory;
	return 0;
}

static int attach_all(struct recorder *r)
{
	r->fds = malloc(r->before_count * r->ring_count * sizeof(*r->fds));
	if (!r->fds)
		die("out of memory for %u threads", r->before_count);
	for (uint32_t i = 0; i < r->before_count; i++)
		for (uint32_t k = 0; k < r->ring_count; k++) {
			int problem = attach(r, r->before[i].tid, &r->rings[k]);
			if (problem)
				return problem;
		}
	return 0;
}

static void close_all(struct recorder *r)
{
	for (uint32_t i = 0; i < r->ring_count; i++)
		if (r->rings[i].memory)
			munmap(r->rings[i].memory, page_bytes() + RING_BYTES);
	for (uint32_t i = 0; i < r->fd_count; i++)
		close(r->fds[i]);
	free(r->fds);
	free(r->switches);
}

/* --- records --------------------------------------------------------------------------------- */

static void take_switch(struct recorder *r, uint16_t misc, uint64_t at_ns, pid_t tid)
{
	if (r->switch_count == r->switch_cap) {
		r->switch_cap = r->switch_cap ? r->switch_cap * 2 : 4096;
		r->switches = realloc(r->switches, r->switch_cap * sizeof(*r->switches));
		if (!r->switches)
			die("out of memory for %u switches", r->switch_cap);
	}
	r->switches[r->switch_count++] = (struct timeline_switch){
		.at_ns = at_ns,
		.tid = tid,
		.to = !(misc & PERF_RECORD_MISC_SWITCH_OUT) ? TIMELINE_RUNNING
		    : misc & PERF_RECORD_MISC_SWITCH_OUT_PREEMPT ? TIMELINE_PREEMPTED
		    : TIMELINE_WAITING,
	};
}

/* The records are of 8 bytes' multiples, and so is the ring: only a record as a whole can wrap. */
static void empty_ring(struct recorder *r, struct ring *ring)
{
	struct perf_event_mmap_page *page = (void *)ring->memory;
	const char *records = ring->memory + page_bytes();
	uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE), tail = page->data_tail;
	while (tail < head) {
		struct {
			struct perf_event_header header;
			uint32_t pid, tid;
			uint64_t at_ns;
		} record;
		for (size_t i = 0; i < sizeof(record); i += 8)
			memcpy((char *)&record + i, records + (tail + i) % RING_BYTES, 8);
		if (record.header.type == PERF_RECORD_SWITCH)
			take_switch(r, record.header.misc, record.at_ns, (pid_t)record.tid);
		else if (record.header.type == PERF_RECORD_LOST)
			r->lost = true;
		tail += record.header.size;
	}
	__atomic_store_n(&page->data_tail, tail, __ATOMIC_RELEASE);
}

static void empty_rings(struct recorder *r)
{
	for (uint32_t i = 0; i < r->ring_count; i++)
		if (r->rings[i].memory)
			empty_ring(r, &r->rings[i]);
}

/* --- what came of it ------------------------------------------------------------------------- */

/*
 * What a thread was at the window's begin; without a switch, all through it. It has then run for
 * all of it, or not at all. schedstat counts a wait for a CPU only when it is over.
 */
static enum timeline_state state_of(const struct sight *before, const struct sight *after,
    uint64_t window_ns)
{
	if (before && after->cpu_ns - before->cpu_ns >= window_ns / 2)
		return TIMELINE_RUNNING;
	return before && before->state == 'R' ? TIMELINE_PREEMPTED : TIMELINE_WAITING;
}

static void add_thread(struct recorder *r, const struct sight *sight, uint32_t first)
{
	struct timeline *t = r->timeline;
	struct timeline_thread *thread = &t->threads[t->thread_count++];
	const struct sight *before = find_sight(r->before, r->before_count, sight->tid);
	uint32_t count = 0;
	while (first + count < r->switch_count && r->switches[first + count].tid == sight->tid)
		count++;
	for (uint32_t i = first; i < first + count; i++)
		t->switches += r->switches[i].to != TIMELINE_RUNNING &&
		    r->switches[i].at_ns >= t->begin_ns && r->switches[i].at_ns < t->end_ns;
	thread->tid = sight->tid;
	memcpy(thread->name, sight->name, sizeof(thread->name));
	timeline_make_spans(thread, t->begin_ns, t->end_ns, r->switches + first, count,
	    state_of(before, sight, t->end_ns - t->begin_ns));
	double share = (double)(t->end_ns - t->begin_ns) / (double)(r->after_ns - r->before_ns);
	double ready_ns = (double)(sight->ready_ns - (before ? before->ready_ns : 0)) * share -
	    (double)timeline_sum_ns(thread, TIMELINE_PREEMPTED);
	uint64_t waiting_ns = timeline_sum_ns(thread, TIMELINE_WAITING);
	if (ready_ns > 0)
		thread->ready_ns = ready_ns < (double)waiting_ns ? (uint64_t)ready_ns : waiting_ns;
}

static int compare_sights(const void *left, const void *right)
{
	const struct sight *a = left, *b = right;
	return (a->tid > b->tid) - (a->tid < b->tid);
}

static void add_threads(struct recorder *r)
{
	uint32_t first = 0;
	r->timeline->threads = calloc(r->after_count, sizeof(*r->timeline->threads));
	if (!r->timeline->threads)
		die("out of memory for %u threads", r->after_count);
	qsort(r->after, r->after_count, sizeof(*r->after), compare_sights);
	timeline_sort(r->switches, r->switch_count);
	for (uint32_t i = 0; i < r->after_count; i++) {
		while (first < r->switch_count && r->switches[first].tid < r->after[i].tid)
			first++; /* of a thread that has ended */
		add_thread(r, &r->after[i], first);
	}
}

static void watch(struct recorder *r, const struct counters *counters, uint64_t length_ns)
{
	struct timeline *t = r->timeline;
	struct counters_reading first = counters_read(counters);
	t->begin_ns = first.at_ns;
	while (clock_now_ns() < t->begin_ns + length_ns && !interrupt_signal()) {
		interrupt_sleep(pause_ns);
		empty_rings(r);
	}
	struct counters_reading last = counters_read(counters);
	t->end_ns = last.at_ns;
	empty_rings(r);
	t->has_counted = first.valid && last.valid;
	t->switches_counted = last.switches - first.switches;
}

static void explain(struct timeline *t, int problem)
{
	char level[32];
	file_first_line("/proc/sys/kernel/perf_event_paranoid", level, sizeof(level));
	if (problem == -EACCES || problem == -EPERM)
		snprintf(t->reason, sizeof(t->reason),
		    "switch records not permitted (kernel.perf_event_paranoid is %s; 2 permits)",
		    level);
	else
		snprintf(t->reason, sizeof(t->reason), "no switch records: %s", strerror(-problem));
}

bool timeline_record(
    struct timeline *t, pid_t server, const struct counters *counters, uint64_t length_ns)
{
	static struct recorder recorder; /* some 20 KiB */
	struct recorder *r = &recorder;
	struct tree tree = { 0 };
	*t = (struct timeline){ 0 };
	*r = (struct recorder){ .timeline = t };
	tree_read(&tree, server);
	if (!read_sights(&tree, r->before, &r->before_count, &r->before_ns)) {
		snprintf(t->reason, sizeof(t->reason), "more than %d threads",
		    TIMELINE_THREADS_MAX);
		tree_deinit(&tree);
		return false;
	}
	open_rings(r, server);
	int problem = attach_all(r);
	if (problem == 0) {
		watch(r, counters, length_ns);
		tree_read(&tree, server);
		if (r->lost)
			snprintf(t->reason, sizeof(t->reason), "records were lost");
		else if (!read_sights(&tree, r->after, &r->after_count, &r->after_ns))
			snprintf(t->reason, sizeof(t->reason), "more than %d threads",
			    TIMELINE_THREADS_MAX);
		else
			add_threads(r);
	} else {
		explain(t, problem);
	}
	close_all(r);
	tree_deinit(&tree);
	return t->thread_count > 0;
}
