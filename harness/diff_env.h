/* diff_env.h: `c10k diff-env A B`: why may the numbers of two runs differ? */
#ifndef DIFF_ENV_H
#define DIFF_ENV_H

/* argv[0] is "diff-env". Returns the exit code. */
int diff_env_main(int argc, char **argv);

#endif
