/*
 * figures_inline.c: gnuplot's SVG made at home in a page, element by element:
 *
 * - the inks of style.gp become the page's own, so a figure follows light and dark;
 * - what belongs to one server is marked with it ("d-epoll"), so the page can hide it: gnuplot
 *   wraps each plot in a group, and its colour says whose it is;
 * - gnuplot's script-driven hover texts become <title> elements, which need no script;
 * - the lines that stand behind in grey are the same in every panel: they are drawn in the first
 *   and shown again, moved, in the others;
 * - groups with nothing in them go, and digits that no screen can show.
 */
#include "harness/figures.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "harness/figures_style.h"
#include "harness/report_doc.h"
#include "lib/sys/die.h"

enum { GROUPS_MAX = 16, TAG_CAP = 256 };

struct pass {
	FILE *out;
	const struct report_data *data;
	const char *name; /* of the figure */
	struct group {
		char tag[TAG_CAP]; /* as it will be written; "" leaves it away */
		bool plot;         /* of one server, perhaps; its tag says so once that is known */
		bool known;
		bool behind;
		bool written;
	} groups[GROUPS_MAX]; /* open ones */
	size_t depth;
	enum { BEHIND_NONE, BEHIND_FIRST, BEHIND_DRAWN } behind;
	bool shown;              /* the clones of this panel are there */
	bool placed;
	double first_x, first_y; /* where the first panel's first line behind begins */
	char fill[64];           /* of the open path that gathers polygons; "" for none */
};

/* Inks and defaults, wherever they stand. Lines are "rgb(%3d, ...)", texts "rgb(%d,...)". */
static const struct {
	const char *from, *to;
} replacements[] = {
	{ " color=\"black\"", "" },
	{ " color=\"white\"", "" },
	{ " color=\"#FFFFFF\"", "" },
	{ " fill=\"none\"", "" },
	{ " class=\"gridline\"", "" },
	{ " font-family=\"sans-serif\"", "" },
	{ " font-size=\"13.00\"", "" },
	{ " fill=\"rgb(32,36,40)\"", "" },
	{ " stroke=\"none\"", "" },
	{ " stroke-linecap=\"butt\"", "" },
	{ " stroke-linejoin=\"miter\"", "" },
	{ "xlink:href", "href" },
	{ " fill-opacity = ", " fill-opacity=" },
	{ "'black'", "'currentColor'" },
	{ "\"black\"", "\"currentColor\"" },
	{ "rgb( 32,  36,  40)", "currentColor" },
	{ "rgb(106, 113, 120)", "var(--muted)" },
	{ "rgb(106,113,120)", "var(--muted)" },
	{ "rgb(227, 229, 232)", "var(--rule)" },
	{ "rgb(  0, 114, 178)", "var(--blue)" },
	{ "rgb(0,114,178)", "var(--blue)" },
	{ "'#FFFFFF'", "'var(--card)'" }, /* what keeps a line out of a hollow point */
};

static bool begins(const char *text, const char *with)
{
	return strncmp(text, with, strlen(with)) == 0;
}

/* What follows `mark`, or NULL. */
static const char *after(const char *text, const char *mark)
{
	const char *at = text ? strstr(text, mark) : NULL;
	return at ? at + strlen(mark) : NULL;
}

/* A number of the text with what a screen can show of it; returns what follows it. */
static const char *put_number(FILE *out, const char *at)
{
	char *end, digits[32];
	double value = strtod(at, &end);
	int decimals = fabs(value) < 10 ? 2 : 1;
	snprintf(digits, sizeof(digits), "%.*f", decimals, value);
	size_t len = strlen(digits);
	while (digits[len - 1] == '0')
		len--;
	len -= digits[len - 1] == '.';
	fwrite(digits, 1, len, out);
	return end;
}

/* "rgb(  0, 114, 178)" */
static const char *read_rgb(const char *at, int rgb[3])
{
	char text[24] = "";
	int len = 0;
	memcpy(text, at, strnlen(at, sizeof(text) - 1)); /* sscanf() would look for its end */
	return sscanf(text, "rgb(%d,%d,%d)%n", &rgb[0], &rgb[1], &rgb[2], &len) == 3 && len
	    ? at + len
	    : NULL;
}

static void put_colour(FILE *out, const int rgb[3])
{
	uint32_t style;
	bool behind;
	if (!figures_owner(rgb, &style, &behind))
		fprintf(out, "#%02x%02x%02x", (unsigned)rgb[0], (unsigned)rgb[1], (unsigned)rgb[2]);
	else
		fputs(behind ? "var(--behind)" : figures_page_colour(style), out);
}

