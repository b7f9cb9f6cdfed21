/*
 * calibrate.c: runs within a run. Each has options of its own and goes through preflight() and
 * run_load() as the user's does, so what is measured is the load generator itself and no model of
 * it. Signals: run_load() takes them, and the first piece that says so is the last.
 *
 * The bare round trip is that of a thread of ten lines which blocks in recv(2), on the CPU of the
 * first worker. A closed loop of one connection does the same work as often, so both wake up from
 * the same depth of sleep, and the difference is what epoll, verification and book-keeping add.
 */
#include "calibrate.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/core/units.h"
#include "lib/sys/affinity.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/file_limit.h"
#include "null_server.h"
#include "output.h"
#include "preflight.h"
#include "run.h"

#define MS_NS UINT64_C(1000000)
#define NEAR_CEILING 0.9
#define RUN_DELAY_MAX 0.05

enum {
	LAG_RATE_PER_S = 10000,
	LAG_CONNECTIONS = 16,
	CPUS_MAX = 1024,
	FILES_APART = 64, /* that are no connections */
};

static const uint32_t usual_counts[] = { 1, 64, 1000, 10000 };

/* What the pieces share, one after the other. */
static struct {
	struct null_server server;
	int cpus[NULL_SERVER_PROCESSES_MAX]; /* its own */
	int cpu_count;
	int client_cpu; /* where the error is measured: it depends on who wakes up whom where */
	char url[64];
	uint64_t piece_ns; /* each is measured so long, after a warm-up of a quarter of that */
	struct load load;
	struct exchange exchanges[EXCHANGES_MAX];
	struct result result;
	struct histogram pings;
} bench;

/* --- the null server -------------------------------------------------------------------------- */

/* Is this the CPU of a worker? */
static bool is_taken(const struct options *o, int cpu)
{
	for (int i = 0; i < o->cpu_count; i++)
		if (o->cpus[i] == cpu)
			return true;
	return false;
}

/*
 * CPUs for the server: as many as there are workers, the last ones first, if they are free. With
 * none free it shares the last one.
 */
static void choose_cpus(const struct options *o)
{
	int allowed[CPUS_MAX];
	int count = affinity_allowed(allowed, CPUS_MAX);
	/* workers that may run anywhere will keep to the others, if there are enough */
	int least = o->cpu_count ? 0 : (int)o->worker_count;
	bench.cpu_count = 0;
	for (int i = count; i-- > least && bench.cpu_count < (int)o->worker_count;)
		if (!is_taken(o, allowed[i]) && bench.cpu_count < NULL_SERVER_PROCESSES_MAX)
			bench.cpus[bench.cpu_count++] = allowed[i];
	if (bench.cpu_count == 0)
		bench.cpus[bench.cpu_count++] = allowed[count - 1];
	bench.client_cpu = o->cpu_count ? o->cpus[0] : allowed[0];
}

/* Options of a piece: what the command line does not say of the client itself is as by default. */
static void set_piece(struct options *piece, const struct options *o, uint32_t connection_count)
{
	options_init(piece);
	options_set_url(piece, bench.url);
	piece->active_count = connection_count;
	piece->worker_count =
	    o->worker_count < connection_count ? o->worker_count : connection_count;
	memcpy(piece->cpus, o->cpus, sizeof piece->cpus);
	piece->cpu_count = o->cpu_count;
	piece->arrivals = o->arrivals;
	piece->duration_ns = bench.piece_ns;
	piece->warmup_ns = bench.piece_ns / 4;
}

/* The server, which is asked once: the pieces that follow have at most so many connections. */
static void start(const struct options *o, uint32_t connection_count, uint64_t piece_ns)
{
	choose_cpus(o);
	null_server_start(&bench.server, bench.cpus, bench.cpu_count, connection_count);
	snprintf(bench.url, sizeof bench.url, "http://127.0.0.1:%u/", bench.server.port);
	bench.piece_ns = piece_ns;
	struct options largest;
	set_piece(&largest, o, connection_count);
	preflight(&largest, &bench.load, bench.exchanges);
	output_progress_name("calibrating");
}

static void stop(void)
{
	output_progress_name(NULL);
	null_server_stop(&bench.server);
}

/* --- pieces ----------------------------------------------------------------------------------- */

