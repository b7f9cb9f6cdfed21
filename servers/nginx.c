/*
 * nginx.c: Debian's nginx behind the contract of the other servers: a reference, not a model.
 * needs: nginx
 *
 * Not equivalent: it runs nothing of the core. Its own parser, its own answers, its own service; it
 * has no /echo, /sleep, /compute, /file, /query or /stats. What it is good for: to see where a
 * well-kept server of many years stands under the same load and the same measuring.
 *
 * How it waits: one process for each of --workers, and a master that watches them. A worker is a
 * loop over epoll, edge-triggered, as in epoll-et.c.
 *
 * What is done here: nginx wants a file of settings, and one that it answers /bytes/65536 from (by
 * sendfile: it copies nothing). They are in a folder of its own. A keeper, a second process, waits
 * until this one is gone, in whatever way, then kills what is left of nginx (its workers would
 * outlive their master) and removes the folder. SIGTERM becomes nginx's SIGQUIT: it closes idle
 * connections and answers those with a request.
 *
 * man: nginx(8), sendfile(2), setpgid(2). docs: nginx.org.
 */
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/core/service.h"
#include "lib/core/units.h"
#include "lib/sys/child.h"
#include "lib/sys/die.h"
#include "lib/sys/file_limit.h"
#include "lib/sys/net.h"
#include "lib/sys/version.h"

enum { CONNECTIONS_MAX = 65000, BYTES_LEN = 65536 /* what experiment stream asks for */ };

static struct options {
	const char *host;
	uint16_t port;
	unsigned workers;
	int backlog;
} options = { "127.0.0.1", 8080, 1, 4096 };

static char folder[] = "/tmp/c10k-nginx-XXXXXX";
static pid_t nginx_pid;

static const char help[] =
    "nginx: a reference, not equivalent to the other servers: nginx itself, set up to be compared\n\n"
    "  build/servers/nginx --port 9000    serve on http://127.0.0.1:9000/\n\n"
    "  --host A       address to listen on (127.0.0.1; 0.0.0.0 opens it to the network)\n"
    "  --port N       port to listen on (8080)\n"
    "  --workers N    processes that serve (1)\n"
    "  --backlog N    length of the accept queue (4096)\n"
    "  --describe     print one JSON object and exit\n"
    "  --version, --help\n\n"
    "Paths: / and some of /bytes/N. SIGTERM drains and exits.\n";

static void describe(void)
{
	printf("{\"name\": \"nginx\", \"family\": \"reference\", \"api\": \"nginx: epoll_wait, "
	       "edge-triggered\", \"language\": \"C\", \"summary\": \"not equivalent: nginx itself, "
	       "with a parser, answers and a loop of its own\", "
	       "\"limits\": {\"max_connections\": %d}}\n", CONNECTIONS_MAX);
}

static unsigned number_option(const char *name, const char *text, uint64_t max)
{
	uint64_t value;
	if (!units_parse_count((struct slice){ text, strlen(text) }, &value) || value < 1 || value > max)
		usage_die("--%s takes a number from 1 to %llu, not '%s'", name, (unsigned long long)max,
		    text);
	return (unsigned)value;
}

static void read_options(int argc, char **argv)
{
	static const struct option list[] = {
		{ "host", required_argument, NULL, 'H' },    { "port", required_argument, NULL, 'p' },
		{ "workers", required_argument, NULL, 'w' }, { "backlog", required_argument, NULL, 'b' },
		{ "describe", no_argument, NULL, 'd' },      { "version", no_argument, NULL, 'v' },
		{ "help", no_argument, NULL, 'h' },          { 0 },
	};
	opterr = 0;
	for (int ch; (ch = getopt_long(argc, argv, ":h", list, NULL)) != -1;) {
		switch (ch) {
		case 'H': options.host = optarg; break;
		case 'p': options.port = (uint16_t)number_option("port", optarg, 65535); break;
		case 'w': options.workers = number_option("workers", optarg, 256); break;
		case 'b': options.backlog = (int)number_option("backlog", optarg, 1000000); break;
		case 'd': describe(); exit(0);
		case 'v': printf("nginx (c10k) %s\n", C10K_VERSION); exit(0);
		case 'h': fputs(help, stdout); exit(0);
		case ':': usage_die("%s needs a value; --help shows examples", argv[optind - 1]);
		default: usage_die("bad option '%s'; --help shows them", usage_refused(argv));
		}
	}
	if (optind < argc)
		usage_die("'%s' is no option; --help shows them", argv[optind]);
}

/* nginx would try for seconds, and say it in a line each. */
static void try_to_listen(void)
{
	struct sockaddr_storage address;
	socklen_t len;
	int error = net_resolve(options.host, options.port, &address, &len);
	if (error)
		die("--host %s: %s; give an address of this machine", options.host, gai_strerror(error));
	int fd = net_listen(&address, len, options.backlog, false, true);
	if (fd == -EADDRINUSE)
		die("port %u is in use; end what listens there, or choose another with --port", options.port);
	if (fd < 0)
		die_errno(-fd, "cannot listen on %s port %u; see --host and --port", options.host,
		    options.port);
	close(fd);
}

