/* options.h: the command line of the load generator, checked and ready to use. */
#ifndef LOADGEN_OPTIONS_H
#define LOADGEN_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "lib/core/arrivals.h"
#include "mix.h"

enum { OPTIONS_CPU_MAX = 256 };

struct options {
	const char *url;          /* as it was written; NULL: only --calibrate */
	char host[256];           /* without the brackets of an IPv6 address */
	uint16_t port;
	char target[4096];        /* path with query: what stands in the request line */
	char authority[272];      /* what stands in the Host field */
	uint32_t active_count;    /* -c: connections that ask and ask again ... */
	bool active_given;        /* ... was there */
	uint32_t idle_count;      /* --idle: connections that are answered once, then silent */
	uint32_t slow_count;      /* --slow: half write, half read slowly */
	const char *slow_target;  /* --slow-target: of the readers; NULL: as all others */
	uint32_t requests_per_connection; /* 0: as many as it lasts */
	uint32_t depth;           /* --pipeline: requests that are sent together */
	uint32_t worker_count;    /* -t */
	uint32_t rate_per_s;      /* -R: of all workers; 0 for a closed loop */
	enum arrivals_kind arrivals; /* --arrivals ... */
	bool arrivals_given;      /* ... was there */
	uint64_t seed;            /* --seed: of arrivals and mix */
	uint64_t duration_ns;     /* -d: 0 ends the run after the hold */
	uint64_t warmup_ns;       /* -w */
	uint64_t ramp_ns;         /* --ramp: first requests are spread over so long; within warmup_ns */
	bool duration_given, warmup_given;
	uint32_t requests;        /* --requests: in all, instead of these times; 0: as they last */
	uint64_t hold_ns;         /* --hold: silence between barrier and warm-up */
	uint64_t timeout_ns;      /* --timeout: for a connect and for an answer */
	const char *body;         /* --body: as it was written, or NULL for none */
	const char *expect;       /* --expect: likewise; NULL: that of the first answer */
	uint16_t status;          /* --status: 0 for any 2xx */
	const char *mix_file;     /* --mix: NULL for none */
	struct target targets[TARGETS_MAX]; /* those of the mix, or the URL's */
	uint32_t target_count;
	const char *json_path;    /* --json: "-" for standard output, NULL for none */
	bool calibrate;           /* --calibrate */
	const char *series_path;  /* --series and --hlog: NULL for none */
	const char *hlog_path;
	uint64_t series_step_ns;  /* --step: of an interval in the one ... */
	uint64_t hlog_step_ns;    /* ... and the other; a multiple of series_step_ns */
	char **merged_paths;      /* `merge`: of these files; 0 of them in a run */
	int merged_count;
	int sync_fd;              /* --sync: -1 for none */
	int cpus[OPTIONS_CPU_MAX]; /* --cpu: worker i runs on cpus[i % cpu_count] */
	int cpu_count;
};

/* What holds without any option; there is no URL yet. */
void options_init(struct options *o);
/* Takes the URL apart and makes the targets of it, or exits as below. */
void options_set_url(struct options *o, const char *url);
/* Parses and checks; prints help and exits 0, or one line on what is wrong and exits 2. */
void options_parse(struct options *o, int argc, char **argv);

#endif
