/*
 * run.c: phases. The main thread sleeps, wakes at the edges, kicks the workers ten times a second,
 * and never touches a connection. The edges of the measure window are set before they come, so that
 * every worker applies them to its own clock readings, to the nanosecond; what the main thread
 * samples at an edge (CPU time, run-queue delay) it divides by its own clock readings.
 *
 * With --sync the harness hears of each edge in a line "barrier T", "warm T", "measure T" or
 * "measured T" (CLOCK_MONOTONIC, ns) and answers with a byte where it must be waited for. End of
 * file on that socket means that the harness died: there is nobody left to measure for.
 */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "output.h"

#define MS_NS UINT64_C(1000000)
#define S_NS UINT64_C(1000000000)

enum {
	TICK_MS = 100,       /* between two kicks */
	LOOK_MS = 2,         /* between two looks at a condition */
	BEGIN_AHEAD_MS = 10, /* an open loop's schedule is set, for all workers to begin together */
	EDGE_AHEAD_MS = 50,  /* the window: a busy worker looks after thousands of events */
	WARM_AHEAD_MS = 100, /* the harness is asked for it */
	GO_WAIT_S = 30,      /* for the harness's byte at the barrier, and before the window */
	MEASURED_WAIT_S = 2, /* ... and behind the window */
	DRAIN_MAX_S = 2,
};

/* A worker's cost so far. */
struct sample {
	uint64_t time_ns;
	uint64_t cpu_ns;
	uint64_t run_delay_ns;
	uint64_t waits, full_waits;
	uint64_t spin_ns;
};

struct run {
	const struct options *options;
	struct control control;
	struct worker **workers;
	uint32_t worker_count;
	uint64_t next_kick_ns;
	struct sample *before, *after; /* one for each worker, at the edges */
	uint64_t process_cpu_ns;       /* inside the window */
	sigset_t signals_while_waiting;
};

static volatile sig_atomic_t caught_signal;

static void on_signal(int number)
{
	caught_signal = number;
}

/* Signals reach the main thread only, and only while it waits: no handler runs amid anything. */
static void catch_signals(struct run *run)
{
	struct sigaction action = { .sa_handler = on_signal };
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, &run->signals_while_waiting);
	sigdelset(&run->signals_while_waiting, SIGINT);
	sigdelset(&run->signals_while_waiting, SIGTERM);
}

/* --- waiting ---------------------------------------------------------------------------------- */

static void kick_all(struct run *run)
{
	for (uint32_t i = 0; i < run->worker_count; i++)
		worker_kick(run->workers[i]);
	run->next_kick_ns = clock_now_ns() + TICK_MS * MS_NS;
}

static void set_phase(struct run *run, enum phase phase)
{
	atomic_store(&run->control.phase, phase);
	kick_all(run);
}

/* Sleeps until a time, a signal, or (with `for_byte`) the harness's byte: true only for that. */
static bool sleep_until(struct run *run, uint64_t until_ns, bool for_byte)
{
	for (;;) {
		uint64_t now_ns = clock_now_ns();
		if (now_ns >= run->next_kick_ns)
			kick_all(run);
		if (now_ns >= until_ns || caught_signal)
			return false;
		uint64_t wake_ns = until_ns < run->next_kick_ns ? until_ns : run->next_kick_ns;
		struct timespec left = clock_timespec(wake_ns > now_ns ? wake_ns - now_ns : 0);
		struct pollfd sync = {
			.fd = run->options->sync_fd,
			.events = (short)(for_byte ? POLLIN | POLLRDHUP : POLLRDHUP),
		};
		if (ppoll(&sync, 1, &left, &run->signals_while_waiting) <= 0)
			continue;
		char byte;
		if (!(sync.revents & POLLIN) || read(sync.fd, &byte, 1) != 1)
			die("the harness is gone");
		return true;
	}
}

static void tell(struct run *run, const char *edge, uint64_t time_ns)
{
	if (run->options->sync_fd < 0)
		return;
	char line[64];
	int len = snprintf(line, sizeof line, "%s %llu\n", edge, (unsigned long long)time_ns);
	if (send(run->options->sync_fd, line, (size_t)len, MSG_NOSIGNAL) != len)
		die("the harness is gone");
}

