/* tree.c: see tree.h. */
#include "harness/tree.h"

#include <stdio.h>
#include <stdlib.h>

#include "lib/sys/die.h"

static void add(struct tree *t, pid_t pid)
{
	if (t->count == t->cap) {
		t->cap = t->cap ? t->cap * 2 : 64;
		t->pids = realloc(t->pids, t->cap * sizeof(*t->pids));
		if (!t->pids)
			die("out of memory for %u processes", t->cap);
	}
	t->pids[t->count++] = pid;
}

void tree_read(struct tree *t, pid_t pid)
{
	char path[64];
	t->count = 0;
	add(t, pid);
	for (uint32_t i = 0; i < t->count; i++) {
		int child, parent = (int)t->pids[i];
		snprintf(path, sizeof(path), "/proc/%d/task/%d/children", parent, parent);
		FILE *file = fopen(path, "re");
		while (file && fscanf(file, "%d", &child) == 1)
			add(t, child);
		if (file)
			fclose(file);
	}
}

void tree_deinit(struct tree *t)
{
	free(t->pids);
	*t = (struct tree){ 0 };
}
