/* common/conf/table.h - lookup tables: the `table` sections
 *
 *   table "blocked" { type = "hash" file = "/etc/postroad/blocked" }
 *   table "people"  { type = "postgresql" connection = "host=db dbname=mail"
 *                     query = "SELECT goto FROM alias WHERE address = '%s'" }
 *
 * The title is what settings such as client_access name it by.
 */
#pragma once

#include "common/base/base.h"

#define CONF_TABLES_MAX     200
#define CONF_TABLE_NAME_MAX 60

/* The keys of a section, as settings.h has its rows. */
/* clang-format off */
#define CONF_TABLE_KEYS(S) \
	S(CHOICE,  type,          "*text|hash|btree|regexp|pcre|cidr|postgresql", 0, 6, 1, "what the table is; hash and btree are Berkeley DB files as postmap makes them") \
	S(PATH,    file,          "", 0, 4000, 1, "where it is; of hash and btree without its .db; of postgresql a file in the form of pgsql_table(5)") \
	S(TEXT,    connection,    "", 0, 2000, 1, "of postgresql: the database, as libpq reads it, without a password") \
	S(PATH,    password_file, "", 0, 4000, 1, "of postgresql: file whose first line is the password") \
	S(TEXT,    query,         "", 0, 8000, 1, "of postgresql: SQL in which %s is the key, %u and %d its local part and domain, %1 to %9 labels of the domain from its end") \
	S(NUMBER,  connections,   "2", 1, 64, 1, "of postgresql: connections at most") \
	S(SECONDS, timeout_s,     "5", 1, 60, 1, "of postgresql: how long an answer may take")
/* clang-format on */

/* In the order of the words above. */
enum conf_table_type {
	CONF_TABLE_TEXT,
	CONF_TABLE_HASH,
	CONF_TABLE_BTREE,
	CONF_TABLE_REGEXP,
	CONF_TABLE_PCRE,
	CONF_TABLE_CIDR,
	CONF_TABLE_POSTGRESQL,
};

/* Texts are never null. */
struct conf_table {
	char *name;
	int type; /* enum conf_table_type */
	char *file, *connection, *password_file, *query;
	uint64_t connections, timeout_s;
};

struct conf_tables {
	struct conf_table *at; /* by name */
	size_t n;
};

/* Null when there is none of that name. */
MUST_USE const struct conf_table *
conf_table_find(const struct conf_tables *tables, struct span name);
void conf_tables_release(struct conf_tables *tables);
