/* result.h: what the load generator says (schema c10k.loadgen/1), moved into a row. */
#ifndef RESULT_H
#define RESULT_H

#include "harness/row.h"
#include "harness/verdict.h"

enum { RESULT_REASONS_CAP = 512 };

struct result {
	uint64_t completed;
	double elapsed_s;
	char verdict[32];
	char reasons[RESULT_REASONS_CAP];
};

/*
 * Takes the JSON text (row->loadgen) apart: fills the row's metrics of the client's side and the
 * client's part of the facts. False, and why in `problem`, when it is no such JSON.
 */
bool result_read(
    struct result *result, struct row *row, struct verdict_facts *facts, char problem[256]);

#endif
