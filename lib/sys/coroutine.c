/*
 * coroutine.c: see coroutine.h. A switch stores the registers that a called function must keep for
 * its caller (the rest its caller has saved already), exchanges the stack pointer, loads the
 * other's and returns: onto the other stack. The floating-point control words are left alone:
 * nobody changes them here. Where there is no switch for the processor, swapcontext(3) does it,
 * with a system call for the signal mask.
 *
 * A new stack looks as if coroutine_start() had been about to be returned to. Stacks that are free
 * stand in a list, last in first out, so that the next one's pages are there and in the cache; more
 * than KEEP of them go back to the kernel.
 *
 * The address sanitizer watches stacks; it is told of each switch.
 */
#include "lib/sys/coroutine.h"

#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>

#include "lib/sys/die.h"

#if !defined COROUTINE_UCONTEXT && !defined __x86_64__ && !defined __aarch64__
#define COROUTINE_UCONTEXT 1
#endif
#ifdef COROUTINE_UCONTEXT
#include <ucontext.h>
typedef ucontext_t place;
#else
typedef void *place; /* the stack pointer; what else must be kept lies on that stack */
#endif
#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif

enum { GUARD_LEN = 4096, KEEP = 64 };

/* At the upper end of its own stack. */
struct coroutine {
	place here;     /* where it goes on */
	place resumer;  /* where coroutine_resume() goes on */
	void (*run)(void *argument);
	void *argument;
	struct coroutine *next; /* in the list of free ones */
	void *shadow, *resumer_shadow; /* the sanitizer's */
	const void *resumer_stack;
	size_t resumer_stack_len;
	bool ended;
};

static _Thread_local struct coroutine *current, *free_ones;
static _Thread_local int free_count;

/* --- the switch ------------------------------------------------------------------------------ */

static void coroutine_start(void);

#ifdef COROUTINE_UCONTEXT

static void switch_place(place *from, place *to)
{
	CHECK(swapcontext(from, to) == 0);
}

static void set_out(struct coroutine *co, char *stack, size_t len)
{
	CHECK(getcontext(&co->here) == 0);
	co->here.uc_stack = (stack_t){ .ss_sp = stack, .ss_size = len };
	makecontext(&co->here, coroutine_start, 0);
}

#else

/* Stores where it is in *from and goes on at *to. */
void coroutine_switch(place *from, place *to);

#if defined __x86_64__
enum { KEPT = 6 }; /* registers; the return address is above them */
__asm__(".text\n"
        ".type coroutine_switch, @function\n"
        "coroutine_switch:\n"
        "	push %rbp\n	push %rbx\n	push %r12\n	push %r13\n	push %r14\n	push %r15\n"
        "	mov %rsp, (%rdi)\n"
        "	mov (%rsi), %rsp\n"
        "	pop %r15\n	pop %r14\n	pop %r13\n	pop %r12\n	pop %rbx\n	pop %rbp\n"
        "	ret\n"
        ".size coroutine_switch, . - coroutine_switch\n");
#else
enum { KEPT = 11 }; /* x19 to x29; x30, the return address, is above them; then d8 to d15 */
__asm__(".text\n"
        ".type coroutine_switch, %function\n"
        "coroutine_switch:\n"
        "	sub sp, sp, #160\n"
        "	stp x19, x20, [sp, #0]\n	stp x21, x22, [sp, #16]\n	stp x23, x24, [sp, #32]\n"
        "	stp x25, x26, [sp, #48]\n	stp x27, x28, [sp, #64]\n	stp x29, x30, [sp, #80]\n"
        "	stp d8, d9, [sp, #96]\n	stp d10, d11, [sp, #112]\n"
        "	stp d12, d13, [sp, #128]\n	stp d14, d15, [sp, #144]\n"
        "	mov x9, sp\n	str x9, [x0]\n"
        "	ldr x9, [x1]\n	mov sp, x9\n"
        "	ldp x19, x20, [sp, #0]\n	ldp x21, x22, [sp, #16]\n	ldp x23, x24, [sp, #32]\n"
        "	ldp x25, x26, [sp, #48]\n	ldp x27, x28, [sp, #64]\n	ldp x29, x30, [sp, #80]\n"
        "	ldp d8, d9, [sp, #96]\n	ldp d10, d11, [sp, #112]\n"
        "	ldp d12, d13, [sp, #128]\n	ldp d14, d15, [sp, #144]\n"
        "	add sp, sp, #160\n"
        "	ret\n"
        ".size coroutine_switch, . - coroutine_switch\n");
