/*
 * syscalls.c: the program is written by hand, since a compiler for BPF would be needed for nothing
 * else. In C it would be:
 *
 *     if (!control.on)
 *             return 0;
 *     key = process << 32 | number;
 *     if (!(count = lookup(counts, &key))) {
 *             update(counts, &key, 0, BPF_NOEXIST);  // unless another CPU has just made it
 *             count = lookup(counts, &key);
 *     }
 *     atomic_add(count ? count : &control.lost, 1);  // lost: the table is full
 *
 * See bpf-helpers(7), and Documentation/bpf/standardization/instruction-set.rst of the kernel.
 */
#include "harness/syscalls.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { KEYS_MAX = 65536 }; /* processes times the calls they make */

struct syscall_control {
	uint64_t on;
	uint64_t lost;
};

/* --- the program ----------------------------------------------------------------------------- */

#define INSTRUCTION(opcode, dst, src, offset, value) \
	{ .code = (opcode), .dst_reg = (dst), .src_reg = (src), .off = (offset), .imm = (value) }
#define MOVE(dst, src) INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define MOVE_LOW_HALF(dst, src) INSTRUCTION(BPF_ALU | BPF_MOV | BPF_X, dst, src, 0, 0)
#define SET(dst, value) INSTRUCTION(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define ADD(dst, value) INSTRUCTION(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value)
#define SHIFT_LEFT(dst, bits) INSTRUCTION(BPF_ALU64 | BPF_LSH | BPF_K, dst, 0, 0, bits)
#define SHIFT_RIGHT(dst, bits) INSTRUCTION(BPF_ALU64 | BPF_RSH | BPF_K, dst, 0, 0, bits)
#define OR(dst, src) INSTRUCTION(BPF_ALU64 | BPF_OR | BPF_X, dst, src, 0, 0)
#define LOAD(dst, src, offset) INSTRUCTION(BPF_LDX | BPF_MEM | BPF_DW, dst, src, offset, 0)
#define STORE(dst, offset, src) INSTRUCTION(BPF_STX | BPF_MEM | BPF_DW, dst, src, offset, 0)
#define ADD_ATOMICALLY(dst, offset, src) \
	INSTRUCTION(BPF_STX | BPF_ATOMIC | BPF_DW, dst, src, offset, BPF_ADD)
#define CALL(helper) INSTRUCTION(BPF_JMP | BPF_CALL, 0, 0, 0, helper)
#define EXIT INSTRUCTION(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* from and to are places in the program */
#define JUMP(from, to) INSTRUCTION(BPF_JMP | BPF_JA, 0, 0, (to) - (from)-1, 0)
#define JUMP_IF_ZERO(src, from, to) \
	INSTRUCTION(BPF_JMP | BPF_JEQ | BPF_K, src, 0, (to) - (from)-1, 0)
#define JUMP_UNLESS_ZERO(src, from, to) \
	INSTRUCTION(BPF_JMP | BPF_JNE | BPF_K, src, 0, (to) - (from)-1, 0)
/* two instructions each: a map by its descriptor; the value in a map that has one */
#define LOAD_MAP(dst, fd) \
	INSTRUCTION(BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_FD, 0, fd), \
	INSTRUCTION(0, 0, 0, 0, 0)
#define LOAD_VALUE(dst, fd) \
	INSTRUCTION(BPF_LD | BPF_DW | BPF_IMM, dst, BPF_PSEUDO_MAP_VALUE, 0, fd), \
	INSTRUCTION(0, 0, 0, 0, 0)
/* four: what lookup and update are called with */
#define LOAD_MAP_AND_KEY(fd) \
	LOAD_MAP(R1, fd), MOVE(R2, FRAME), ADD(R2, KEY)

enum { R0, R1, R2, R3, R4, R5, R6, R7, R8, R9, FRAME };
enum { KEY = -8, ZERO = -16 }; /* in the frame */
enum { AT_COUNT = 34, AT_LOST = 36, AT_DONE = 37 };

static int load_program(const struct syscall_counter *c)
{
	const struct bpf_insn program[] = {
		/*  0 */ LOAD_VALUE(R6, c->control_fd),
		/*  2 */ LOAD(R2, R6, offsetof(struct syscall_control, on)),
		/*  3 */ JUMP_IF_ZERO(R2, 3, AT_DONE),
		/*  4 */ LOAD(R7, R1, 8), /* sys_enter's second argument: the call's number */
		/*  5 */ CALL(BPF_FUNC_get_current_pid_tgid), /* the process in the upper half */
		/*  6 */ SHIFT_RIGHT(R0, 32),
		/*  7 */ SHIFT_LEFT(R0, 32),
		/*  8 */ MOVE_LOW_HALF(R7, R7),
		/*  9 */ OR(R0, R7),
		/* 10 */ STORE(FRAME, KEY, R0),
		/* 11 */ SET(R8, 0),
		/* 12 */ STORE(FRAME, ZERO, R8),
		/* 13 */ SET(R8, 1),
		/* 14 */ LOAD_MAP_AND_KEY(c->counts_fd),
		/* 18 */ CALL(BPF_FUNC_map_lookup_elem),
		/* 19 */ JUMP_UNLESS_ZERO(R0, 19, AT_COUNT),
		/* 20 */ LOAD_MAP_AND_KEY(c->counts_fd),
		/* 24 */ MOVE(R3, FRAME),
		/* 25 */ ADD(R3, ZERO),
		/* 26 */ SET(R4, BPF_NOEXIST),
		/* 27 */ CALL(BPF_FUNC_map_update_elem),
		/* 28 */ LOAD_MAP_AND_KEY(c->counts_fd),
		/* 32 */ CALL(BPF_FUNC_map_lookup_elem),
		/* 33 */ JUMP_IF_ZERO(R0, 33, AT_LOST),
		/* 34 */ ADD_ATOMICALLY(R0, 0, R8),
		/* 35 */ JUMP(35, AT_DONE),
		/* 36 */ ADD_ATOMICALLY(R6, offsetof(struct syscall_control, lost), R8),
		/* 37 */ SET(R0, 0),
		/* 38 */ EXIT,
	};
	return bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "c10k_syscalls", "GPL", program,
	    sizeof(program) / sizeof(*program), NULL);
}

