/* compare.c: the command, and the table on the terminal: 80 columns, colours where they are wanted. */
#include "harness/compare.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "harness/compare_doc.h"
#include "harness/provenance.h"
#include "harness/report_sections.h"
#include "lib/sys/die.h"

enum { EXIT_GATE = 3 };

static const char help_text[] =
    "Examples:\n"
    "  c10k compare results/before results/after\n"
    "  c10k compare main branch --threshold 10 --markdown comment.md    a gate: exit 3\n"
    "  c10k compare here there --normalise --html compare.html          other machine\n"
    "\n"
    "Usage: c10k compare A B [options]\n"
    "\n"
    "Compares run B with run A, the same server under the same load: requests/s, p99, CPU a\n"
    "request, memory a connection, as ratios B / A over the blocks with 95% intervals.\n"
    "\n"
    "      --threshold PERCENT  worse by more than this, with its whole interval, is a\n"
    "                           regression (5); so is what has no figures in B any more\n"
    "      --normalise          compare shares of each run's own epoll, block by block: runs\n"
    "                           of two machines are not comparable otherwise\n"
    "      --markdown FILE      all comparisons as Markdown\n"
    "      --html FILE          all comparisons as one HTML page\n"
    "  -h, --help               this text\n"
    "\n"
    "The terminal shows what each load is about first, and of the rest what is decided.\n"
    "Exit: 0 no regression, 1 failed, 2 usage, or not comparable, 3 a regression.\n";

struct options {
	const char *runs[2];
	const char *markdown, *html;
	double threshold;
	bool normalise;
};

static double parse_percent(const char *text)
{
	char *end;
	double percent = strtod(text, &end);
	if (end == text || *end || !(percent >= 0 && percent < 100))
		usage_die("compare: --threshold %s: give a percentage from 0 to 99, such as 5", text);
	return percent / 100;
}

