/*
 * report_answers_mixed.c: what light requests wait for heavy ones, against `thread`, whose threads
 * the kernel preempts. Models are told by how they share a CPU: one loop that does everything;
 * loops or executors that could share their work, had they more than one CPU, and the one that
 * hands it on (block_in_place); threads and processes, which the kernel takes the CPU from; and
 * threads that take requests in batches.
 */
#include "harness/report_answers.h"

#include <string.h>

#include "harness/report_phrases.h"

enum sharing { ONE_LOOP, SEVERAL_LOOPS, HANDED_ON, PREEMPTED, BATCHED, SHARING_COUNT };

static enum sharing sharing_of(const struct report_server *server)
{
	if (!strcmp(server->name, "epoll-oneshot"))
		return BATCHED;
	if (!strcmp(server->name, "tokio"))
		return HANDED_ON;
	if (!strcmp(server->family, "thread") || !strcmp(server->family, "process"))
		return PREEMPTED;
	bool workers = !strcmp(server->family, "runtime") && strcmp(server->name, "tokio-current");
	return workers || !strcmp(server->name, "percore") ? SEVERAL_LOOPS : ONE_LOOP;
}

const char *report_answer_mixed(struct report_data *data)
{
	static const char *const intros[SHARING_COUNT] = {
		[ONE_LOOP] = "Where one loop does everything they wait behind the heavy one",
		[SEVERAL_LOOPS] = "Percore and these runtimes have one worker here, and nobody to share "
				  "with",
		[HANDED_ON] = "Where the heavy one's thread first hands the others to another, it is "
			      "preempted for them",
		[PREEMPTED] = "Other threads and processes are preempted, too",
		[BATCHED] = "Threads that take events in batches are preempted, but what came in a "
			    "batch with a heavy one waits for it",
	};
	struct report_pool *pool = &data->pool;
	struct report_cell_row load = phrase_largest_load(data, "mixed");
	const struct report_point *thread
	    = report_point(data, "mixed", "thread", load.connections, load.idle);
	struct phrase_words groups[SHARING_COUNT] = { 0 };
	uint32_t block_count = 0;
	if (!report_usable(thread) || !thread->metric[METRIC_P99_US].count)
		return NULL;
	for (size_t i = 0; i < data->point_count; i++) {
		const struct report_point *p = &data->points[i];
		if (p == thread || !report_ranked(p) || !report_usable(p)
		    || !report_same_load(p->cells, thread->cells))
			continue;
		struct estimate ratio = report_compare(data, p, thread, METRIC_P99_US).ratio;
		if (!ratio.count)
			continue;
		block_count = ratio.count > block_count ? ratio.count : block_count;
		phrase_add(&groups[sharing_of(p->cells->server)],
		    report_printf(pool, "%s **%s**", phrase_name(data, p), report_ratio(pool, ratio)));
	}
	const char *text = report_printf(pool,
	    "One request in 200 computes for 10 ms, at %s requests/s on %s connections: with %s the "
	    "p99 of the others is **%s**, and the following are times that%s.",
	    report_value(pool, REPORT_RATE, thread->metric[METRIC_OFFERED_PER_S].median),
	    report_whole(pool, (double)load.connections), phrase_name(data, thread),
	    report_interval(pool, REPORT_US, thread->metric[METRIC_P99_US]),
	    block_count < ESTIMATE_PAIRS_MIN ? " (too few blocks to decide)" : "");
	for (int i = 0; i < SHARING_COUNT; i++)
		if (groups[i].count)
			text = report_printf(
			    pool, "%s\n%s: %s.", text, intros[i], phrase_join(data, &groups[i]));
	return block_count ? report_printf(pool, "%s%s", text, phrase_not_shown(data, thread->cells))
			   : NULL;
}
