/*
 * stats.h: what a run amounts to: counters, the audit of connections, Little's law, the verdict. No
 * clock and no I/O: times are arguments, and a worker's counters are its own until it has ended.
 */
#ifndef LOADGEN_STATS_H
#define LOADGEN_STATS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/histogram.h"
#include "series.h"
#include "session.h"
#include "window.h"

/* Why a request, or a connect, did not end in a good answer. */
enum error_kind {
	ERROR_CONNECT, /* refused, unreachable, no port, no file */
	ERROR_TIMEOUT, /* no complete answer in --timeout */
	ERROR_RESET,   /* the connection was reset */
	ERROR_CLOSED, /* ... or closed by the server amid an answer, or while idle */
	ERROR_STATUS,
	ERROR_BODY,
	ERROR_MALFORMED,
	ERROR_KIND_COUNT
};

extern const char *const error_names[ERROR_KIND_COUNT]; /* as in the JSON */

#define STATS_LATE_NS UINT64_C(1000000)

/* What one target of a mix has of the counters below that have the same names. */
struct target_stats {
	uint64_t sent, completed, errors;
	struct histogram service, response;
};

/* One worker's counters; merged at the end. */
struct stats {
	uint64_t sent;             /* requests started inside the window */
	uint64_t completed;        /* good answers completed inside the window */
	uint64_t last_ns;          /* when the last of these was complete */
	uint64_t bytes_sent;       /* of the requests sent */
	uint64_t bytes_received;   /* up to the recv() that completed these answers */
	uint64_t in_system_ns;     /* time inside the window that active connections were busy */
	uint64_t lifetime;         /* requests sent whole since the process began, drain included */
	uint64_t in_flight_at_end; /* begun, and never answered because the run was over */
	uint64_t errors[ERROR_KIND_COUNT]; /* since the process was started */
	int connect_errno;         /* of the last connect that was refused; 0: none was */
	struct histogram service;  /* of the completed */
	uint64_t slow_answered;    /* requests of slow connections, since the barrier ... */
	uint64_t slow_ended;       /* ... and how often the server ended one: no errors */
	struct histogram slow;     /* service times of theirs that ended inside the window */
	struct histogram connect;  /* from connect() to established, see MEASURING.md */

	/* an open loop's; offered + carried = completed + what became an error + unfinished */
	uint64_t offered;    /* requests due inside the window */
	uint64_t carried;    /* due before it, and not answered when it began */
	uint64_t unfinished; /* due before its end, and not answered there */
	uint64_t unsent;     /* ... of these, not even sent */
	uint64_t late;       /* of the sent: over STATS_LATE_NS late by the client's own doing */
	struct histogram response; /* of completed, timed out, and unfinished ones at their age */
	struct histogram send_lag; /* of the sent, and of unsent ones at their age */

	struct target_stats *targets; /* one for each of a mix, the caller's; NULL without */
	uint32_t target_count;
	struct series *series; /* NULL unless --series or --hlog wants it; never merged */
};

void stats_init(struct stats *t);
/* There is a mix: from now on its targets are counted apart too. */
void stats_set_targets(struct stats *t, struct target_stats *targets, uint32_t count);
void stats_merge(struct stats *into, const struct stats *from);
uint64_t stats_error_count(const struct stats *t);

static inline void stats_error(struct stats *t, enum error_kind kind, uint32_t count,
    uint64_t now_ns)
{
	t->errors[kind] += count;
	if (t->series)
		series_error(t->series, count, now_ns);
}

/* A good answer, complete at done_ns, to the request of sent_ns. Is it inside the window? */
static inline bool stats_answer(struct stats *t, const struct window *w, uint64_t sent_ns,
    uint64_t done_ns)
{
	if (t->series)
		series_answer(t->series, done_ns, done_ns - sent_ns);
	if (!window_holds(w, done_ns))
		return false;
	histogram_record(&t->service, done_ns - sent_ns);
	t->completed++;
	t->last_ns = done_ns;
	return true;
}

/* Open loop: a request due at due_ns is sent at now_ns, on a connection free since free_ns. */
static inline void stats_depart(struct stats *t, const struct window *w, uint64_t due_ns,
    uint64_t free_ns, uint64_t now_ns)
{
	t->offered += window_holds(w, due_ns);
	if (window_holds(w, now_ns)) {
		histogram_record(&t->send_lag, now_ns - due_ns);
		t->late += now_ns - (due_ns > free_ns ? due_ns : free_ns) > STATS_LATE_NS;
	} else if (due_ns < w->end_ns && now_ns >= w->end_ns) {
		histogram_record(&t->send_lag, w->end_ns - due_ns);
		t->unsent++;
	}
}

