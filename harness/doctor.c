/*
 * doctor.c: a list of findings. Each is `ok`, a `warning` (figures will be noisier, or some stay
 * blank) or an `obstacle` (nothing can be measured), with its cure as something to type or to do.
 */
#include "harness/doctor.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "harness/counters.h"
#include "harness/cpus.h"
#include "harness/environment.h"
#include "harness/interrupt.h"
#include "harness/paths.h"
#include "harness/servers.h"
#include "lib/core/units.h"
#include "lib/sys/affinity.h"
#include "lib/sys/die.h"

static const char help_text[] =
    "Example:\n"
    "  c10k doctor\n"
    "\n"
    "Says what on this machine will spoil a measurement, each with its cure. Changes nothing.\n"
    "Exit: 0, or 1 when nothing can be measured at all.\n";

enum finding { FINDING_OK, FINDING_WARNING, FINDING_OBSTACLE, FINDING_COUNT };

struct doctor {
	bool colour;
	uint32_t counts[FINDING_COUNT];
};

/*
 * One line: what was looked at, what was found; below it the cure, if there is something to cure.
 */
__attribute__((format(printf, 5, 6))) static void tell(struct doctor *d, enum finding finding,
    const char *what, const char *cure, const char *format, ...)
{
	static const char *const words[] = { "ok", "warning", "obstacle" };
	static const char *const colours[] = { "\033[32m", "\033[33m", "\033[1;31m" };
	va_list args;
	d->counts[finding]++;
	printf("%s%-8s%s  %-12s ", d->colour ? colours[finding] : "", words[finding],
	    d->colour ? "\033[0m" : "", what);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	if (finding != FINDING_OK)
		printf("%23s%s\n", "", cure);
}

static long read_number(const char *path, long otherwise)
{
	char text[64];
	file_first_line(path, text, sizeof(text));
	return text[0] ? atol(text) : otherwise;
}

static void look_at_cpus(struct doctor *d)
{
	struct cpu_list server, client;
	char a[1024], b[1024];
	int cpus[256];
	int count = affinity_allowed(cpus, 256);
	enum cpu_split split = cpus_choose(&server, &client);
	cpus_format(&server, a, sizeof(a));
	cpus_format(&client, b, sizeof(b));
	tell(d, split == CPU_SPLIT_CORES ? FINDING_OK : FINDING_WARNING, "cpus",
	    "they share a core: compare ratios only, or use a machine with more cores",
	    "%d: server on %s, load generator on %s", count, a, b);
	bool siblings = cpus_have_siblings();
	tell(d, siblings ? FINDING_WARNING : FINDING_OK, "smt",
	    "they slow each other down: echo off | sudo tee /sys/devices/system/cpu/smt/control",
	    "%s", siblings ? "on: CPUs share cores" : "no CPU shares its core");
}

static void look_at_frequency(struct doctor *d)
{
	char governor[64];
	environment_governor(governor, sizeof(governor));
	if (strcmp(governor, "unknown") == 0)
		tell(d, FINDING_OK, "governor", "",
		    "none visible (virtual machine, or fixed frequency)");
	else
		tell(d, strcmp(governor, "performance") == 0 ? FINDING_OK : FINDING_WARNING,
		    "governor", "sudo cpupower frequency-set -g performance", "%s", governor);
}

static void look_at_load(struct doctor *d)
{
	double load[1] = { 0 };
	char virtualisation[256];
	int cpus[256];
	int count = affinity_allowed(cpus, 256);
	if (getloadavg(load, 1) != 1)
		load[0] = 0;
	tell(d, load[0] < 0.25 * count ? FINDING_OK : FINDING_WARNING, "load",
	    "something else is running: end it or wait (top shows what)",
	    "%.2f over the last minute", load[0]);
	struct cpu_ticks before = environment_ticks();
	interrupt_sleep(500000000);
	double steal = environment_steal_share(before, environment_ticks());
	tell(d, steal < 0.01 ? FINDING_OK : FINDING_WARNING, "steal",
	    "the hypervisor gives the CPUs to others: repeat later, or with more blocks",
	    "%.1f%% over half a second; %s", 100 * steal,
	    environment_virtualisation(virtualisation, sizeof(virtualisation)));
}

static void look_at_memory(struct doctor *d)
{
	struct sysinfo info;
	char size[UNITS_CAP], used[UNITS_CAP];
	if (sysinfo(&info) != 0)
		return;
	double total = (double)info.totalram * info.mem_unit;
	double swapped = (double)(info.totalswap - info.freeswap) * info.mem_unit;
	tell(d, total >= 1.5e9 ? FINDING_OK : FINDING_WARNING, "memory",
	    "10,000 threads and their connections want 1.5 GiB: leave out thread, or 10k levels",
	    "%s", units_format_size(size, sizeof(size), total));
	tell(d, swapped < 1 ? FINDING_OK : FINDING_WARNING, "swap",
	    "sudo swapoff -a && sudo swapon -a", "%s in use",
	    swapped < 1 ? "none" : units_format_size(used, sizeof(used), swapped));
}

