/*
 * report_phrases.h: the parts that the report's sentences are made of. Every text is markup and
 * lives in the data's pool.
 */
#ifndef REPORT_PHRASES_H
#define REPORT_PHRASES_H

#include "harness/report_data.h"

enum { PHRASE_WORDS_MAX = 64 };

/* What is said of a group of servers, one word or phrase each. */
struct phrase_words {
	const char *item[PHRASE_WORDS_MAX];
	size_t count;
};
void phrase_add(struct phrase_words *w, const char *item);
/* "a, b and c" */
const char *phrase_join(struct report_data *data, const struct phrase_words *w);

/* The server's name with its mark. */
const char *phrase_name(struct report_data *data, const struct report_point *p);
/* "{select} is unsupported: REASON" */
const char *phrase_missing(struct report_data *data, const struct report_point *p);
/* "\nNot shown: ...": those without figures under the load, and why; "" for none. */
const char *phrase_not_shown(struct report_data *data, const struct report_cell_row *load);
/* Why an undecided comparison is so: too few blocks, or the interval. */
const char *phrase_open(struct report_comparison c);

/* A cell with the largest load of an experiment that any server did; all zero when none did. */
struct report_cell_row phrase_largest_load(const struct report_data *data, const char *experiment);
/* Likewise, of those with the most blocks: where differences can be decided at all. */
struct report_cell_row phrase_core_load(const struct report_data *data, const char *experiment);
/* True for a point under this load that may be ranked. */
bool phrase_at_load(
    const struct report_point *p, const char *experiment, long connections, long idle);
/* The best point under a load; a client-limited one is no candidate for the best rate. NULL when
 * there is none. */
const struct report_point *phrase_best(const struct report_data *data, const char *experiment,
    long connections, long idle, int metric, bool lower_is_better);

/* The client-limited under the load, with their bounds, the highest first; of more than four the
 * ends: "19 of 22 servers, from {prefork} >= 15.8k to {io_uring} >= 156k". */
const char *phrase_limited(struct report_data *data, const struct report_cell_row *load);
/*
 * Every other server under best's load, sorted by what its comparison with `best` allows to say
 * (tied, undecided, ranked behind, missing) and within that by its ratio, the nearest to the best
 * first. Each kind is a line; "" when it is alone. A bound is not compared: see phrase_limited().
 */
const char *phrase_standings(
    struct report_data *data, const struct report_point *best, int metric, bool lower_is_better);

/* "serves 4.7x [4.4, 5.0] what {poll} does", worded as the verdict allows; a's rate over b's. */
const char *phrase_serves(
    struct report_data *data, const struct report_point *a, const struct report_point *b);

#endif