/* Tells it and waits for the harness's byte; a signal ends that, too. */
static void ask(struct run *run, const char *edge)
{
	tell(run, edge, clock_now_ns());
	if (!sleep_until(run, clock_now_ns() + GO_WAIT_S * S_NS, true) && !caught_signal)
		die("the harness did not answer \"%s\" in %d s", edge, GO_WAIT_S);
}

/* --- sums over the workers -------------------------------------------------------------------- */

struct totals {
	uint64_t requests, errors, completed;
	uint32_t answered, abandoned, in_flight;
	enum error_kind last_error;
	int connect_errno;
};

static struct totals sum_up(struct run *run)
{
	struct totals t = { 0 };
	for (uint32_t i = 0; i < run->worker_count; i++) {
		struct live *live = worker_live(run->workers[i]);
		t.requests += atomic_load(&live->lifetime);
		t.errors += atomic_load(&live->errors);
		t.completed += atomic_load(&live->completed);
		t.answered += atomic_load(&live->answered);
		t.abandoned += atomic_load(&live->abandoned);
		t.in_flight += atomic_load(&live->in_flight);
		if (atomic_load(&live->errors)) {
			t.last_error = (enum error_kind)atomic_load(&live->last_error);
			t.connect_errno = atomic_load(&live->connect_errno);
		}
	}
	return t;
}

/* CPU time and the time it was read at; read again when something came between the two. */
static void sample_cpu(struct sample *s, pthread_t thread)
{
	clockid_t cpu_clock;
	if (pthread_getcpuclockid(thread, &cpu_clock) != 0)
		die("a worker has no CPU clock");
	for (int attempt = 0; attempt < 5; attempt++) {
		uint64_t before_ns = clock_now_ns();
		s->cpu_ns = clock_read_ns(cpu_clock);
		s->time_ns = clock_now_ns();
		if (s->time_ns - before_ns < MS_NS / 10)
			return;
	}
}

static void sample_workers(struct run *run, struct sample *samples)
{
	for (uint32_t i = 0; i < run->worker_count; i++) {
		struct worker *w = run->workers[i];
		struct sample *s = &samples[i];
		sample_cpu(s, worker_thread(w));
		s->run_delay_ns = worker_run_delay_ns(w);
		s->spin_ns = atomic_load(&worker_live(w)->spin_ns);
		s->waits = atomic_load(&worker_live(w)->waits);
		s->full_waits = atomic_load(&worker_live(w)->full_waits);
	}
}

/* --- the phases, in order --------------------------------------------------------------------- */

/* What worker `index` gets of so many. */
static uint32_t share(uint32_t count, uint32_t index, uint32_t worker_count)
{
	return count / worker_count + (index < count % worker_count);
}

static void start_workers(struct run *run, const struct load *load)
{
	const struct options *o = load->options;
	run->worker_count = o->worker_count;
	run->workers = calloc(o->worker_count, sizeof *run->workers);
	run->before = calloc(o->worker_count, sizeof *run->before);
	run->after = calloc(o->worker_count, sizeof *run->after);
	if (!run->workers || !run->before || !run->after)
		die_errno(ENOMEM, "%u workers", o->worker_count);
	for (uint32_t i = 0; i < o->worker_count; i++) {
		struct crowd crowd = {
			.active = share(o->active_count, i, o->worker_count),
			.idle = share(o->idle_count, i, o->worker_count),
			.slow = share(o->slow_count, i, o->worker_count),
			.requests = share(o->requests, i, o->worker_count),
		};
		int cpu = o->cpu_count ? o->cpus[i % (uint32_t)o->cpu_count] : -1;
		run->workers[i] = worker_start(load, &run->control, i, crowd, cpu);
	}
}

