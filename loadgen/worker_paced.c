/*
 * worker_paced.c: what a worker sends by the clock. In an open loop all requests: those due are
 * sent after each answer and before it waits; it sleeps until shortly before the next is due and
 * spends the rest looking for events, since a timer alone wakes up tens of microseconds late
 * (prctl(2), PR_SET_TIMERSLACK, and then the time it takes to get a CPU). Who takes which arrival
 * is pace.c's. In a closed loop the first ones (--ramp): a millisecond more or less is nothing there.
 */
#include "worker_private.h"

#include "lib/sys/clock.h"

enum { SPIN_STEP_MAX_NS = 20000 }; /* one look that took longer had lost its CPU meanwhile */

/* The schedule begins with the warm-up, of which every worker knows when it begins. */
void start_schedule(struct worker *w)
{
	const struct options *o = w->load->options;
	arrivals_init(&w->pace->arrivals, o->arrivals, o->rate_per_s, o->seed, w->index,
	    o->worker_count, atomic_load(&w->control->schedule_ns));
}

void send_due(struct worker *w, uint64_t now_ns)
{
	while (w->phase == PHASE_RUN && pace_next_ns(w->pace) <= now_ns) {
		uint32_t index = pace_send(w->pace, &w->stats, &w->window, now_ns);
		worker_start_request(w, &w->sessions[index], now_ns);
		now_ns = clock_now_ns();
	}
}

static void start_sessions(struct worker *w, uint64_t now_ns)
{
	uint64_t ramp_ns = w->load->options->ramp_ns, elapsed_ns = now_ns - w->run_ns;
	uint64_t due = elapsed_ns < ramp_ns ? w->active_count * elapsed_ns / ramp_ns : w->active_count;
	for (; w->started_count < due; w->started_count++) {
		struct session *s = &w->sessions[w->started_count];
		if (s->state == SESSION_RESTING)
			worker_start_request(w, s, clock_now_ns());
	}
}

int wait_closed(struct worker *w)
{
	bool starting = w->run_ns && w->started_count < w->active_count;
	if (starting)
		start_sessions(w, clock_now_ns());
	return epoll_wait(w->epoll_fd, w->events, EVENTS_CAP, starting ? 1 : -1);
}

int wait_paced(struct worker *w)
{
	send_due(w, clock_now_ns());
	uint64_t due_ns = w->phase == PHASE_RUN ? pace_next_ns(w->pace) : PACE_NEVER;
	if (due_ns == PACE_NEVER)
		return epoll_wait(w->epoll_fd, w->events, EVENTS_CAP, -1);
	uint64_t start_ns = clock_now_ns();
	uint64_t sleep_ns = pace_sleep_ns(w->pace, due_ns, start_ns);
	uint64_t now_ns;
	int count;
	if (sleep_ns) {
		struct timespec timeout = clock_timespec(sleep_ns);
		count = epoll_pwait2(w->epoll_fd, w->events, EVENTS_CAP, &timeout, NULL);
		now_ns = clock_now_ns();
		if (count == 0)
			pace_woke(w->pace, now_ns - start_ns - sleep_ns);
		return count;
	}
	do {
		count = epoll_wait(w->epoll_fd, w->events, EVENTS_CAP, 0);
		now_ns = clock_now_ns();
		if (now_ns - start_ns < SPIN_STEP_MAX_NS)
			w->spin_ns += now_ns - start_ns;
		start_ns = now_ns;
	} while (count == 0 && now_ns < due_ns);
	return count;
}
