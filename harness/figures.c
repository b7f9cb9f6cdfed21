/*
 * figures.c: the figures over the number of connections. One table says what each shows; the rest
 * is the same for all: a row of the .tsv for every server, part and load, ranges on which every
 * panel is drawn alike, and where and why a line ends.
 */
#include "harness/figures.h"

#include <errno.h>
#include <math.h>
#include <string.h>
#include <sys/stat.h>

#include "harness/report_assets.h"
#include "harness/report_fits.h"
#include "harness/report_ramp.h"
#include "lib/sys/die.h"

enum {
	MODEL_STEPS = 48,
	ROW_HEIGHT = 26,
	FD_SETSIZE_LINE = 1024,
	REQUESTS_ENDLESS = 1000 /* where "never closed" is drawn */
};

enum figure_x { X_CONNECTIONS, X_COLD, X_IDLE, X_SLOW, X_HELD, X_REQUESTS, X_OFFERED, X_CPUS };

struct figure_part {
	const char *name;
	int metric;
};

static const struct figure_spec {
	const char *name, *title, *experiment;
	enum figure_x x;
	struct figure_part parts[2];
	bool y_log;
	double y_floor; /* on a log axis: what is smaller is drawn here */
	const char *see, *misread;
} specs[] = {
	{ "throughput", "Throughput, all connections busy", "throughput", X_CONNECTIONS,
	    { { "rate", METRIC_RATE_PER_S } }, false, 0,
	    "How a model holds up while every connection has a request under way: look at how far "
	    "a line falls from its peak, and where it ends. Thin and dark: the universal "
	    "scalability law, where it fits.",
	    "The height at few connections is mostly the price of a system call and of the "
	    "loopback device, which all models pay alike; it does not say which model scales." },
	{ "idle", "The C10k figure: idle connections beside busy ones", "idle", X_IDLE,
	    { { "rate", METRIC_RATE_PER_S } }, false, 0,
	    "The busy connections do the same work in every column; a line that falls pays for "
	    "connections that do nothing, as `select` and `poll` do when they pass the whole set "
	    "to the kernel in each turn.",
	    "A flat line does not mean that idle connections are free: see memory below." },
	{ "switches", "Context switches per request", "throughput", X_CONNECTIONS,
	    { { "voluntary", METRIC_CTX_VOLUNTARY_PER_REQ },
		{ "involuntary", METRIC_CTX_INVOLUNTARY_PER_REQ } },
	    true, 1e-4,
	    "Voluntary switches (solid) are waits: one thread for each connection sleeps and is "
	    "woken for each request, a loop takes all that is ready in one turn, so its line falls "
	    "with load. Values below the axis are drawn on its floor.",
	    "Few switches are not speed in themselves: they are one cost among others, and an idle "
	    "server has few, too." },
	{ "cpu", "CPU time per request", "throughput", X_CONNECTIONS,
	    { { "total", METRIC_CPU_US_PER_REQ }, { "system", METRIC_CPU_SYS_US_PER_REQ } }, false,
	    0,
	    "The server's CPU time for one request, kernel part dashed; where throughput "
	    "saturates, the lower line could still take more load.",
	    "This is the server alone: the load generator's CPU time and interrupts that the "
	    "kernel books elsewhere are not in it." },
	{ "cost", "CPU time per request at equal work", "cost", X_OFFERED,
	    { { "total", METRIC_CPU_US_PER_REQ }, { "system", METRIC_CPU_SYS_US_PER_REQ } }, false,
	    0,
	    "Requests come at a fixed rate, the same for all servers: who needs less CPU time for "
	    "the same work, and how much of it is the kernel's? A server that needs less at a "
	    "higher rate has more to do in each turn: the price of waking up is shared.",
	    "A server that is cheap here is not faster for a single request: see its latency at "
	    "the same rates below." },
	{ "cost-latency", "Response time at equal work", "cost", X_OFFERED,
	    { { "p99", METRIC_P99_US }, { "median", METRIC_P50_US } }, true, 1,
	    "From when a request was due to the end of its answer, at the same rates for all: the "
	    "p99 and the median.",
	    "At low rates most of it is the way through two sockets, alike for all." },
	{ "memory", "Memory per held connection", "memory", X_HELD,
	    { { "user", METRIC_USER_BYTES_PER_CONN }, { "kernel", METRIC_KERNEL_BYTES_PER_CONN } },
	    true, 1,
	    "What one more silent connection costs in user space and in the kernel (stacks, page "
	    "tables, sockets); a thread brings a stack of each kind.",
	    "The kernel's part holds the server's end of each connection; the client's, and data on "
	    "its way, are not in it. What the sockets cost is the same for all models." },
	{ "wait", "Waiting for another service", "wait", X_CONNECTIONS,
	    { { "rate", METRIC_RATE_PER_S } }, true, 1,
	    "Each answer waits a fixed time d, so N connections allow N/d requests/s (dashed) and "
	    "no more; a model that can wait N times at once stays on that line.",
	    "Near the line the rate says nothing about speed: the waiting is the work, and a "
	    "faster server could not serve more." },
	{ "mixed", "Light requests among heavy ones", "mixed", X_CONNECTIONS,
	    { { "p99", METRIC_P99_US }, { "median", METRIC_P50_US } }, true, 1,
	    "Requests come at a fixed rate; one in 200 computes for 10 ms. The p99 is of the light "
	    "ones, from when they were due: where one loop does everything they wait behind the "
	    "heavy one, where threads are preempted they pass it by.",
	    "This is no measure of speed: the rate is the same for all. A long wait here says "
	    "that work of that length does not belong on the loop." },
	{ "churn", "Connections that end", "churn", X_REQUESTS,
	    { { "rate", METRIC_RATE_PER_S } }, false, 0,
	    "After so many requests the server closes and the client connects anew: what a model "
	    "does for each connection (a thread, a process, a registration) shows where they are few.",
	    "Much of a new connection is the kernel's work on both sides, alike for all." },
	{ "query", "A question to the database for each request", "query", X_CONNECTIONS,
	    { { "rate", METRIC_RATE_PER_S } }, false, 0,
	    "Each request asks Redis for one key. Loops send the questions of all connections on "
	    "one link, one behind the other; threads and processes take one of 16 links, and wait "
	    "for it.",
	    "Redis itself runs beside the load generator here and may be the limit of the fast." },
	{ "file", "A file's bytes for each request", "file", X_CONNECTIONS,
	    { { "rate", METRIC_RATE_PER_S } }, false, 0,
	    "4 KiB from a random place of a file in the page cache: handing the read to a pool "
	    "or a ring costs more than the read, as long as the disk is not asked.",
	    "From a cache no one waits: this is the price of being ready to wait. `linux-aio` "
	    "reads past the cache (O_DIRECT), so it asks the disk here, too." },
	{ "file-cold", "A file's bytes, none of them cached", "file", X_COLD,
	    { { "rate", METRIC_RATE_PER_S } }, false, 0,
	    "The same file, dropped from the page cache before each cell: where one loop reads, "
	    "all its clients wait for the disk one after the other; threads, pools and rings ask "
	    "for many places at once.",
	    "What was read stays in the cache, so the cell grows warmer as it goes on, the more "
	    "the faster the server: cached_end in cells.csv says how far (O_DIRECT: not at all). "
	    "A disk of a virtual machine may itself be a cache." },
	{ "stream", "64 KiB an answer", "stream", X_CONNECTIONS,
	    { { "rate", METRIC_RATE_PER_S } }, false, 0,
	    "Answers larger than a socket's buffer, one behind the other: partial writes, copies, "
	    "back-pressure.",
	    "Most of it is the kernel copying bytes, which all models pay alike." },
	{ "scaling", "More CPUs, as many workers", "scaling", X_CPUS,
	    { { "rate", METRIC_RATE_PER_S } }, false, 0,
	    "Each request computes for 100 us, so the CPU is the work; with k CPUs go k workers, "
	    "where the model has them. Dashed: k times what the same server does with one.",
	    "With all CPUs the load generator shares them (marked shared-cpus): what is missing "
	    "there is partly its own. Two hyper-threads are not two cores." },
	{ "slow", "Quick clients beside slow ones", "slow", X_SLOW,
	    { { "p99", METRIC_P99_US }, { "median", METRIC_P50_US } }, true, 1,
	    "The quick clients ask at a fixed rate; beside them others send a byte every 100 ms "
	    "or read 1 KiB/s. A line that stays flat does not let its other clients feel them; "
	    "one that rises has places, and the slow ones keep them.",
	    "At the top of the axis nothing was answered any more: a request that is still "
	    "waiting counts at the age it had at the window's end, so a longer run would show "
	    "more." },
	{ "batch", "A fixed number of requests, timed as a whole", "batch", X_CONNECTIONS,
	    { { "time", METRIC_BATCH_MEAN_S } }, false, 0,
	    "The number a user would take himself: hyperfine times the load generator from its "
	    "start to its end while it sends so many requests. Mean and standard deviation of its "
	    "runs, as hyperfine gives them.",
	    "Start, connects and the first requests are in it: it is larger than requests over "
	    "throughput, and its differences are smaller." },
};

