/*
 * figures.h: the run's figures, each as three files in RUN/plots: NAME.tsv (what is drawn), NAME.gp
 * (draws it with `gnuplot NAME.gp` in that folder) and NAME.svg. A .gp is a head made here
 * (servers, colours, ranges, labels) and the script of scripts/plots, which this program carries
 * inside it; style.gp and panels.gp lie beside.
 */
#ifndef FIGURES_H
#define FIGURES_H

#include <stdbool.h>
#include <stdio.h>

#include "harness/report_data.h"

enum { FIGURES_MAX = 48 };

struct figure {
	const char *name;    /* "throughput", "percentiles-1000" */
	const char *title;   /* markup */
	const char *see;     /* markup: what to see */
	const char *misread; /* markup: a common misreading */
	bool empty;          /* this run has no data for it; it is a labelled frame */
	bool drawn;          /* NAME.svg is there */
	bool folded;         /* of lesser interest: shown on demand */
};

struct figures {
	struct figure item[FIGURES_MAX];
	size_t count;
	bool no_gnuplot; /* it is not installed: no .svg at all */
	size_t failed;   /* figures that gnuplot could not draw; each was told on standard error */
};

/* Writes all files. False when a file cannot be written (told on standard error). */
bool figures_make(struct report_data *data, const char *run_folder, struct figures *figures);

/*
 * NAME.svg as an inline element of a page. The shapes of points are defined once for the whole
 * page: in the first figure, with_symbols.
 */
void figures_inline(FILE *out, struct report_data *data, const char *run_folder,
    const struct figure *figure, bool with_symbols);

/* --- between the figures' own files ------------------------------------------------------------
 */

enum { FIGURE_SERVERS_MAX = 64, FIGURE_PANELS_FROM = 7 };

/* A line's end: what stands there, and where after labels were moved apart. */
struct figure_end {
	const struct report_server *server;
	double x, y, label_y;
	const char *text;
	const char *stop; /* why it ends early; NULL when it does not */
};

struct figure_head {
	const char *name, *script; /* "percentiles-1000", "percentiles.gp" */
	const struct report_server *servers[FIGURE_SERVERS_MAX];
	size_t server_count;
	bool panels;      /* one for each server, however few; with many there are anyway */
	bool rows;        /* one for each server, in a single panel */
	int panel_height; /* px, with the gap below; 0: as usual */
	double x_min, x_max, y_min, y_max;
	bool x_log, y_log;
	int width, height; /* pixels; 0: as its panels need */
	const char *extra; /* further lines of gnuplot, each with its line end; may be NULL */
	struct figure_end ends[FIGURE_SERVERS_MAX];
	size_t end_count;
};

/* NAME.gp from its head; style.gp beside it. */
bool figures_write_script(const char *plots, struct report_data *data, struct figure_head *head);
/* Runs gnuplot on every NAME.gp, as many at a time as there are CPUs. Sets `drawn` of each figure,
 * figures->no_gnuplot and figures->failed. */
void figures_draw(const char *plots, struct report_data *data, struct figures *figures);
/* Adds one figure per load of the experiment throughput. */
bool figures_percentiles(struct report_data *data, const char *plots, struct figures *figures);
/* A run in time, and where its answers were. */
bool figures_time(struct report_data *data, const char *plots, struct figures *figures);
/* Lines of a server's source against what a request costs. */
bool figures_code(struct report_data *data, const char *plots, struct figures *figures);
/* Adds the figure of the experiment latency. */
bool figures_latency(struct report_data *data, const char *plots, struct figures *figures);
/* Ticks as gnuplot has them, with labels or bare: of a linear axis of rates (0, 20k, 40k; few
 * enough for a narrow panel), and of a log axis of times in us (1ms, 10ms). */
const char *figures_rate_tics(struct report_data *data, double max, bool told);
const char *figures_time_tics(struct report_data *data, double min, double max, bool told);
/* "\t1.5", or "\t" of what is not known. */
void figures_put_value(FILE *out, double value);
/* Adds the figure of experiment ledger, if it was measured. */
bool figures_syscalls(struct report_data *data, const char *plots, struct figures *figures);
/* Opens RUN/plots/NAME.ext for writing; NULL after a line on standard error. */
FILE *figures_open(
    const char *plots, struct report_data *data, const char *name, const char *extension);
/* Closes it; false after a line on standard error when not all was written. */
bool figures_close(FILE *file, const char *name);

#endif