/* The longest wait of any piece, as a share of it. */
static void note_run_delay(struct calibration *c, double share)
{
	if (share > c->run_delay_share)
		c->run_delay_share = share;
}

static int run_piece(const struct options *o, struct calibration *c)
{
	uint64_t start_ns = clock_now_ns(), waited_ns = null_server_waited_ns(&bench.server);
	free((void *)bench.result.workers);
	memset(&bench.result, 0, sizeof bench.result);
	bench.load.options = o;
	bench.load.exchanges = bench.exchanges;
	int signal_number = run_load(&bench.load, &bench.result);
	waited_ns = null_server_waited_ns(&bench.server) - waited_ns;
	note_run_delay(c, (double)waited_ns / (double)(clock_now_ns() - start_ns));
	note_run_delay(c, result_busiest(&bench.result).run_delay_share);
	const struct stats *t = &bench.result.stats;
	if (!signal_number && (t->completed == 0 || stats_error_count(t)))
		die("--calibrate: %llu answers and %llu errors with %u connections to a server "
		    "that makes none: is this machine overloaded?",
		    (unsigned long long)t->completed, (unsigned long long)stats_error_count(t),
		    o->active_count);
	return signal_number;
}

static int measure_ceiling(const struct options *o, uint32_t connection_count,
    struct calibration *c)
{
	struct options piece;
	set_piece(&piece, o, connection_count);
	int signal_number = run_piece(&piece, c);
	if (!signal_number) {
		c->ceiling_per_s = result_rate_per_s(&bench.result);
		c->ceiling_cpu_us = result_cpu_us_per_request(&bench.result);
	}
	return signal_number;
}

static struct quantiles quantiles_of(const struct histogram *h)
{
	return (struct quantiles){ (int64_t)histogram_quantile_ns(h, 0.5),
		(int64_t)histogram_quantile_ns(h, 0.99) };
}

static void *ping(void *unused)
{
	char answer[1024];
	int error = affinity_pin(bench.client_cpu);
	if (error)
		die_errno(-error, "cannot run on CPU %d", bench.client_cpu);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (struct sockaddr *)&bench.load.address, bench.load.address_len))
		die_errno(errno, "cannot connect to the null server");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){ 1 }, sizeof(int));
	struct slice request = bench.exchanges[0].request;
	size_t len = bench.exchanges[0].answer.len;
	uint64_t sent_ns = clock_now_ns();
	uint64_t start_ns = sent_ns + bench.piece_ns / 4;
	while (sent_ns < start_ns + bench.piece_ns) {
		if (send(fd, request.ptr, request.len, MSG_NOSIGNAL) != (ssize_t)request.len
		    || recv(fd, answer, len, MSG_WAITALL) != (ssize_t)len)
			die_errno(errno, "the null server is gone");
		uint64_t now_ns = clock_now_ns();
		if (sent_ns >= start_ns)
			histogram_record(&bench.pings, now_ns - sent_ns);
		sent_ns = now_ns;
	}
	close(fd);
	return unused;
}

/* In a thread, so that the main thread may go on to run on any CPU. */
static void measure_round_trip(struct calibration *c)
{
	pthread_t thread;
	histogram_init(&bench.pings);
	int error = pthread_create(&thread, NULL, ping, NULL);
	if (error)
		die_errno(error, "cannot start a thread");
	pthread_join(thread, NULL);
	if (bench.pings.count == 0)
		die("--calibrate: not one round trip in %llu ms: is this machine overloaded?",
		    (unsigned long long)(bench.piece_ns / MS_NS));
	c->round_trip = quantiles_of(&bench.pings);
}

static int measure_error(const struct options *o, struct calibration *c)
{
	measure_round_trip(c);
	struct options piece;
	set_piece(&piece, o, 1);
	piece.cpus[0] = bench.client_cpu;
	piece.cpu_count = 1;
	int signal_number = run_piece(&piece, c);
	if (signal_number)
		return signal_number;
	c->closed = quantiles_of(&bench.result.stats.service);

	piece.active_count = LAG_CONNECTIONS;
	piece.rate_per_s = LAG_RATE_PER_S;
	signal_number = run_piece(&piece, c);
	c->send_lag = quantiles_of(&bench.result.stats.send_lag);
	return signal_number;
}

/* --- with a run, and alone -------------------------------------------------------------------- */

