/* compare_doc.h: a comparison of two runs as Markdown and as one HTML file that needs nothing beside it. */
#ifndef COMPARE_DOC_H
#define COMPARE_DOC_H

#include "harness/compare_runs.h"

struct compare_doc {
	struct report_data *a, *b;
	const struct comparisons *comparisons;
	bool normalised;
	double threshold;
	const char *differences; /* of the two machines and builds; "" for none */
};

/* Either path may be NULL. False after a line on standard error. */
bool compare_doc_write(const struct compare_doc *d, const char *markdown, const char *html);

/* The run, what was built and when: "20261123-quick, c10k 1.0 (abc), 2026-11-23". */
const char *compare_run_words(struct report_data *data);
/* "12 of 40 comparisons ...": how many of which outcome. */
const char *compare_sum_words(const struct compare_doc *d);
/* The verdict of the gate. */
const char *compare_gate_words(const struct compare_doc *d);
/* A figure of the item as it is shown: of a normalised run a plain ratio. */
enum report_unit compare_unit(const struct compare_doc *d, const struct compared *item);

#endif
