/*
 * summary.c: the report's sentences without their markup, broken into lines. A sentence that
 * compares twenty servers is long: after four lines it is cut, and the report has the rest.
 */
#include "harness/summary.h"

#include <stdio.h>
#include <string.h>

#include "harness/report_answers.h"

enum { ANSWERS = 6, TOPIC_WIDTH = 20, WIDTH = 80, LINES_MAX = 4, WORD_CAP = 256 };

static const char bold[] = "\033[1m", plain[] = "\033[0m";

/* The next word of the markup, ended by white space, without its marks; NULL at the end. */
static const char *take_word(const char *at, char word[WORD_CAP], bool *strong)
{
	size_t len = 0;
	*strong = false;
	while (*at == ' ' || *at == '\n')
		at++;
	if (!*at)
		return NULL;
	for (; *at && *at != ' ' && *at != '\n'; at++) {
		if (!strncmp(at, "**", 2)) {
			*strong = true;
			at++;
			continue;
		}
		if (strchr("{}`", *at))
			continue;
		if (*at == '\\' && at[1])
			at++;
		if (len + 1 < WORD_CAP)
			word[len++] = *at;
	}
	word[len] = '\0';
	return at;
}

/* Is a strong piece open behind this much of the text? */
static bool is_open(const char *text, const char *end)
{
	bool open = false;
	for (const char *at = text; at < end; at++)
		if (!strncmp(at, "**", 2)) {
			open = !open;
			at++;
		}
	return open;
}

static void print_text(const char *topic, const char *text, bool colour)
{
	char word[WORD_CAP];
	bool strong;
	int column = TOPIC_WIDTH, lines = 1;
	printf("  %s%-*s%s", colour ? bold : "", TOPIC_WIDTH - 2, topic, colour ? plain : "");
	for (const char *at = text, *next; (next = take_word(at, word, &strong)); at = next) {
		int len = (int)strlen(word);
		if (column + 1 + len > WIDTH - (lines == LINES_MAX ? 4 : 0)) {
			if (lines++ == LINES_MAX) {
				printf(" ...");
				break;
			}
			printf("\n%*s", TOPIC_WIDTH, "");
			column = TOPIC_WIDTH;
		}
		bool marked = colour && (strong || is_open(text, at));
		printf(" %s%s%s", marked ? bold : "", word, marked ? plain : "");
		column += 1 + len;
	}
	putchar('\n');
}

void summary_print_answers(const char *run_folder, bool colour)
{
	struct report_data data;
	if (report_data_open(&data, run_folder)) {
		struct report_answer answers[REPORT_ANSWERS_MAX];
		struct report_grade grade;
		char topic[] = "Grade A";
		report_grade(&data, &grade);
		topic[strlen(topic) - 1] = grade.letter;
		putchar('\n');
		print_text(topic, grade.reason_count ? grade.reasons[0] : "", colour);
		size_t count = report_answers(&data, answers);
		for (size_t i = 0; i < count && i < ANSWERS; i++)
			print_text(answers[i].topic, answers[i].text, colour);
	}
	report_data_close(&data);
}

void summary_print_cells(
    const struct progress *p, const char *run_folder, uint64_t spent_ns, bool has_report)
{
	char time_text[32];
	printf("\n  %u of %u cells in %s%s", p->done_count, p->cell_count,
	    progress_format_time(spent_ns, time_text, sizeof(time_text)), p->done_count ? ":" : "");
	for (int i = 0; i < VERDICT_COUNT; i++)
		if (p->verdicts[i])
			printf(" %u %s", p->verdicts[i], verdict_names[i]);
	printf("\n  %s/%s\n", run_folder, has_report ? "report.html" : "cells.csv");
	if (p->done_count < p->cell_count)
		printf("  c10k bench --resume %s goes on with the missing ones\n", run_folder);
	fflush(stdout);
}
