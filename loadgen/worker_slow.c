/*
 * worker_slow.c: connections that are slow on purpose. From the barrier on they live by kicks, ten
 * a second: half of them send one byte of their request at each (slow writers), half take 102 bytes
 * of their answer, about 1 KiB/s, through a receive buffer so small that the server feels it (slow
 * readers). Up to the barrier they are as quick as all others, and ask for what the others do.
 *
 * What they keep busy is the question; what they get is no part of rate, latencies, errors or
 * accounting of the active ones. A server may lose patience: that is counted, and no error.
 *
 * Each kick looks at every connection of the worker anyway (its age), so they cost no timers.
 */
#include "worker_private.h"

enum { READ_LEN = 102 };

bool slow_was_ended(const struct worker *w, const struct session *s, enum error_kind kind)
{
	return session_is_slow(s) && w->phase != PHASE_CONNECT
	    && (kind == ERROR_CLOSED || kind == ERROR_RESET || s->reply.status == 408);
}

void slow_answered(struct worker *w, const struct session *s, uint64_t now_ns)
{
	if (w->phase == PHASE_CONNECT)
		return;
	w->stats.slow_answered++;
	if (window_holds(&w->window, now_ns))
		histogram_record(&w->stats.slow, now_ns - s->sent_ns);
}

/* One byte, or as much as there is. True when anything went out. */
static bool write_on(struct worker *w, struct session *s)
{
	const struct exchange *x = &w->exchanges[s->exchange];
	struct slice bytes = session_unsent(s, x);
	uint32_t sent_len = s->sent_len;
	if (s->population == POPULATION_SLOW_WRITER)
		bytes = slice_first(bytes, 1);
	return worker_send(w, s, x, bytes) && s->sent_len > sent_len;
}

static bool read_on(struct worker *w, struct session *s)
{
	uint64_t unclaimed_len = w->unclaimed_len;
	bool came = worker_receive(w, s, READ_LEN) > 0;
	w->unclaimed_len = unclaimed_len; /* these bytes are no active connection's */
	return came;
}

bool slow_goes_on(const struct worker *w, const struct session *s)
{
	return session_is_slow(s) && w->phase == PHASE_RUN
	    && (s->state == SESSION_RESTING || s->state == SESSION_ENDING || session_in_flight(s));
}

void slow_turn(struct worker *w, struct session *s, uint64_t now_ns)
{
	uint64_t *progress_ns = &w->slow_progress_ns[s - w->sessions - w->first_slow];
	bool progress = false;
	if (s->state == SESSION_RESTING) {
		if (s->population == POPULATION_SLOW_READER && w->load->options->slow_target)
			s->exchange = EXCHANGE_SLOW;
		session_start(s, &w->exchanges[s->exchange], now_ns);
	}
	if (s->state == SESSION_SENDING)
		progress = write_on(w, s);
	else if (s->population == POPULATION_SLOW_READER)
		progress = read_on(w, s);
	/* one that was opened anew has begun without a kick */
	if (progress || *progress_ns < s->sent_ns)
		*progress_ns = now_ns;
	else if (session_is_busy(s) && now_ns > *progress_ns + w->load->options->timeout_ns)
		worker_break(w, s, ERROR_TIMEOUT);
}
