/*
 * report_ledger.c: the cost ledger: what a request costs each server in system calls, switches, CPU
 * time, waiting and faults, at the largest load of experiment ledger that it did; what a connection
 * held costs in memory, at the largest of experiment memory.
 */
#include "harness/report_sections.h"

#include <math.h>
#include <string.h>

#include "harness/report_phrases.h"

static const struct entry {
	const char *title, *experiment;
	int metric;
} entries[] = {
	{ "system calls", "ledger", METRIC_SYSCALLS_PER_REQ },
	{ "voluntary switches", "ledger", METRIC_CTX_VOLUNTARY_PER_REQ },
	{ "involuntary", "ledger", METRIC_CTX_INVOLUNTARY_PER_REQ },
	{ "user CPU", "ledger", METRIC_CPU_USER_US_PER_REQ },
	{ "system CPU", "ledger", METRIC_CPU_SYS_US_PER_REQ },
	{ "run-queue wait", "ledger", METRIC_RUNQUEUE_US_PER_REQ },
	{ "minor faults", "ledger", METRIC_MINOR_FAULTS_PER_REQ },
	{ "major", "ledger", METRIC_MAJOR_FAULTS_PER_REQ },
	{ "user memory", "memory", METRIC_USER_BYTES_PER_CONN },
	{ "page tables", "memory", METRIC_PAGE_TABLE_BYTES_PER_CONN },
	{ "kernel stacks", "memory", METRIC_STACK_BYTES_PER_CONN },
	{ "sockets", "memory", METRIC_SOCKET_BYTES_PER_CONN },
};
enum { ENTRIES = sizeof(entries) / sizeof(*entries) };

/* The server's point with the most connections; NULL when it has none. */
static const struct report_point *largest(
    const struct report *r, const struct report_server *server, const char *experiment)
{
	const struct report_point *last = NULL;
	for (size_t i = 0; i < r->data->point_count; i++) {
		const struct report_point *p = &r->data->points[i];
		if (p->cells->server == server && !p->cells->twin && report_usable(p)
		    && !strcmp(p->cells->experiment, experiment))
			last = p;
	}
	return last;
}

/*
 * Where an entry stands. What throughput has measured under the same load is better founded: more
 * blocks, and no counting on the side.
 */
static const struct report_point *point_of(
    struct report *r, const struct report_server *server, const struct entry *e)
{
	const struct report_point *own = largest(r, server, e->experiment);
	const struct report_point *timed = own && e->metric != METRIC_SYSCALLS_PER_REQ
	    ? report_point(r->data, "throughput", server->name, own->cells->connections, 0) : NULL;
	bool alike = report_usable(timed) && !strcmp(timed->cells->target, own->cells->target)
	    && timed->cells->pipeline == own->cells->pipeline;
	return alike && !strcmp(e->experiment, "ledger") ? timed : own;
}

static void ledger_row(struct report *r, const struct report_server *server)
{
	struct report_pool *pool = &r->data->pool;
	report_cell(r->doc, report_name(r, server));
	for (size_t i = 0; i < ENTRIES; i++) {
		const struct report_point *p = point_of(r, server, &entries[i]);
		double value = p && p->metric[entries[i].metric].count
		    ? p->metric[entries[i].metric].median : (double)NAN;
		report_cell_number(r->doc, value,
		    report_value(pool, report_metrics[entries[i].metric].unit, value));
	}
}

void report_ledger(struct report *r)
{
	struct report_column columns[ENTRIES + 1] = { { "server", false } };
	if (r->data->syscall_count == 0)
		return;
	for (size_t i = 0; i < ENTRIES; i++)
		columns[i + 1] = (struct report_column){ entries[i].title, true };
	report_heading(r->doc, 3, "ledger", "The ledger");
	report_paragraph(r->doc, NULL,
	    report_printf(&r->data->pool,
		"What one request costs a server with up to %s busy connections, and what one "
		"connection held costs in memory, each at the largest load that it did. System "
		"calls were counted in a pass of its own, in which each takes a little longer; the "
		"other costs are those of `throughput` if it was measured with as many "
		"connections, else of the same pass. The clock's ticks of 10 ms tell user from "
		"system CPU: in a short window a small part may read as 0.",
		report_whole(&r->data->pool,
		    (double)phrase_largest_load(r->data, "ledger").connections)));
	report_table_begin(r->doc, columns, ENTRIES + 1);
	for (size_t i = 0; i < r->data->server_count; i++)
		if (largest(r, &r->data->servers[i], "ledger"))
			ledger_row(r, &r->data->servers[i]);
	report_table_end(r->doc, "sortable dense", true);
	if (r->data->timeline_count)
		report_html(r->doc,
		    "<p>Below, what threads did: <span class=\"key-r\">running</span>, <span "
		    "class=\"key-p\">preempted</span>, <span class=\"key-w\">waiting</span>. Ready "
		    "is a thread that was preempted, or woken and still without a CPU. When it was "
		    "woken the records do not say, so that part is drawn as waiting; how much it "
		    "was, the scheduler's statistics tell, and where it was most of the waiting "
		    "the line is orange. A column of the drawing is 1/2000 of the time, and "
		    "running if the thread ran in it at all: the shares are exact.</p>\n");
}

void report_ledger_of(struct report *r, const struct report_server *server)
{
	struct report_pool *pool = &r->data->pool;
	for (size_t i = 0, next; i < r->data->syscall_count; i = next) {
		const struct report_syscall *first = &r->data->syscalls[i];
		const char *calls = "";
		double sum = 0;
		for (next = i; next < r->data->syscall_count; next++) {
			const struct report_syscall *call = &r->data->syscalls[next];
			if (call->server != first->server ||
			    call->connections != first->connections)
				break;
			sum += call->per_req;
			if (call->per_req >= 0.001)
				calls = report_printf(pool, "%s%s%s %s", calls, *calls ? ", " : "",
				    report_code(pool, call->name),
				    report_value(pool, REPORT_PLAIN, call->per_req));
		}
		if (first->server != server)
			continue;
		report_paragraph(r->doc, "facts",
		    report_printf(pool, "System calls of a request at %s connections: %s%s%s.",
			report_whole(pool, (double)first->connections),
			report_value(pool, REPORT_PLAIN, sum), *calls ? ": " : "", calls));
	}
}
