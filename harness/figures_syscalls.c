/*
 * figures_syscalls.c: what a request costs in system calls: a bar a server, stacked by call, a
 * panel for each number of connections. There are more names than colours, so a colour stands for
 * what calls are there for; the names are told where the pointer rests, and in the servers'
 * sections.
 */
#include "harness/figures.h"

#include <math.h>
#include <string.h>

enum { LOADS_MAX = 2, ROW_HEIGHT = 21, FRAME_HEIGHT = 130 };

/* In the order of the bar. What is in no list is other. */
static const struct kind {
	const char *name, *calls;
} kinds[] = {
	{ "receive", " recvfrom read readv recvmsg " },
	{ "send", " sendto write writev sendmsg sendfile " },
	{ "wait", " select pselect6 poll ppoll epoll_wait epoll_pwait epoll_pwait2 io_getevents "
	    "io_pgetevents " },
	{ "register", " epoll_ctl " },
	{ "submit", " io_uring_enter io_submit " },
	{ "connect", " accept accept4 close shutdown setsockopt socket " },
	{ "other", "" },
};
enum { KINDS = sizeof(kinds) / sizeof(*kinds) };

static size_t kind_of(const char *call)
{
	char word[64];
	snprintf(word, sizeof(word), " %.60s ", call);
	size_t i = 0;
	while (i < KINDS - 1 && !strstr(kinds[i].calls, word))
		i++;
	return i;
}

struct bars {
	struct report_data *data;
	struct figure_head head;
	long loads[LOADS_MAX];
	size_t load_count;
	double most;        /* calls of a request */
	const char *totals; /* the head's rows: connections, row, calls, what to tell */
	bool traced;        /* some are strace's */
};

/* The smallest load and the largest. */
static void choose_loads(struct bars *b)
{
	const struct report_data *data = b->data;
	for (size_t i = 0; i < data->syscall_count; i++) {
		long load = data->syscalls[i].connections;
		if (b->load_count == 0 || load != b->loads[b->load_count - 1]) {
			b->load_count += b->load_count < LOADS_MAX;
			b->loads[b->load_count - 1] = load;
		}
	}
}

/* One bar; the rows of a server under a load follow one another, the most frequent call first. */
static void write_bar(
    struct bars *b, FILE *tsv, const struct report_syscall *calls, size_t count, size_t row)
{
	struct report_pool *pool = &b->data->pool;
	const char *told = "";
	double from = 0;
	for (size_t kind = 0; kind < KINDS; kind++)
		for (size_t i = 0; i < count; i++) {
			if (kind_of(calls[i].name) != kind)
				continue;
			fprintf(tsv, "%s\t%s\t%ld\t%s\t%.6g\t%.6g\t%zu\t%s\n", calls->server->name,
			    kinds[kind].name, calls->connections, calls[i].name, from,
			    from + calls[i].per_req, row, calls[i].source);
			from += calls[i].per_req;
		}
	for (size_t i = 0; i < count; i++)
		told = report_printf(pool, "%s%s%s %s", told, i ? ", " : "", calls[i].name,
		    report_value(pool, REPORT_PLAIN, calls[i].per_req));
	b->most = fmax(b->most, from);
	b->traced |= !strcmp(calls->source, "strace");
	b->totals = report_printf(pool, "%s%ld\t%zu\t%.6g\t%s: %s\n", b->totals, calls->connections,
	    row, from, calls->server->name, told);
}

/* A row for each server that was counted at all, in the order of the report. */
static void write_bars(struct bars *b, FILE *tsv)
{
	struct report_data *data = b->data;
	for (size_t s = 0; s < data->server_count; s++) {
		size_t row = b->head.server_count + 1;
		bool any = false;
		for (size_t i = 0, next; i < data->syscall_count; i = next) {
			const struct report_syscall *first = &data->syscalls[i];
			for (next = i + 1; next < data->syscall_count; next++)
				if (data->syscalls[next].server != first->server ||
				    data->syscalls[next].connections != first->connections)
					break;
			if (first->server != &data->servers[s] ||
			    (first->connections != b->loads[0] &&
				first->connections != b->loads[b->load_count - 1]))
				continue;
			write_bar(b, tsv, first, next - i, row);
			any = true;
		}
		if (any && b->head.server_count < FIGURE_SERVERS_MAX)
			b->head.servers[b->head.server_count++] = &data->servers[s];
	}
}

static const char *head_lines(const struct bars *b)
{
	struct report_pool *pool = &b->data->pool;
	const char *loads = "", *names = "", *words = "";
	for (size_t i = 0; i < b->load_count; i++)
		loads = report_printf(pool, "%s%s%ld", loads, i ? " " : "", b->loads[i]);
	for (size_t i = 0; i < b->head.server_count; i++)
		names = report_printf(pool, "%s%s'%s' %zu", names, i ? ", " : "",
		    b->head.servers[i]->name, i + 1);
	for (size_t i = 0; i < KINDS; i++)
		words = report_printf(pool, "%s%s%s", words, i ? " " : "", kinds[i].name);
	return report_printf(pool,
	    "height = %zu\nrows = %zu\nloads = '%s'\nkinds = '%s'\nset_names = \"set ytics (%s)\"\n"
	    "note = 'a pass of its own, not timed%s'\n$totals << EOD\n%sEOD\n",
	    FRAME_HEIGHT + b->head.server_count * ROW_HEIGHT, b->head.server_count, loads, words,
	    names, b->traced ? "; counted by strace, over the whole life of a server" : "", b->totals);
}

bool figures_syscalls(struct report_data *data, const char *plots, struct figures *figures)
{
	if (data->syscall_count == 0)
		return true;
	FILE *tsv = figures_open(plots, data, "syscalls", "tsv");
	if (!tsv)
		return false;
	struct bars b = { .data = data, .totals = "",
		.head = { .name = "syscalls", .script = "syscalls.gp" } };
	fputs("server\tkind\tconnections\tcall\tfrom\tto\trow\tsource\n", tsv);
	choose_loads(&b);
	write_bars(&b, tsv);
	b.head.x_max = b.most * 1.12;
	b.head.y_max = 1;
	b.head.extra = head_lines(&b);
	figures->item[figures->count++] = (struct figure){
		.name = "syscalls",
		.title = "System calls per request",
		.see = "Every model must receive and send; what else it asks the kernel for is its "
		       "way of waiting. A loop that takes all that is ready in one turn shares one "
		       "call to wait among many requests; a ring submits many in one call. More "
		       "connections make larger turns, so compare the panels.",
		.misread = "A call is no unit of cost: one `io_uring_enter` may do the work of "
			   "forty. See CPU time per request.",
	};
	return figures_close(tsv, "syscalls") && figures_write_script(plots, data, &b.head);
}
