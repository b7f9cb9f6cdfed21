/* provenance.c: a table of keys, and files hashed by libmd(7). */
#include "harness/provenance.h"

#include <errno.h>
#include <sha2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/types.h>

#include "lib/sys/die.h"

const struct provenance_fact provenance_facts[] = {
	{ "machine", "machine", PROVENANCE_MACHINE, false },
	{ "cpu_model", "CPU", PROVENANCE_MACHINE, false },
	{ "cpu_count", "CPUs", PROVENANCE_MACHINE, false },
	{ "virtualisation", "virtualisation", PROVENANCE_MACHINE, false },
	{ "server_cpus", "CPUs of the server", PROVENANCE_MACHINE, false },
	{ "client_cpus", "CPUs of the load generator", PROVENANCE_MACHINE, false },
	{ "memory_bytes", "memory in bytes", PROVENANCE_SYSTEM, true },
	{ "kernel", "kernel", PROVENANCE_SYSTEM, false },
	{ "mitigations", "mitigations", PROVENANCE_SYSTEM, false },
	{ "governor", "governor", PROVENANCE_SYSTEM, false },
	{ "clock_source", "clock source", PROVENANCE_SYSTEM, false },
	{ "perf_event_paranoid", "perf_event_paranoid", PROVENANCE_SYSTEM, false },
	{ "file_limit", "files a process", PROVENANCE_LIMITS, false },
	{ "somaxconn", "net.core.somaxconn", PROVENANCE_LIMITS, false },
	{ "version", "c10k", PROVENANCE_VERSIONS, true },
	{ "compiler", "compiler", PROVENANCE_VERSIONS, true },
	{ "libraries", "libraries", PROVENANCE_VERSIONS, false },
	{ "steal_share", "share of CPU time stolen", PROVENANCE_CONDITIONS, true },
	{ "resumed", "times it was resumed", PROVENANCE_CONDITIONS, true },
	{ "pressure", "CPU pressure at the start, %", PROVENANCE_CONDITIONS, true },
};
const size_t provenance_fact_count = sizeof(provenance_facts) / sizeof(*provenance_facts);

static void store_file(struct store *store, const char *path, const char *name)
{
	char key[PATH_CAP], digest[SHA256_DIGEST_STRING_LENGTH];
	if (!SHA256File(path, digest))
		die_errno(errno, "cannot read %s", path);
	path_make(key, PROVENANCE_HASH "%s", name);
	store_put_run(store, key, digest);
}

void provenance_store_hashes(struct store *store, const struct paths *paths, const struct plan *plan,
    const struct server_info *servers, const char *plan_text)
{
	char digest[SHA256_DIGEST_STRING_LENGTH], name[PATH_CAP];
	SHA256Data((const uint8_t *)plan_text, strlen(plan_text), digest);
	store_put_run(store, PROVENANCE_HASH "plan", digest);
	store_file(store, "/proc/self/exe", "c10k");
	store_file(store, paths->loadgen, "loadgen");
	for (uint32_t i = 0; i < plan->server_count; i++) {
		if (!plan_uses(plan, i))
			continue;
		path_make(name, "servers/%s", plan->servers[i].program);
		store_file(store, servers[i].program, name);
	}
}

/* --- may it go on? --------------------------------------------------------------------------- */

struct comparison {
	struct store *other;
	bool only_lacking; /* what the other lacks; else also what is different there */
	char *changes;
};
enum { CHANGES_CAP = 1024, VALUE_SHOWN = 48, HASH_SHOWN = 12 };

/* The words for a key whose value must be the same; NULL for one that may change. */
static const char *name_of(const char *key)
{
	size_t len = strlen(PROVENANCE_HASH);
	if (strncmp(key, PROVENANCE_HASH, len) == 0)
		return key + len;
	for (size_t i = 0; i < provenance_fact_count; i++)
		if (strcmp(key, provenance_facts[i].key) == 0 && !provenance_facts[i].may_change)
			return provenance_facts[i].name;
	return NULL;
}

static void compare_key(void *context, const char *key, const char *value)
{
	struct comparison *c = context;
	const char *name = name_of(key);
	char *other = name ? store_get_run(c->other, key) : NULL;
	size_t len = strlen(c->changes);
	int shown = strncmp(key, PROVENANCE_HASH, strlen(PROVENANCE_HASH)) ? VALUE_SHOWN : HASH_SHOWN;
	if (name && !other)
		snprintf(c->changes + len, CHANGES_CAP - len, "%s%s (%s)", len ? ", " : "", name,
		    c->only_lacking ? "new" : "gone");
	else if (name && !c->only_lacking && strcmp(value, other) != 0)
		snprintf(c->changes + len, CHANGES_CAP - len, "%s%s (was %.*s, is %.*s)",
		    len ? ", " : "", name, shown, value, shown, other);
	free(other);
}

bool provenance_holds(struct store *before, struct store *now, char changes[1024])
{
	struct comparison gone = { .other = now, .changes = changes };
	struct comparison new = { .other = before, .only_lacking = true, .changes = changes };
	changes[0] = '\0';
	store_each_run(before, compare_key, &gone);
	store_each_run(now, compare_key, &new);
	return changes[0] == '\0';
}
