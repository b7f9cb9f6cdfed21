/* timeline_spans.c: see timeline.h. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "harness/timeline.h"
#include "lib/sys/die.h"

static int compare_switches(const void *left, const void *right)
{
	const struct timeline_switch *a = left, *b = right;
	if (a->tid != b->tid)
		return a->tid < b->tid ? -1 : 1;
	return (a->at_ns > b->at_ns) - (a->at_ns < b->at_ns);
}

void timeline_sort(struct timeline_switch *switches, uint32_t count)
{
	if (count > 1)
		qsort(switches, count, sizeof(*switches), compare_switches);
}

static void add_span(struct timeline_thread *thread, uint64_t length_ns, enum timeline_state state)
{
	if (length_ns == 0)
		return;
	if (thread->span_count > 0 && thread->spans[thread->span_count - 1].state == state)
		thread->spans[thread->span_count - 1].length_ns += length_ns;
	else
		thread->spans[thread->span_count++] = (struct timeline_span){ length_ns, state };
}

void timeline_make_spans(struct timeline_thread *thread, uint64_t begin_ns, uint64_t end_ns,
    const struct timeline_switch *switches, uint32_t count, enum timeline_state state)
{
	uint64_t from_ns = begin_ns;
	thread->span_count = 0;
	thread->spans = malloc((count + 1) * sizeof(*thread->spans));
	if (!thread->spans)
		die("out of memory for %u switches", count);
	if (count > 0 && switches[0].to != TIMELINE_RUNNING)
		state = TIMELINE_RUNNING;
	else if (count > 0 && state == TIMELINE_RUNNING)
		state = TIMELINE_WAITING;
	for (uint32_t i = 0; i < count && switches[i].at_ns < end_ns; i++) {
		if (switches[i].at_ns > from_ns) {
			add_span(thread, switches[i].at_ns - from_ns, state);
			from_ns = switches[i].at_ns;
		}
		state = switches[i].to;
	}
	add_span(thread, end_ns - from_ns, state);
}

uint64_t timeline_sum_ns(const struct timeline_thread *thread, enum timeline_state state)
{
	uint64_t sum_ns = 0;
	for (uint32_t i = 0; i < thread->span_count; i++)
		sum_ns += thread->spans[i].state == state ? thread->spans[i].length_ns : 0;
	return sum_ns;
}

static const char letters[TIMELINE_STATES] = {
	[TIMELINE_RUNNING] = 'r', [TIMELINE_PREEMPTED] = 'p', [TIMELINE_WAITING] = 'w',
};

char *timeline_format(const struct timeline_thread *thread)
{
	enum { SPAN_CAP = 24 }; /* a letter, 20 digits, a blank */
	size_t cap = thread->span_count * (size_t)SPAN_CAP + 1, len = 0;
	char *text = malloc(cap);
	if (!text)
		die("out of memory for %u spans", thread->span_count);
	text[0] = '\0';
	for (uint32_t i = 0; i < thread->span_count; i++)
		len += (size_t)snprintf(text + len, cap - len, "%s%c%" PRIu64, i ? " " : "",
		    letters[thread->spans[i].state], thread->spans[i].length_ns);
	return text;
}

void timeline_parse(struct timeline_thread *thread, const char *text)
{
	thread->span_count = 0;
	thread->spans = malloc((strlen(text) / 2 + 1) * sizeof(*thread->spans));
	if (!thread->spans)
		die("out of memory for a timeline of %zu bytes", strlen(text));
	while (*text) {
		char *end;
		const char *letter = memchr(letters, *text++, sizeof(letters));
		uint64_t length_ns = strtoull(text, &end, 10);
		if (letter)
			add_span(thread, length_ns, (enum timeline_state)(letter - letters));
		text = end + (*end == ' ');
	}
}

void timeline_deinit(struct timeline *t)
{
	for (uint32_t i = 0; i < t->thread_count; i++)
		free(t->threads[i].spans);
	free(t->threads);
	*t = (struct timeline){ 0 };
}
