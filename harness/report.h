/*
 * report.h: from a finished or interrupted run's run.sqlite to what people read. Everything written
 * is derived: it can be made again from the store alone, and making it twice gives the same bytes.
 *
 *   RUN/report.html       one self-contained file
 *   RUN/report.md         the same text and tables
 *   RUN/plots/NAME.{gp,tsv,svg}
 */
#ifndef REPORT_H
#define REPORT_H

/*
 * Reads RUN/run.sqlite and overwrites the files above. 0 on success; otherwise 1, after one line on
 * standard error for each thing that went wrong. Without gnuplot it succeeds and the report says
 * what to install.
 */
int report_run(const char *run_folder);

/* `c10k report RUN`: argv[0] is "report". Returns the exit code. */
int report_main(int argc, char **argv);

#endif
