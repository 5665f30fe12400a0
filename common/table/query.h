/* common/table/query.h - an SQL query with %s in it, as pgsql_table(5) has it
 *
 * What    "SELECT goto FROM alias WHERE address = '%s'" -> a statement with $1, and
 *         the value for $1. A quoted text with escapes in it ('%u@%d') becomes one
 *         parameter as a whole, so that no byte of a key is ever part of the SQL.
 *
 *         %s      the key                  %u  its local part, or all of it
 *         %d      its domain               %1..%9  labels of the domain, from the end
 *         %S %U %D  the same; in a result's format the key, not the result
 *         %%      a %
 *
 * A key that has not what the query asks for (%d and no domain) finds nothing, and no
 * query is sent.
 */
#pragma once

#include "common/base/base.h"

#define TABLE_PARAMETERS_MAX 32

struct table_query {
	char *statement;
	char *parameters[TABLE_PARAMETERS_MAX]; /* templates of $1, $2 ... */
	size_t n;
};

/* -1 with *err; *out is then untouched. */
MUST_USE int
table_query_parse(struct span text, struct table_query *out, struct err *err);
void table_query_release(struct table_query *q);

/* A template with `value` (lower-case escapes) and `key` in it, appended. False when
 * they have not what it asks for. */
MUST_USE bool
table_expand(struct span template, struct span value, struct span key, struct buf *out);
/* Null, or what is wrong with a template. */
MUST_USE const char *table_template_fault(struct span template);
