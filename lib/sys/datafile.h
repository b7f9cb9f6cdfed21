/*
 * datafile.h: the file behind /file/N, the same for the whole process: --data FILE. How to wait for
 * the disk is each model's own; datafile_read() is the plain way: it blocks whoever calls it.
 */
#ifndef DATAFILE_H
#define DATAFILE_H

#include <stdint.h>
#include <sys/types.h>

#include "lib/core/conn.h"

/* Opens it, once, before the workers start: its length, or -errno. */
int64_t datafile_open(const char *path);
/* The open file, for those that read in their own way; -1 when there is none. */
int datafile_fd(void);
/*
 * The same file opened once more past the page cache (O_DIRECT, open(2)): offsets, lengths and
 * memory must be aligned to 4,096 then. The descriptor is the caller's; -errno where the file
 * system cannot.
 */
int datafile_open_direct(void);

/* Reads what the connection asked for (conn_file()): bytes read, or -errno. Blocks. */
ssize_t datafile_read(struct file_read read);

#endif
