/*
 * page_cache.h: how much of a file stands in the kernel's page cache, and making that all or
 * nothing. Needs no root: posix_fadvise(2) drops what nobody has changed, mincore(2) tells.
 */
#ifndef PAGE_CACHE_H
#define PAGE_CACHE_H

/* Of the file's pages, 0..1; NAN when it cannot be told. */
double page_cache_share(const char *path);
/* Reads the file, so that it is there. */
void page_cache_fill(const char *path);
/* Asks the kernel to forget it. Some file systems keep all they have (tmpfs): look at the share. */
void page_cache_drop(const char *path);

#endif
