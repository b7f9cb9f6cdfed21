/* verify.h: `c10k verify RUN`: is what a run says true to what it measured? */
#ifndef VERIFY_H
#define VERIFY_H

/* argv[0] is "verify". Returns the exit code: 0 true, 4 something differs. */
int verify_main(int argc, char **argv);

#endif
