/*
 * schema.c: harness/schema.sql, as it is, inside the program: there is no second copy to keep up to
 * date.
 */
#include "harness/schema.h"

__asm__(
    ".pushsection .rodata\n"
    ".globl schema_sql\n"
    "schema_sql:\n"
    ".incbin \"harness/schema.sql\"\n"
    ".byte 0\n"
    ".popsection\n");
