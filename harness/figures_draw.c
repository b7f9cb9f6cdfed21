/*
 * figures_draw.c: from a head to a picture. gnuplot draws aside (NAME.svg.tmp); only a whole file
 * takes the place of NAME.svg, so a failure never leaves half a picture. No shell is between:
 * gnuplot is started with its arguments.
 */
#include "harness/figures.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "harness/figures_style.h"
#include "harness/report_assets.h"
#include "lib/sys/die.h"

extern char **environ;

enum { LABEL_GAP_PERCENT = 5, STOP_TEXT_MAX = 44, ROW_STOP_TEXT_MAX = 120, PANEL_HEIGHT = 226 };

/* Text of the store as gnuplot may have it: nothing that quotes, expands or separates. */
static void put_plain(FILE *out, const char *text, size_t most)
{
	for (size_t i = 0; text[i]; i++) {
		if (i >= most && text[i + 1]) {
			fputs("...", out);
			return;
		}
		bool allowed = strchr(" .,:;()/+-_=<>%", text[i])
		    || (text[i] >= '0' && text[i] <= '9') || (text[i] >= 'A' && text[i] <= 'Z')
		    || (text[i] >= 'a' && text[i] <= 'z');
		fputc(allowed ? text[i] : ' ', out);
	}
}

static int by_height(const void *left, const void *right)
{
	const struct figure_end *a = left, *b = right;
	return (a->y > b->y) - (a->y < b->y);
}

static double share_of_axis(const struct figure_head *h, double y)
{
	return h->y_log ? log(y / h->y_min) / log(h->y_max / h->y_min)
			: (y - h->y_min) / (h->y_max - h->y_min);
}

static double from_share(const struct figure_head *h, double share)
{
	return h->y_log ? h->y_min * pow(h->y_max / h->y_min, share)
			: h->y_min + share * (h->y_max - h->y_min);
}

/* Moves the labels of one panel apart: each at least a gap above the last, then down again from the
 * top. */
static void spread_labels(struct figure_head *h)
{
	const double gap = LABEL_GAP_PERCENT / 100.0;
	double share[FIGURE_SERVERS_MAX];
	qsort(h->ends, h->end_count, sizeof(*h->ends), by_height);
	for (size_t i = 0; i < h->end_count; i++) {
		share[i] = share_of_axis(h, h->ends[i].y);
		if (i && share[i] < share[i - 1] + gap)
			share[i] = share[i - 1] + gap;
	}
	double limit = 1;
	for (size_t i = h->end_count; i-- > 0; limit = share[i] - gap)
		if (share[i] > limit)
			share[i] = limit;
	for (size_t i = 0; i < h->end_count; i++)
		h->ends[i].label_y = from_share(h, share[i] < 0 ? 0 : share[i]);
}

/* How many panels stand beside one another; 1 when all servers share one. */
static size_t panel_columns(const struct figure_head *h)
{
	if (h->server_count == 0 || (h->server_count < FIGURE_PANELS_FROM && !h->panels))
		return 1;
	return h->server_count > 6 ? 4 : h->server_count > 4 ? 3 : h->server_count;
}

static void write_ends(FILE *out, const struct figure_head *h)
{
	bool small = h->rows || h->panels || h->server_count >= FIGURE_PANELS_FROM;
	fputs("$ends << EOD\n", out);
	for (size_t i = 0; i < h->end_count; i++) {
		const struct figure_end *e = &h->ends[i];
		if (!*e->text)
			continue;
		/* in a panel of its own the server's name stands above, so the end tells the value
		 */
		fprintf(out, "%s\t%.9g\t%.9g\t%.9g\t%s%s\n", e->server->name, e->x, e->y,
		    small ? e->y : e->label_y, small ? e->text : e->server->name,
		    !small && report_is_reference(e->server) ? " (reference)" : "");
	}
	fputs("EOD\n$stops << EOD\n", out);
	for (size_t i = 0; i < h->end_count; i++) {
		const struct figure_end *e = &h->ends[i];
		if (!e->stop)
			continue;
		fprintf(out, "%s\t%.9g\t%.9g\t", e->server->name, e->x, e->y);
		put_plain(out, e->stop, h->rows ? ROW_STOP_TEXT_MAX : STOP_TEXT_MAX);
		fputc('\n', out);
	}
	fputs("EOD\n", out);
}

static void write_words(FILE *out, const struct figure_head *h)
{
	fputs("servers = '", out);
	for (size_t i = 0; i < h->server_count; i++)
		fprintf(out, "%s%s", i ? " " : "", h->servers[i]->name);
	fputs("'\ncolours = '", out);
	for (size_t i = 0; i < h->server_count; i++)
		fprintf(out, "%s%s", i ? " " : "", figures_colour(h->servers[i]->style));
	fputs("'\nbehinds = '", out);
	for (size_t i = 0; i < h->server_count; i++)
		fprintf(out, "%s%s", i ? " " : "", figures_behind(h->servers[i]->style));
	fputs("'\npoints = '", out);
	for (size_t i = 0; i < h->server_count; i++)
		fprintf(out, "%s%d", i ? " " : "", figures_point(h->servers[i]->style));
	fputs("'\ndashes = '", out);
	for (size_t i = 0; i < h->server_count; i++)
		fprintf(out, "%s%d", i ? " " : "", figures_dash(h->servers[i]->family));
	fputs("'\n", out);
}

