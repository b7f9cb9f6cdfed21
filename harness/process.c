/*
 * process.c: fork, gate, exec.
 *
 * Between fork and exec the child waits for a byte: by then the parent has opened the perf counters
 * that the child's threads inherit. The write end of the error pipe closes at exec, so that an end
 * of file there means "it runs" and four bytes mean "it does not, because of this errno".
 *
 * Killed harness: PR_SET_PDEATHSIG is set after fork, so a parent that died before it would never
 * be noticed; getppid() tells. Reading the gate ends with an end of file in the same case.
 */
#include "harness/process.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib/sys/clock.h"

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static void pause_ns(uint64_t ns)
{
	struct timespec ts = clock_timespec(ns);
	nanosleep(&ts, NULL);
}

static int pin(const struct cpu_list *cpus)
{
	cpu_set_t set;
	CPU_ZERO(&set);
	for (int i = 0; i < cpus->count; i++)
		CPU_SET((size_t)cpus->cpus[i], &set);
	return sched_setaffinity(0, sizeof(set), &set) == 0 ? 0 : errno;
}

/* The child, up to exec. Only async-signal-safe calls: nothing here may allocate or print. */
__attribute__((noreturn)) static void run_child(
    const struct process_options *o, pid_t parent, int gate, int error_fd)
{
	int error = 0;
	char byte;
	sigset_t none;
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpgid(0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(127);
	int input = open("/dev/null", O_RDONLY | O_CLOEXEC);
	int output = o->output_fd >= 0 ? o->output_fd : open("/dev/null", O_WRONLY | O_CLOEXEC);
	if (dup2(input, STDIN_FILENO) < 0 || dup2(output, STDOUT_FILENO) < 0 ||
	    dup2(output, STDERR_FILENO) < 0)
		error = errno;
	if (!error && o->cpus && o->cpus->count)
		error = pin(o->cpus);
	if (!error && o->keep_fd >= 0 && fcntl(o->keep_fd, F_SETFD, 0) < 0)
		error = errno;
	if (!error) {
		if (read(gate, &byte, 1) != 1)
			_exit(127);
		execv(o->argv[0], o->argv);
		error = errno;
	}
	ssize_t written = write(error_fd, &error, sizeof(error));
	(void)written;
	_exit(127);
}

int process_spawn(struct process *p, const struct process_options *options)
{
	int gate[2], error[2];
	*p = (struct process){ .gate_fd = -1, .error_fd = -1 };
	if (pipe2(gate, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(error, O_CLOEXEC) < 0) {
		int problem = errno;
		close(gate[0]);
		close(gate[1]);
		return -problem;
	}
	pid_t parent = getpid();
	fflush(NULL);
	pid_t pid = fork();
	if (pid == 0) {
		close(gate[1]);
		run_child(options, parent, gate[0], error[1]);
	}
	int problem = errno;
	close(gate[0]);
	close(error[1]);
	if (pid < 0) {
		close(gate[1]);
		close(error[0]);
		return -problem;
	}
	setpgid(pid, pid); /* both do it: whoever comes first */
	p->pid = pid;
	p->gate_fd = gate[1];
	p->error_fd = error[0];
	return 0;
}

int process_release(struct process *p)
{
	int error = 0;
	ssize_t n = write(p->gate_fd, "", 1);
	(void)n; /* a child that has failed already says so below */
	close_fd(&p->gate_fd);
	do
		n = read(p->error_fd, &error, sizeof(error));
	while (n < 0 && errno == EINTR);
	close_fd(&p->error_fd);
	if (n != sizeof(error))
		return 0;
	process_kill(p);
	return -error;
}

bool process_has_ended(struct process *p)
{
	if (p->pid <= 0 || p->ended)
		return true;
	if (waitpid(p->pid, &p->status, WNOHANG) == p->pid)
		p->ended = true;
	return p->ended;
}

void process_kill(struct process *p)
{
	close_fd(&p->gate_fd);
	close_fd(&p->error_fd);
	if (p->pid <= 0 || p->ended)
		return;
	/* the leader is not reaped yet, so neither its id nor its group's can be another's */
	kill(-p->pid, SIGKILL);
	kill(p->pid, SIGKILL);
	while (waitpid(p->pid, &p->status, 0) < 0 && errno == EINTR)
		;
	p->ended = true;
}

bool process_stop(struct process *p, uint64_t grace_ns)
{
	if (p->pid <= 0)
		return false;
	uint64_t until_ns = clock_now_ns() + grace_ns;
	if (!process_has_ended(p))
		kill(p->pid, SIGTERM);
	while (!process_has_ended(p) && clock_now_ns() < until_ns)
		pause_ns(1000000);
	bool in_time = p->ended;
	process_kill(p);
	return in_time && WIFEXITED(p->status) && WEXITSTATUS(p->status) == 0;
}

char *process_describe_end(const struct process *p, char *out, size_t cap)
{
	if (!p->ended)
		snprintf(out, cap, "still running");
	else if (WIFSIGNALED(p->status))
		snprintf(out, cap, "signal %d (%s)", WTERMSIG(p->status),
		    strsignal(WTERMSIG(p->status)));
	else
		snprintf(out, cap, "exit code %d", WEXITSTATUS(p->status));
	return out;
}

/* Reads until end of file, the deadline or a full buffer (then it reads on and forgets). */
static void read_all(int fd, char *out, size_t cap, uint64_t until_ns)
{
	size_t len = 0;
	char more[4096];
	for (;;) {
		uint64_t now_ns = clock_now_ns();
		struct pollfd wait = { .fd = fd, .events = POLLIN };
		int left_ms = now_ns < until_ns ? (int)((until_ns - now_ns) / 1000000) + 1 : 0;
		int ready = poll(&wait, 1, left_ms);
		if (ready < 0 && errno == EINTR)
			continue;
		ssize_t n = ready > 0 ? read(fd, more, sizeof(more)) : 0;
		if (n <= 0)
			break;
		size_t take = len + (size_t)n < cap ? (size_t)n : cap - 1 - len;
		memcpy(out + len, more, take);
		len += take;
	}
	out[len] = '\0';
}

int process_capture(char *const *argv, char *out, size_t cap, uint64_t timeout_ns)
{
	int pipe_fd[2];
	struct process p;
	out[0] = '\0';
	if (pipe2(pipe_fd, O_CLOEXEC) < 0)
		return -errno;
	struct process_options options = { .argv = argv, .output_fd = pipe_fd[1], .keep_fd = -1 };
	uint64_t until_ns = clock_now_ns() + timeout_ns;
	int problem = process_spawn(&p, &options);
	close(pipe_fd[1]);
	if (problem == 0)
		problem = process_release(&p);
	if (problem == 0) {
		read_all(pipe_fd[0], out, cap, until_ns);
		while (!process_has_ended(&p) && clock_now_ns() < until_ns)
			pause_ns(200000);
		process_kill(&p);
		problem = WIFEXITED(p.status) ? WEXITSTATUS(p.status) : 128 + WTERMSIG(p.status);
	}
	close(pipe_fd[0]);
	return problem;
}

char *last_words(const char *path, char *out, size_t cap)
{
	out[0] = '\0';
	FILE *file = fopen(path, "re");
	if (!file)
		return out;
	if (fseek(file, 0, SEEK_END) == 0) {
		long len = ftell(file);
		long from = len > (long)cap - 1 ? len - (long)cap + 1 : 0;
		if (fseek(file, from, SEEK_SET) == 0)
			out[fread(out, 1, cap - 1, file)] = '\0';
	}
	fclose(file);
	for (char *ch = out; *ch; ch++)
		if (iscntrl((unsigned char)*ch) && *ch != '\n')
			*ch = ' ';
	for (size_t len = strlen(out); len > 0 && isspace((unsigned char)out[len - 1]); len--)
		out[len - 1] = '\0';
	return out;
}
