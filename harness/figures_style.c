/*
 * figures_style.c: the palette. A style is a server's number in the order of the report; it gives
 * the colour and the shape. Six colours do not suffice for so many servers: those that share one
 * differ in shape, and by family in dash; with so many each has a panel of its own. Hollow shapes
 * are never a server's own: they mean client-limited.
 */
#include "harness/figures_style.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERMILION, ORANGE, PURPLE, BLUE, SKY, GREEN, COLOURS };
enum { SQUARE, TRIANGLE_DOWN, DIAMOND, CIRCLE, TRIANGLE, PENTAGON, SHAPES };

/* In the order of the report: from a thread for each connection to completions. */
static const struct known {
	const char *name;
	uint32_t colour;
	uint32_t shape;
} known[] = {
	{ "iterative", PURPLE, SQUARE },
	{ "fork", ORANGE, CIRCLE },
	{ "prefork", SKY, SQUARE },
	{ "thread", VERMILION, SQUARE },
	{ "threadpool", GREEN, PENTAGON },
	{ "select", ORANGE, TRIANGLE_DOWN },
	{ "poll", PURPLE, DIAMOND },
	{ "epoll", BLUE, CIRCLE },
	{ "epoll-et", SKY, CIRCLE },
	{ "epoll-oneshot", VERMILION, DIAMOND },
	{ "percore", BLUE, TRIANGLE },
	{ "libev", SKY, TRIANGLE },
	{ "libevent", PURPLE, PENTAGON },
	{ "libuv", ORANGE, SQUARE },
	{ "linux-aio", VERMILION, TRIANGLE_DOWN },
	{ "io_uring", GREEN, DIAMOND },
	{ "coro", BLUE, PENTAGON },
	{ "asio", GREEN, SQUARE },
	{ "tokio", VERMILION, PENTAGON },
	{ "tokio-current", ORANGE, PENTAGON },
	{ "smol", GREEN, TRIANGLE },
	{ "async-std", PURPLE, TRIANGLE_DOWN },
	{ "go", SKY, DIAMOND },
	{ "nginx", GREEN, CIRCLE },
};
enum { KNOWN = sizeof(known) / sizeof(*known) };

static uint32_t known_style(const char *name)
{
	for (uint32_t i = 0; i < KNOWN; i++)
		if (!strcmp(known[i].name, name))
			return i;
	return KNOWN;
}

static int by_style_and_name(const void *left, const void *right)
{
	const struct report_server *a = left, *b = right;
	if (a->style != b->style)
		return a->style < b->style ? -1 : 1;
	return strcmp(a->name, b->name);
}

void figures_style_assign(struct report_server *servers, size_t count)
{
	for (size_t i = 0; i < count; i++)
		servers[i].style = known_style(servers[i].name);
	if (count)
		qsort(servers, count, sizeof(*servers), by_style_and_name);
	uint32_t next = KNOWN;
	for (size_t i = 0; i < count; i++)
		if (servers[i].style == KNOWN)
			servers[i].style = next++;
}

enum { STYLES = 64, OWNER_BITS = 3, OWNER_MASK = (1 << OWNER_BITS) - 1, GREY = 0xc3c8ce };
static const int colours[COLOURS] = {
	[VERMILION] = 0xd55e00,
	[ORANGE] = 0xe69f00,
	[PURPLE] = 0xcc79a7,
	[BLUE] = 0x0072b2,
	[SKY] = 0x56b4e9,
	[GREEN] = 0x009e73,
};

static uint32_t colour(uint32_t style)
{
	return style < KNOWN ? known[style].colour : style % COLOURS;
}

static int without_owner(int rgb)
{
	return rgb & ~(OWNER_MASK << 8 | OWNER_MASK);
}

static const char *owned(int rgb, uint32_t style, char out[8])
{
	int owner = (int)(style % STYLES);
	snprintf(out, 8, "#%06X",
	    (unsigned)(without_owner(rgb) | owner >> OWNER_BITS << 8 | (owner & OWNER_MASK)));
	return out;
}

const char *figures_colour(uint32_t style)
{
	static char text[STYLES][8];
	return owned(colours[colour(style)], style, text[style % STYLES]);
}

const char *figures_behind(uint32_t style)
{
	static char text[STYLES][8];
	return owned(GREY, style, text[style % STYLES]);
}

bool figures_owner(const int rgb[3], uint32_t *style, bool *behind)
{
	int all = rgb[0] << 16 | rgb[1] << 8 | rgb[2];
	*style = (uint32_t)((rgb[1] & OWNER_MASK) << OWNER_BITS | (rgb[2] & OWNER_MASK));
	*behind = without_owner(all) == without_owner(GREY);
	return *behind || without_owner(all) == without_owner(colours[colour(*style)]);
}

const char *figures_page_colour(uint32_t style)
{
	static char text[COLOURS][8];
	uint32_t i = colour(style);
	snprintf(text[i], sizeof(text[i]), "#%06x", (unsigned)colours[i]);
	return i == BLUE ? "var(--blue)" : text[i];
}

/* Shifted by one in each round of the colours. */
static uint32_t shape(uint32_t style)
{
	return style < KNOWN ? known[style].shape : (style + style / COLOURS) % SHAPES;
}

int figures_point(uint32_t style)
{
	static const int types[SHAPES] = {
		[SQUARE] = 5,
		[TRIANGLE_DOWN] = 11,
		[DIAMOND] = 13,
		[CIRCLE] = 7,
		[TRIANGLE] = 9,
		[PENTAGON] = 15,
	};
	return types[shape(style)];
}

const char *figures_mark(uint32_t style)
{
	static const char *const marks[SHAPES] = {
		[SQUARE] = "25A0",
		[TRIANGLE_DOWN] = "25BC",
		[DIAMOND] = "25C6",
		[CIRCLE] = "25CF",
		[TRIANGLE] = "25B2",
		[PENTAGON] = "2B1F",
	};
	return marks[shape(style)];
}

int figures_dash(const char *family)
{
	static const char *const families[] = {
		"readiness",
		"library",
		"completion",
		"thread",
		"process",
		"coroutine",
		"runtime",
		"reference",
	};
	for (int i = 0; i < (int)(sizeof(families) / sizeof(*families)); i++)
		if (!strcmp(families[i], family))
			return i + 1;
	return 1;
}
