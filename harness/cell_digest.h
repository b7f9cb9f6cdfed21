/*
 * cell_digest.h: what a row of table `cell` holds, and what other tables hold of that cell, as one number:
 * its SHA-256 stands in the row itself, so that a byte that changes later, in a histogram or in a
 * figure, is noticed (`c10k verify`).
 */
#ifndef CELL_DIGEST_H
#define CELL_DIGEST_H

#include <sqlite3.h>

enum { DIGEST_CAP = 65 }; /* SHA-256 in hexadecimal, and a NUL */

#define CELL_DIGEST_COLUMN "sha256"

/*
 * A cell whole, its raw counts behind it; what the other tables hold is one column each.
 * `syscall_calls` and `syscall_sum` are for verify_cell.c.
 */
#define CELL_DIGEST_SELECT \
	"SELECT cell.*, raw.*," \
	" (SELECT json_group_array(json_array(name, calls, per_req, source))" \
	"  FROM syscall WHERE cell_id = cell.id) AS syscalls," \
	" (SELECT total(calls) FROM syscall WHERE cell_id = cell.id) AS syscall_calls," \
	" (SELECT total(per_req) FROM syscall WHERE cell_id = cell.id) AS syscall_sum," \
	" (SELECT json_group_array(json_array(window_ns, switches, switches_counted, reason))" \
	"  FROM timeline WHERE cell_id = cell.id) AS timelines," \
	" (SELECT json_group_array(json_object('tid', tid, 'name', name, 'running_ns', running_ns," \
	"  'preempted_ns', preempted_ns, 'waiting_ns', waiting_ns, 'ready_ns', ready_ns," \
	"  'spans', spans)) FROM timeline_thread WHERE cell_id = cell.id) AS threads_of_it" \
	" FROM cell LEFT JOIN raw ON raw.cell_id = cell.id"

/* Of the row that CELL_DIGEST_SELECT stands at: every column but CELL_DIGEST_COLUMN. */
void cell_digest(sqlite3_stmt *row, char digest[DIGEST_CAP]);

#endif
