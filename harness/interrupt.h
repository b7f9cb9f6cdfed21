/*
 * interrupt.h: Ctrl-C, SIGTERM and a closed terminal. The first one is noted, and whoever waits
 * looks at it at least every WAIT_SLICE_MS (inside a measure window every second, and when it wakes
 * him); the second one ends the harness at once (the kernel then kills its children, see process.h).
 * A reader of our output that ends, such as head(1), ends nothing.
 */
#ifndef INTERRUPT_H
#define INTERRUPT_H

#include <stdint.h>

enum { WAIT_SLICE_MS = 50 };

void interrupt_install(void);
/* The signal that came, 0 for none. */
int interrupt_signal(void);
/* Sleeps; less when a signal comes. */
void interrupt_sleep(uint64_t ns);

#endif
