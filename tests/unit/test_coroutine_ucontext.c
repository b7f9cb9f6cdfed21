/* test_coroutine_ucontext.c: the same by swapcontext(3), which other processors than ours are left with. */
#define COROUTINE_UCONTEXT 1
#include "lib/sys/coroutine.c"
#include "tests/unit/test_coroutine.c"
