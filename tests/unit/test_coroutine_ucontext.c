/* test_coroutine_ucontext.c: the same by swapcontext(3), as on other processors. */
#define COROUTINE_UCONTEXT 1
#include "lib/sys/coroutine.c"
#include "tests/unit/test_coroutine.c"
