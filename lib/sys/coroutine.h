/*
 * coroutine.h: functions that can stop in the middle and go on later, each on a stack of its own:
 * one thread, many stacks, and switching between them is a call that returns somewhere else.
 *
 *     struct coroutine *co = coroutine_create(run, argument);
 *     coroutine_resume(co);            runs it until it yields or returns
 *         ... inside: coroutine_yield();
 *     coroutine_resume(co);            goes on behind the yield; false: it has returned, co is gone
 *
 * Cooperative: nobody else runs on the thread until it yields, so what they share needs no lock
 * between two yields. A coroutine stays on the thread that created it.
 *
 * A stack is COROUTINE_STACK_LEN of address space with a page below it that must not be touched:
 * running over the end is a fault, not a neighbour's corruption. Only pages that were used are
 * real. Each stack is two entries of the process's memory map: vm.max_map_count (65,530) allows
 * some 32,700 of them.
 */
#ifndef COROUTINE_H
#define COROUTINE_H

#include <stdbool.h>

enum { COROUTINE_STACK_LEN = 64 * 1024 };

struct coroutine;

/* A coroutine that has not begun, or NULL when there is no memory for its stack. */
struct coroutine *coroutine_create(void (*run)(void *argument), void *argument);
/* Not from inside a coroutine. False: it has ended, and its stack is free for the next. */
bool coroutine_resume(struct coroutine *co);
/* The one that runs; NULL outside of all. */
struct coroutine *coroutine_current(void);
/* Goes back behind the coroutine_resume() that runs this one. Only inside one. */
void coroutine_yield(void);

#endif
