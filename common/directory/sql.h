/* common/directory/sql.h - an operator's own tables as a directory; for this room only
 *
 * What    domains, accounts and aliases come from the operator's queries and are never
 *         changed; columns are fields of field.h by their names. Everything else
 *         (numbers of accounts and domains, last logins, lists, groups, app
 *         passwords, notes) is in Berkeley DB beside. An account or domain gets its
 *         number when it is first seen.
 * Trust   rows are a database's: a value that cannot be is a fault with its column.
 */
#pragma once

#include "common/directory/postgresql.h"

struct sql {
	struct backend *local;
	unsigned statements[DIRECTORY_SQL_QUERIES];
	size_t n_values[DIRECTORY_SQL_QUERIES]; /* parameters that it has */
	bool given[DIRECTORY_SQL_QUERIES];
};

/* Of PostgreSQL is the key's kind, not of the files. */
MUST_USE bool sql_has(struct span key, enum directory_sql_query *which);

/* Puts the values for a get into *row. */
MUST_USE bool sql_put_key(const struct sql *s, struct span key, struct row *row);
/* The record that an answer to such a get makes, into the memo. */
MUST_USE int sql_take(struct postgresql *b, struct memo *m, struct memo_entry *e,
		      const struct pgsql_answer *answer, size_t query, struct err *err);

/* Beside a pool that is there, whose statements are made. */
MUST_USE int
sql_open(const struct directory_options *o, struct postgresql *b, struct err *err);
void sql_close(struct sql **s);

/* The calls of a backend that has one. */
extern const struct backend_calls sql_calls;
