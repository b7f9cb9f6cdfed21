/* list.h: `c10k list`. */
#ifndef LIST_H
#define LIST_H

/* argv[0] is "list". Returns the exit code. */
int list_main(int argc, char **argv);

#endif