int calibrate(const struct options *o, struct calibration *c)
{
	uint32_t most = o->active_count > LAG_CONNECTIONS ? o->active_count : LAG_CONNECTIONS;
	start(o, most, 300 * MS_NS);
	int signal_number = measure_error(o, c);
	if (!signal_number)
		signal_number = measure_ceiling(o, o->active_count, c);
	stop();
	return signal_number;
}

static void print_ceiling(const struct options *o, uint32_t connection_count,
    const struct calibration *c)
{
	char rate[UNITS_CAP];
	uint32_t workers = o->worker_count < connection_count ? o->worker_count : connection_count;
	printf("%11u  %8u  %11s  %9.2f us\n", connection_count, workers,
	    units_format_count(rate, sizeof rate, c->ceiling_per_s), c->ceiling_cpu_us);
	fflush(stdout);
}

static void print_quantiles(const char *name, struct quantiles q)
{
	printf("%-34s  %9.1f us  %9.1f us\n", name, (double)q.p50_ns / 1e3,
	    (double)q.p99_ns / 1e3);
}

static int print_ceilings(const struct options *o, const uint32_t *counts, size_t count,
    struct calibration *c)
{
	printf("connections   workers   requests/s  CPU a request\n");
	for (size_t i = 0; i < count; i++) {
		int signal_number = measure_ceiling(o, counts[i], c);
		if (signal_number)
			return signal_number;
		print_ceiling(o, counts[i], c);
	}
	return 0;
}

static void print_run_delay(const struct calibration *c)
{
	if (c->run_delay_share > RUN_DELAY_MAX)
		printf("             - meanwhile client or server waited %.0f%% of the time for a "
		       "CPU: try --cpu, or a quieter machine\n",
		    c->run_delay_share * 100);
}

/* How many of the usual counts the file limit allows; the others are named. */
static size_t count_possible(const struct options *o)
{
	size_t count = sizeof usual_counts / sizeof *usual_counts;
	uint64_t limit = file_limit_raise();
	while (count > 1 && usual_counts[count - 1] / o->worker_count + FILES_APART > limit)
		warn_line("not with %u connections: the limit is %llu files (ulimit -Hn)",
		    usual_counts[--count], (unsigned long long)limit);
	return count;
}

static void print_server(void)
{
	printf("against a built-in server that does nothing");
	for (int i = 0; i < bench.cpu_count; i++)
		printf("%s%d", i ? "," : ", on CPU ", bench.cpus[i]);
	printf("\n\n");
}

int calibrate_host(const struct options *o)
{
	const uint32_t *counts = o->active_given ? &o->active_count : usual_counts;
	size_t count = o->active_given ? 1 : count_possible(o);
	uint32_t most = counts[count - 1] > LAG_CONNECTIONS ? counts[count - 1] : LAG_CONNECTIONS;
	struct calibration c = { 0 };
	start(o, most, 800 * MS_NS);
	print_server();
	int signal_number = print_ceilings(o, counts, count, &c);
	if (!signal_number)
		signal_number = measure_error(o, &c);
	stop();
	if (signal_number)
		return signal_number;
	printf("\n%34s  %12s  %12s\n", "", "p50", "p99");
	print_quantiles("round trip, a program that blocks", c.round_trip);
	print_quantiles("closed loop, one connection", c.closed);
	print_quantiles("the instrument's own error", calibration_error(&c));
	print_quantiles("send lag, open loop at 10k/s", c.send_lag);
	print_run_delay(&c);
	return 0;
}

void calibration_print(const struct calibration *c, double rate_per_s)
{
	char ceiling[UNITS_CAP];
	double share = rate_per_s / c->ceiling_per_s;
	struct quantiles error = calibration_error(c);
	printf("ceiling      %s requests/s with these connections against a server that does "
	       "nothing: this run reached %.0f%%\n",
	    units_format_count(ceiling, sizeof ceiling, c->ceiling_per_s), share * 100);
	if (share > NEAR_CEILING)
		printf("             - so near to it, the client or loopback, not the server, may "
		       "be what was measured\n");
	printf("own error    p50 %.1f us, p99 %.1f us over a bare round trip of %.1f us; "
	       "send lag p99 %.1f us\n",
	    (double)error.p50_ns / 1e3, (double)error.p99_ns / 1e3,
	    (double)c->round_trip.p50_ns / 1e3, (double)c->send_lag.p99_ns / 1e3);
	print_run_delay(c);
}