/* NAN: a share of a capacity that was not found. */
static double x_value(enum figure_x x, const struct report_cell_row *cell)
{
	if (x == X_OFFERED)
		return round(cell->metric[METRIC_OFFERED_PER_S]);
	return (double)(x == X_CONNECTIONS || x == X_COLD ? cell->connections
		: x == X_IDLE              ? cell->idle
		: x == X_SLOW              ? cell->slow
		: x == X_CPUS              ? cell->cpus
		: x == X_REQUESTS ? cell->requests_per_conn ? cell->requests_per_conn : REQUESTS_ENDLESS
					   : cell->connections + cell->idle);
}

/* Everything a figure learns from its points. */
struct series {
	const struct figure_spec *spec;
	struct figure_head head;
	double x[64]; /* distinct loads in order */
	size_t x_count;
	double wait_s;
	long active; /* beside the idle ones */
	long pipeline;
};

/* What is drawn: the estimate over cells; of batches hyperfine's own interval over its runs. */
static struct estimate drawn(const struct report_point *p, int metric)
{
	struct estimate e = p->metric[metric];
	if (metric == METRIC_BATCH_MEAN_S) {
		e.low = e.median - p->metric[METRIC_BATCH_STDDEV_S].median;
		e.high = e.median + p->metric[METRIC_BATCH_STDDEV_S].median;
	}
	return e;
}

