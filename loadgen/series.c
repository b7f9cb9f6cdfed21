/*
 * series.c: see series.h. Only the span between the smallest and the largest sample is looked at
 * and cleared: a few hundred buckets as a rule, of 27,648.
 */
#include "series.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "lib/sys/die.h"

static void *grow(void *memory, size_t len)
{
	memory = realloc(memory, len);
	if (!memory)
		die_errno(ENOMEM, "the time series: use a shorter -d");
	return memory;
}

void sparse_store(struct sparse *s, struct histogram *h)
{
	*s = (struct sparse){ .min_ns = h->min_ns, .max_ns = h->max_ns, .sum_ns = h->sum_ns };
	if (h->count == 0)
		return;
	uint32_t first = histogram_index(h->min_ns), last = histogram_index(h->max_ns);
	for (uint32_t i = first; i <= last; i++)
		s->bucket_count += h->buckets[i] > 0;
	s->buckets = grow(NULL, s->bucket_count * sizeof *s->buckets);
	uint32_t at = 0;
	for (uint32_t i = first; i <= last; i++)
		if (h->buckets[i])
			s->buckets[at++] = (struct bucket){ i, (uint32_t)h->buckets[i] };
	memset(&h->buckets[first], 0, (last - first + 1) * sizeof h->buckets[0]);
	h->count = h->sum_ns = h->max_ns = 0;
	h->min_ns = UINT64_MAX;
}

void sparse_merge(struct histogram *into, const struct sparse *s)
{
	for (uint32_t i = 0; i < s->bucket_count; i++) {
		into->buckets[s->buckets[i].index] += s->buckets[i].count;
		into->count += s->buckets[i].count;
	}
	into->sum_ns += s->sum_ns;
	if (s->min_ns < into->min_ns)
		into->min_ns = s->min_ns;
	if (s->max_ns > into->max_ns)
		into->max_ns = s->max_ns;
}

struct series *series_create(uint64_t begin_ns, uint64_t step_ns, bool of_response)
{
	struct series *s = calloc(1, sizeof *s);
	if (!s)
		return NULL;
	s->begin_ns = s->start_ns = begin_ns;
	s->step_ns = step_ns;
	s->window = (struct window){ UINT64_MAX, UINT64_MAX };
	s->end_ns = series_edge_ns(begin_ns, step_ns, &s->window, begin_ns);
	s->of_response = of_response;
	histogram_init(&s->latencies);
	histogram_init(&s->unfinished);
	return s;
}

void series_destroy(struct series *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->intervals[i].latencies.buckets);
	free(s->intervals);
	free(s);
}

uint64_t series_edge_ns(
    uint64_t begin_ns, uint64_t step_ns, const struct window *w, uint64_t time_ns)
{
	uint64_t from_ns = begin_ns, until_ns = w->start_ns;
	if (time_ns >= w->end_ns) {
		from_ns = w->end_ns;
		until_ns = UINT64_MAX;
	} else if (time_ns >= w->start_ns) {
		from_ns = w->start_ns;
		until_ns = w->end_ns;
	}
	uint64_t steps = (time_ns - from_ns) / step_ns + 1;
	uint64_t edge_ns = from_ns + steps * step_ns;
	return edge_ns < until_ns ? edge_ns : until_ns;
}

/* Keeps the interval under way; the next one begins where it ends. */
static void close_interval(struct series *s)
{
	if (s->count == s->cap) {
		s->cap = s->cap ? 2 * s->cap : 256;
		s->intervals = grow(s->intervals, s->cap * sizeof *s->intervals);
	}
	struct interval *done = &s->intervals[s->count++];
	*done = (struct interval){
		.start_ns = s->start_ns,
		.answer_count = s->answer_count,
		.error_count = s->error_count,
		.open_count = s->open_count,
		.answered_count = s->answered_count,
	};
	sparse_store(&done->latencies, &s->latencies);
	s->answer_count = s->error_count = 0;
	s->start_ns = s->end_ns;
	s->end_ns = series_edge_ns(s->begin_ns, s->step_ns, &s->window, s->start_ns);
}

static inline void pass_to(struct series *s, uint64_t now_ns)
{
	while (now_ns >= s->end_ns)
		close_interval(s);
}

void series_tick(struct series *s, const struct window *w, uint64_t now_ns)
{
	s->window = *w;
	s->end_ns = series_edge_ns(s->begin_ns, s->step_ns, w, s->start_ns);
	pass_to(s, now_ns);
}

void series_answer(struct series *s, uint64_t now_ns, uint64_t service_ns)
{
	pass_to(s, now_ns);
	s->answer_count++;
	if (!s->of_response)
		histogram_record(&s->latencies, service_ns);
}

void series_response(struct series *s, uint64_t now_ns, uint64_t response_ns)
{
	pass_to(s, now_ns);
	histogram_record(&s->latencies, response_ns);
}

void series_unfinished(struct series *s, uint64_t age_ns)
{
	histogram_record(&s->unfinished, age_ns);
}

void series_error(struct series *s, uint32_t count, uint64_t now_ns)
{
	pass_to(s, now_ns);
	s->error_count += count;
}

void series_end(struct series *s, uint64_t now_ns)
{
	pass_to(s, now_ns);
	close_interval(s);
}

void series_read(struct series *s, struct series_row *row)
{
	while (s->read_count < s->count && s->intervals[s->read_count].start_ns < row->end_ns) {
		const struct interval *i = &s->intervals[s->read_count++];
		row->answer_count += i->answer_count;
		row->error_count += i->error_count;
		sparse_merge(&row->latencies, &i->latencies);
	}
	if (s->read_count) {
		row->open_count += s->intervals[s->read_count - 1].open_count;
		row->answered_count += s->intervals[s->read_count - 1].answered_count;
	}
}
