/* bench.h: `c10k bench`: runs a plan. */
#ifndef BENCH_H
#define BENCH_H

/* argv[0] is "bench". Returns the exit code. */
int bench_main(int argc, char **argv);

#endif
