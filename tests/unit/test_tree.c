/* test_tree.c: a server of several processes is looked at as a whole. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "harness/memory.h"
#include "harness/tasks.h"
#include "harness/tree.h"

enum { CHILDREN = 3, PAUSES = 50, ROOM = 1024 * 1024 };

/* A byte from above lets each child pause so many times; a byte from each says that it has. */
static int go[2], done[2];
static volatile char *room;

static void be_child(void)
{
	char byte;
	const struct timespec pause = { .tv_nsec = 100000 };
	while (read(go[0], &byte, 1) == 1) {
		for (int i = 0; i < PAUSES; i++)
			nanosleep(&pause, NULL);
		(void)!write(done[1], "", 1);
	}
	_exit(0);
}

/* A process with a socket of its own and children that have it open, too. */
static void be_parent(void)
{
	if (socket(AF_INET, SOCK_STREAM, 0) < 0)
		_exit(1);
	for (int i = 0; i < CHILDREN; i++)
		if (fork() == 0) {
			for (int k = 0; k < ROOM; k += 4096)
				room[k] = (char)i; /* no longer shared with the others */
			(void)!write(done[1], "", 1);
			be_child();
		}
	close(go[0]);
	pause();
	_exit(0);
}

static void await_children(void)
{
	char byte;
	for (int i = 0; i < CHILDREN; i++)
		assert_int_equal(read(done[0], &byte, 1), 1);
}

static void test_tree(void **state)
{
	struct tree tree = { 0 };
	struct snapshot before = { 0 }, after = { 0 };
	(void)state;
	room = malloc(ROOM);
	assert_non_null((const void *)(uintptr_t)room);
	assert_int_equal(pipe(go), 0);
	assert_int_equal(pipe(done), 0);
	pid_t parent = fork();
	if (parent == 0) {
		close(go[1]);
		be_parent();
	}
	await_children();

	tree_read(&tree, parent);
	assert_int_equal(tree.count, 1 + CHILDREN);
	assert_int_equal(tree.pids[0], parent);
	for (uint32_t i = 1; i < tree.count; i++)
		assert_int_equal(kill(tree.pids[i], 0), 0);

	assert_true(snapshot_take(&before, parent));
	assert_int_equal(write(go[1], "...", CHILDREN), CHILDREN);
	await_children();
	assert_true(snapshot_take(&after, parent));
	assert_int_equal(after.thread_count, 1 + CHILDREN);
	struct snapshot_difference d = snapshot_subtract(&before, &after);
	assert_true(d.voluntary >= CHILDREN * PAUSES); /* the parent's are none */

	struct memory m = memory_take(parent);
	assert_int_equal((int)m.processes, 1 + CHILDREN);
	assert_int_equal((int)m.threads, 1 + CHILDREN);
	assert_int_equal((int)m.sockets, 1);
	assert_true(m.pss < 0 || m.pss >= CHILDREN * ROOM);

	close(go[1]); /* the children end */
	kill(parent, SIGTERM);
	waitpid(parent, NULL, 0);
	tree_deinit(&tree);
	snapshot_deinit(&before);
	snapshot_deinit(&after);
	free((void *)(uintptr_t)room);
}

/* A child's page faults are its parent's once it is reaped. */
static void test_faults_of_a_child(void **state)
{
	enum { PAGES = 1000 };
	struct snapshot before = { 0 }, after = { 0 };
	(void)state;
	assert_true(snapshot_take(&before, getpid()));
	pid_t child = fork();
	if (child == 0) {
		volatile char *pages = malloc(PAGES * 4096);
		for (int i = 0; pages && i < PAGES; i++)
			pages[i * 4096] = 1;
		_exit(0);
	}
	waitpid(child, NULL, 0);
	assert_true(snapshot_take(&after, getpid()));
	struct snapshot_difference d = snapshot_subtract(&before, &after);
	assert_true(d.minor_faults >= PAGES);
	assert_true(d.major_faults < PAGES);
	snapshot_deinit(&before);
	snapshot_deinit(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tree),
		cmocka_unit_test(test_faults_of_a_child),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
