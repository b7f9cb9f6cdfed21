/*
 * service.h: what the server does with a request: from method and target to a plan. Names and
 * parameters end here; a shell only hears "sleep so long", "compute", "read this".
 */
#ifndef SERVICE_H
#define SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "lib/core/http.h"
#include "lib/core/slice.h"

#define SERVICE_BYTES_MAX (UINT64_C(64) << 20)    /* /bytes/N */
#define SERVICE_SLEEP_MAX_MS UINT64_C(60000)      /* /sleep/MS */
#define SERVICE_COMPUTE_MAX UINT64_C(10000000)    /* /compute/N, about 1 us each */
#define SERVICE_FILE_MAX (UINT64_C(1) << 20)      /* /file/N */
enum { SERVICE_KEY_MAX = 64 };                    /* /query/KEY */

#ifdef __cplusplus
struct service; /* its atomics are C's alone */
#else
/* Counters of the whole process, as /stats shows them. Workers add, anyone reads: relaxed order. */
struct service {
	_Alignas(64) const char *model; /* "epoll"; its own cache lines: a worker may have its own */
	uint32_t worker_count;
	bool has_database;             /* /query works */
	uint64_t file_len;             /* of the data file; 0: there is none */
	_Atomic uint64_t accepted;     /* connections taken from the accept queue and served */
	_Atomic uint64_t open;         /* of these, not yet closed */
	_Atomic uint64_t refused;      /* turned away: out of files, threads or slots */
	_Atomic uint64_t requests;     /* answered or being answered, errors included */
	atomic_bool stopping;          /* drain: every answer from now on says Connection: close */
	const struct service *parts;   /* worker_count of them, which /stats adds up; NULL: this is all */
};
#endif

enum service_kind {
	SERVICE_TEXT,    /* answer `text` */
	SERVICE_BYTES,   /* answer `number` bytes of the pattern */
	SERVICE_ECHO,    /* answer the body */
	SERVICE_SLEEP,   /* wait `number` ms, then answer */
	SERVICE_COMPUTE, /* work `number` units, answer the checksum */
	SERVICE_FILE,    /* answer `number` bytes of the data file */
	SERVICE_QUERY,   /* answer the value of the key */
	SERVICE_STATS,   /* answer the counters as JSON */
};

struct service_plan {
	uint64_t number;
	const char *text;     /* SERVICE_TEXT: a literal */
	uint16_t status;
	uint8_t kind;         /* enum service_kind */
	uint8_t key_offset;   /* SERVICE_QUERY: where in the target the key stands, and how long it is */
	uint8_t key_len;
	const char *allow;    /* Allow field for 405 and 204; NULL for none */
};

/*
 * Decides what to answer to `method` on `target` (path with query, or "*"). Never fails: what is
 * not there is a 404.
 */
struct service_plan service_plan(enum http_method method, struct slice target);

/* Does the target take a body as its input, so that one without a length is 411? */
bool service_wants_body(const struct service_plan *plan);

/*
 * `count` units of integer work, about 1 us each, that no compiler can shorten; returns the
 * checksum.
 */
uint64_t service_compute(uint64_t count);

/*
 * The pattern behind /bytes/N: byte i is the alphabet's (i mod 64); `offset` onward, at most 32
 * KiB, at most `len`.
 */
struct slice service_pattern(uint64_t offset, uint64_t len);

/* The JSON of /stats, written to `out` (room for SERVICE_STATS_MAX); returns its length. */
enum { SERVICE_STATS_MAX = 256 };
size_t service_put_stats(char *out, const struct service *s);

#endif