static void write_row(
    FILE *out, const struct series *s, const struct report_point *p, const struct figure_part *part)
{
	struct estimate e = drawn(p, part->metric);
	fprintf(out, "%s\t%s", p->cells->server->name, part->name);
	figures_put_value(out, x_value(s->spec->x, p->cells));
	figures_put_value(out, e.median);
	figures_put_value(out, e.low);
	figures_put_value(out, e.high);
	fprintf(out, "\t%zu\t%s\t", p->usable_count, verdict_names[p->verdict]);
	for (const char *ch = p->reason; *ch; ch++)
		fputc((unsigned char)*ch < ' ' ? ' ' : *ch, out);
	fputc('\n', out);
}

/* Takes the point's load, values and server into the ranges. */
static void take_point(struct series *s, const struct report_point *p)
{
	struct figure_head *h = &s->head;
	double x = x_value(s->spec->x, p->cells);
	size_t at = 0;
	while (at < s->x_count && s->x[at] < x)
		at++;
	if (isfinite(x) && (at == s->x_count || s->x[at] != x) && s->x_count < 64) {
		memmove(&s->x[at + 1], &s->x[at], (s->x_count - at) * sizeof(*s->x));
		s->x[at] = x;
		s->x_count++;
	}
	s->wait_s = report_wait_s(p->cells->target);
	s->active = p->cells->connections;
	s->pipeline = p->cells->pipeline;
	for (int i = 0; i < 2 && s->spec->parts[i].name; i++) {
		struct estimate e = drawn(p, s->spec->parts[i].metric);
		if (!e.count)
			continue;
		h->y_max = e.high > h->y_max ? e.high : h->y_max;
		if (e.low > 0 && e.low < h->y_min)
			h->y_min = e.low;
	}
}

