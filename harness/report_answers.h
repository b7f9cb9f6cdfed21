/*
 * report_answers.h: what the run says, in sentences, and how far it may be believed. Pure: from
 * points in memory to text. A sentence is made only from what was measured, and words the verdict
 * of the statistics: a tie is called a tie, undecided is said, client-limited is written with >=
 * and never ranked.
 */
#ifndef REPORT_ANSWERS_H
#define REPORT_ANSWERS_H

#include "harness/report_data.h"

enum { REPORT_ANSWERS_MAX = 10, REPORT_REASONS_MAX = 16 };

struct report_answer {
	const char *topic;  /* "Throughput" */
	const char *text;   /* markup: a paragraph; each further line is an item of a list */
	const char *figure; /* id of the figure that shows it */
};

/* Returns how many there are. */
size_t report_answers(struct report_data *data, struct report_answer answers[REPORT_ANSWERS_MAX]);

/* Those from the open loops: markup, or NULL when this run did not measure them. */
const char *report_answer_cost(struct report_data *data);
const char *report_answer_slo(struct report_data *data);
const char *report_answer_mixed(struct report_data *data);

/* A clean, B noisy, C not comparable. */
struct report_grade {
	char letter;
	const char *reasons[REPORT_REASONS_MAX]; /* markup; the first is that of the letter */
	size_t reason_count;
};

/* Limits between the grades, as the report prints them. */
#define REPORT_DRIFT_NOISY 0.03
#define REPORT_DRIFT_BROKEN 0.10
#define REPORT_STEAL_NOISY 0.01
#define REPORT_STEAL_BROKEN 0.05
#define REPORT_PRESSURE_NOISY 10.0
#define REPORT_LOST_BROKEN 0.10

void report_grade(struct report_data *data, struct report_grade *grade);

/* The typical A/A difference: median over all pairs of |ratio - 1|; NAN without a twin. `worst` is
 * the load with the largest. */
double report_drift(const struct report_data *data, const struct report_point **worst);

#endif
