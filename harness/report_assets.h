/*
 * report_assets.h: the files that the report carries inside the program, from their one place in
 * the source tree.
 */
#ifndef REPORT_ASSETS_H
#define REPORT_ASSETS_H

struct report_asset {
	const char *name; /* "report.css", "style.gp" */
	const char *text; /* ends with a NUL */
};

/* The asset of that name; it exists. */
const char *report_asset(const char *name);

#endif
