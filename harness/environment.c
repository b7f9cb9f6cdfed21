/* environment.c: uname, /proc and /sys, and the versions of what the servers are built with. */
#include "harness/environment.h"

#include <dirent.h>
#include <gnu/libc-version.h>
#include <inttypes.h>
#include <jansson.h>
#include <sha2.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <zlib.h>

#include "harness/process.h"
#include "lib/sys/affinity.h"
#include "lib/sys/version.h"

static char *read_or_unknown(const char *path, char *out, size_t cap)
{
	file_first_line(path, out, (int)cap);
	if (!out[0])
		snprintf(out, cap, "unknown");
	return out;
}

char *environment_governor(char *out, size_t cap)
{
	return read_or_unknown("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", out, cap);
}

/* The value of the first line "name : value" of /proc/cpuinfo. */
static char *cpu_field(const char *name, char *out, size_t cap)
{
	char line[4096];
	snprintf(out, cap, "unknown");
	FILE *file = fopen("/proc/cpuinfo", "re");
	while (file && fgets(line, sizeof(line), file)) {
		char *value = strchr(line, ':');
		if (strncmp(line, name, strlen(name)) != 0 || !value)
			continue;
		value[strcspn(value, "\n")] = '\0';
		snprintf(out, cap, "%.*s", (int)cap - 1, value + 1 + strspn(value + 1, " \t"));
		break;
	}
	if (file)
		fclose(file);
	return out;
}

char *environment_virtualisation(char *out, size_t cap)
{
	char flags[4096], product[128];
	bool is_guest = strstr(cpu_field("flags", flags, sizeof(flags)), " hypervisor") != NULL;
	file_first_line("/sys/class/dmi/id/product_name", product, sizeof(product));
	if (!is_guest)
		snprintf(out, cap, "none seen");
	else
		snprintf(out, cap, "virtual machine%s%s", product[0] ? ", " : "", product);
	return out;
}

struct cpu_ticks environment_ticks(void)
{
	uint64_t t[8] = { 0 };
	char line[512];
	file_first_line("/proc/stat", line, sizeof(line));
	struct cpu_ticks ticks = { 0 };
	if (sscanf(line, "cpu %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64 " %" SCNu64
	    " %" SCNu64 " %" SCNu64, &t[0], &t[1], &t[2], &t[3], &t[4], &t[5], &t[6], &t[7]) == 8) {
		ticks.steal = t[7];
		for (int i = 0; i < 8; i++)
			ticks.all += t[i];
	}
	return ticks;
}

double environment_steal_share(struct cpu_ticks before, struct cpu_ticks now)
{
	if (now.all <= before.all)
		return 0;
	return (double)(now.steal - before.steal) / (double)(now.all - before.all);
}

double environment_pressure(void)
{
	char line[256];
	double share;
	file_first_line("/proc/pressure/cpu", line, sizeof(line));
	return sscanf(line, "some avg10=%lf", &share) == 1 ? share : -1;
}

uint64_t environment_file_limit(void)
{
	struct rlimit limit;
	if (getrlimit(RLIMIT_NOFILE, &limit) != 0)
		return 1024;
	return limit.rlim_max == RLIM_INFINITY ? UINT64_MAX : limit.rlim_max;
}

/* "meltdown: Not affected; ..." from /sys/devices/system/cpu/vulnerabilities. */
static char *mitigations(char *out, size_t cap)
{
	static const char folder_path[] = "/sys/devices/system/cpu/vulnerabilities";
	struct dirent **entries;
	size_t len = 0;
	int count = scandir(folder_path, &entries, NULL, alphasort);
	snprintf(out, cap, "unknown");
	for (int i = 0; i < count; i++) {
		char path[PATH_CAP], text[256];
		path_make(path, "%s/%s", folder_path, entries[i]->d_name);
		file_first_line(path, text, sizeof(text));
		if (entries[i]->d_name[0] != '.' && strcmp(text, "Not affected") != 0 && len < cap)
			len += (size_t)snprintf(out + len, cap - len, "%s%s: %s", len ? "; " : "",
			    entries[i]->d_name, text);
		free(entries[i]);
	}
	if (count > 0) {
		free(entries);
		if (len == 0)
			snprintf(out, cap, "none needed");
	}
	return out;
}

