/*
 * server_main.c: see server_main.h. Nothing here knows a model; nothing in a model knows an option,
 * a signal, or what to do when the file table is full.
 *
 * A full file table: accept() fails, but the client stays in the accept queue and a
 * level-triggered loop would spin on it. So a spare descriptor is kept: close it, accept, and make
 * the client's the spare (after libev's manual, "The special problem of accept()ing when you
 * can't").
 *
 * A file table of its own for each of several workers (unshare(2), CLONE_FILES): the limit is then
 * per worker, and no worker waits for another's lock to open a file. A copy keeps the numbers, so
 * the stop signal's handler finds the listening sockets in whatever thread it runs.
 */
#include "lib/sys/server_main.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <malloc.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "lib/core/units.h"
#include "lib/sys/affinity.h"
#include "lib/sys/clock.h"
#include "lib/sys/database.h"
#include "lib/sys/datafile.h"
#include "lib/sys/die.h"
#include "lib/sys/file_limit.h"
#include "lib/sys/net.h"
#include "lib/sys/version.h"

struct options {
	const char *host;
	uint16_t port;
	uint32_t worker_count;
	int backlog;
	const char *data, *database;
	uint32_t idle_timeout_s;
	bool describe;
};

/* What the signal handler needs; written once, before the handler is set. */
static struct service *service; /* shared with child processes, so that they count together */
static struct worker workers[WORKERS_MAX];
static pthread_barrier_t tables_are_apart;
static volatile sig_atomic_t attended_fd = -1; /* see worker_attend() */
static uint32_t started_count; /* of them: 1 when the model starts its own */

/* --- options --------------------------------------------------------------------------------- */

static void print_help(const struct server_model *m)
{
	printf("%s: %s\n\n"
	       "  build/servers/%s                       serve on http://127.0.0.1:8080/\n"
	       "  build/servers/%s --port 9000           on another port\n"
	       "  build/servers/%s --describe            what it is, as JSON\n\n"
	       "  --host A       address to listen on (127.0.0.1; 0.0.0.0 opens it to the network)\n"
	       "  --port N       port to listen on (8080)\n"
	       "  --workers N    workers, where the model has them (%s)\n"
	       "  --backlog N    length of the accept queue (4096)\n"
	       "  --idle-timeout N  seconds after which a silent connection is closed (60)\n"
	       "  --data FILE    the file that /file/N reads from\n"
	       "  --database URL the Redis server that /query/KEY asks, as in redis://127.0.0.1:6379\n",
	    m->name, m->summary, m->name, m->name, m->name, m->worker_per_cpu ? "one per CPU" : "1");
	if (m->option)
		printf("  --%-12s %s\n", m->option, m->option_help);
	printf("  --describe     print one JSON object and exit\n"
	       "  --version, --help\n\n"
	       "Paths: / /bytes/N /echo /sleep/MS /compute/N /file/N /query/KEY /stats.\n"
	       "SIGTERM drains and exits.\n");
}

static void put_text(const char *key, const char *text)
{
	printf("\"%s\": \"", key);
	for (const char *ch = text ? text : ""; *ch; ch++)
		printf("%s%c", strchr("\"\\", *ch) ? "\\" : "", *ch);
	printf("\", ");
}

static void describe(const struct server_model *m, const struct options *o)
{
	putchar('{');
	put_text("name", m->name);
	put_text("family", m->family);
	put_text("api", m->api);
	put_text("language", m->language ? m->language : "C");
	put_text("summary", m->summary);
	printf("\"limits\": {");
	const char *separator = "";
	if (m->max_connections) {
		printf("\"max_connections\": %u", m->max_connections());
		separator = ", ";
	}
	if (m->in_turn)
		printf(", \"max_waiting\": %d", o->backlog);
	if (m->single_worker)
		printf("%s\"max_workers\": 1%s", separator, m->spreads ? "" : ", \"max_cpus\": 1");
	printf("}}\n");
}

static uint64_t number_option(const char *name, const char *text, uint64_t min, uint64_t max)
{
	uint64_t value;
	if (!units_parse_count((struct slice){ text, strlen(text) }, &value) || value < min || value > max)
		usage_die("--%s takes a number from %llu to %llu, not '%s'", name, (unsigned long long)min,
		    (unsigned long long)max, text);
	return value;
}