static void parse(struct options *o, int argc, char **argv)
{
	static const struct option long_options[] = { { "threshold", required_argument, NULL, 't' },
		{ "normalise", no_argument, NULL, 'n' }, { "markdown", required_argument, NULL, 'm' },
		{ "html", required_argument, NULL, 'w' }, { "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 } };
	*o = (struct options){ .threshold = 0.05 };
	opterr = 0;
	for (int option; (option = getopt_long(argc, argv, ":h", long_options, NULL)) != -1;) {
		switch (option) {
		case 'h': fputs(help_text, stdout); exit(0);
		case 't': o->threshold = parse_percent(optarg); break;
		case 'n': o->normalise = true; break;
		case 'm': o->markdown = optarg; break;
		case 'w': o->html = optarg; break;
		case ':': usage_die("compare: %s needs a value", argv[optind - 1]);
		default: usage_die("compare: unknown option %s (c10k compare --help lists them)",
		    usage_refused(argv));
		}
	}
	if (argc - optind != 2)
		usage_die("compare: give the folders of two runs: c10k compare A B");
	memcpy(o->runs, argv + optind, sizeof(o->runs));
}

/* --- may they be compared? ------------------------------------------------------------------- */

/* "kernel, governor": the facts of these parts that differ; "" for none. */
static const char *differing(struct report_data *a, const struct report_data *b,
    enum provenance_part first, enum provenance_part last)
{
	const char *names = "";
	for (size_t i = 0; i < provenance_fact_count; i++) {
		const struct provenance_fact *fact = &provenance_facts[i];
		if (fact->part < first || fact->part > last ||
		    !strcmp(report_key(a, fact->key), report_key(b, fact->key)))
			continue;
		names = report_printf(&a->pool, "%s%s%s", names, *names ? ", " : "", fact->name);
	}
	return names;
}

static void open_runs(const struct options *o, struct report_data data[2])
{
	for (int i = 0; i < 2; i++)
		if (!report_data_open(&data[i], o->runs[i]))
			exit(1);
	const char *machine =
	    differing(&data[0], &data[1], PROVENANCE_MACHINE, PROVENANCE_MACHINE);
	if (*machine && !o->normalise)
		usage_die("compare: not the same machine (%s): add --normalise to compare shares of each "
		    "run's own " COMPARE_REFERENCE ", or measure both on one", machine);
	for (int i = 0; i < 2 && o->normalise; i++)
		if (!compare_normalise(&data[i]))
			usage_die("compare: %s has no figures of " COMPARE_REFERENCE " to compare with: "
			    "measure it in the same run", o->runs[i]);
}

/* --- the table ------------------------------------------------------------------------------- */

static const char *colour_of(const struct compared *item)
{
	const char *no_colour = getenv("NO_COLOR"), *terminal = getenv("TERM");
	if (!isatty(STDOUT_FILENO) || (no_colour && *no_colour) ||
	    (terminal && !strcmp(terminal, "dumb")))
		return "";
	switch (item->outcome) {
	case COMPARE_BETTER: return "\033[32m";
	case COMPARE_WORSE:
	case COMPARE_LOST: return item->regression ? "\033[1;31m" : "\033[31m";
	case COMPARE_TIE:
	case COMPARE_UNDECIDED:
	case COMPARE_LIMITED:
	case COMPARE_OUTCOMES: break;
	}
	return "\033[2m";
}

static void print_row(const struct compare_doc *d, const struct compared *item)
{
	struct report_pool *pool = &d->b->pool;
	enum report_unit unit = compare_unit(d, item);
	const char *colour = colour_of(item);
	printf("  %-14.14s %-11.11s %9s %9s  %-18s  %s%s%s%s\n", item->a->cells->server->name,
	    report_metrics[item->metric].title,
	    report_value(pool, unit, item->a->metric[item->metric].median),
	    report_value(pool, unit, item->b->metric[item->metric].median),
	    report_ratio(pool, item->ratio), colour, compare_word(item),
	    item->regression ? " !" : "", *colour ? "\033[0m" : "");
}

static void print_table(const struct compare_doc *d)
{
	struct report r = { .data = d->b };
	const struct report_cell_row *load = NULL;
	const struct comparisons *c = d->comparisons;
	printf("\n  %-14s %-11s %9s %9s  %-18s  %s\n", "server", "", "A", "B", "B / A", "verdict");
	for (size_t i = 0; i < c->count; i++) {
		const struct compared *item = &c->items[i];
		bool decided = item->outcome == COMPARE_BETTER || item->outcome == COMPARE_WORSE;
		if (!decided && !compare_is_first(item))
			continue;
		if (!load || !report_same_load(load, item->a->cells))
			printf("\n%s, clients: %s%s\n", item->a->cells->experiment,
			    report_load(&r, item->a->cells),
			    item->a->cells->requests_per_conn
				? report_printf(&d->b->pool, ", %ld requests each",
				      item->a->cells->requests_per_conn) : "");
		load = item->a->cells;
		print_row(d, item);
	}
}

int compare_main(int argc, char **argv)
{
	struct options o;
	struct report_data data[2];
	struct comparisons comparisons;
	parse(&o, argc, argv);
	open_runs(&o, data);
	compare_runs(&comparisons, &data[0], &data[1], o.normalise, o.threshold);
	if (comparisons.count == 0)
		usage_die("compare: %s and %s have no server under the same load in common", o.runs[0],
		    o.runs[1]);
	struct compare_doc d = { &data[0], &data[1], &comparisons, o.normalise, o.threshold,
		differing(&data[0], &data[1], PROVENANCE_MACHINE, PROVENANCE_VERSIONS) };
	printf("A  %s\nB  %s\n", compare_run_words(&data[0]), compare_run_words(&data[1]));
	if (*d.differences)
		printf("   differs: %s (c10k diff-env says how)\n", d.differences);
	if (o.normalise)
		printf("   figures are shares of each run's own " COMPARE_REFERENCE "\n");
	print_table(&d);
	printf("\n%s\n%s\n", compare_sum_words(&d), compare_gate_words(&d));
	bool written = (!o.markdown && !o.html) || compare_doc_write(&d, o.markdown, o.html);
	int code = !written ? 1 : comparisons.regressions ? EXIT_GATE : 0;
	compare_free(&comparisons);
	report_data_close(&data[0]);
	report_data_close(&data[1]);
	return code;
}