/* Which machine, without giving its id away: see machine-id(5). */
static char *machine(char *out, size_t cap)
{
	char id[64], salted[96], digest[SHA256_DIGEST_STRING_LENGTH];
	file_first_line("/etc/machine-id", id, sizeof(id));
	int len = snprintf(salted, sizeof(salted), "c10k %s", id);
	SHA256Data((const uint8_t *)salted, (size_t)len, digest);
	snprintf(out, cap, "%.12s", id[0] ? digest : "unknown");
	return out;
}

static char *capture_line(char *const *argv, char *out, size_t cap)
{
	if (process_capture(argv, out, cap, 5000000000) != 0)
		out[0] = '\0';
	out[strcspn(out, "\n")] = '\0';
	return out;
}

static void store_version(struct store *store, const struct paths *paths)
{
	char root[PATH_CAP], described[128];
	char git[] = "/usr/bin/git", in[] = "-C", what[] = "describe";
	char always[] = "--always", dirty[] = "--dirty";
	memcpy(root, paths->root, sizeof(root));
	char *argv[] = { git, in, root, what, always, dirty, NULL };
	capture_line(argv, described, sizeof(described));
	store_format_run(store, "version", "%s%s%s%s", C10K_VERSION, described[0] ? " (" : "",
	    described, described[0] ? ")" : "");
}

/* As a JSON object: name -> version; pkg-config tells what the servers' libraries are. */
static void store_libraries(struct store *store, const struct paths *paths)
{
	static const char *const modules[] = { "libev", "libevent", "libuv", "liburing" };
	char folder[PATH_CAP], version[128], module[32];
	char program[] = "/usr/bin/pkg-config", option[] = "--modversion";
	path_make(folder, "%s/scripts/pkgconfig", paths->root);
	setenv("PKG_CONFIG_PATH", folder, 0); /* libev ships without a .pc file */
	json_t *json = json_object();
	for (size_t i = 0; i < sizeof(modules) / sizeof(*modules); i++) {
		snprintf(module, sizeof(module), "%s", modules[i]);
		char *argv[] = { program, option, module, NULL };
		if (capture_line(argv, version, sizeof(version))[0])
			json_object_set_new(json, modules[i], json_string(version));
	}
	json_object_set_new(json, "glibc", json_string(gnu_get_libc_version()));
	json_object_set_new(json, "sqlite", json_string(sqlite3_libversion()));
	json_object_set_new(json, "jansson", json_string(JANSSON_VERSION));
	json_object_set_new(json, "zlib", json_string(zlibVersion()));
	char *text = json_dumps(json, JSON_PRESERVE_ORDER);
	if (text)
		store_put_run(store, "libraries", text);
	free(text);
	json_decref(json);
}

void environment_store(struct store *store, const struct paths *paths)
{
	char text[1024];
	int cpus[256];
	struct utsname kernel;
	uint64_t files = environment_file_limit();
	double pressure = environment_pressure();

	store_version(store, paths);
	store_put_run(store, "compiler", "gcc " __VERSION__);
	if (uname(&kernel) == 0)
		store_format_run(store, "kernel", "%s %s %s", kernel.sysname, kernel.release,
		    kernel.machine);
	store_put_run(store, "machine", machine(text, sizeof(text)));
	store_put_run(store, "cpu_model", cpu_field("model name", text, sizeof(text)));
	store_format_run(store, "cpu_count", "%d", affinity_allowed(cpus, 256));
	store_format_run(store, "memory_bytes", "%lld",
	    (long long)sysconf(_SC_PHYS_PAGES) * (long long)sysconf(_SC_PAGESIZE));
	store_put_run(store, "governor", environment_governor(text, sizeof(text)));
	store_put_run(store, "virtualisation", environment_virtualisation(text, sizeof(text)));
	store_put_run(store, "mitigations", mitigations(text, sizeof(text)));
	read_or_unknown("/sys/devices/system/clocksource/clocksource0/current_clocksource", text,
	    sizeof(text));
	store_put_run(store, "clock_source", text);
	store_format_run(store, "file_limit", "%" PRIu64, files);
	store_put_run(store, "somaxconn",
	    read_or_unknown("/proc/sys/net/core/somaxconn", text, sizeof(text)));
	store_put_run(store, "perf_event_paranoid",
	    read_or_unknown("/proc/sys/kernel/perf_event_paranoid", text, sizeof(text)));
	store_libraries(store, paths);
	if (pressure >= 0)
		store_format_run(store, "pressure", "%.2f", pressure);
}
