/* record.c: keys and how their values are written. */
#include "harness/record.h"

#include <math.h>
#include <stdlib.h>
#include <time.h>

void record_time(struct store *store, const char *key)
{
	char text[32];
	time_t now = time(NULL);
	struct tm utc;
	gmtime_r(&now, &utc);
	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &utc);
	store_put_run(store, key, text);
}

/* The number stored as `key`, `otherwise` when there is none. */
static double read_number(struct store *store, const char *key, double otherwise)
{
	char *text = store_get_run(store, key);
	double number = text ? strtod(text, NULL) : otherwise;
	free(text);
	return number;
}

enum { COSTS = 4 };
static const char *const cost_keys[COSTS] = { "kernel_bytes_per_socket",
	"kernel_bytes_per_epoll_item", "kernel_bytes_per_thread", "kernel_bytes_per_process" };

void record_costs(struct store *store, const struct memory_costs *costs)
{
	const double values[COSTS] = { costs->socket, costs->epoll_item, costs->thread,
		costs->process };
	for (int i = 0; i < COSTS; i++)
		if (isfinite(values[i]))
			store_format_run(store, cost_keys[i], "%.0f", values[i]);
}

void record_read_costs(struct store *store, struct memory_costs *costs)
{
	double *const values[COSTS] = { &costs->socket, &costs->epoll_item, &costs->thread,
		&costs->process };
	for (int i = 0; i < COSTS; i++)
		*values[i] = read_number(store, cost_keys[i], (double)NAN);
}

void record_steal(struct store *store, struct cpu_ticks before)
{
	double share = environment_steal_share(before, environment_ticks());
	share = fmax(share, read_number(store, "steal_share", 0));
	store_format_run(store, "steal_share", "%.5f", share);
}

void record_resumed(struct store *store)
{
	store_begin(store);
	store_put_run(store, "status", "running");
	store_format_run(store, "resumed", "%.0f", 1 + read_number(store, "resumed", 0));
	store_commit(store);
}