static FILE *open_file(const char *name)
{
	FILE *file = fopen(name, "w");
	if (!file)
		die_errno(errno, "%s/%s", folder, name);
	return file;
}

static void write_files(void)
{
	uint64_t limit = file_limit_raise();
	FILE *file = open_file("nginx.conf");
	fprintf(file, "daemon off;\nworker_processes %u;\npid nginx.pid;\nlock_file lock;\n"
	    "error_log stderr crit;\nworker_shutdown_timeout 1500ms;\n%s"
	    "events { worker_connections %llu; multi_accept on; }\n",
	    options.workers, geteuid() == 0 ? "user root root;\n" : "",
	    (unsigned long long)(limit < CONNECTIONS_MAX ? limit : CONNECTIONS_MAX));
	fprintf(file, "http {\n\taccess_log off;\n\tkeepalive_requests 1000000000;\n"
	    "\tkeepalive_timeout 60s;\n\tsendfile on;\n\topen_file_cache max=16;\n"
	    "\tclient_body_temp_path tmp;\n\tproxy_temp_path tmp;\n\tfastcgi_temp_path tmp;\n"
	    "\tuwsgi_temp_path tmp;\n\tscgi_temp_path tmp;\n\tdefault_type application/octet-stream;\n"
	    "\tserver {\n\t\tlisten %s%s%s:%u backlog=%d%s;\n\t\troot %s/root;\n"
	    "\t\tlocation = / { default_type text/plain; return 200 \"Hello, World!\"; }\n\t}\n}\n",
	    strchr(options.host, ':') ? "[" : "", options.host, strchr(options.host, ':') ? "]" : "",
	    options.port, options.backlog, options.workers > 1 ? " reuseport" : "", folder);
	fclose(file);
	if (mkdir("root", 0755) < 0 || mkdir("root/bytes", 0755) < 0)
		die_errno(errno, "%s/root/bytes", folder);
	file = open_file("root/bytes/65536");
	for (uint64_t at = 0; at < BYTES_LEN;) {
		struct slice piece = service_pattern(at, BYTES_LEN - at);
		fwrite(piece.ptr, 1, piece.len, file);
		at += piece.len;
	}
	if (fclose(file) != 0)
		die_errno(errno, "%s", folder);
}

/*
 * The pipe tells it what nginx's process is, and by its end that this process is gone. Returns the
 * side to write to.
 */
static int start_keeper(pid_t *keeper)
{
	int ends[2];
	if (pipe2(ends, O_CLOEXEC) < 0)
		die_errno(errno, "no pipe; raise the file limit (ulimit -n)");
	*keeper = fork();
	if (*keeper < 0)
		die_errno(errno, "cannot start a process; raise ulimit -u");
	if (*keeper > 0) {
		close(ends[0]);
		return ends[1];
	}
	pid_t nginx = 0;
	setpgid(0, 0); /* who kills a group, or presses Ctrl-C, does not mean it */
	signal(SIGTERM, SIG_IGN);
	close(ends[1]);
	while (read(ends[0], &nginx, sizeof nginx) > 0)
		continue;
	if (nginx > 0)
		kill(-nginx, SIGKILL);
	execlp("rm", "rm", "-rf", folder, (char *)NULL);
	_exit(1);
}

static void start_nginx(int keeper_fd)
{
	nginx_pid = child_fork();
	if (nginx_pid < 0)
		die_errno(-nginx_pid, "cannot start a process; raise ulimit -u");
	if (nginx_pid == 0) {
		setpgid(0, 0);
		execlp("nginx", "nginx", "-p", folder, "-c", "nginx.conf", (char *)NULL);
		execl("/usr/sbin/nginx", "nginx", "-p", folder, "-c", "nginx.conf", (char *)NULL);
		skip_die(errno, "there is no nginx; install the package nginx");
	}
	setpgid(nginx_pid, nginx_pid); /* both do it: whoever comes first */
	if (write(keeper_fd, &nginx_pid, sizeof nginx_pid) < 0)
		die_errno(errno, "the keeper is gone");
}

static void on_stop_signal(int number)
{
	(void)number;
	kill(nginx_pid, SIGQUIT);
}

int main(int argc, char **argv)
{
	pid_t keeper;
	int status;
	die_program = "nginx";
	read_options(argc, argv);
	try_to_listen();
	if (!mkdtemp(folder))
		die_errno(errno, "no folder in /tmp");
	int keeper_fd = start_keeper(&keeper);
	if (chdir(folder) < 0)
		die_errno(errno, "%s", folder);
	write_files();
	start_nginx(keeper_fd);
	const struct sigaction action = { .sa_handler = on_stop_signal };
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	fprintf(stderr, "nginx: serving on http://%s:%u/ with %u worker%s\n", options.host,
	    options.port, options.workers, options.workers == 1 ? "" : "s");
	while (waitpid(nginx_pid, &status, 0) < 0 && errno == EINTR)
		continue;
	close(keeper_fd);
	while (waitpid(keeper, NULL, 0) < 0 && errno == EINTR)
		continue;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 1;
}
