/*
 * worker.c: the only file that knows epoll. One thread, one loop, a request and its answer cost one
 * recv() and one send(), and epoll_wait() shared by all that are ready.
 *
 * Each socket is registered once, edge-triggered, for everything (epoll(7)): no epoll_ctl() between
 * requests, and the kernel need not look again at sockets that are already served. The price is the
 * rule that a socket must be read until it is empty; a recv() that returns less than it was offered
 * has emptied it, and a hang-up seen with the event is read up to the end of file.
 *
 * A session closes and opens its socket only while its own event is handled, or after the batch: so
 * no event of the same batch can be about an older socket of the session. An open loop sends on any
 * free one, which may turn out to be broken: that is closed at once and opened at the next kick.
 *
 * Time: one clock read for each answer, which is also the moment its successor is sent. A closed
 * loop blocks without a timeout (arming a timer costs as much as a request); the main thread kicks
 * it ten times a second, and only then are ages looked at. An open loop sends what is due after
 * each answer and before it waits; it sleeps until shortly before the next is due and spends the
 * rest looking for events, since a timer alone wakes up tens of microseconds late (prctl(2),
 * PR_SET_TIMERSLACK, and then the time it takes to get a CPU).
 */
#include "worker_private.h"

#include <errno.h>
#include <unistd.h>

#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/net.h"

enum {
	ATTEMPTS_MAX = 3,  /* to open a connection before the barrier */
	/* always the same arrivals, so that servers are compared under equal load; of this seed the
	   first 1,000 gaps, and 10,000, and 100,000, are about as exponential as can be expected */
	SCHEDULE_SEED = 31,
	SPIN_STEP_MAX_NS = 20000, /* one look that took longer had lost its CPU meanwhile */
};
#define KICK_INDEX UINT32_MAX /* in epoll_data, where else a session's index stands */
#define HANGUP_EVENTS (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

/* --- opening and closing ---------------------------------------------------------------------- */

static void stop_opening(struct worker *w, struct session *s)
{
	if (s->opening) {
		s->opening = false;
		w->opening_count--;
	}
}

/* What a connection spends on connecting, or on a request that fails, is not idleness either. */
static void account_time(struct worker *w, const struct session *s, uint64_t now_ns)
{
	if (!s->idle)
		w->stats.in_system_ns += window_overlap_ns(&w->window, s->sent_ns, now_ns);
}

/* The arrival this session has taken, if any, is answered, timed out, or lost to an error. */
static void settle(struct worker *w, const struct session *s, uint64_t now_ns, bool counts)
{
	uint32_t index = (uint32_t)(s - w->sessions);
	if (w->pace)
		pace_settle(w->pace, &w->stats, &w->window, index, now_ns, counts);
}

static void drop_session(struct worker *w, struct session *s, uint64_t now_ns)
{
	if (session_in_flight(s) || s->state == SESSION_CONNECTING)
		account_time(w, s, now_ns);
	w->open_count -= s->fd >= 0 && s->state != SESSION_CONNECTING;
	if (s->fd >= 0)
		close(s->fd);
	session_close(s);
	stop_opening(w, s);
}

static void open_session(struct worker *w, struct session *s, uint64_t now_ns);

/*
 * A connection broke. One that had served us is opened again at once; one that had not waits for
 * the next kick, so that a server that turns everyone away is not hammered. In an open loop all do:
 * the event at hand may be another's.
 */
static void fail_session(struct worker *w, struct session *s, enum error_kind kind)
{
	bool was_opening = s->attempt_count > 0;
	uint64_t now_ns = clock_now_ns();
	stats_error(&w->stats, kind, now_ns);
	w->last_error = kind;
	settle(w, s, now_ns, kind == ERROR_TIMEOUT);
	drop_session(w, s, now_ns);
	if (w->phase == PHASE_CONNECT && s->attempt_count >= ATTEMPTS_MAX) {
		s->state = SESSION_ABANDONED;
		w->abandoned_count += !s->answered;
	} else if (!was_opening && w->phase < PHASE_DRAIN && !w->pace) {
		open_session(w, s, now_ns);
	}
}

