/* report_sections.h: the parts of the report, each written once for both forms. report.c calls them
 * in order. */
#ifndef REPORT_SECTIONS_H
#define REPORT_SECTIONS_H

#include "harness/figures.h"
#include "harness/report_data.h"
#include "harness/report_doc.h"

struct report {
	struct report_data *data;
	struct report_doc *doc;
	const struct figures *figures;
	const char *run_folder;
};

void report_section_grade(struct report *r);
void report_section_answers(struct report *r);
void report_section_reading(struct report *r);
void report_section_setup(struct report *r);
void report_section_health(struct report *r);
void report_section_figures(struct report *r);
void report_section_servers(struct report *r);
void report_section_conformance(struct report *r);
void report_section_cells(struct report *r);
void report_section_reproduce(struct report *r);
void report_section_coursework(struct report *r);

/* Below the figures throughput and latency. */
void report_table_usl(struct report *r);
void report_table_slo(struct report *r);

/* Parts of the servers' section: what a request and a connection cost each, and one of them. */
void report_ledger(struct report *r);
void report_ledger_of(struct report *r, const struct report_server *server);
void report_timelines(struct report *r, const struct report_server *server);

/* A server's name with its mark, and a verdict as a coloured word. */
const char *report_name(struct report *r, const struct report_server *server);
void report_verdict_cell(struct report *r, enum verdict verdict);
/* "1,000 + 10,000 idle", "100, 16 in flight each" */
const char *report_load(struct report *r, const struct report_cell_row *cell);

#endif
