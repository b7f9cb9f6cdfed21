/*
 * worker.c: the file that knows epoll. One thread, one loop, a request and its answer cost one
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
 * it ten times a second, then it looks at ages. Open loops: worker_paced.c, slow: worker_slow.c.
 */
#include "worker_private.h"

#include <errno.h>
#include <unistd.h>

#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/net.h"
#include "source.h"

enum { ATTEMPTS_MAX = 3 }; /* to open a connection before the barrier */
#define KICK_INDEX UINT32_MAX /* in epoll_data, where else a session's index stands */
#define HOT inline __attribute__((always_inline)) /* else it is called, twice a request */
#define HANGUP_EVENTS (EPOLLRDHUP | EPOLLHUP | EPOLLERR)

/* --- opening and closing ---------------------------------------------------------------------- */

static void stop_opening(struct worker *w, struct session *s)
{
	w->opening_count -= s->opening;
	s->opening = false;
}

/* What it spends on closing and connecting, or on a request that fails, is not idleness either. */
static void account_time(struct worker *w, const struct session *s, uint64_t now_ns)
{
	if (s->population == POPULATION_ACTIVE)
		w->stats.in_system_ns += window_overlap_ns(&w->window, s->sent_ns, now_ns);
}

/* The arrival this session has taken, if any, is answered, timed out, or lost to an error. */
static void settle(struct worker *w, const struct session *s, uint64_t now_ns, bool counts)
{
	if (w->pace)
		pace_settle(w->pace, &w->stats, &w->window, (uint32_t)(s - w->sessions), now_ns, counts);
}

