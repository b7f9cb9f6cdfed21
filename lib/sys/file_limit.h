/* file_limit.h: how many files a process may hold. */
#ifndef FILE_LIMIT_H
#define FILE_LIMIT_H

#include <stdint.h>

/* Raises the soft file limit to the hard one; returns the limit now in force. */
uint64_t file_limit_raise(void);

#endif