static uint32_t usual_worker_count(const struct server_model *m)
{
	int cpus[WORKERS_MAX];
	return m->worker_per_cpu ? (uint32_t)affinity_allowed(cpus, WORKERS_MAX) : 1;
}

static struct options read_options(int argc, char **argv, const struct server_model *m)
{
	struct options o = {
		.host = "127.0.0.1",
		.port = 8080,
		.worker_count = usual_worker_count(m),
		.backlog = 4096,
		.idle_timeout_s = CONN_IDLE_TIMEOUT_S,
	};
	const struct option options[] = {
		{ "host", required_argument, NULL, 'H' },  { "port", required_argument, NULL, 'p' },
		{ "workers", required_argument, NULL, 'w' }, { "backlog", required_argument, NULL, 'b' },
		{ "data", required_argument, NULL, 'f' },  { "database", required_argument, NULL, 'q' },
		{ "idle-timeout", required_argument, NULL, 'i' },
		{ "describe", no_argument, NULL, 'd' },    { "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },
		{ m->option ? m->option : "help", required_argument, NULL, 'o' }, { 0 },
	};
	opterr = 0;
	for (int ch; (ch = getopt_long(argc, argv, ":h", options, NULL)) != -1;) {
		switch (ch) {
		case 'H': o.host = optarg; break;
		case 'p': o.port = (uint16_t)number_option("port", optarg, 1, 65535); break;
		case 'w': o.worker_count = (uint32_t)number_option("workers", optarg, 1, WORKERS_MAX); break;
		case 'b': o.backlog = (int)number_option("backlog", optarg, 1, 1000000); break;
		case 'f': o.data = optarg; break;
		case 'q': o.database = optarg; break;
		case 'i':
			o.idle_timeout_s = (uint32_t)number_option("idle-timeout", optarg, 1, 86400);
			break;
		case 'd': o.describe = true; break;
		case 'o': m->set_option(number_option(m->option, optarg, 0, 1u << 30)); break;
		case 'v': printf("%s (c10k) %s\n", m->name, C10K_VERSION); exit(0);
		case 'h': print_help(m); exit(0);
		case ':': usage_die("%s needs a value; --help shows examples", argv[optind - 1]);
		default: usage_die("bad option '%s'; --help shows them", usage_refused(argv));
		}
	}
	if (optind < argc)
		usage_die("'%s' is no option; --help shows them", argv[optind]);
	if (m->single_worker && o.worker_count > 1)
		usage_die("this model has one worker; leave --workers out");
	return o;
}

/* --- accepting ------------------------------------------------------------------------------- */

bool worker_has_waiting(const struct worker *w)
{
	struct pollfd waiting = { .fd = w->listen_fd, .events = POLLIN };
	return poll(&waiting, 1, 0) > 0;
}

void worker_turn_away(struct worker *w)
{
	if (!worker_has_waiting(w))
		return; /* gone again; a blocking accept would wait for the next */
	if (w->spare_fd >= 0)
		close(w->spare_fd);
	w->spare_fd = accept4(w->listen_fd, NULL, NULL, SOCK_CLOEXEC);
	if (w->spare_fd >= 0) {
		/* closes the client and keeps the number, in one step: threads open files too */
		dup3(w->listen_fd, w->spare_fd, O_CLOEXEC);
		atomic_fetch_add_explicit(&w->env.service->refused, 1, memory_order_relaxed);
	} else {
		usleep(1000); /* another thread was quicker: the C library's open now and then */
		w->spare_fd = fcntl(w->listen_fd, F_DUPFD_CLOEXEC, 0);
	}
}

int worker_accept(struct worker *w)
{
	if (atomic_load_explicit(&w->env.service->stopping, memory_order_relaxed))
		return -EINVAL;
	int flags = SOCK_CLOEXEC | (w->blocking ? 0 : SOCK_NONBLOCK);
	int fd = accept4(w->listen_fd, NULL, NULL, flags);
	if (fd < 0 && w->blocking && (errno == EMFILE || errno == ENFILE)) {
		/* it fails at once, even if nobody is waiting: block here instead, then try again */
		struct pollfd waiting = { .fd = w->listen_fd, .events = POLLIN };
		poll(&waiting, 1, -1);
		fd = accept4(w->listen_fd, NULL, NULL, flags);
	}
	if (fd >= 0) {
		worker_opened(w);
		return fd;
	}
	if (errno == EINVAL)
		return -EINVAL;
	if (errno == EMFILE || errno == ENFILE)
		worker_turn_away(w);
	else if (errno == ENOMEM || errno == ENOBUFS)
		usleep(1000); /* the kernel is short of memory: let it find some */
	return -EAGAIN; /* what else accept(2) names is the client's end, or nothing */
}

int worker_accept_failed(struct worker *w, int error)
{
	enum { PAUSE_MS = 10 };
	if (error == EINVAL || atomic_load_explicit(&w->env.service->stopping, memory_order_relaxed))
		return -1;
	if (error == EMFILE || error == ENFILE)
		worker_turn_away(w);
	else if (error != ENOMEM && error != ENOBUFS)
		return 0; /* the client's end (accept(2)) */
	/* with files short it fails even when nobody waits: to try again at once would spin */
	return worker_has_waiting(w) ? 0 : PAUSE_MS;
}

void worker_attend(struct worker *w, int fd)
{
	attended_fd = fd;
	/* a signal that came before could not know it */
	if (fd >= 0 && atomic_load_explicit(&w->env.service->stopping, memory_order_relaxed))
		shutdown(fd, SHUT_RD);
}

void worker_opened(struct worker *w)
{
	atomic_fetch_add_explicit(&w->env.service->accepted, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&w->env.service->open, 1, memory_order_relaxed);
}

void worker_closed(struct worker *w)
{
	atomic_fetch_sub_explicit(&w->env.service->open, 1, memory_order_relaxed);
}

void worker_close(struct worker *w, int fd)
{
	close(fd);
	worker_closed(w);
}

void worker_refuse(struct worker *w, int fd)
{
	const struct http_response response = { .status = 503, .close = true };
	char answer[HTTP_RESPONSE_HEAD_MAX];
	struct conn_env now; /* not the worker's: it may be another thread's at the moment */
	worker_env_init(w, &now);
	size_t len = http_put_head(answer, &response, (struct slice){ now.fixed, now.fixed_len });
	(void)send(fd, answer, len, MSG_NOSIGNAL | MSG_DONTWAIT);
	shutdown(fd, SHUT_WR);
	atomic_fetch_sub_explicit(&w->env.service->accepted, 1, memory_order_relaxed);
	atomic_fetch_add_explicit(&w->env.service->refused, 1, memory_order_relaxed);
	worker_close(w, fd);
}

void worker_env_init(const struct worker *w, struct conn_env *e)
{
	conn_env_init(e, w->env.service, malloc, free);
	e->idle_timeout_s = w->env.idle_timeout_s;
	worker_env_tick(e);
}

void worker_env_tick(struct conn_env *e)
{
	/*
	 * both clocks are read from a page the kernel shares, and are as coarse as a second needs
	 */
	uint64_t wall_s = clock_read_ns(CLOCK_REALTIME_COARSE) / 1000000000;
	uint64_t monotonic_s = clock_read_ns(CLOCK_MONOTONIC_COARSE) / 1000000000;
	conn_env_tick(e, wall_s, (uint32_t)monotonic_s);
}

void worker_tick(struct worker *w)
{
	worker_env_tick(&w->env);
}

/* --- start and stop -------------------------------------------------------------------------- */

static void on_stop_signal(int number)
{
	(void)number;
	const struct itimerval drain = { .it_value = { .tv_sec = 1, .tv_usec = 800000 } };
	atomic_store(&service->stopping, true);
	for (uint32_t i = 0; i < started_count; i++)
		shutdown(workers[i].listen_fd, SHUT_RDWR);
	if (attended_fd >= 0)
		shutdown(attended_fd, SHUT_RD);
	setitimer(ITIMER_REAL, &drain, NULL);
}

static void on_drain_over(int number)
{
	(void)number;
	_exit(0);
}

static void set_signals(void)
{
	struct sigaction action = { .sa_handler = SIG_IGN };
	sigaction(SIGPIPE, &action, NULL);
	action.sa_flags = SA_ONSTACK; /* where there is one: Go's own stacks are too small for a handler */
	action.sa_handler = on_drain_over;
	sigaction(SIGALRM, &action, NULL);
	action.sa_handler = on_stop_signal;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

static void open_worker(struct worker *w, const struct options *o, const struct server_model *m)
{
	struct sockaddr_storage address;
	socklen_t len;
	int error = net_resolve(o->host, o->port, &address, &len);
	if (error)
		die("--host %s: %s; give an address of this machine", o->host, gai_strerror(error));
	w->blocking = m->blocking;
	w->listen_fd = net_listen(&address, len, o->backlog, started_count > 1, !m->blocking);
	if (w->listen_fd == -EADDRINUSE)
		die("port %u is in use; end what listens there, or choose another with --port", o->port);
	if (w->listen_fd < 0)
		die_errno(-w->listen_fd, "cannot listen on %s port %u; see --host and --port", o->host, o->port);
	w->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	conn_env_init(&w->env, service, malloc, free);
	w->env.idle_timeout_s = o->idle_timeout_s;
	worker_tick(w);
}

static struct service *make_service(const struct options *o, const struct server_model *m)
{
	struct service *s = mmap(NULL, sizeof *s, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (s == MAP_FAILED)
		die_errno(errno, "no memory to count in");
	s->model = m->name;
	s->worker_count = o->worker_count;
	if (o->data) {
		int64_t len = datafile_open(o->data);
		if (len < 0)
			die_errno((int)-len, "--data %s: give a file to read from", o->data);
		s->file_len = (uint64_t)len;
	}
	if (o->database && !database_set_url(o->database))
		die("--database %s: give a Redis server, as in redis://127.0.0.1:6379", o->database);
	s->has_database = o->database != NULL;
	return s;
}

/*
 * What a wave of requests has freed (buffers that all held at once, frames, timers) is kept for the
 * next: given back to the kernel and asked for again, each page of it would be a fault. Set by hand
 * the first stops the second from growing, as it would when blocks of that size are freed.
 */
static void keep_memory(void)
{
	mallopt(M_TRIM_THRESHOLD, 64 << 20);
	mallopt(M_MMAP_THRESHOLD, 1 << 20);
}

struct start {
	const struct server_model *model;
	struct worker *worker;
};

static void *run_worker(void *argument)
{
	struct start *start = argument;
	/* where a sandbox forbids it they share one table and its limit, and serve all the same */
	if (started_count > 1 && !start->model->one_file_table)
		(void)unshare(CLONE_FILES);
	/* a client accepted earlier would stand in the others' copies, and never be closed there */
	pthread_barrier_wait(&tables_are_apart);
	start->model->serve(start->worker);
	return NULL;
}

int server_main(int argc, char **argv, const struct server_model *model)
{
	static struct start starts[WORKERS_MAX];
	static pthread_t threads[WORKERS_MAX];
	die_program = model->name;
	struct options o = read_options(argc, argv, model);
	if (o.describe) {
		describe(model, &o);
		return 0;
	}
	keep_memory();
	service = make_service(&o, model);
	uint64_t file_limit = file_limit_raise();
	started_count = model->own_workers ? 1 : o.worker_count;
	for (uint32_t i = 0; i < started_count; i++) {
		workers[i].fd_cap = (int)file_limit;
		open_worker(&workers[i], &o, model);
		starts[i] = (struct start){ model, &workers[i] };
	}
	pthread_barrier_init(&tables_are_apart, NULL, started_count);
	set_signals();
	fprintf(stderr, "%s: serving on http://%s:%u/ with %u worker%s\n", model->name, o.host, o.port,
	    o.worker_count, o.worker_count == 1 ? "" : "s");
	for (uint32_t i = 1; i < started_count; i++) {
		int error = pthread_create(&threads[i], NULL, run_worker, &starts[i]);
		if (error)
			die_errno(error, "cannot start worker %u; lower --workers", i);
	}
	run_worker(&starts[0]);
	for (uint32_t i = 1; i < started_count; i++)
		pthread_join(threads[i], NULL);
	return 0;
}
