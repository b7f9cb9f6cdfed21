/*
 * worker_thread.c: the life of a worker: memory before it starts, its thread with a CPU and a file
 * table of its own, and the account when it has ended. What it does in between is worker.c.
 */
#include "worker_private.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib/sys/affinity.h"
#include "lib/sys/die.h"

static void *run(void *argument)
{
	struct worker *w = argument;
	/* a file table of its own: the limit is per worker, and system calls need not lock it */
	if (unshare(CLONE_FILES) < 0)
		die_errno(errno, "unshare");
	int error = w->cpu < 0 ? 0 : affinity_pin(w->cpu);
	if (error)
		die_errno(-error, "cannot run on CPU %d", w->cpu);
	/* as precise as a sleep can be: by default it may end 50 us late */
	if (w->pace && prctl(PR_SET_TIMERSLACK, 1) < 0)
		die_errno(errno, "prctl");
	atomic_store(&w->tid, (pid_t)syscall(SYS_gettid));
	worker_loop(w);
	return NULL;
}

static void *allocate(size_t len)
{
	void *memory = aligned_alloc(64, (len + 63) / 64 * 64);
	if (!memory)
		die_errno(ENOMEM, "%zu bytes for a worker", len);
	memset(memory, 0, len); /* touched now, so that no page fault falls into the run */
	return memory;
}

static struct pace *make_pace(struct worker *w)
{
	struct pace *pace = allocate(sizeof *pace);
	struct turn *turns = allocate(w->session_count * sizeof *turns);
	uint32_t *row = allocate(w->session_count * sizeof *row);
	pace_init(pace, w->sessions, turns, row, w->session_count);
	if (w->stats.targets)
		pace->choice = &w->choice;
	return pace;
}

/* Writers and readers in turn; odd workers begin with a reader, so that the halves are even. */
static void make_slow(const struct worker *w, struct session *s, uint32_t number)
{
	bool reads = (number + w->index) % 2;
	s->population = reads ? POPULATION_SLOW_READER : POPULATION_SLOW_WRITER;
}

static void mix_targets(struct worker *w)
{
	const struct options *o = w->load->options;
	struct target_stats *targets = allocate(o->target_count * sizeof *targets);
	stats_set_targets(&w->stats, targets, o->target_count);
	choice_init(&w->choice, o->targets, o->target_count, o->seed, w->index);
}

struct worker *worker_start(const struct load *load, struct control *control, uint32_t index,
    struct crowd crowd, int cpu)
{
	struct worker *w = allocate(sizeof *w);
	w->load = load;
	w->exchanges = load->exchanges;
	w->control = control;
	w->index = index;
	w->cpu = cpu;
	w->quota = crowd.requests ? crowd.requests : UINT64_MAX;
	w->window = (struct window){ UINT64_MAX, UINT64_MAX };
	stats_init(&w->stats);
	w->session_count = crowd.active + crowd.idle + crowd.slow;
	w->active_count = crowd.active;
	w->first_slow = crowd.active + crowd.idle;
	if (crowd.slow)
		w->slow_progress_ns = allocate(crowd.slow * sizeof *w->slow_progress_ns);
	w->opening_max = OPENING_MAX / load->options->worker_count;
	w->sessions = allocate(w->session_count * sizeof *w->sessions);
	for (uint32_t i = 0; i < w->session_count; i++) {
		session_close(&w->sessions[i]);
		if (i >= crowd.active)
			w->sessions[i].population = POPULATION_IDLE;
		if (i >= w->first_slow)
			make_slow(w, &w->sessions[i], i - w->first_slow);
	}
	if (load->options->mix_file)
		mix_targets(w);
	if (load->options->rate_per_s)
		w->pace = make_pace(w);
	if (load->options->series_path || load->options->hlog_path) {
		w->stats.series = series_create(
		    control->begin_ns, load->options->series_step_ns, w->pace != NULL);
		if (!w->stats.series)
			die_errno(ENOMEM, "a time series");
	}
	w->kick_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (w->kick_fd < 0)
		die_errno(errno, "eventfd");
	int error = pthread_create(&w->thread, NULL, run, w);
	if (error)
		die_errno(error, "cannot start a worker thread");
	return w;
}

void worker_kick(struct worker *w)
{
	(void)!write(w->kick_fd, &(uint64_t){ 1 }, sizeof(uint64_t));
}

struct live *worker_live(struct worker *w)
{
	return &w->live;
}

pthread_t worker_thread(const struct worker *w)
{
	return w->thread;
}

uint64_t worker_run_delay_ns(const struct worker *w)
{
	char path[64];
	snprintf(path, sizeof path, "/proc/self/task/%d/schedstat", (int)w->tid);
	unsigned long long ran_ns, delay_ns = 0;
	FILE *file = fopen(path, "r");
	if (!file)
		return 0;
	if (fscanf(file, "%llu %llu", &ran_ns, &delay_ns) != 2)
		delay_ns = 0;
	fclose(file);
	return delay_ns;
}

struct series *worker_finish(struct worker *w, struct stats *stats, struct audit *audit)
{
	pthread_join(w->thread, NULL);
	struct series *series = w->stats.series;
	stats_merge(stats, &w->stats);
	for (uint32_t i = 0; i < w->session_count; i++)
		audit_add(audit, &w->sessions[i]);
	close(w->kick_fd);
	if (w->pace) {
		free(w->pace->turns);
		free(w->pace->row);
	}
	free(w->pace);
	free(w->sessions);
	free(w->slow_progress_ns);
	free(w->stats.targets);
	free(w);
	return series;
}
