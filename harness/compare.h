/* compare.h: `c10k compare A B`: is B faster or slower than A? A gate for continuous integration. */
#ifndef COMPARE_H
#define COMPARE_H

/* argv[0] is "compare". Returns the exit code: 3 for a regression beyond the threshold. */
int compare_main(int argc, char **argv);

#endif