static void open_session(struct worker *w, struct session *s, uint64_t now_ns)
{
	s->opening = true;
	w->opening_count++;
	if (s->attempt_count < UINT8_MAX)
		s->attempt_count++;
	s->sent_ns = now_ns;
	s->state = SESSION_CONNECTING;
	int fd = net_connect(&w->load->address, w->load->address_len);
	if (fd < 0) {
		w->connect_errno = -fd;
		fail_session(w, s, ERROR_CONNECT);
		return;
	}
	s->fd = fd;
	struct epoll_event event = {
		.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
		.data.u32 = (uint32_t)(s - w->sessions),
	};
	if (epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0)
		die_errno(errno, "epoll_ctl");
}

static void open_more(struct worker *w)
{
	while (w->opening_count < w->opening_max && w->next_to_open < w->session_count)
		open_session(w, &w->sessions[w->next_to_open++], clock_now_ns());
}

/* --- requests and answers --------------------------------------------------------------------- */

/* False when the connection broke over it. */
static bool send_request(struct worker *w, struct session *s, struct slice bytes)
{
	ssize_t sent = send(s->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
	if (sent < 0) {
		if (errno == EAGAIN)
			return true; /* EPOLLOUT will come */
		fail_session(w, s, ERROR_RESET);
		return false;
	}
	session_sent(s, w->exchange, (size_t)sent);
	w->stats.lifetime += s->state == SESSION_AWAITING;
	return true;
}

static bool start_request(struct worker *w, struct session *s, uint64_t now_ns)
{
	struct slice request = session_start(s, w->exchange, now_ns);
	if (window_holds(&w->window, now_ns)) {
		w->stats.sent++;
		w->stats.bytes_sent += request.len;
	}
	return send_request(w, s, request);
}

/* Open loop: sends what is due, as long as a connection is free. */
static void send_due(struct worker *w, uint64_t now_ns)
{
	while (w->phase == PHASE_RUN && pace_next_ns(w->pace) <= now_ns) {
		uint32_t index = pace_send(w->pace, &w->stats, &w->window, now_ns);
		start_request(w, &w->sessions[index], now_ns);
		now_ns = clock_now_ns();
	}
}

/* The first good answer on this connection since it was opened. */
static void note_opened(struct worker *w, struct session *s)
{
	stop_opening(w, s);
	s->attempt_count = 0;
	if (!s->answered) {
		s->answered = true;
		w->answered_count++;
	}
}

/* An answer in frame, but not the wanted one. False when the connection is given up. */
static bool on_wrong_answer(struct worker *w, struct session *s, enum session_step step,
    uint64_t now_ns)
{
	enum error_kind kind = step == SESSION_WRONG_STATUS ? ERROR_STATUS : ERROR_BODY;
	if (s->attempt_count) {
		fail_session(w, s, kind);
		return false;
	}
	account_time(w, s, now_ns);
	settle(w, s, now_ns, false);
	stats_error(&w->stats, kind, now_ns);
	return true;
}

/* Open loop: the answer is counted and its connection free. As on_answer(). */
static bool on_paced_answer(struct worker *w, struct session *s, uint64_t now_ns)
{
	settle(w, s, now_ns, true);
	pace_free(w->pace, (uint32_t)(s - w->sessions), now_ns);
	send_due(w, now_ns);
	return s->state == SESSION_RESTING || session_in_flight(s);
}

/* An answer is complete. False when the session has another socket now, or none. */
static bool on_answer(struct worker *w, struct session *s, enum session_step step)
{
	uint64_t now_ns = clock_now_ns();
	if (step != SESSION_ANSWERED) {
		if (!on_wrong_answer(w, s, step, now_ns))
			return false;
	} else if (stats_answer(&w->stats, &w->window, s->sent_ns, now_ns)) {
		s->window_count++;
		w->stats.bytes_received += w->unclaimed_len;
	}
	w->unclaimed_len = 0;
	if (s->attempt_count)
		note_opened(w, s);
	if (session_must_close(s)) { /* the server said so: no error */
		settle(w, s, now_ns, true);
		drop_session(w, s, now_ns);
		if (w->phase == PHASE_RUN)
			open_session(w, s, now_ns);
		return false;
	}
	if (w->follows_up && !s->idle)
		return start_request(w, s, now_ns);
	return w->pace && !s->idle ? on_paced_answer(w, s, now_ns) : true;
}

static void on_readable(struct worker *w, struct session *s, uint32_t events)
{
	for (;;) {
		ssize_t got = recv(s->fd, w->buffer, BUFFER_CAP, 0);
		if (got <= 0) {
			if (got == 0)
				fail_session(w, s, ERROR_CLOSED);
			else if (errno != EAGAIN)
				fail_session(w, s, ERROR_RESET);
			return;
		}
		w->unclaimed_len += (uint64_t)got;
		struct slice bytes = { w->buffer, (size_t)got };
		enum session_step step = session_feed(s, w->exchange, bytes);
		if (step == SESSION_MALFORMED) {
			fail_session(w, s, ERROR_MALFORMED);
			return;
		}
		if (step != SESSION_MORE && !on_answer(w, s, step))
			return;
		if (got < BUFFER_CAP && !(events & HANGUP_EVENTS))
			return; /* the socket is empty: more makes a new event */
	}
}

static void on_connected(struct worker *w, struct session *s)
{
	int error = net_socket_error(s->fd);
	if (error) {
		w->connect_errno = -error;
		fail_session(w, s, ERROR_CONNECT);
		return;
	}
	uint64_t now_ns = clock_now_ns();
	account_time(w, s, now_ns);
	s->established = true;
	w->open_count++;
	if (w->pace && w->phase != PHASE_CONNECT && !s->idle) {
		/* not asked at once, as no schedule says so: it takes the next arrival */
		stop_opening(w, s);
		s->state = SESSION_RESTING;
		pace_free(w->pace, (uint32_t)(s - w->sessions), now_ns);
		return;
	}
	start_request(w, s, now_ns);
}

static void on_event(struct worker *w, struct session *s, uint32_t events)
{
	if (s->state == SESSION_CONNECTING)
		on_connected(w, s);
	else if (s->state == SESSION_SENDING && events & EPOLLOUT)
		send_request(w, s, session_unsent(s, w->exchange));
	if (events & (EPOLLIN | HANGUP_EVENTS) && s->fd >= 0)
		on_readable(w, s, events);
}

/* --- kicks ------------------------------------------------------------------------------------ */

/* The schedule begins with the warm-up, of which every worker knows when it begins. */
static void start_schedule(struct worker *w)
{
	const struct options *o = w->load->options;
	arrivals_init(&w->pace->arrivals, o->arrivals, o->rate_per_s, SCHEDULE_SEED, w->index,
	    o->worker_count, w->window.start_ns - o->warmup_ns);
}

static void start_all(struct worker *w)
{
	for (uint32_t i = 0; i < w->session_count; i++) {
		struct session *s = &w->sessions[i];
		if (s->state == SESSION_RESTING && !s->idle)
			start_request(w, s, clock_now_ns());
	}
}

/* Ends what has waited too long, and opens again what is closed. */
static void look_at_ages(struct worker *w)
{
	uint64_t now_ns = clock_now_ns();
	uint32_t in_flight_count = 0;
	for (uint32_t i = 0; i < w->next_to_open; i++) {
		struct session *s = &w->sessions[i];
		bool connecting = s->state == SESSION_CONNECTING;
		bool waiting = connecting || session_in_flight(s);
		if (waiting && now_ns > s->sent_ns + w->load->options->timeout_ns)
			fail_session(w, s, connecting ? ERROR_CONNECT : ERROR_TIMEOUT);
		else if (s->state == SESSION_CLOSED && w->phase < PHASE_DRAIN
		    && w->opening_count < w->opening_max)
			open_session(w, s, now_ns);
		in_flight_count += session_in_flight(s);
	}
	atomic_store(&w->live.in_flight, in_flight_count);
}

static void on_kick(struct worker *w)
{
	uint64_t kicks;
	(void)!read(w->kick_fd, &kicks, sizeof kicks);
	enum phase before = w->phase;
	w->phase = (enum phase)atomic_load(&w->control->phase);
	w->window.start_ns = atomic_load(&w->control->start_ns);
	w->window.end_ns = atomic_load(&w->control->end_ns);
	if (w->stats.series)
		series_tick(w->stats.series, &w->window, clock_now_ns());
	w->follows_up = w->phase == PHASE_RUN && !w->pace;
	if (before == PHASE_CONNECT && w->phase == PHASE_RUN) {
		if (w->pace)
			start_schedule(w);
		else
			start_all(w);
	}
	look_at_ages(w);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void publish(struct worker *w)
{
	struct live *live = &w->live;
	atomic_store_explicit(&live->lifetime, w->stats.lifetime, memory_order_relaxed);
	atomic_store_explicit(&live->errors, stats_error_count(&w->stats), memory_order_relaxed);
	atomic_store_explicit(&live->waits, w->waits, memory_order_relaxed);
	atomic_store_explicit(&live->full_waits, w->full_waits, memory_order_relaxed);
	atomic_store_explicit(&live->spin_ns, w->spin_ns, memory_order_relaxed);
	atomic_store_explicit(&live->answered, w->answered_count, memory_order_relaxed);
	atomic_store_explicit(&live->abandoned, w->abandoned_count, memory_order_relaxed);
	atomic_store_explicit(&live->last_error, (int)w->last_error, memory_order_relaxed);
	atomic_store_explicit(&live->connect_errno, w->connect_errno, memory_order_relaxed);
	if (w->stats.series) {
		w->stats.series->open_count = w->open_count;
		w->stats.series->answered_count = w->answered_count;
	}
}

/* Open loop: sends what is due, and waits for events until the next can be sent. */
static int wait_paced(struct worker *w)
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

static void finish(struct worker *w)
{
	uint64_t now_ns = clock_now_ns();
	for (uint32_t i = 0; i < w->session_count; i++) {
		struct session *s = &w->sessions[i];
		w->stats.in_flight_at_end += session_in_flight(s);
		if (session_in_flight(s) || s->state == SESSION_CONNECTING)
			account_time(w, s, now_ns);
		if (s->fd >= 0)
			close(s->fd);
	}
	if (w->pace)
		pace_finish(w->pace, &w->stats, &w->window, now_ns);
	if (w->stats.series)
		series_end(w->stats.series, now_ns);
	close(w->epoll_fd);
}

void worker_loop(struct worker *w)
{
	w->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = KICK_INDEX };
	if (w->epoll_fd < 0 || epoll_ctl(w->epoll_fd, EPOLL_CTL_ADD, w->kick_fd, &event) < 0)
		die_errno(errno, "epoll");
	while (w->phase != PHASE_QUIT) {
		if (w->phase == PHASE_CONNECT)
			open_more(w);
		publish(w);
		int count = w->pace ? wait_paced(w)
				    : epoll_wait(w->epoll_fd, w->events, EVENTS_CAP, -1);
		w->waits++;
		w->full_waits += count == EVENTS_CAP;
		bool kicked = false;
		for (int i = 0; i < count; i++) {
			uint32_t index = w->events[i].data.u32;
			if (index == KICK_INDEX)
				kicked = true;
			else
				on_event(w, &w->sessions[index], w->events[i].events);
		}
		if (kicked)
			on_kick(w);
	}
	finish(w);
}