/* Not one connection had a good answer, although the preflight's had: why? */
static void die_unanswered(const struct totals *t)
{
	static const char *const causes[ERROR_KIND_COUNT] = {
		[ERROR_CONNECT] = "no connect succeeds in time (--timeout)",
		[ERROR_TIMEOUT] = "no answer comes in time (--timeout)",
		[ERROR_RESET] = "the server resets them",
		[ERROR_CLOSED] = "the server closes them",
		[ERROR_STATUS] = "the status is not the wanted one (--status)",
		[ERROR_BODY] = "the body is another each time, so it cannot be verified",
		[ERROR_MALFORMED] = "the answers are malformed",
	};
	/* without any error the wait for the first one was the longest */
	enum error_kind cause = t->errors ? t->last_error : ERROR_TIMEOUT;
	if (cause == ERROR_CONNECT && t->connect_errno)
		die_errno(t->connect_errno, "no connection was answered: connects fail");
	die("no connection was answered: %s", causes[cause]);
}

/* All connections answered once or abandoned; or for --timeout none more was. */
static void await_barrier(struct run *run)
{
	const struct options *o = run->options;
	uint32_t wanted = o->active_count + o->idle_count + o->slow_count;
	uint32_t settled_before = 0;
	uint64_t progress_ns = clock_now_ns();
	while (!caught_signal) {
		struct totals t = sum_up(run);
		uint64_t now_ns = clock_now_ns();
		if (t.answered + t.abandoned != settled_before)
			progress_ns = now_ns;
		settled_before = t.answered + t.abandoned;
		output_progress("connecting", t.answered, wanted, 0, t.errors);
		bool stalled = now_ns - progress_ns > o->timeout_ns;
		if (settled_before == wanted || stalled) {
			if (t.answered == 0)
				die_unanswered(&t);
			return;
		}
		sleep_until(run, now_ns + LOOK_MS * MS_NS, false);
	}
}

/* Sleeps with a progress line; the rate is that of the last step. */
static void sleep_with_progress(struct run *run, const char *phase, uint64_t until_ns)
{
	uint64_t start_ns = clock_now_ns();
	uint64_t step_ns = start_ns;
	struct totals last = sum_up(run);
	while (clock_now_ns() < until_ns && !caught_signal) {
		uint64_t wake_ns = step_ns + 2 * TICK_MS * MS_NS;
		sleep_until(run, wake_ns < until_ns ? wake_ns : until_ns, false);
		struct totals t = sum_up(run);
		uint64_t now_ns = clock_now_ns();
		double step_s = (double)(now_ns - step_ns) / 1e9;
		output_progress(phase, (now_ns - start_ns) / MS_NS, (until_ns - start_ns) / MS_NS,
		    (double)(t.requests - last.requests) / step_s, t.errors);
		step_ns = now_ns;
		last = t;
	}
}

static void note_edge(struct result *r, uint64_t edge_ns)
{
	uint64_t now_ns = clock_now_ns();
	double delay_s = now_ns > edge_ns ? (double)(now_ns - edge_ns) / 1e9 : 0;
	if (delay_s > r->edge_delay_s)
		r->edge_delay_s = delay_s;
}

/* --requests: the window ends when they are answered or have failed, or for --timeout none was. */
static void measure_requests(struct run *run, struct result *r)
{
	const struct options *o = run->options;
	sample_workers(run, run->before);
	uint64_t cpu_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	uint64_t errors_before = sum_up(run).errors;
	uint64_t start_ns = clock_now_ns();
	atomic_store(&run->control.start_ns, start_ns);
	r->course.run_ns = start_ns;
	set_phase(run, PHASE_RUN);
	uint64_t answered = 0, answered_ns = start_ns;
	for (struct totals t = sum_up(run); !caught_signal; t = sum_up(run)) {
		if (t.completed > answered)
			answered_ns = clock_now_ns();
		answered = t.completed;
		if (t.completed + t.errors - errors_before >= o->requests
		    || clock_now_ns() - answered_ns > o->timeout_ns)
			break;
		output_progress("measure", t.completed, o->requests, 0, t.errors);
		sleep_until(run, clock_now_ns() + LOOK_MS * MS_NS, false);
	}
	uint64_t end_ns = clock_now_ns();
	atomic_store(&run->control.end_ns, end_ns);
	run->process_cpu_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
	sample_workers(run, run->after);
	r->course.window = (struct window){ start_ns, end_ns };
	r->elapsed_s = (double)(end_ns - start_ns) / 1e9;
}

