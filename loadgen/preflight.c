/*
 * preflight.c: better one line now than ten thousand errors later. Limits are computed, not tried;
 * the server is tried with one request of each kind, see ask.c. A name may have
 * several addresses (localhost is often ::1 and 127.0.0.1): the first that answers is taken for the
 * whole run.
 */
#include "preflight.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>

#include "ask.h"
#include "lib/sys/clock.h"
#include "lib/sys/die.h"
#include "lib/sys/file_limit.h"
#include "lib/sys/net.h"

enum {
	FILES_APART = 32, /* a worker's files that are no connections, the parent's included */
	ADDRESSES_MAX = 8,
};

static void check_files(const struct options *o)
{
	uint64_t limit = file_limit_raise();
	uint64_t connections = (uint64_t)o->active_count + o->idle_count + o->slow_count;
	uint64_t needed = (connections + o->worker_count - 1) / o->worker_count + FILES_APART;
	if (needed <= limit)
		return;
	uint64_t workers = (connections + limit - FILES_APART - 1) / (limit - FILES_APART);
	die("%llu connections need %llu files in each of %u workers, the limit is %llu: "
	    "use -t %llu, or raise it (ulimit -Hn)",
	    (unsigned long long)connections, (unsigned long long)needed, o->worker_count,
	    (unsigned long long)limit, (unsigned long long)workers);
}

static void check_ports(const struct options *o)
{
	unsigned int low = 32768, high = 60999;
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "r");
	if (file) {
		if (fscanf(file, "%u %u", &low, &high) != 2)
			low = 32768, high = 60999;
		fclose(file);
	}
	uint64_t connections = (uint64_t)o->active_count + o->idle_count + o->slow_count;
	if (connections >= high - low + 1)
		die("%llu connections to one address need as many local ports, there are %u: "
		    "sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"",
		    (unsigned long long)connections, high - low + 1);
}

static int find_server(const struct options *o, struct load *load, uint64_t deadline_ns)
{
	struct net_address addresses[ADDRESSES_MAX];
	int count;
	int error = net_resolve_all(o->host, o->port, addresses, ADDRESSES_MAX, &count);
	if (error)
		die("%s: the name does not resolve (%s)", o->host, gai_strerror(error));
	int fd = -1;
	for (int i = 0; i < count && fd < 0; i++) {
		fd = ask_connect(&addresses[i], deadline_ns);
		load->address = addresses[i].address;
		load->address_len = addresses[i].len;
	}
	if (fd == -ECONNREFUSED)
		die("nothing listens on %s port %u: start the server first", o->host, o->port);
	if (fd < 0)
		die_errno(-fd, "cannot connect to %s port %u", o->host, o->port);
	return fd;
}

void preflight(const struct options *o, struct load *load, struct exchange *exchanges)
{
	check_files(o);
	check_ports(o);
	int fd = find_server(o, load, clock_now_ns() + o->timeout_ns);
	load->exchanges = exchanges;
	ask_all(o, load, fd, exchanges);
}
