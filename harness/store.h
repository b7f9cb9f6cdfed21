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
/*
 * Opens one that store_create() made, with all that a killed writer had finished; NULL when the kill
 * came before there was anything.
 */
struct store *store_open(const char *path);
/* Leaves one file, without a log beside it. */
void store_close(struct store *store);

void store_put_run(struct store *store, const char *key, const char *value);
__attribute__((format(printf, 3, 4))) void store_format_run(struct store *store, const char *key,
    const char *format, ...);
/* A key's value, from malloc; NULL when it has none. */
char *store_get_run(struct store *store, const char *key);
/* Calls take() for every key and its value. */
void store_each_run(struct store *store,
    void (*take)(void *context, const char *key, const char *value), void *context);
void store_put_server(struct store *store, const struct server_info *info);
/* With its digest (cell_digest.h), as one transaction. */
void store_put_row(struct store *store, const struct row *row);

/* What is there already, for a run that goes on: false when the cell has no row. */
bool store_find_row(
    struct store *store, const struct cell *cell, enum verdict *verdict, double *rate_per_s);
void store_count_verdicts(struct store *store, uint32_t counts[VERDICT_COUNT]);
/* Was the server checked, and was there no failure? */
bool store_has_passed(struct store *store, const char *server);

/* Many small writes as one transaction. */
void store_begin(struct store *store);
void store_commit(struct store *store);
void store_put_conformance(struct store *store, const char *server, const char *case_id,
    const char *section, const char *sending, bool passed, const char *detail);

#endif
