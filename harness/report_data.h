/*
 * report_data.h: a run as the report sees it. Rows of run.sqlite as cells; cells of the same server
 * under the same load as a point, with a median and its interval for every metric; two points
 * compared by their blocks.
 *
 * A point's figures come from its usable cells: valid ones and client-limited ones. One
 * client-limited cell makes the whole point client-limited: its rate is a lower bound, and it is
 * never ranked.
 */
#ifndef REPORT_DATA_H
#define REPORT_DATA_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "harness/report_text.h"
#include "harness/row.h"
#include "lib/core/estimate.h"

/* The metrics of row.h, what is made of two of theirs, and what only the result of loadgen has. */
enum {
	METRIC_CPU_US_PER_REQ = METRIC_COUNT, /* user + system */
	METRIC_BYTES_PER_CONN,                /* user + kernel */
	METRIC_ACHIEVED_SHARE, /* open loop: answers over the requests that came due, by chance more or
				* fewer than the rate says */
	REPORT_METRICS
};

/* How a metric is printed. */
struct report_metric_info {
	const char *title;
	enum report_unit unit;
};
extern const struct report_metric_info report_metrics[REPORT_METRICS];

struct report_server {
	const char
	    *name; /* letters, digits and _.+- only: goes into class names and gnuplot as it is */
	const char *family, *api, *language, *summary, *source;
	const char *about;    /* what its source says of itself; paragraphs apart by empty lines */
	long max_connections; /* 0: not capped */
	long source_lines;    /* 0: unknown */
	uint32_t style;       /* colour and point type: see figures_style.h */
};

/* Not equivalent to the others: drawn and listed, never ranked. */
static inline bool report_is_reference(const struct report_server *server)
{
	return strcmp(server->family, "reference") == 0;
}

struct report_cell_row {
	const char *experiment, *target, *reason, *marks, *blank, *loadgen, *log;
	const char *series, *hlog; /* its course in time; "" for most cells */
	const struct report_server *server;
	bool twin;
	long cpus; /* of the server, in scaling; else 0 */
	long pipeline; /* requests sent at once on a connection */
	bool cold; /* its file was dropped from the page cache first */
	bool outlier; /* its rate lies far from the point's others: flagged, never left out */
	long connections, idle, slow, requests_per_conn, rep, position;
	long level_per_s, level_percent; /* of an open loop, as the plan gives it */
	enum verdict verdict;
	double metric[REPORT_METRICS]; /* NAN: blank */
};

struct report_point {
	const struct report_cell_row *cells; /* in order of block */
	size_t cell_count;
	size_t usable_count; /* cells behind the estimates */
	enum verdict verdict;
	const char *reason; /* the first cell's that is not valid, or "" */
	struct estimate metric[REPORT_METRICS];
};

/* Experiment ledger: a system call of a server's under a load. */
struct report_syscall {
	const struct report_server *server;
	const char *name, *source; /* "recvfrom"; "bpf" or "strace" */
	long connections;
	double per_req;
};

/* A server's threads in a short while, those that ran most first: see table timeline. */
struct report_timeline {
	long cell_id;
	const struct report_server *server;
	const char *target, *reason; /* why there are no threads, or "" */
	long connections;
	double window_ns, switches;
	const struct report_thread *threads;
	size_t thread_count;
};
struct report_thread {
	const char *name, *spans;
	double running_ns, preempted_ns, ready_ns;
};

struct report_case_row {
	const char *server, *case_id, *section, *sending, *detail;
	bool passed;
};

struct report_data {
	struct report_pool pool;
	const char *folder_name; /* last part of the run's folder */
	struct report_key {
		const char *key, *value;
	} * keys;
	size_t key_count, key_cap;
	struct report_server *servers;
	size_t server_count, server_cap;
	struct report_cell_row *cells; /* by experiment, load, twin, server, block */
	size_t cell_count, cell_cap;
	struct report_point *points; /* same order */
	size_t point_count, point_cap;
	struct report_syscall *syscalls; /* by load, server, the most frequent first */
	size_t syscall_count, syscall_cap;
	struct report_timeline *timelines;
	size_t timeline_count, timeline_cap;
	struct report_thread *threads; /* of one after another */
	size_t thread_count, thread_cap;
	struct report_case_row *cases;
	size_t case_count, case_cap;
};

/* Reads RUN/run.sqlite; false after one line on standard error. */
bool report_data_open(struct report_data *data, const char *run_folder);
void report_data_close(struct report_data *data);

/* From the rows in memory: sorts cells and makes the points. Called by report_data_open(); here for
 * tests. */
void report_data_group(struct report_data *data);

/* The value of table run's `key`, or "". */
const char *report_key(const struct report_data *data, const char *key);
const struct report_server *report_server(const struct report_data *data, const char *name);

/* The point of one server (not of the twin) under one load, or NULL. */
const struct report_point *report_point(const struct report_data *data, const char *experiment,
    const char *server, long connections, long idle);
/* Do the two have the same load, whatever the server and block? */
bool report_same_load(const struct report_cell_row *a, const struct report_cell_row *b);
/* True for a server's own point (not the twin's) that may be ranked: not that of a reference. */
static inline bool report_ranked(const struct report_point *p)
{
	return !p->cells->twin && !report_is_reference(p->cells->server);
}
/* True when the point has figures. */
static inline bool report_usable(const struct report_point *p)
{
	return p && p->usable_count > 0;
}

/* How a compares with b in one metric. */
struct report_comparison {
	struct estimate ratio; /* a / b, block by block */
	enum estimate_verdict
	    verdict;  /* UNDECIDED also when the ratio is no larger than what the A/A pair shows */
	bool limited; /* a rate or latency with a client-limited side: not ranked */
};
struct report_comparison report_compare(const struct report_data *data,
    const struct report_point *a, const struct report_point *b, int metric);

/* A/A: how far the twin is from its server at the same load, as |ratio - 1| of the medians; NAN
 * without a twin. */
double report_drift_at(
    const struct report_data *data, const struct report_point *point, int metric);
/* Is this ratio no further from 1 than that of the A/A pair at the point's load? False without a
 * twin. */
bool report_within_drift(
    const struct report_data *data, const struct report_point *point, int metric, double ratio);

/* The delay d of "/sleep/MS" in seconds; 0 for any other target. N connections allow N/d
 * requests/s. */
double report_wait_s(const char *target);

#endif
