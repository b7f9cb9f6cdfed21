/*
 * figures_style.h: one colour, one point type and one dash for a server, in every figure and in the
 * page. Known servers have theirs by name, so that two runs look alike; others get the next free
 * ones in the order of their names. Colours are Okabe and Ito's six (Color Universal Design, 2008);
 * point types keep apart what shares one.
 */
#ifndef FIGURES_STYLE_H
#define FIGURES_STYLE_H

#include <stdbool.h>

#include "harness/report_data.h"

/* Sets every server's `style` and sorts the servers by it. */
void figures_style_assign(struct report_server *servers, size_t count);

/*
 * "#0072B2" and a grey for lines behind others, for gnuplot. Servers share colours, and gnuplot
 * leaves no name on what it draws: so the last three bits of green and blue, which no eye tells
 * apart, say whose it is.
 */
const char *figures_colour(uint32_t style);
const char *figures_behind(uint32_t style);
/* Back from such a colour; false for any other. */
bool figures_owner(const int rgb[3], uint32_t *style, bool *behind);
/* As CSS has it: what is too dark for the dark page is a variable. */
const char *figures_page_colour(uint32_t style);
int figures_point(uint32_t style); /* gnuplot's filled point type; less one: the hollow one */
const char *figures_mark(uint32_t style); /* the same shape in Unicode: "25CF" */
int figures_dash(const char *family);     /* gnuplot's dash type */

#endif