#endif

static void switch_place(place *from, place *to)
{
	coroutine_switch(from, to);
}

static void set_out(struct coroutine *co, char *stack, size_t len)
{
	enum { WORDS = 24 }; /* a multiple of 16 bytes below the end, with room for all that is kept */
	uintptr_t *top = (uintptr_t *)(void *)(stack + len) - WORDS;
	for (int i = 0; i < WORDS; i++)
		top[i] = 0;
	top[KEPT] = (uintptr_t)coroutine_start; /* above it lies the zero where unwinding ends */
	co->here = top;
}

#endif

/* --- stacks ---------------------------------------------------------------------------------- */

enum { STACK_LEN = COROUTINE_STACK_LEN - (sizeof(struct coroutine) + 63) / 64 * 64 };

static char *stack_of(struct coroutine *co)
{
	return (char *)co - STACK_LEN;
}

static struct coroutine *take_stack(void)
{
	struct coroutine *co = free_ones;
	if (co) {
		free_ones = co->next;
		free_count--;
		return co;
	}
	char *memory = mmap(NULL, GUARD_LEN + COROUTINE_STACK_LEN, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		return NULL;
	if (mprotect(memory, GUARD_LEN, PROT_NONE) != 0) { /* the memory map is full */
		munmap(memory, GUARD_LEN + COROUTINE_STACK_LEN);
		return NULL;
	}
	return (struct coroutine *)(void *)(memory + GUARD_LEN + STACK_LEN);
}

static void give_stack(struct coroutine *co)
{
	if (free_count == KEEP) {
		munmap(stack_of(co) - GUARD_LEN, GUARD_LEN + COROUTINE_STACK_LEN);
		return;
	}
	co->next = free_ones;
	free_ones = co;
	free_count++;
}

/* --- life ------------------------------------------------------------------------------------ */

#ifdef __SANITIZE_ADDRESS__
static void before_switch(void **shadow, const void *stack, size_t len)
{
	__sanitizer_start_switch_fiber(shadow, stack, len);
}
static void after_switch(void *shadow, const void **stack, size_t *len)
{
	__sanitizer_finish_switch_fiber(shadow, stack, len);
}
#else
static void before_switch(void **shadow, const void *stack, size_t len)
{
	(void)shadow, (void)stack, (void)len;
}
static void after_switch(void *shadow, const void **stack, size_t *len)
{
	(void)shadow, (void)stack, (void)len;
}
#endif

static void coroutine_start(void)
{
	struct coroutine *co = current;
	after_switch(NULL, &co->resumer_stack, &co->resumer_stack_len);
	co->run(co->argument);
	co->ended = true;
	before_switch(NULL, co->resumer_stack, co->resumer_stack_len);
	switch_place(&co->here, &co->resumer);
	CHECK(!"a coroutine that has ended was resumed");
}

struct coroutine *coroutine_create(void (*run)(void *argument), void *argument)
{
	struct coroutine *co = take_stack();
	if (!co)
		return NULL;
	*co = (struct coroutine){ .run = run, .argument = argument };
	set_out(co, stack_of(co), STACK_LEN);
	return co;
}

bool coroutine_resume(struct coroutine *co)
{
	CHECK(!current && !co->ended);
	current = co;
	before_switch(&co->resumer_shadow, stack_of(co), STACK_LEN);
	switch_place(&co->resumer, &co->here);
	after_switch(co->resumer_shadow, NULL, NULL);
	current = NULL;
	if (!co->ended)
		return true;
	give_stack(co);
	return false;
}

struct coroutine *coroutine_current(void)
{
	return current;
}

void coroutine_yield(void)
{
	struct coroutine *co = current;
	CHECK(co);
	before_switch(&co->shadow, co->resumer_stack, co->resumer_stack_len);
	switch_place(&co->here, &co->resumer);
	after_switch(co->shadow, &co->resumer_stack, &co->resumer_stack_len);
}