static inline void stats_respond(struct stats *t, uint32_t target, uint64_t time_ns)
{
	histogram_record(&t->response, time_ns);
	if (t->targets)
		histogram_record(&t->targets[target].response, time_ns);
}

/* ... and has come to its end at now_ns: in an answer or a timeout (`counts`), or in an error. */
static inline void stats_settle(struct stats *t, const struct window *w, uint32_t target,
    uint64_t due_ns, uint64_t now_ns, bool counts)
{
	t->carried += due_ns < w->start_ns && now_ns >= w->start_ns;
	if (t->series && counts)
		series_response(t->series, now_ns, now_ns - due_ns);
	if (due_ns < w->end_ns && now_ns >= w->end_ns) {
		t->unfinished++;
		stats_respond(t, target, w->end_ns - due_ns);
		if (t->series)
			series_unfinished(t->series, w->end_ns - due_ns);
	} else if (counts && window_holds(w, now_ns)) {
		stats_respond(t, target, now_ns - due_ns);
	}
}

/* Do at least 10 samples rank beyond this quantile? With fewer it is a guess, and not shown. */
bool stats_quantile_is_known(const struct histogram *h, double quantile);

/* Connections of all populations; the last three are of the active one. */
struct audit {
	uint64_t requested;
	uint64_t established; /* ever */
	uint64_t answered;    /* at least once in the whole run */
	uint64_t idle;        /* of the requested, the silent ones ... */
	uint64_t slow;        /* ... and the slow ones */
	uint64_t starved;     /* active ones without an answer inside the window */
	uint64_t answer_sum;  /* over the active ones: answers inside the window ... */
	double square_sum;    /* ... and their squares */
};

void audit_add(struct audit *a, const struct session *s);

/*
 * Jain's index over the active connections' answers: (sum x)^2 / (n * sum x^2), from 1/n (one has
 * them all) to 1 (all have the same); 0 without answers. R. Jain, D. Chiu, W. Hawe, DEC-TR-301.
 */
double audit_fairness(const struct audit *a);

/* What a worker cost, as shares of the window. */
struct worker_cost {
	double cpu_share;        /* without the next: what its work took */
	double spin_share;       /* an open loop's: awake because a request is nearly due */
	double run_delay_share;  /* ready to run, and not running */
	double full_wait_share;  /* of its epoll_wait calls, those that filled the event array */
};

enum verdict { VERDICT_VALID, VERDICT_CLIENT_LIMITED, VERDICT_INVALID };
extern const char *const verdict_names[];

enum { RESULT_REASONS_MAX = 64, RESULT_REASON_CAP = 320 };

struct calibration;

struct result {
	struct stats stats;
	struct audit audit;
	const struct worker_cost *workers;
	uint32_t worker_count;
	struct series **series;   /* one a worker, all NULL when none was wanted */
	struct course course;
	uint32_t wanted_per_s;    /* -R; 0: a closed loop */
	uint32_t wanted_requests; /* --requests; 0: as many as the window holds */
	double barrier_s;         /* from the first connect until all were answered once */
	double elapsed_s;         /* of the measure window; 0 when there was none */
	double process_cpu_s;     /* of the whole process inside the window, spinning apart */
	double edge_delay_s;      /* the later of the window's edges was noticed so late */
	double clock_jump_s;      /* BOOTTIME - MONOTONIC grew by this: the machine was suspended */
	bool interrupted;
	const struct calibration *calibration; /* --calibrate; or NULL */
	enum verdict verdict;
	uint32_t reason_count;
	char reasons[RESULT_REASONS_MAX][RESULT_REASON_CAP];
};

double result_rate_per_s(const struct result *r);
double result_cpu_us_per_request(const struct result *r);

/*
 * Little's law over completed requests only, |N - X*R| / N: N active connections, X completed per
 * second, R their mean service time. Large when a server lets some connections wait for the rest.
 */
double result_littles_residual(const struct result *r);

/*
 * The same law as an accounting identity: the time that connections were busy inside the window,
 * with a request (those in flight included), or with closing and connecting, over N x window. 1
 * unless connections were left without a request.
 */
double result_accounted_share(const struct result *r);

/* Open loop: answers for each request that was due inside the window; may be over 1. */
double result_achieved_share(const struct result *r);

/*
 * Open loop: did the backlog grow by more than 1% of what was due, and by more than chance does?
 * What is under way at two moments, about Poisson distributed, hardly ever differs by more than
 * three times the root of the sum.
 */
bool result_fell_behind(const struct result *r);

/* The most of any worker. */
struct worker_cost result_busiest(const struct result *r);

/* Beyond RESULT_REASONS_MAX, which a run never has, the last says that there are more. */
__attribute__((format(printf, 2, 3)))
void result_add_reason(struct result *r, const char *format, ...);

/* Sets verdict and reasons from all the rest. */
void result_judge(struct result *r);

#endif