/* Warm-up, until the harness has read what takes it long; returns when the window begins. */
static uint64_t warm_up(struct run *run)
{
	const struct options *o = run->options;
	uint64_t schedule_ns = clock_now_ns() + BEGIN_AHEAD_MS * MS_NS;
	uint64_t start_ns = schedule_ns + o->warmup_ns;
	atomic_store(&run->control.schedule_ns, schedule_ns);
	set_phase(run, PHASE_RUN);
	sleep_with_progress(run, "warm-up", start_ns - WARM_AHEAD_MS * MS_NS);
	if (o->sync_fd >= 0) {
		ask(run, "warm");
		uint64_t earliest_ns = clock_now_ns() + EDGE_AHEAD_MS * MS_NS;
		start_ns = start_ns > earliest_ns ? start_ns : earliest_ns;
	}
	atomic_store(&run->control.start_ns, start_ns);
	atomic_store(&run->control.end_ns, start_ns + o->duration_ns);
	kick_all(run);
	tell(run, "measure", start_ns);
	sleep_until(run, start_ns, false);
	return start_ns;
}

/* Warm-up and measure window; *r gets its length and how late its edges were noticed. */
static void measure(struct run *run, struct result *r)
{
	const struct options *o = run->options;
	r->course.run_ns = clock_now_ns();
	uint64_t start_ns = warm_up(run);
	uint64_t end_ns = start_ns + o->duration_ns;
	if (caught_signal) {
		/* nothing was measured, and what the drain brings is not either */
		atomic_store(&run->control.end_ns, UINT64_MAX);
		atomic_store(&run->control.start_ns, UINT64_MAX);
		return;
	}
	r->course.window = (struct window){ start_ns, end_ns };
	note_edge(r, start_ns);
	sample_workers(run, run->before);
	uint64_t cpu_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID);
	sleep_with_progress(run, "measure", end_ns);
	if (caught_signal) {
		/* a little ahead, so that the workers know before it comes */
		uint64_t soon_ns = clock_now_ns() + EDGE_AHEAD_MS * MS_NS;
		end_ns = soon_ns < end_ns ? soon_ns : end_ns;
		atomic_store(&run->control.end_ns, end_ns);
		kick_all(run);
		nanosleep(&(struct timespec){ 0, EDGE_AHEAD_MS * (long)MS_NS }, NULL);
	}
	note_edge(r, end_ns);
	run->process_cpu_ns = clock_read_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu_ns;
	sample_workers(run, run->after);
	r->course.window.end_ns = end_ns;
	r->elapsed_s = (double)(end_ns - start_ns) / 1e9;
	tell(run, "measured", end_ns);
	if (o->sync_fd >= 0 && !caught_signal)
		sleep_until(run, clock_now_ns() + MEASURED_WAIT_S * S_NS, true);
}

static void drain(struct run *run, struct course *course)
{
	course->drain_ns = clock_now_ns();
	uint64_t deadline_ns = course->drain_ns + DRAIN_MAX_S * S_NS;
	set_phase(run, PHASE_DRAIN);
	/* a worker's count is from its last kick: give each kick its time before believing it */
	do {
		kick_all(run);
		nanosleep(&(struct timespec){ 0, 5 * LOOK_MS * (long)MS_NS }, NULL);
	} while (sum_up(run).in_flight > 0 && clock_now_ns() < deadline_ns);
	course->end_ns = clock_now_ns();
	set_phase(run, PHASE_QUIT);
}