static void look_at_limits(struct doctor *d)
{
	uint64_t files = environment_file_limit();
	long backlog = read_number("/proc/sys/net/core/somaxconn", 0);
	long threads = read_number("/proc/sys/kernel/threads-max", 0);
	unsigned first = 0, last = 0;
	char range[64];
	enum finding about_files = files >= 10300 ? FINDING_OK : FINDING_WARNING;
	tell(d, files >= 1300 ? about_files : FINDING_OBSTACLE, "files",
	    "a line \"* hard nofile 20000\" in /etc/security/limits.conf, and log in again",
	    "a process may hold %" PRIu64 " (hard limit); 10,000 connections need 10,300", files);
	tell(d, backlog >= 1024 ? FINDING_OK : FINDING_WARNING, "somaxconn",
	    "sudo sysctl net.core.somaxconn=4096", "%ld connections may wait to be accepted",
	    backlog);
	tell(d, threads >= 11000 ? FINDING_OK : FINDING_WARNING, "threads",
	    "sudo sysctl kernel.threads-max=32768",
	    "the kernel allows %ld; thread per connection needs 10,000", threads);
	file_first_line("/proc/sys/net/ipv4/ip_local_port_range", range, sizeof(range));
	sscanf(range, "%u %u", &first, &last);
	tell(d, last - first >= 12000 ? FINDING_OK : FINDING_WARNING, "ports",
	    "sudo sysctl net.ipv4.ip_local_port_range=\"32768 60999\"",
	    "%u to connect from (%u-%u)", last - first + 1, first, last);
}

static void look_at_counters(struct doctor *d)
{
	struct counters counters;
	counters_open(&counters, getpid());
	bool permitted = counters.reason[0] == '\0';
	counters_close(&counters);
	tell(d, permitted ? FINDING_OK : FINDING_WARNING, "perf",
	    "switches come from /proc alone then: sudo sysctl kernel.perf_event_paranoid=1",
	    "%s", permitted ? "software counters permitted" : counters.reason);
	bool schedstat = access("/proc/self/schedstat", R_OK) == 0;
	tell(d, schedstat ? FINDING_OK : FINDING_WARNING, "schedstat",
	    "the time servers wait for a CPU stays blank: a kernel with CONFIG_SCHED_INFO has it",
	    "%s", schedstat ? "readable" : "missing");
}

static void look_at_io_uring(struct doctor *d)
{
	char parameters[256] = { 0 };
	long fd = syscall(SYS_io_uring_setup, 2, parameters);
	if (fd >= 0)
		close((int)fd);
	tell(d, fd >= 0 ? FINDING_OK : FINDING_WARNING, "io_uring",
	    "its server is skipped: sudo sysctl kernel.io_uring_disabled=0, or leave the container",
	    "%s", fd >= 0 ? "permitted" : "not permitted here");
}

static void look_at_servers(struct doctor *d, const struct paths *paths)
{
	struct server_names found;
	char missing[256];
	servers_find(paths, &found);
	servers_missing(&found, missing, sizeof(missing));
	enum finding about_servers = missing[0] ? FINDING_WARNING : FINDING_OK;
	tell(d, found.count > 0 ? about_servers : FINDING_OBSTACLE, "servers",
	    "make setup && make all", "%u built%s%s", found.count,
	    missing[0] ? ", missing:" : "", missing);
	bool has_loadgen = access(paths->loadgen, X_OK) == 0;
	tell(d, has_loadgen ? FINDING_OK : FINDING_OBSTACLE, "loadgen", "make all", "%s",
	    has_loadgen ? "built" : "missing");
	bool has_gnuplot = system("command -v gnuplot >/dev/null 2>&1") == 0;
	tell(d, has_gnuplot ? FINDING_OK : FINDING_WARNING, "gnuplot",
	    "the report has tables and no figures: make setup (package gnuplot-nox)", "%s",
	    has_gnuplot ? "installed" : "missing");
}

int doctor_main(int argc, char **argv)
{
	const char *no_colour = getenv("NO_COLOR");
	struct doctor d = { .colour = isatty(STDOUT_FILENO) && !(no_colour && no_colour[0]) };
	struct paths paths;
	if (argc == 2 && (strcmp(argv[1], "-h") == 0 || strcmp(argv[1], "--help") == 0)) {
		fputs(help_text, stdout);
		return 0;
	}
	if (argc > 1)
		usage_die("doctor: \"%s\": it takes no arguments", argv[1]);
	paths_find(&paths);
	look_at_cpus(&d);
	look_at_frequency(&d);
	look_at_load(&d);
	look_at_memory(&d);
	look_at_limits(&d);
	look_at_counters(&d);
	look_at_io_uring(&d);
	look_at_servers(&d, &paths);
	printf("\n%u ok, %u warning%s, %u obstacle%s\n", d.counts[FINDING_OK],
	    d.counts[FINDING_WARNING], d.counts[FINDING_WARNING] == 1 ? "" : "s",
	    d.counts[FINDING_OBSTACLE], d.counts[FINDING_OBSTACLE] == 1 ? "" : "s");
	return d.counts[FINDING_OBSTACLE] > 0;
}