/* From a tag's text, one step: a replacement, a number, blanks as one, or a character. */
static const char *put_step(FILE *out, const char *at)
{
	for (size_t i = 0; i < sizeof(replacements) / sizeof(*replacements); i++)
		if (begins(at, replacements[i].from)) {
			fputs(replacements[i].to, out);
			return at + strlen(replacements[i].from);
		}
	int rgb[3];
	const char *past = begins(at, "rgb(") ? read_rgb(at, rgb) : NULL;
	if (past) {
		put_colour(out, rgb);
		return past;
	}
	size_t digits = strspn(at, "0123456789");
	if (digits && at[digits] == '.')
		return put_number(out, at);
	if (digits) {
		fwrite(at, 1, digits, out);
		return at + digits;
	}
	if (isspace((unsigned char)*at)) {
		size_t blanks = strspn(at, " \t\n");
		if (!strchr("/'\">", at[blanks]))
			fputc(' ', out);
		return at + blanks;
	}
	fputc(*at, out);
	return at + 1;
}

static void put_tag(FILE *out, const char *at, size_t len)
{
	for (const char *end = at + len; at < end;)
		at = put_step(out, at);
}

/* --- groups: written when the first thing in them is --------------------------------------------- */

static void end_path(struct pass *p)
{
	if (p->fill[0])
		fputs("\"/>\n", p->out);
	p->fill[0] = '\0';
}

static void write_groups(struct pass *p)
{
	for (size_t i = 0; i < p->depth; i++) {
		struct group *g = &p->groups[i];
		if (!g->written)
			put_tag(p->out, g->tag, strlen(g->tag));
		g->written = true;
	}
}

/* The plots behind come first in a panel: this one is of them, or ends them. */
static void turn_behind(struct pass *p, bool behind)
{
	if (behind && p->behind == BEHIND_NONE) {
		fprintf(p->out, "<g id=\"behind-%s\">", p->name);
		p->behind = BEHIND_FIRST;
	} else if (!behind && p->behind == BEHIND_FIRST) {
		fputs("</g>\n", p->out);
		p->behind = BEHIND_DRAWN;
	}
	if (!behind)
		p->shown = false;
}

/* Learns from a colour whose plot this is; true when it stands behind. */
static bool learn_owner(struct pass *p, struct group *plot, const char *at, const char *end)
{
	int rgb[3];
	uint32_t style;
	bool behind;
	for (; (at = strstr(at, "rgb(")) && at < end; at++) {
		if (!read_rgb(at, rgb) || !figures_owner(rgb, &style, &behind))
			continue;
		for (size_t i = 0; i < p->data->server_count; i++)
			if (p->data->servers[i].style == style)
				snprintf(plot->tag, sizeof(plot->tag), "<g class=\"d-%s\">",
				    p->data->servers[i].name);
		plot->known = true;
		return behind;
	}
	return false;
}

/*
 * Before something is drawn: whose is it? False when it is not to be drawn, since it stands behind
 * and is in the first panel already.
 */
static bool begin_drawing(struct pass *p, const char *at, const char *end)
{
	struct group *plot = p->depth && p->groups[0].plot ? &p->groups[0] : NULL;
	if (plot && !plot->known) {
		plot->behind = learn_owner(p, plot, at, end);
		if (!plot->known && p->depth > 1)
			learn_owner(p, plot, p->groups[p->depth - 1].tag,
			    p->groups[p->depth - 1].tag + TAG_CAP);
		turn_behind(p, plot->behind);
	} else if (!plot) {
		turn_behind(p, false);
	}
	if (plot && plot->behind && p->behind == BEHIND_DRAWN)
		return false;
	write_groups(p);
	return true;
}

static void open_group(struct pass *p, const char *tag, size_t len)
{
	CHECK(p->depth < GROUPS_MAX && len < TAG_CAP);
	struct group *g = &p->groups[p->depth++];
	*g = (struct group){ .plot = begins(tag, "<g id=\"gnuplot_plot") };
	if (!g->plot)
		memcpy(g->tag, tag, len);
}

static void close_group(struct pass *p)
{
	end_path(p);
	if (!p->depth)
		return; /* the canvas */
	struct group *g = &p->groups[--p->depth];
	if (g->written && g->tag[0])
		fputs("</g>\n", p->out);
}

/* --- elements ------------------------------------------------------------------------------------ */

/* The first point of a path, "M12.5,30 ...". */
static bool path_begin(const char *at, const char *end, double *x, double *y)
{
	const char *begin = strstr(at, "'M");
	char *rest;
	if (!begin || begin >= end)
		return false;
	*x = strtod(begin + 2, &rest);
	*y = strtod(rest + 1, NULL);
	return true;
}

/* How far the first line behind is from where it is in the first panel: so far is this panel. */
static void place_clones(struct pass *p, const char *at, const char *end)
{
	double x, y;
	if (p->shown || !path_begin(at, end, &x, &y))
		return;
	fprintf(p->out, "<use href=\"#behind-%s\" x=\"%.1f\" y=\"%.1f\"/>\n", p->name,
	    x - p->first_x, y - p->first_y);
	p->shown = true;
}