static void account(struct run *run, const struct load *load, struct result *r)
{
	struct worker_cost *costs = calloc(run->worker_count, sizeof *costs);
	r->series = calloc(run->worker_count, sizeof *r->series);
	if (!costs || !r->series)
		die_errno(ENOMEM, "the result");
	double spin_s = 0;
	for (uint32_t i = 0; i < run->worker_count; i++) {
		const struct sample *a = &run->before[i], *b = &run->after[i];
		if (r->elapsed_s > 0) {
			double elapsed_ns = (double)(b->time_ns - a->time_ns);
			double spin_ns = (double)(b->spin_ns - a->spin_ns);
			double cpu_ns = (double)(b->cpu_ns - a->cpu_ns);
			costs[i].spin_share = spin_ns / elapsed_ns;
			costs[i].cpu_share = (cpu_ns > spin_ns ? cpu_ns - spin_ns : 0) / elapsed_ns;
			spin_s += spin_ns / 1e9;
			double delay_ns = (double)(b->run_delay_ns - a->run_delay_ns);
			costs[i].run_delay_share = delay_ns / elapsed_ns;
		}
		if (b->waits > a->waits)
			costs[i].full_wait_share =
			    (double)(b->full_waits - a->full_waits) / (double)(b->waits - a->waits);
		r->series[i] = worker_finish(run->workers[i], &r->stats, &r->audit);
	}
	/* to the last answer, not to when that was noticed */
	if (load->options->requests && r->stats.completed == load->options->requests)
		r->elapsed_s = (double)(r->stats.last_ns - r->course.window.start_ns) / 1e9;
	r->workers = costs;
	r->worker_count = run->worker_count;
	r->process_cpu_s = (double)run->process_cpu_ns / 1e9 - spin_s;
	r->stats.lifetime += load->asked_count;
	free(run->workers);
	free(run->before);
	free(run->after);
}

static void start_course(struct run *run, struct course *course)
{
	run->control.begin_ns = clock_now_ns();
	*course = (struct course){
		.begin_wall_ns = clock_read_ns(CLOCK_REALTIME),
		.begin_ns = run->control.begin_ns,
		.hold_ns = UINT64_MAX,
		.run_ns = UINT64_MAX,
		.window = { UINT64_MAX, UINT64_MAX },
	};
}

static double suspended_s(void)
{
	return ((double)clock_read_ns(CLOCK_BOOTTIME) - (double)clock_now_ns()) / 1e9;
}

static void init_stats(struct stats *t, const struct options *o)
{
	stats_init(t);
	if (!o->mix_file)
		return;
	struct target_stats *targets = calloc(o->target_count, sizeof *targets);
	if (!targets)
		die_errno(ENOMEM, "the result");
	stats_set_targets(t, targets, o->target_count);
}

int run_load(const struct load *load, struct result *r)
{
	const struct options *o = load->options;
	struct run run = { .options = o };
	r->wanted_per_s = o->rate_per_s;
	r->wanted_requests = o->requests;
	atomic_init(&run.control.start_ns, UINT64_MAX);
	atomic_init(&run.control.end_ns, UINT64_MAX);
	/* the harness may be killed at any time; so are we then */
	if (o->sync_fd >= 0 && prctl(PR_SET_PDEATHSIG, SIGKILL) < 0)
		die_errno(errno, "prctl");
	init_stats(&r->stats, o);
	double suspended_before_s = suspended_s();
	catch_signals(&run);
	start_course(&run, &r->course);
	start_workers(&run, load);
	run.next_kick_ns = clock_now_ns() + TICK_MS * MS_NS;

	await_barrier(&run);
	r->course.hold_ns = clock_now_ns();
	r->barrier_s = (double)(r->course.hold_ns - r->course.begin_ns) / 1e9;
	if (o->sync_fd >= 0)
		ask(&run, "barrier");
	if (o->hold_ns)
		sleep_with_progress(&run, "hold", clock_now_ns() + o->hold_ns);
	if (o->requests && !caught_signal)
		measure_requests(&run, r);
	else if (o->duration_ns && !caught_signal)
		measure(&run, r);
	drain(&run, &r->course);
	output_progress_end();

	account(&run, load, r);
	r->clock_jump_s = suspended_s() - suspended_before_s;
	r->interrupted = caught_signal != 0;
	result_judge(r);
	return caught_signal;
}
