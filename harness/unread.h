/*
 * unread.h: has the other process read what was sent to it? The kernel tells the receive queue of
 * any socket on this machine (sock_diag(7)). With it a message that is sent a byte at a time is
 * also read a byte at a time, instead of by luck; where the kernel does not tell, one goes on at
 * once.
 */
#ifndef UNREAD_H
#define UNREAD_H

#include <stdint.h>

/* A netlink socket, or -1 where there is none. */
int unread_open(void);
/* Waits until the peer of `fd` (loopback TCP) has read everything or is gone, at most timeout_ns. */
void unread_wait(int diag_fd, int fd, uint64_t timeout_ns);

#endif
