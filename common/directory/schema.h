/* common/directory/schema.h - making and changing the tables in PostgreSQL
 *
 * What    for `postroad directory init|upgrade|check`: which version a database has,
 *         and the steps to the version of this program. Each step is a transaction
 *         of its own, taken by one command at a time; an interrupted upgrade goes on
 *         where it stopped. Waits.
 */
#pragma once

/* The door includes this file at its end. */
#include "common/directory/directory.h"

struct directory_schema {
	unsigned version; /* of the database; 0: there are no tables */
	unsigned wanted;  /* of this program */
	char server[32];  /* "15.6" */
};

MUST_USE int directory_schema_find(const struct directory_options *options,
				   struct directory_schema *out, struct err *err);

/* Told after each step: what it did. */
typedef void directory_schema_told(void *context, unsigned version, const char *what);

/* From `from`, which must be the database's version (else -1), to this program's.
 * Other programs with the old version are sent away. */
MUST_USE int
directory_schema_upgrade(const struct directory_options *options, unsigned from,
			 directory_schema_told *told, void *context, struct err *err);
