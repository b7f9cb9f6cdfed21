/* opening.h: what a source file says about itself in the comment it opens with. Pure. */
#ifndef OPENING_H
#define OPENING_H

#include <stddef.h>

/*
 * The text of the comment that `source` begins with, without its marks: paragraphs stay apart by an
 * empty line, the lines of one are joined. A block of C, or lines that begin with two slashes. ""
 * when it begins with no comment; what does not fit into `cap` is cut off.
 */
void opening_read(const char *source, char *out, size_t cap);

#endif
