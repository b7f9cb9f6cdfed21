/* pace.c: see pace.h. What is counted, and what its counters mean, stands in stats.h. */
#include "pace.h"

/* Waking up costs from 3 us (bare metal) to 50 us (a virtual machine that must be scheduled). */
enum {
	MARGIN_FIRST_NS = 50000,
	MARGIN_MIN_NS = 1000,
	MARGIN_MAX_NS = 100000,
	MARGIN_STEP_NS = 250
};

void pace_init(struct pace *p, const struct session *sessions, struct turn *turns, uint32_t *row,
    uint32_t count)
{
	*p = (struct pace){
		.sessions = sessions,
		.turns = turns,
		.row = row,
		.row_cap = count,
		.margin_ns = MARGIN_FIRST_NS,
	};
}

void pace_free(struct pace *p, uint32_t index, uint64_t now_ns)
{
	struct turn *turn = &p->turns[index];
	if (turn->free_ns == 0) {
		uint32_t last = p->row_first + p->row_count++;
		p->row[last < p->row_cap ? last : last - p->row_cap] = index;
	}
	turn->free_ns = now_ns;
}

static void leave_row(struct pace *p)
{
	p->turns[p->row[p->row_first]].free_ns = 0;
	p->row_first = p->row_first + 1 < p->row_cap ? p->row_first + 1 : 0;
	p->row_count--;
}

uint64_t pace_next_ns(struct pace *p)
{
	/* those that broke while they stood there: they come again when they are open again */
	while (p->row_count && p->sessions[p->row[p->row_first]].state != SESSION_RESTING)
		leave_row(p);
	return p->row_count ? p->arrivals.next_ns : PACE_NEVER;
}

uint32_t pace_send(struct pace *p, struct stats *t, const struct window *w, uint64_t now_ns)
{
	uint32_t index = p->row[p->row_first];
	struct turn *turn = &p->turns[index];
	turn->due_ns = p->arrivals.next_ns;
	stats_depart(t, w, turn->due_ns, turn->free_ns, now_ns);
	leave_row(p);
	arrivals_take(&p->arrivals);
	return index;
}

void pace_settle(struct pace *p, struct stats *t, const struct window *w, uint32_t index,
    uint64_t now_ns, bool counts)
{
	struct turn *turn = &p->turns[index];
	uint32_t target = p->sessions[index].exchange / 2;
	if (turn->due_ns)
		stats_settle(t, w, target, turn->due_ns, now_ns, counts);
	turn->due_ns = 0;
}

void pace_finish(struct pace *p, struct stats *t, const struct window *w, uint64_t now_ns)
{
	for (uint32_t i = 0; i < p->row_cap; i++)
		pace_settle(p, t, w, i, now_ns, false);
	if (now_ns < w->end_ns)
		return; /* interrupted before the window: nothing was measured */
	while (p->arrivals.next_ns < w->end_ns) {
		stats_depart(t, w, p->arrivals.next_ns, now_ns, now_ns);
		/* what it would have asked for: it is missing there */
		uint32_t target = p->choice ? choice_next(p->choice) : 0;
		stats_settle(t, w, target, p->arrivals.next_ns, now_ns, false);
		arrivals_take(&p->arrivals);
	}
}

uint64_t pace_sleep_ns(const struct pace *p, uint64_t due_ns, uint64_t now_ns)
{
	/* a sleep shorter than the margin would cost more than it saves */
	return due_ns > now_ns + 2 * p->margin_ns ? due_ns - now_ns - p->margin_ns : 0;
}

void pace_woke(struct pace *p, uint64_t late_ns)
{
	/* nine steps up for one down: it settles where one sleep in ten ends later than that */
	if (late_ns > p->margin_ns)
		p->margin_ns += 9 * MARGIN_STEP_NS;
	else
		p->margin_ns -= MARGIN_STEP_NS;
	if (p->margin_ns < MARGIN_MIN_NS)
		p->margin_ns = MARGIN_MIN_NS;
	if (p->margin_ns > MARGIN_MAX_NS)
		p->margin_ns = MARGIN_MAX_NS;
}
