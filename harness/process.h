/*
 * process.h: a child process that cannot outlive the harness: pinned, in a process group of its
 * own (so that Ctrl-C on the terminal reaches the harness alone), killed by the kernel when the
 * harness dies (PR_SET_PDEATHSIG, prctl(2)). Functions return 0 or -errno.
 *
 * Spawn from the main thread: the kernel's "parent died" means the thread that forked.
 */
#ifndef PROCESS_H
#define PROCESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct cpu_list {
	int cpus[256];
	int count; /* 0: wherever the harness may run */
};

struct process {
	pid_t pid;    /* 0: none */
	int gate_fd;  /* a byte here lets it exec */
	int error_fd; /* it tells here why it could not exec */
	int status;   /* as wait(2) gives it, once ended */
	bool ended;
};

struct process_options {
	char *const *argv;             /* argv[0] is the program's path */
	const struct cpu_list *cpus;   /* NULL: wherever the harness may run */
	int output_fd;                 /* its standard output and error; -1: /dev/null */
	int keep_fd; /* one descriptor it inherits under the same number; -1: none */
};

/*
 * Forks; the child is pinned and waits at the gate, so that counters can be opened on it before it
 * runs.
 */
int process_spawn(struct process *p, const struct process_options *options);
/* Lets it exec, and returns how that went. */
int process_release(struct process *p);

/* Has it ended? Does not wait. */
bool process_has_ended(struct process *p);
/*
 * SIGTERM, up to grace_ns of waiting, SIGKILL. Returns true when it ended by itself with exit code
 * 0.
 */
bool process_stop(struct process *p, uint64_t grace_ns);
/* Kills the group and reaps the child. No effect on one that is gone. */
void process_kill(struct process *p);

/* "exit code 1", "signal 11 (Segmentation fault)", "still running" into `out`; returns it. */
char *process_describe_end(const struct process *p, char *out, size_t cap);

/*
 * Runs a program for its standard output: writes at most cap - 1 bytes and a NUL. Returns its exit
 * code; 128 + signal when killed, as after timeout_ns; -errno when it could not run.
 */
int process_capture(char *const *argv, char *out, size_t cap, uint64_t timeout_ns);

/*
 * The last lines of a file, at most cap - 1 bytes, control characters made blanks; returns `out`.
 */
char *last_words(const char *path, char *out, size_t cap);

#endif
