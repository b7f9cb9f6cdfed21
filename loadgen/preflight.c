/*
 * preflight.c: better one line now than ten thousand errors later. Limits are computed, not tried;
 * the server is tried with one request of each kind, see ask.c. A name may have several addresses
 * (localhost is often ::1 and 127.0.0.1): the first that answers, and has enough ports towards it,
 * is taken for the whole run.
 */
#include "preflight.h"

#include <errno.h>
#include <inttypes.h>
#include <netdb.h>
#include <stdio.h>

#include "ask.h"
#include "lib/core/units.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/file_limit.h"
#include "lib/sys/net.h"
#include "source.h"

enum {
	FILES_APART = 32, /* a worker's files that are no connections, the parent's included */
	ADDRESSES_MAX = 8,
	/* an end of a connection in the kernel: socket, file, epoll's item, some bytes */
	KERNEL_END_LEN = 4096,
};

struct candidates {
	struct net_address list[ADDRESSES_MAX];
	int count;
};

/* Is the server on this machine, as far as its address tells? Then both ends are to be paid for. */
static bool is_loopback(const struct net_address *a)
{
	const struct sockaddr_in6 *ipv6 = (const struct sockaddr_in6 *)&a->address;
	return source_is_manifold(&a->address)
	    || (a->address.ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&ipv6->sin6_addr));
}

static void check_files(const struct options *o, uint64_t connections)
{
	uint64_t limit = file_limit_raise();
	uint64_t needed = (connections + o->worker_count - 1) / o->worker_count + FILES_APART;
	if (needed <= limit)
		return;
	if (limit <= FILES_APART)
		die("a process may have %llu files, and none is left for connections: raise the limit "
		    "(ulimit -Hn)", (unsigned long long)limit);
	uint64_t workers = (connections + limit - FILES_APART - 1) / (limit - FILES_APART);
	die("%llu connections need %llu files in each of %u worker%s, the limit is %llu: "
	    "use -t %llu, or raise it (ulimit -Hn)",
	    (unsigned long long)connections, (unsigned long long)needed, o->worker_count,
	    o->worker_count == 1 ? "" : "s", (unsigned long long)limit, (unsigned long long)workers);
}

/* How many ports an address of ours has. */
static uint64_t count_ports(void)
{
	uint64_t low = 32768, high = 60999;
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
	if (file) {
		if (fscanf(file, "%" SCNu64 " %" SCNu64, &low, &high) != 2)
			low = 32768, high = 60999;
		fclose(file);
	}
	return high - low + 1;
}

/* Leaves out the addresses that cannot be reached so often. */
static void check_ports(struct candidates *c, uint64_t connections)
{
	uint64_t ports = count_ports(), from_one_address = 0;
	int fit_count = 0;
	for (int i = 0; i < c->count; i++) {
		from_one_address = connections;
		if (source_is_manifold(&c->list[i].address) && connections > SOURCE_CONNECTIONS)
			from_one_address = SOURCE_CONNECTIONS;
		if (from_one_address < ports)
			c->list[fit_count++] = c->list[i];
	}
	if (fit_count == 0)
		die("%llu connections from one address need as many local ports, there are %llu: "
		    "sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\" "
		    "(towards 127.0.0.1 there are many addresses, for %d each)",
		    (unsigned long long)from_one_address, (unsigned long long)ports,
		    SOURCE_CONNECTIONS);
	c->count = fit_count;
}

/* The machine's files: fs.file-max in proc(5). */
static void check_file_max(uint64_t connections, uint64_t ends)
{
	uint64_t used, unused, max;
	FILE *file = fopen("/proc/sys/fs/file-nr", "r");
	if (!file)
		return;
	int found = fscanf(file, "%" SCNu64 " %" SCNu64 " %" SCNu64, &used, &unused, &max);
	fclose(file);
	uint64_t needed = connections * ends;
	if (found == 3 && used + needed > max)
		die("%llu connections need %llu files of this machine, %llu of %llu are in use: "
		    "sysctl -w fs.file-max=%llu",
		    (unsigned long long)connections, (unsigned long long)needed,
		    (unsigned long long)used, (unsigned long long)max,
		    (unsigned long long)(used + needed + needed / 10));
}

/* 0 when it cannot be told. */
static uint64_t available_memory_len(void)
{
	char line[128];
	uint64_t len_kib = 0;
	FILE *file = fopen("/proc/meminfo", "r");
	if (!file)
		return 0;
	while (fgets(line, sizeof line, file))
		if (sscanf(line, "MemAvailable: %" SCNu64 " kB", &len_kib) == 1)
			break;
	fclose(file);
	return len_kib * 1024;
}

static void check_memory(uint64_t connections, uint64_t ends)
{
	uint64_t each = ends * KERNEL_END_LEN + sizeof(struct session);
	uint64_t available = available_memory_len();
	char needed_text[UNITS_CAP], available_text[UNITS_CAP];
	if (available == 0 || connections * each <= available)
		return;
	units_format_size(needed_text, UNITS_CAP, (double)(connections * each));
	units_format_size(available_text, UNITS_CAP, (double)available);
	die("%llu connections need about %s of memory (%llu bytes each, most of them the kernel's), "
	    "%s is available: free some, or ask for %llu at most",
	    (unsigned long long)connections, needed_text, (unsigned long long)each, available_text,
	    (unsigned long long)(available / each));
}

/* Everything that runs out as connections become more. */
static void check_limits(const struct options *o, struct candidates *c)
{
	uint64_t connections = (uint64_t)o->active_count + o->idle_count + o->slow_count;
	check_files(o, connections);
	check_ports(c, connections);
	uint64_t ends = is_loopback(&c->list[0]) ? 2 : 1;
	check_file_max(connections, ends);
	check_memory(connections, ends);
}

static struct candidates resolve(const struct options *o)
{
	struct candidates c;
	int error = net_resolve_all(o->host, o->port, c.list, ADDRESSES_MAX, &c.count);
	if (error)
		die("%s: the name does not resolve (%s)", o->host, gai_strerror(error));
	return c;
}

static int find_server(const struct options *o, const struct candidates *c, struct load *load,
    uint64_t deadline_ns)
{
	int fd = -1;
	for (int i = 0; i < c->count && fd < 0; i++) {
		fd = ask_connect(&c->list[i], deadline_ns);
		load->address = c->list[i].address;
		load->address_len = c->list[i].len;
	}
	if (fd == -ECONNREFUSED)
		die("nothing listens on %s port %u: start the server first", o->host, o->port);
	if (fd < 0)
		die_errno(-fd, "cannot connect to %s port %u", o->host, o->port);
	return fd;
}

void preflight(const struct options *o, struct load *load, struct exchange *exchanges)
{
	struct candidates candidates = resolve(o);
	check_limits(o, &candidates);
	int fd = find_server(o, &candidates, load, clock_now_ns() + o->timeout_ns);
	load->exchanges = exchanges;
	ask_all(o, load, fd, exchanges);
}