bool figures_write_script(const char *plots, struct report_data *data, struct figure_head *h)
{
	FILE *out = figures_open(plots, data, h->name, "gp");
	if (!out)
		return false;
	bool small = h->rows || h->panels || h->server_count >= FIGURE_PANELS_FROM;
	size_t columns = panel_columns(h), rows = (h->server_count + columns - 1) / columns;
	size_t row_height = h->panel_height ? (size_t)h->panel_height : PANEL_HEIGHT;
	spread_labels(h);
	fprintf(out, "# Draws %s.svg from %s.tsv: `gnuplot %s.gp` in this folder.\n", h->name,
	    h->name, h->name);
	fprintf(out, "name = '%s'\nwidth = %d\nheight = %d\n", h->name,
	    h->width ? h->width : small ? 1080 : 860,
	    h->height ? h->height : small ? 90 + (int)(rows * row_height) : 460);
	fprintf(out, "panels = %zu\npanel_columns = %zu\n", small ? h->server_count : 1, columns);
	write_words(out, h);
	fprintf(out, "x_min = %.9g\nx_max = %.9g\nx_log = %d\n", h->x_min, h->x_max, h->x_log);
	fprintf(out, "y_min = %.9g\ny_max = %.9g\ny_log = %d\n", h->y_min, h->y_max, h->y_log);
	if (h->extra)
		fputs(h->extra, out);
	write_ends(out, h);
	fprintf(out, "load 'style.gp'\n\n%s", report_asset(h->script));
	return figures_close(out, h->name);
}

/*
 * Starts gnuplot in the folder `plots`; -1 when it is not installed. With signals blocked: a Ctrl-C
 * that ends a run must not end the drawing of its report. (A process group of its own would come too
 * late for one that is sent right now.)
 */
static pid_t start_gnuplot(const char *plots, const char *name, const char *log)
{
	char script[128], out[160];
	snprintf(script, sizeof(script), "%s.gp", name);
	snprintf(out, sizeof(out), "out = '%s.svg.tmp'", name);
	char *argv[] = { (char[]){ "gnuplot" }, (char[]){ "-e" }, out, script, NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t undisturbed;
	sigset_t stop_signals;
	pid_t pid;
	sigemptyset(&stop_signals);
	sigaddset(&stop_signals, SIGINT);
	sigaddset(&stop_signals, SIGTERM);
	sigaddset(&stop_signals, SIGHUP);
	posix_spawnattr_init(&undisturbed);
	posix_spawnattr_setsigmask(&undisturbed, &stop_signals);
	posix_spawnattr_setflags(&undisturbed, POSIX_SPAWN_SETSIGMASK);
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addchdir_np(&actions, plots);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&actions, 2, log, O_WRONLY | O_CREAT | O_TRUNC, 0666);
	int error = posix_spawnp(&pid, "gnuplot", &actions, &undisturbed, argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&undisturbed);
	return error ? -1 : pid;
}

/* Its exit status. */
static int wait_for(pid_t pid)
{
	int status = 0;
	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* True when the file ends as an SVG does. */
static bool whole_svg(const char *path)
{
	FILE *file = fopen(path, "r");
	char tail[16] = "";
	if (!file)
		return false;
	if (fseek(file, -8, SEEK_END) == 0)
		tail[fread(tail, 1, 8, file)] = '\0';
	fclose(file);
	return strstr(tail, "</svg>") != NULL;
}

static void print_log(const char *path)
{
	FILE *file = fopen(path, "r");
	char line[512];
	for (int i = 0; file && i < 5 && fgets(line, sizeof(line), file);)
		if (line[strspn(line, " \t\n^")]) {
			fprintf(stderr, "    %s", line);
			i++;
		}
	if (file)
		fclose(file);
}

/* Puts in place what gnuplot has drawn, or says why it has not. */
static void take_picture(const char *plots, struct report_data *data, struct figures *figures,
    struct figure *figure, int status)
{
	const char *drawn = report_printf(&data->pool, "%s/%s.svg", plots, figure->name);
	const char *aside = report_printf(&data->pool, "%s.tmp", drawn);
	const char *log = report_printf(&data->pool, "%s/%s.log", plots, figure->name);
	if (status == 0 && whole_svg(aside) && rename(aside, drawn) == 0) {
		figure->drawn = true;
	} else {
		warn_line("report: gnuplot could not draw %s.gp (exit %d):", figure->name, status);
		print_log(log);
		figures->failed++;
		unlink(aside);
	}
}

void figures_draw(const char *plots, struct report_data *data, struct figures *figures)
{
	pid_t pids[FIGURES_MAX];
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	size_t most = cpus > 1 ? (size_t)cpus : 1;
	for (size_t begun = 0, ended = 0; ended < figures->count;) {
		if (begun < figures->count && begun - ended < most) {
			const char *name = figures->item[begun].name;
			unlink(report_printf(&data->pool, "%s/%s.svg", plots, name));
			pids[begun++] = start_gnuplot(
			    plots, name, report_printf(&data->pool, "%s.log", name));
			continue;
		}
		struct figure *figure = &figures->item[ended];
		if (pids[ended] < 0)
			figures->no_gnuplot = true;
		else
			take_picture(plots, data, figures, figure, wait_for(pids[ended]));
		unlink(report_printf(&data->pool, "%s/%s.log", plots, figure->name));
		ended++;
	}
}
