/* common/directory/postgresql_schema.h - the tables, by version; for this room only
 *
 * What    numbered steps, each a transaction; a database's version is how many it
 *         has taken. A step that was released is never changed, only followed.
 *         docs/postgresql.md says what the tables hold.
 */
#pragma once

#include "common/directory/schema.h"
#include "common/pgsql/pgsql.h"

struct schema_step {
	const char *what;              /* a line for the operator */
	const char *const *statements; /* ended by null */
};

const struct schema_step *schema_steps(size_t *n);

#define SCHEMA_VERSION_STATEMENT "SELECT version FROM postroad.schema_version"

/* Asked of each new connection, which it sets up as well: every statement of the
 * directory finds its rows by their keys. Whoever plans otherwise, because a table is
 * small now, reads all of it when it has grown, and in a SERIALIZABLE transaction
 * meets everybody who changes anything in it. */
#define SCHEMA_CHECK_STATEMENT                                                         \
	"SELECT version, set_config('enable_seqscan', 'off', false) "                  \
	"FROM postroad.schema_version"

/* pgsql_judge: is it the version that this program knows? */
MUST_USE int
schema_judge(void *context, const struct pgsql_answer *answer, struct err *err);

/* directory_schema_upgrade() with these steps. */
MUST_USE int
schema_upgrade(const struct directory_options *options, const struct schema_step *steps,
	       size_t n, unsigned from, directory_schema_told *told, void *context,
	       struct err *err);