static void set_ranges(struct series *s)
{
	struct figure_head *h = &s->head;
	double first = s->x_count ? s->x[0] : 1, last = s->x_count ? s->x[s->x_count - 1] : 10;
	if (first <= 0) /* no place for 0 on a log axis: a step to the left of the first load */
		first = s->x_count > 1 ? s->x[1] / 6 : 1;
	h->x_log = s->spec->x != X_OFFERED;
	h->x_min = h->x_log ? first / 1.5 : 0;
	h->x_max = (last > first ? last : first) * (h->x_log ? 1.5 : 1.1);
	h->y_log = s->spec->y_log;
	if (h->y_log) {
		double low = isfinite(h->y_min) && h->y_min > s->spec->y_floor ? h->y_min
									       : s->spec->y_floor;
		h->y_min = pow(10, floor(log10(low)));
		h->y_max = pow(10, ceil(log10(h->y_max > low ? h->y_max * 1.05 : low * 10)));
	} else {
		h->y_min = 0;
		h->y_max = h->y_max > 0 ? h->y_max * 1.08 : 1;
	}
}

/* The server's points in the figure, in the order of their load. */
static size_t find_points(const struct series *s, const struct report_data *data,
    const struct report_server *server, const struct report_point *points[REPORT_RAMP_MAX])
{
	size_t count = report_ramp(data, s->spec->experiment, server, points), kept = 0;
	for (size_t i = 0; i < count; i++)
		if (points[i]->cells->cold == (s->spec->x == X_COLD))
			points[kept++] = points[i];
	return kept;
}

/* Where a server's line ends, and why if it does not reach the last load. */
static void find_end(struct series *s, struct report_data *data, const struct report_server *server)
{
	const struct report_point *last = NULL;
	const char *stop = NULL;
	int metric = s->spec->parts[0].metric;
	const struct report_point *points[REPORT_RAMP_MAX];
	size_t count = find_points(s, data, server, points);
	for (size_t i = 0; i < count; i++) {
		const struct report_point *p = points[i];
		if (p->metric[metric].count) {
			last = p;
			stop = NULL;
		} else if (!stop) {
			stop = *p->reason     ? p->reason
			    : report_usable(p) ? "not measured here"
			                       : verdict_names[p->verdict];
		}
	}
	struct figure_end *end = &s->head.ends[s->head.end_count++];
	*end = (struct figure_end){ .server = server, .stop = stop };
	if (last) {
		double x = x_value(s->spec->x, last->cells), y = last->metric[metric].median;
		end->x = x > 0 ? x : s->head.x_min * 1.5;
		end->y = !s->head.y_log || y > s->head.y_min ? y : s->head.y_min;
		bool bound = metric == METRIC_RATE_PER_S && last->verdict == VERDICT_CLIENT_LIMITED;
		end->text = report_printf(&data->pool, "%s%s", bound ? ">= " : "",
		    report_value(&data->pool, report_metrics[metric].unit,
			last->metric[metric].median));
	} else {
		end->x = s->head.x_min * 1.3;
		end->y = s->head.y_log ? sqrt(s->head.y_min * s->head.y_max) : s->head.y_max / 2;
		end->text = "";
	}
}

/* Bytes count in powers of 2, so their axis is marked in powers of 4: "1 KiB", "4 KiB"; times on a
 * log axis as people write them; other axes are gnuplot's. */
static const char *y_tics(const struct series *s, struct report_data *data, bool told)
{
	struct report_pool *pool = &data->pool;
	enum report_unit unit = report_metrics[s->spec->parts[0].metric].unit;
	const char *tics = "";
	if (unit == REPORT_US && s->spec->y_log)
		return report_printf(pool, "set ytics %s",
		    figures_time_tics(data, s->head.y_min, s->head.y_max, told));
	if (unit != REPORT_BYTES)
		return "set ytics autofreq";
	for (double y = 1; y <= s->head.y_max; y *= 4)
		if (y >= s->head.y_min)
			tics = report_printf(pool, "%s%s'%s' %.0f", tics, *tics ? ", " : "",
			    !told          ? ""
				: y < 1024 ? report_printf(pool, "%.0f B", y)
					   : report_printf(pool, "%.0f KiB", y / 1024),
			    y);
	return report_printf(pool, "set ytics (%s)", tics);
}

