/*
 * store.h: a run's SQLite file. WAL, one transaction a cell: what is in it is finished, and
 * survives any kill. Every function dies with one line when the file cannot be written; nothing
 * written before is lost.
 */
#ifndef STORE_H
#define STORE_H

#include <stdbool.h>

#include "harness/row.h"
#include "harness/servers.h"

struct store;

/* Creates `path`, which must not exist. */
struct store *store_create(const char *path);
/* Leaves one file, without a log beside it. */
void store_close(struct store *store);

void store_put_run(struct store *store, const char *key, const char *value);
__attribute__((format(printf, 3, 4))) void store_format_run(struct store *store, const char *key,
    const char *format, ...);
void store_put_server(struct store *store, const struct server_info *info);
void store_put_row(struct store *store, const struct row *row);

/* Many small writes as one transaction. */
void store_begin(struct store *store);
void store_commit(struct store *store);
void store_put_conformance(struct store *store, const char *server, const char *case_id,
    const char *section, const char *sending, bool passed, const char *detail);

#endif
