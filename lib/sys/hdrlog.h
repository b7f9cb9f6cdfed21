/*
 * hdrlog.h: histograms as text that HdrHistogram's tools read: V2 encoding (zig-zag LEB128 counts),
 * zlib-compressed, base64. Lossless: every bucket's count comes back. The format's description is
 * HdrHistogram's own source, AbstractHistogram.encodeIntoCompressedByteBuffer.
 */
#ifndef HDRLOG_H
#define HDRLOG_H

#include "lib/core/histogram.h"
#include "lib/core/slice.h"

/* The text, for free(); NULL when memory is short. */
char *hdrlog_encode(const struct histogram *h);

/*
 * Back into *h: 0, -EINVAL when it is no such text or of another layout, -ENOMEM. The encoding
 * holds buckets only: min, max and sum become those of the buckets' lower ends, upper ends and
 * middles.
 */
int hdrlog_decode(struct slice text, struct histogram *h);

#endif