/* What this kind of figure needs in its head beside the common part. */
static const char *extra_lines(const struct series *s, struct report_data *data)
{
	struct report_pool *pool = &data->pool;
	double zero = s->head.x_min * 1.5,
	       others = s->spec->x == X_IDLE || s->spec->x == X_SLOW ? (double)s->active : 0,
	       fd_line = FD_SETSIZE_LINE - others;
	if (s->spec->x >= X_REQUESTS)
		fd_line = 0; /* no connections there */
	const char *tics = "", *label = "";
	for (size_t i = 0; i < s->x_count; i++) {
		label = report_printf(pool, "%g%s",
		    s->x[i] < 1000 ? s->x[i] : s->x[i] / 1000, s->x[i] < 1000 ? "" : "k");
		if (s->spec->x == X_REQUESTS && s->x[i] == REQUESTS_ENDLESS)
			label = "never";
		tics = report_printf(pool, "%s%s'%s' %.9g", tics, i ? ", " : "", label,
		    s->x[i] > 0 ? s->x[i] : zero);
	}
	return report_printf(pool,
	    "x_zero = %.9g\ny_floor = %.9g\nfd_setsize = %.9g\nceilings = '%s'\nset_xtics = \"set "
	    "xtics %s\"\ny_tics = \"%s\"\ny_tics_bare = \"%s\"\nin_flight = %ld\n"
	    "layout = '%s.gp'\nload_x = %.9g\nload_text = '%s'\n",
	    zero, s->head.y_log ? s->head.y_min : -1e300, fd_line,
	    s->spec->experiment[0] == 'w' && s->wait_s > 0 ? report_printf(pool, "%.9g", s->wait_s)
							   : "",
	    s->spec->x == X_OFFERED ? figures_rate_tics(data, s->head.x_max, true)
				    : report_printf(pool, "(%s)", tics),
	    y_tics(s, data, true), y_tics(s, data, false), s->pipeline,
	    s->x_count == 1 ? "rows" : "panels", s->x[0], label);
}

/* The scalability law where it fits, between the first and the last load. */
static void write_model(struct report_data *data, const struct report_server *server,
    const struct report_cell_row *first, const struct report_cell_row *last, FILE *tsv)
{
	struct usl usl;
	if (!report_fit_usl(data, server, &usl) || usl.residual > REPORT_FIT_GOOD)
		return;
	double from = (double)first->connections, to = (double)last->connections;
	for (int i = 0; i <= MODEL_STEPS; i++) {
		double n = from * pow(to / from, (double)i / MODEL_STEPS);
		fprintf(tsv, "%s\tmodel\t%.9g\t%.9g\t\t\t\tUSL\t\n", server->name, n,
		    usl_rate(&usl, n));
	}
}

/* What so many CPUs would serve if each brought as much as the first. */
static void write_linear(
    struct series *s, const struct report_point *const *points, size_t count, FILE *tsv)
{
	double alone = points[0]->metric[METRIC_RATE_PER_S].median;
	bool has_first = points[0]->cells->cpus == 1 && report_usable(points[0]);
	for (size_t i = 0; i < count && has_first; i++) {
		double cpus = (double)points[i]->cells->cpus, rate = alone * cpus;
		fprintf(tsv, "%s\tlinear\t%g\t%.9g\t\t\t\tideal\t\n",
		    points[0]->cells->server->name, cpus, rate);
		s->head.y_max = rate > s->head.y_max ? rate : s->head.y_max;
	}
}

/* A server's rows, part by part, so that a line's points follow one another; false when it has
 * none. */
static bool take_server(
    struct series *s, struct report_data *data, const struct report_server *server, FILE *tsv)
{
	const struct report_point *points[REPORT_RAMP_MAX];
	size_t count = find_points(s, data, server, points);
	for (int part = 0; part < 2 && s->spec->parts[part].name; part++)
		for (size_t i = 0; i < count; i++) {
			write_row(tsv, s, points[i], &s->spec->parts[part]);
			take_point(s, points[i]);
		}
	if (count && !strcmp(s->spec->name, "throughput"))
		write_model(data, server, points[0]->cells, points[count - 1]->cells, tsv);
	if (count && s->spec->x == X_CPUS)
		write_linear(s, points, count, tsv);
	return count > 0;
}