/* Polygons of one colour that follow one another are one path. */
static void put_polygon(struct pass *p, const char *at)
{
	const char *fill = after(at, "fill = "), *points = strstr(at, " points = '");
	size_t len = (size_t)(points - fill);
	CHECK(len < sizeof(p->fill));
	if (!p->fill[0] || strncmp(fill, p->fill, len)) {
		end_path(p);
		memcpy(p->fill, fill, len);
		p->fill[len] = '\0';
		fputs("<path fill=", p->out);
		put_tag(p->out, fill, len);
		fputs(" stroke=\"none\" d=\"", p->out);
	}
	fputc('M', p->out);
	for (points += strlen(" points = '"); *points && *points != '\'';)
		points = put_step(p->out, points);
	fputc('Z', p->out);
}

/* `<g onmousemove="...(evt,'TEXT')" ...><title> </title><use ... translate(X,Y) .../></g>`, a hidden
 * point with a text. */
static const char *put_hover(struct pass *p, const char *at)
{
	const char *text = after(at, "(evt,'"), *end = strstr(text, "')\""),
		   *place = after(end, "translate("), *past = after(place, "</g>");
	begin_drawing(p, at, past);
	fputs("<circle class=\"h\" cx=\"", p->out);
	place = put_number(p->out, place);
	fputs("\" cy=\"", p->out);
	place = put_number(p->out, place + 1);
	fprintf(p->out, "\" r=\"8\"><title>%.*s</title></circle>\n", (int)(end - text), text);
	return past;
}

static const char *put_text(struct pass *p, const char *at)
{
	const char *text = strchr(at, '>') + 1, *end = strstr(text, "</text>");
	if (text + strspn(text, " ") < end && begin_drawing(p, at, end))
		fprintf(p->out, "<text>%.*s</text>", (int)(end - text), text);
	return end + strlen("</text>");
}

static void put_element(struct pass *p, const char *at, size_t len)
{
	static const char unseen[] = "opacity='0.00'";
	const char *end = at + len;
	if (memmem(at, len, unseen, strlen(unseen)))
		return; /* what gnuplot draws for a hover text that is empty */
	if (!begins(at, "<polygon"))
		end_path(p);
	if (!begin_drawing(p, at, end)) {
		place_clones(p, at, end);
		return;
	}
	if (p->behind == BEHIND_FIRST && !p->placed)
		p->placed = path_begin(at, end, &p->first_x, &p->first_y);
	if (begins(at, "<polygon"))
		put_polygon(p, at);
	else
		put_tag(p->out, at, len);
}

static void put_body(struct pass *p, const char *at)
{
	while ((at = strchr(at, '<')) && !begins(at, "</svg")) {
		size_t len = strcspn(at, ">") + 1;
		if (begins(at, "<title"))
			at = after(at, "</title>");
		else if (begins(at, "<g onmousemove"))
			at = put_hover(p, at);
		else if (begins(at, "<text"))
			at = put_text(p, at);
		else if (begins(at, "</g"))
			close_group(p), at += len;
		else if (begins(at, "<g"))
			open_group(p, at, len), at += len;
		else
			put_element(p, at, len), at += len;
	}
	end_path(p);
}

static char *read_file(const char *path)
{
	FILE *file = fopen(path, "r");
	if (!file)
		return NULL;
	fseek(file, 0, SEEK_END);
	long len = ftell(file);
	rewind(file);
	char *text = report_alloc((size_t)(len < 0 ? 0 : len) + 1);
	text[fread(text, 1, (size_t)(len < 0 ? 0 : len), file)] = '\0';
	fclose(file);
	return text;
}

void figures_inline(FILE *out, struct report_data *data, const char *run_folder,
    const struct figure *figure, bool with_symbols)
{
	char *svg
	    = read_file(report_printf(&data->pool, "%s/plots/%s.svg", run_folder, figure->name));
	const char *box = after(svg, "viewBox=\""), *symbols = strstr(svg ? svg : "", "<defs>");
	const char *body = after(svg, "</defs>");
	if (box && symbols && body) {
		struct pass pass = { .out = out, .data = data, .name = figure->name };
		fprintf(out, "<svg viewBox=\"%.*s\" role=\"img\" aria-label=\"",
		    (int)strcspn(box, "\""), box);
		report_html_escaped(out, figure->title, strlen(figure->title));
		fputs("\">\n", out);
		if (with_symbols)
			fwrite(symbols, 1, (size_t)(body - symbols), out);
		put_body(&pass, body);
		fputs("</svg>", out);
	}
	free(svg);
}
