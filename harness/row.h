/*
 * row.h: one measured cell, as table `cell` of harness/schema.sql holds it. What the machine could
 * not give is NAN here and NULL there, with its reason in `blank`; never 0.
 */
#ifndef ROW_H
#define ROW_H

#include <stdbool.h>

#include "harness/cells.h"
#include "harness/raw.h"
#include "harness/syscalls.h"
#include "harness/timeline.h"

enum verdict {
	VERDICT_VALID,
	VERDICT_CLIENT_LIMITED, /* the load generator was the bottleneck: a lower bound */
	VERDICT_INVALID,        /* it ran, and what it gave is not what was asked for */
	VERDICT_UNSUPPORTED,    /* model or machine cannot do this cell */
	VERDICT_FAILED,
	VERDICT_COUNT
};
extern const char *const verdict_names[VERDICT_COUNT];

enum metric {
	METRIC_ELAPSED_S,
	METRIC_REQUESTS,
	METRIC_ERRORS,
	METRIC_RATE_PER_S,
	METRIC_P50_US,
	METRIC_P90_US,
	METRIC_P99_US,
	METRIC_P99_9_US,
	METRIC_P99_99_US,
	METRIC_MAX_US,
	METRIC_MEAN_US,
	METRIC_CTX_SWITCHES_PER_REQ,
	METRIC_CTX_VOLUNTARY_PER_REQ,
	METRIC_CTX_INVOLUNTARY_PER_REQ,
	METRIC_CPU_USER_US_PER_REQ,
	METRIC_CPU_SYS_US_PER_REQ,
	METRIC_RUNQUEUE_US_PER_REQ,
	METRIC_MINOR_FAULTS_PER_REQ,
	METRIC_MAJOR_FAULTS_PER_REQ,
	METRIC_SERVER_CPU,
	METRIC_HARNESS_CPU_SHARE,
	METRIC_USER_BYTES_PER_CONN,
	METRIC_KERNEL_BYTES_PER_CONN,
	METRIC_PAGE_TABLE_BYTES_PER_CONN, /* of the kernel's bytes, as are the next two */
	METRIC_STACK_BYTES_PER_CONN,
	METRIC_SOCKET_BYTES_PER_CONN,
	METRIC_SYSCALLS_PER_REQ,
	METRIC_SNAPSHOT_US,
	METRIC_THREADS,
	METRIC_ESTABLISHED,
	METRIC_ANSWERED,
	METRIC_STARVED,
	METRIC_FAIRNESS,
	METRIC_LITTLES_LAW_RESIDUAL,
	METRIC_CLIENT_CPU,
	METRIC_SERVER_REQUESTS,
	METRIC_CLIENT_REQUESTS,
	METRIC_OFFERED_PER_S,
	METRIC_BATCH_MEDIAN_S,
	METRIC_BATCH_MEAN_S,
	METRIC_BATCH_STDDEV_S,
	METRIC_BATCH_MIN_S,
	METRIC_BATCH_MAX_S,
	METRIC_CACHED_START,
	METRIC_CACHED_END,
	METRIC_COUNT
};
enum { /* those that raw_derive() gives */
	METRIC_RAW_FIRST = METRIC_CTX_SWITCHES_PER_REQ,
	METRIC_RAW_LAST = METRIC_SOCKET_BYTES_PER_CONN
};

/* A metric's column in table `cell`. */
struct metric_column {
	const char *name;
	bool whole; /* INTEGER, else REAL */
};
extern const struct metric_column metric_columns[METRIC_COUNT];

struct row {
	const struct cell *cell;
	char started_at[24];    /* ISO 8601, UTC */
	enum verdict verdict;
	char reason[1024];
	char marks[64];
	double metrics[METRIC_COUNT];
	double raw[RAW_COUNT];  /* what some of the metrics are made of */
	char blank[2048];
	char batch_times[256];  /* hyperfine's, as a JSON array of seconds; "" for none */
	struct syscall_list syscalls;
	struct timeline timeline; /* without threads: not recorded */
	const char *syscall_source; /* "bpf" or "strace"; NULL: not counted */
	char *loadgen;          /* its JSON, from malloc; NULL for none */
	char *series, *hlog;    /* its --series and --hlog, likewise */
	char log[2048];
};

void row_init(struct row *row, const struct cell *cell);
void row_deinit(struct row *row);
/* Says why a metric is blank. */
__attribute__((format(printf, 3, 4))) void row_blank(struct row *row, enum metric metric,
    const char *format, ...);
void row_mark(struct row *row, const char *mark);
/* The verdict with its reason. */
__attribute__((format(printf, 3, 4))) void row_judge(struct row *row, enum verdict verdict,
    const char *format, ...);

#endif