static bool make_lines(
    struct report_data *data, const char *plots, const struct figure_spec *spec, bool *empty)
{
	FILE *tsv = figures_open(plots, data, spec->name, "tsv");
	if (!tsv)
		return false;
	struct series s = { .spec = spec, .head = { .name = spec->name, .y_min = INFINITY } };
	s.head.panels = spec->x == X_OFFERED;
	s.head.script = report_printf(&data->pool, "%s.gp", spec->name);
	fputs("server\tpart\tconnections\tmedian\tlow\thigh\truns\tverdict\treason\n", tsv);
	for (size_t i = 0; i < data->server_count; i++)
		if (take_server(&s, data, &data->servers[i], tsv)
		    && s.head.server_count < FIGURE_SERVERS_MAX)
			s.head.servers[s.head.server_count++] = &data->servers[i];
	*empty = !(s.head.y_max > 0);
	set_ranges(&s);
	for (size_t i = 0; i < s.head.server_count; i++)
		find_end(&s, data, s.head.servers[i]);
	s.head.extra = extra_lines(&s, data);
	if (s.x_count == 1) { /* nothing over which a line could run */
		s.head.rows = true;
		s.head.height = 120 + (int)s.head.server_count * ROW_HEIGHT;
	}
	return figures_close(tsv, spec->name) && figures_write_script(plots, data, &s.head);
}

/* An experiment that the plan leaves out has no cell and no figure. */
static const struct report_cell_row *first_cell(
    const struct report_data *data, const char *experiment, bool cold)
{
	for (size_t i = 0; i < data->cell_count; i++)
		if (!strcmp(data->cells[i].experiment, experiment) && data->cells[i].cold == cold)
			return &data->cells[i];
	return NULL;
}

static bool make_spec(struct report_data *data, const char *plots, const struct figure_spec *spec,
    struct figures *figures)
{
	const struct report_cell_row *cell = first_cell(data, spec->experiment, spec->x == X_COLD);
	if (!cell)
		return true;
	struct figure *figure = &figures->item[figures->count++];
	*figure = (struct figure){
		.name = spec->name,
		.title = cell->pipeline < 2 ? spec->title
		    : report_printf(&data->pool, "%s, %ld requests in flight a connection",
			  spec->title, cell->pipeline),
		.see = spec->see,
		.misread = spec->misread,
	};
	return make_lines(data, plots, spec, &figure->empty);
}

/* Figures of other kinds, each behind one of the table above, if the run has the experiment. */
static const struct {
	const char *behind, *experiment;
	bool (*make)(struct report_data *data, const char *plots, struct figures *figures);
} makers[] = {
	{ "idle", "throughput", figures_percentiles },
	{ "switches", "throughput", figures_syscalls },
	{ "cost-latency", "latency", figures_latency },
	{ "batch", "throughput", figures_time },
	{ "batch", "throughput", figures_code },
};

bool figures_make(struct report_data *data, const char *run_folder, struct figures *figures)
{
	const char *plots = report_printf(&data->pool, "%s/plots", run_folder);
	*figures = (struct figures){ 0 };
	if (mkdir(plots, 0777) != 0 && errno != EEXIST) {
		warn_line("report: cannot make %s: %s", plots, strerror(errno));
		return false;
	}
	static const char *const shared[] = { "style", "lines", "panels", "rows" };
	for (size_t i = 0; i < sizeof(shared) / sizeof(*shared); i++) {
		FILE *file = figures_open(plots, data, shared[i], "gp");
		if (!file)
			return false;
		fputs(report_asset(report_printf(&data->pool, "%s.gp", shared[i])), file);
		if (!figures_close(file, shared[i]))
			return false;
	}
	for (size_t i = 0; i < sizeof(specs) / sizeof(*specs); i++) {
		if (!make_spec(data, plots, &specs[i], figures))
			return false;
		for (size_t k = 0; k < sizeof(makers) / sizeof(*makers); k++)
			if (!strcmp(makers[k].behind, specs[i].name)
			    && first_cell(data, makers[k].experiment, false)
			    && !makers[k].make(data, plots, figures))
				return false;
	}
	figures_draw(plots, data, figures);
	return true;
}
