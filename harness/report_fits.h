/*
 * report_fits.h: two laws of the textbooks, held against what was measured: the universal
 * scalability law (usl.h) against a server's rate over its connections, and the queue M/M/c (mmc.h)
 * against its response time over the rate that was offered. A law is drawn where it fits within
 * REPORT_FIT_GOOD, and told with its residual where it does not: that it does not fit is a finding,
 * too.
 */
#ifndef REPORT_FITS_H
#define REPORT_FITS_H

#include "harness/report_data.h"
#include "lib/core/mmc.h"
#include "lib/core/usl.h"

#define REPORT_FIT_GOOD 0.10

/* To the medians of `throughput`. False with fewer than 4 loads, or one that is a lower bound. */
bool report_fit_usl(
    const struct report_data *data, const struct report_server *server, struct usl *usl);

/*
 * To p50 and p99 of `latency`, at the rates that the server kept up with. It has as many servers as
 * the program has threads and CPUs. False with fewer than 3 such rates.
 */
bool report_fit_mmc(
    const struct report_data *data, const struct report_server *server, struct mmc *mmc);

#endif
