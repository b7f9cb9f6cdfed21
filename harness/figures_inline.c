/*
 * figures_inline.c: gnuplot's SVG made at home in a page. The inks of style.gp become the page's
 * own, so a figure follows light and dark; gnuplot's script-driven hover texts become <title>
 * elements, which need no script; ids and empty groups go. Everything else stays as gnuplot drew
 * it.
 */
#include "harness/figures.h"

#include <stdlib.h>
#include <string.h>

#include "harness/report_doc.h"

/* What is replaced wherever it stands outside of text. */
static const struct {
	const char *from, *to;
} replacements[] = {
	{ " color=\"black\"", "" },
	{ " color=\"white\"", "" },
	{ "\"black\"", "\"currentColor\"" },
	{ "'black'", "'currentColor'" },
	/* lines are "rgb(%3d, ...)", texts "rgb(%d,...)" */
	{ "rgb( 32,  36,  40)", "currentColor" },
	{ "rgb(32,36,40)", "currentColor" },
	{ "rgb(106, 113, 120)", "var(--muted)" },
	{ "rgb(106,113,120)", "var(--muted)" },
	{ "rgb(227, 229, 232)", "var(--rule)" },
	{ "rgb(195, 200, 206)", "var(--behind)" },
	{ "rgb(  0, 114, 178)", "var(--blue)" },
	{ "rgb(0,114,178)", "var(--blue)" },
	{ "'#FFFFFF'", "'var(--card)'" }, /* what keeps a line out of a hollow point */
	{ " font-family=\"sans-serif\"", "" },
	{ " stroke-linecap=\"butt\" stroke-linejoin=\"miter\"", "" },
	{ "<g onmousemove=\"gnuplot_svg.showHypertext(evt,'", "<g class=\"h\"><title>" },
	{ "')\" onmouseout=\"gnuplot_svg.hideHypertext()\"><title> </title>", "</title>" },
};

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

/* What follows `mark`, or NULL. */
static const char *after(const char *text, const char *mark)
{
	const char *at = text ? strstr(text, mark) : NULL;
	return at ? at + strlen(mark) : NULL;
}

/* Past an element group with nothing in it, or a title of gnuplot's own making; NULL if neither is
 * here. */
static const char *skip_useless(const char *at)
{
	if (!strncmp(at, "<g fill=", 8)) {
		const char *end = after(at, ">");
		end = end ? end + strspn(end, " \t\n") : NULL;
		return end && !strncmp(end, "</g>\n", 5) ? end + 5 : NULL;
	}
	return NULL;
}

static void put_body(FILE *out, const char *at)
{
	while (*at) {
		const char *past = skip_useless(at);
		if (past) {
			at = past;
			continue;
		}
		if (!strncmp(at, "<g id=\"", 7) && (past = after(at, "</title>"))) {
			fputs("<g>", out);
			at = past;
			continue;
		}
		size_t i = 0;
		while (i < sizeof(replacements) / sizeof(*replacements)
		    && strncmp(at, replacements[i].from, strlen(replacements[i].from)))
			i++;
		if (i < sizeof(replacements) / sizeof(*replacements)) {
			fputs(replacements[i].to, out);
			at += strlen(replacements[i].from);
		} else {
			fputc(*at++, out);
		}
	}
}

void figures_inline(FILE *out, struct report_data *data, const char *run_folder,
    const struct figure *figure, bool with_symbols)
{
	char *svg
	    = read_file(report_printf(&data->pool, "%s/plots/%s.svg", run_folder, figure->name));
	const char *box = after(svg, "viewBox=\""), *symbols = strstr(svg ? svg : "", "<defs>");
	const char *body = after(svg, "</defs>");
	if (box && symbols && body) {
		fprintf(out, "<svg viewBox=\"%.*s\" role=\"img\" aria-label=\"",
		    (int)strcspn(box, "\""), box);
		report_html_escaped(out, figure->title, strlen(figure->title));
		fputs("\">\n", out);
		if (with_symbols)
			fwrite(symbols, 1, (size_t)(body - symbols), out);
		fputs("<g>", out);
		put_body(out, body);
	}
	free(svg);
}
