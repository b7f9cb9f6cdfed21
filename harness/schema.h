/* schema.h: the text of harness/schema.sql, with a NUL behind. */
#ifndef SCHEMA_H
#define SCHEMA_H

extern const char schema_sql[];

#endif
