/* common/table/map.h - one table in memory, whatever its kind */
#pragma once

#include "common/table/problem.h"

#define TABLE_FILE_BYTES_MAX  (256U << 20)
#define TABLE_VALUE_BYTES_MAX (64U << 10)
#define TABLE_RULES_MAX       100000 /* patterns or networks of one table */

enum table_kind {
	TABLE_TEXT,
	TABLE_HASH,
	TABLE_BTREE,
	TABLE_REGEXP,
	TABLE_PCRE,
	TABLE_CIDR,
	TABLE_POSTGRESQL,
};

/* Of a lookup. */
enum table_result {
	TABLE_FAULT = -1, /* err says why: the question cannot be answered now */
	TABLE_FOUND,
	TABLE_NOT_FOUND,
	TABLE_WAIT, /* common/lookup: the answer is on its way */
};

struct table_map;

/* "text", "hash", ...; false for a word that is no kind. */
MUST_USE const char *table_kind_name(enum table_kind kind);
MUST_USE bool table_kind_parse(struct span word, enum table_kind *out);
/* Is it looked up with parts of a key (a domain, user@) too? Patterns and networks
 * see whole keys only. */
MUST_USE bool table_kind_parts(enum table_kind kind);
/* Is the whole file read into memory, by table_map_parse()? */
MUST_USE bool table_kind_in_memory(enum table_kind kind);

/* Null when it is broken; problems are added to the list in any case. */
MUST_USE struct table_map *table_map_parse(enum table_kind kind, struct span text,
					   struct table_problems *problems);
void table_map_free(struct table_map **map);
/* How many entries or rules it has. */
MUST_USE size_t table_map_count(const struct table_map *map);

/* Null, or what is wrong with a value. */
typedef const char *table_check(void *context, struct span value);
/* Every value that has no $1 in it; what check() finds wrong is a problem. False when
 * there was any. */
MUST_USE bool table_map_check(const struct table_map *map, table_check *check,
			      void *context, struct table_problems *problems);

/* FOUND, NOT_FOUND or FAULT; the value is appended to `value`. */
MUST_USE enum table_result table_map_get(const struct table_map *map, struct span key,
					 struct buf *value, struct err *err);
