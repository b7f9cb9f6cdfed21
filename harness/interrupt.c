/* interrupt.c: one flag. SA_RESETHAND gives the second signal its usual, final meaning. */
#include "harness/interrupt.h"

#include <signal.h>
#include <stddef.h>

#include "lib/sys/clock.h"

static volatile sig_atomic_t came;

static void on_signal(int signal)
{
	came = signal;
}

static void on_broken_pipe(int signal)
{
	(void)signal;
}

void interrupt_install(void)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGHUP };
	/* Ctrl-C ends a tee(1) behind us first: write on. SIG_IGN would be passed on to the children. */
	struct sigaction broken_pipe = { .sa_handler = on_broken_pipe, .sa_flags = SA_RESTART };
	sigemptyset(&broken_pipe.sa_mask);
	sigaction(SIGPIPE, &broken_pipe, NULL);
	struct sigaction action = { .sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND };
	sigemptyset(&action.sa_mask);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++) {
		struct sigaction before;
		sigaction(signals[i], NULL, &before);
		if (before.sa_handler != SIG_IGN) /* nohup(1) means it */
			sigaction(signals[i], &action, NULL);
	}
}

int interrupt_signal(void)
{
	return came;
}

void interrupt_sleep(uint64_t ns)
{
	uint64_t until_ns = clock_now_ns() + ns;
	for (uint64_t now_ns = until_ns - ns; now_ns < until_ns && !came; now_ns = clock_now_ns()) {
		uint64_t slice_ns = (uint64_t)WAIT_SLICE_MS * 1000000;
		uint64_t left_ns = until_ns - now_ns;
		struct timespec ts = clock_timespec(left_ns < slice_ns ? left_ns : slice_ns);
		nanosleep(&ts, NULL);
	}
}
