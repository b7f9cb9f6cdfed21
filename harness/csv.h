/*
 * csv.h: RUN/cells.csv from RUN/run.sqlite: one row a cell (RFC 4180), empty where the store holds
 * NULL.
 */
#ifndef CSV_H
#define CSV_H

/* 0, or 1 after one line on standard error. */
int csv_write(const char *run_folder);

#endif