static void drop_session(struct worker *w, struct session *s, uint64_t now_ns)
{
	if (session_is_busy(s))
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
	if (slow_was_ended(w, s, kind)) {
		w->stats.slow_ended++;
	} else {
		stats_error(&w->stats, kind, s->due_count ? s->due_count : 1, now_ns);
		w->last_error = kind;
		if (w->stats.targets && s->due_count && !session_is_slow(s))
			w->stats.targets[s->exchange / 2].errors++;
	}
	settle(w, s, now_ns, kind == ERROR_TIMEOUT);
	drop_session(w, s, now_ns);
	if (w->phase == PHASE_CONNECT && s->attempt_count >= ATTEMPTS_MAX) {
		s->state = SESSION_ABANDONED;
		w->abandoned_count += !s->answered;
	} else if (!was_opening && w->phase < PHASE_DRAIN && !w->pace && !session_is_slow(s)) {
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
	int receive_cap = s->population == POPULATION_SLOW_READER ? SLOW_RECEIVE_CAP : 0;
	/* counted over all workers, as cards are dealt */
	uint64_t index = (uint64_t)(s - w->sessions) * w->load->options->worker_count + w->index;
	struct sockaddr_in source;
	int fd = net_connect(&w->load->address, w->load->address_len,
	    source_choose(&w->load->address, index, &source), receive_cap);
	if (fd < 0) {
		w->stats.connect_errno = -fd;
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

/* The server has ended the connection after the last answer, as it was asked to, or had said. */
static void renew_session(struct worker *w, struct session *s)
{
	uint64_t now_ns = clock_now_ns();
	drop_session(w, s, now_ns);
	if (w->phase == PHASE_RUN)
		open_session(w, s, now_ns);
}

static void open_more(struct worker *w)
{
	while (w->opening_count < w->opening_max && w->next_to_open < w->session_count)
		open_session(w, &w->sessions[w->next_to_open++], clock_now_ns());
}

/* --- requests and answers --------------------------------------------------------------------- */

static const struct exchange *exchange_of(const struct worker *w, const struct session *s)
{
	return &w->exchanges[s->exchange];
}

/* False when the connection broke over it. */
static bool send_request(struct worker *w, struct session *s, const struct exchange *x,
    struct slice bytes)
{
	ssize_t sent = send(s->fd, bytes.ptr, bytes.len, MSG_NOSIGNAL);
	if (sent < 0) {
		if (errno == EAGAIN)
			return true; /* EPOLLOUT will come */
		fail_session(w, s, ERROR_RESET);
		return false;
	}
	session_sent(s, x, (size_t)sent);
	if (s->state == SESSION_AWAITING)
		w->stats.lifetime += x->depth;
	return true;
}

static struct target_stats *target_of(const struct worker *w, const struct session *s)
{
	return &w->stats.targets[s->exchange / 2];
}

/* What is asked before the barrier does not count as one of --requests-per-connection. */
static void choose_exchange(struct worker *w, struct session *s)
{
	uint32_t target = w->stats.targets ? choice_next(&w->choice) : 0;
	uint32_t most = w->load->options->requests_per_connection;
	bool last = most && ++s->request_count == most;
	s->exchange = (uint8_t)(2 * target + last);
}

static HOT bool start_request(struct worker *w, struct session *s, uint64_t now_ns)
{
	if (w->chooses && s->population == POPULATION_ACTIVE)
		choose_exchange(w, s);
	const struct exchange *x = exchange_of(w, s);
	struct slice request = session_start(s, x, now_ns);
	if (window_holds(&w->window, now_ns)) {
		w->stats.sent += x->depth;
		w->stats.bytes_sent += request.len;
		w->follows_up &= w->stats.sent < w->quota;
		if (w->stats.targets)
			target_of(w, s)->sent++;
	}
	return send_request(w, s, x, request);
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
	if (s->attempt_count || session_is_slow(s)) {
		s->due_count++; /* it is not answered either */
		fail_session(w, s, kind);
		return false;
	}
	settle(w, s, now_ns, false);
	stats_error(&w->stats, kind, 1, now_ns);
	if (w->stats.targets)
		target_of(w, s)->errors++;
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

static void note_target(struct worker *w, const struct session *s, uint64_t now_ns)
{
	struct target_stats *t = target_of(w, s);
	t->completed++;
	histogram_record(&t->service, now_ns - s->sent_ns);
}

/* An answer is complete. False when the session has another socket now, or none. */
static HOT bool on_answer(struct worker *w, struct session *s, const struct exchange *x,
    enum session_step step)
{
	uint64_t now_ns = clock_now_ns();
	if (s->due_count == 0)
		account_time(w, s, now_ns);
	if (step != SESSION_ANSWERED) {
		if (!on_wrong_answer(w, s, step, now_ns))
			return false;
	} else if (session_is_slow(s)) {
		slow_answered(w, s, now_ns);
	} else if (stats_answer(&w->stats, &w->window, s->sent_ns, now_ns)) {
		s->window_count++;
		w->stats.bytes_received += w->unclaimed_len;
		if (w->stats.targets)
			note_target(w, s, now_ns);
	}
	w->unclaimed_len = 0;
	if (s->attempt_count)
		note_opened(w, s);
	if (s->due_count)
		return true;
	if (session_must_end(s, x)) {
		settle(w, s, now_ns, true);
		s->state = SESSION_ENDING;
		s->sent_ns = now_ns;
		return true;
	}
	if (w->follows_up && s->population == POPULATION_ACTIVE)
		return start_request(w, s, now_ns);
	return w->pace && s->population == POPULATION_ACTIVE ? on_paced_answer(w, s, now_ns) : true;
}

static void on_broken(struct worker *w, struct session *s, enum error_kind kind)
{
	if (s->state == SESSION_ENDING)
		renew_session(w, s);
	else
		fail_session(w, s, kind);
}

/* One recv(): how many bytes came; 0 for none, or when the socket is this session's no more. */
static HOT size_t receive(struct worker *w, struct session *s, size_t cap)
{
	worker_look_at_window(w);
	ssize_t got = recv(s->fd, w->buffer, cap, 0);
	if (got <= 0) {
		if (got == 0 || errno != EAGAIN)
			on_broken(w, s, got == 0 ? ERROR_CLOSED : ERROR_RESET);
		return 0;
	}
	struct slice bytes = { w->buffer, (size_t)got };
	const struct exchange *x = exchange_of(w, s);
	w->unclaimed_len += (uint64_t)got;
	do {
		enum session_step step = session_feed(s, x, &bytes);
		if (step == SESSION_MALFORMED) {
			fail_session(w, s, ERROR_MALFORMED);
			return 0;
		}
		if (step != SESSION_MORE && !on_answer(w, s, x, step))
			return 0;
	} while (bytes.len);
	return (size_t)got;
}

/* Until the socket is empty: then more makes a new event. */
static void on_readable(struct worker *w, struct session *s, uint32_t events)
{
	size_t got;
	do
		got = receive(w, s, BUFFER_CAP);
	while (got == BUFFER_CAP || (got && events & HANGUP_EVENTS));
}

/* Connect times are those of the connect phase, or with reconnects those of the window. */
static void note_connected(struct worker *w, const struct session *s, uint64_t now_ns)
{
	bool counts = w->load->options->requests_per_connection
	    ? window_holds(&w->window, now_ns) : w->phase == PHASE_CONNECT;
	if (counts && !session_is_slow(s))
		histogram_record(&w->stats.connect, now_ns - s->sent_ns);
}

/*
 * Behind the barrier most wait: an open loop's for the next arrival, slow ones for the next kick,
 * idle ones are silent, and so is whoever has nothing left to ask (--requests, the drain).
 */
static bool asks_at_once(const struct worker *w, const struct session *s)
{
	if (w->phase == PHASE_CONNECT)
		return true;
	if (s->population == POPULATION_IDLE)
		return !s->answered;
	return w->follows_up && s->population == POPULATION_ACTIVE;
}

static void on_connected(struct worker *w, struct session *s)
{
	int error = net_socket_error(s->fd);
	if (error) {
		w->stats.connect_errno = -error;
		fail_session(w, s, ERROR_CONNECT);
		return;
	}
	uint64_t now_ns = clock_now_ns();
	account_time(w, s, now_ns);
	note_connected(w, s, now_ns);
	s->established = true;
	w->open_count++;
	if (asks_at_once(w, s)) {
		start_request(w, s, now_ns);
		return;
	}
	stop_opening(w, s);
	s->state = SESSION_RESTING;
	if (w->pace && s->population == POPULATION_ACTIVE)
		pace_free(w->pace, (uint32_t)(s - w->sessions), now_ns);
}

static void on_event(struct worker *w, struct session *s, uint32_t events)
{
	if (s->state == SESSION_CONNECTING) {
		on_connected(w, s);
	} else if (session_is_slow(s) && w->phase != PHASE_CONNECT) {
		if (s->population == POPULATION_SLOW_READER)
			return; /* at the next kick */
	} else if (s->state == SESSION_SENDING && events & EPOLLOUT) {
		send_request(w, s, exchange_of(w, s), session_unsent(s, exchange_of(w, s)));
	}
	if (events & (EPOLLIN | HANGUP_EVENTS) && s->fd >= 0)
		on_readable(w, s, events);
}

/* --- kicks ------------------------------------------------------------------------------------ */

/* Ends what has waited too long, and opens again what is closed. */
static void look_at_ages(struct worker *w)
{
	uint64_t now_ns = clock_now_ns();
	uint32_t in_flight_count = 0;
	for (uint32_t i = 0; i < w->next_to_open; i++) {
		struct session *s = &w->sessions[i];
		if (slow_goes_on(w, s))
			slow_turn(w, s, now_ns);
		else if (session_is_busy(s) && now_ns > s->sent_ns + w->load->options->timeout_ns
		    && !(session_is_slow(s) && w->phase >= PHASE_DRAIN))
			on_broken(w, s,
			    s->state == SESSION_CONNECTING ? ERROR_CONNECT : ERROR_TIMEOUT);
		else if (s->state == SESSION_CLOSED && w->phase < PHASE_DRAIN
		    && w->opening_count < w->opening_max)
			open_session(w, s, now_ns);
		in_flight_count += session_is_slow(s) ? 0 : s->due_count;
	}
	atomic_store(&w->live.in_flight, in_flight_count);
}

static void on_kick(struct worker *w)
{
	uint64_t kicks;
	(void)!read(w->kick_fd, &kicks, sizeof kicks);
	enum phase before = w->phase;
	w->phase = (enum phase)atomic_load(&w->control->phase);
	worker_look_at_window(w);
	if (w->stats.series)
		series_tick(w->stats.series, &w->window, clock_now_ns());
	w->follows_up = w->phase == PHASE_RUN && !w->pace && w->stats.sent < w->quota;
	w->chooses = w->phase == PHASE_RUN
	    && (w->load->options->requests_per_connection || w->stats.targets);
	if (before == PHASE_CONNECT && w->phase == PHASE_RUN) {
		w->run_ns = clock_now_ns();
		if (w->pace)
			start_schedule(w);
	}
	look_at_ages(w);
}

/* --- for worker_paced.c and worker_slow.c ----------------------------------------------------- */

bool worker_start_request(struct worker *w, struct session *s, uint64_t now_ns)
{
	return start_request(w, s, now_ns);
}

bool worker_send(struct worker *w, struct session *s, const struct exchange *x, struct slice bytes)
{
	return send_request(w, s, x, bytes);
}

size_t worker_receive(struct worker *w, struct session *s, size_t cap)
{
	return receive(w, s, cap);
}

void worker_break(struct worker *w, struct session *s, enum error_kind kind)
{
	on_broken(w, s, kind);
}

/* --- the loop --------------------------------------------------------------------------------- */

static void publish(struct worker *w)
{
	struct live *live = &w->live;
	atomic_store_explicit(&live->lifetime, w->stats.lifetime, memory_order_relaxed);
	atomic_store_explicit(&live->errors, stats_error_count(&w->stats), memory_order_relaxed);
	atomic_store_explicit(&live->completed, w->stats.completed, memory_order_relaxed);
	atomic_store_explicit(&live->waits, w->waits, memory_order_relaxed);
	atomic_store_explicit(&live->full_waits, w->full_waits, memory_order_relaxed);
	atomic_store_explicit(&live->spin_ns, w->spin_ns, memory_order_relaxed);
	atomic_store_explicit(&live->answered, w->answered_count, memory_order_relaxed);
	atomic_store_explicit(&live->abandoned, w->abandoned_count, memory_order_relaxed);
	atomic_store_explicit(&live->last_error, (int)w->last_error, memory_order_relaxed);
	atomic_store_explicit(&live->connect_errno, w->stats.connect_errno, memory_order_relaxed);
	if (w->stats.series) {
		w->stats.series->open_count = w->open_count;
		w->stats.series->answered_count = w->answered_count;
	}
}

static void finish(struct worker *w)
{
	uint64_t now_ns = clock_now_ns();
	for (uint32_t i = 0; i < w->session_count; i++) {
		struct session *s = &w->sessions[i];
		w->stats.in_flight_at_end += s->due_count;
		if (session_is_busy(s))
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
		int count = w->pace ? wait_paced(w) : wait_closed(w);
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