/* --- attaching it ---------------------------------------------------------------------------- */

static int open_program(struct syscall_counter *c)
{
	LIBBPF_OPTS(bpf_map_create_opts, shared, .map_flags = BPF_F_MMAPABLE);
	c->counts_fd = bpf_map_create(BPF_MAP_TYPE_HASH, "c10k_counts", sizeof(uint64_t),
	    sizeof(uint64_t), KEYS_MAX, NULL);
	if (c->counts_fd < 0)
		return c->counts_fd;
	c->control_fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "c10k_control", sizeof(uint32_t),
	    sizeof(*c->control), 1, &shared);
	if (c->control_fd < 0)
		return c->control_fd;
	void *control = mmap(NULL, sizeof(*c->control), PROT_READ | PROT_WRITE, MAP_SHARED,
	    c->control_fd, 0);
	if (control == MAP_FAILED)
		return -errno;
	c->control = control;
	c->program_fd = load_program(c);
	if (c->program_fd < 0)
		return c->program_fd;
	c->link_fd = bpf_raw_tracepoint_open("sys_enter", c->program_fd);
	return c->link_fd < 0 ? c->link_fd : 0;
}

/* Are our own calls found under our own number? Not in a container with numbers of its own. */
static bool counts_ourselves(struct syscall_counter *c)
{
	uint64_t key = (uint64_t)getpid() << 32 | SYS_getppid, count;
	syscall_counter_switch(c, true);
	getppid();
	syscall_counter_switch(c, false);
	return bpf_map_lookup_elem(c->counts_fd, &key, &count) == 0 &&
	    bpf_map_delete_elem(c->counts_fd, &key) == 0;
}

bool syscall_counter_open(struct syscall_counter *c)
{
	*c = (struct syscall_counter){ -1, -1, -1, -1, NULL, "" };
	int problem = open_program(c);
	if (problem == 0 && counts_ourselves(c))
		return true;
	syscall_counter_close(c);
	if (problem == 0)
		snprintf(c->reason, sizeof(c->reason),
		    "other process numbers than ours: leave the container");
	else if (problem == -EPERM || problem == -EACCES)
		snprintf(c->reason, sizeof(c->reason),
		    "not permitted (root, or CAP_BPF and CAP_PERFMON)");
	else
		snprintf(c->reason, sizeof(c->reason), "%s", strerror(-problem));
	return false;
}

void syscall_counter_close(struct syscall_counter *c)
{
	int *const fds[] = { &c->link_fd, &c->program_fd, &c->control_fd, &c->counts_fd };
	if (c->control)
		munmap(c->control, sizeof(*c->control));
	c->control = NULL;
	for (size_t i = 0; i < sizeof(fds) / sizeof(*fds); i++) {
		if (*fds[i] >= 0)
			close(*fds[i]);
		*fds[i] = -1;
	}
}

void syscall_counter_switch(struct syscall_counter *c, bool on)
{
	__atomic_store_n(&c->control->on, on, __ATOMIC_SEQ_CST);
}

/* --- what it has counted --------------------------------------------------------------------- */

static bool is_in(const struct tree *tree, pid_t pid)
{
	uint32_t i = 0;
	while (i < tree->count && tree->pids[i] != pid)
		i++;
	return i < tree->count;
}

static void add_number(struct syscall_list *list, int number, uint64_t calls)
{
	char unknown[32];
	char *name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, number);
	snprintf(unknown, sizeof(unknown), "call-%d", number); /* newer than libseccomp */
	syscall_list_add(list, name ? name : unknown, calls);
	free(name);
}

bool syscall_counter_read(
    struct syscall_counter *c, const struct tree *tree, struct syscall_list *list)
{
	uint64_t key, calls;
	*list = (struct syscall_list){ 0 };
	for (int code = bpf_map_get_next_key(c->counts_fd, NULL, &key); code == 0;
	     code = bpf_map_get_next_key(c->counts_fd, &key, &key))
		if (is_in(tree, (pid_t)(key >> 32)) &&
		    bpf_map_lookup_elem(c->counts_fd, &key, &calls) == 0)
			add_number(list, (int)(uint32_t)key, calls);
	syscall_list_sort(list);
	if (c->control->lost == 0)
		return true;
	snprintf(c->reason, sizeof(c->reason), "more than %d processes and calls", KEYS_MAX);
	return false;
}

void syscall_list_add(struct syscall_list *list, const char *name, uint64_t calls)
{
	uint32_t i = 0;
	while (i < list->count && strcmp(list->items[i].name, name) != 0)
		i++;
	if (i == SYSCALLS_MAX) {
		name = "others";
		i--;
	}
	if (i == list->count)
		list->count++;
	snprintf(list->items[i].name, sizeof(list->items[i].name), "%s", name);
	list->items[i].calls += calls;
}

static int compare_calls(const void *left, const void *right)
{
	const struct syscall_count *a = left, *b = right;
	if (a->calls != b->calls)
		return a->calls < b->calls ? 1 : -1;
	return strcmp(a->name, b->name);
}

void syscall_list_sort(struct syscall_list *list)
{
	qsort(list->items, list->count, sizeof(*list->items), compare_calls);
}
