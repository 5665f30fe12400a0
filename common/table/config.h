/* common/table/config.h - a PostgreSQL table: its section in the settings, or a file in
 * the form of pgsql_table(5)
 *
 *   hosts = db1.example.org, db2.example.org:5433
 *   user = postfix
 *   password = secret
 *   dbname = mail
 *   query = SELECT goto FROM alias WHERE address = '%s' AND active
 *
 * Also read: result_format, domain, expansion_limit, and table, select_field,
 * where_field, additional_conditions, of which older files make a query.
 */
#pragma once

#include "common/table/problem.h"
#include "common/table/query.h"

struct table_config {
	char *connection; /* for libpq, without the password */
	char *password;   /* "" none */
	struct table_query query;
	char *result_format; /* "%s" */
	char *domains;       /* only keys of these are asked for; "" all */
	uint64_t results_max;
};

/* Problems are added to the list; false when it cannot be used: *out is then {0}. */
MUST_USE bool table_config_parse(struct span text, struct table_config *out,
				 struct table_problems *problems);
/* From what a section says. -1 with *err. */
MUST_USE int table_config_make(const char *connection, const char *query,
			       struct table_config *out, struct err *err);
void table_config_release(struct table_config *c);

/* Is the key to be asked for at all, by `domains`? */
MUST_USE bool table_config_wants(const struct table_config *c, struct span key);
