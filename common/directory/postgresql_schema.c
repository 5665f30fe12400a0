#include "common/directory/postgresql_schema.h"

/* Version 1. Names and types of columns follow field.h; NULL is a value that was not
 * given. Keys are compared byte by byte, so that every server sorts them alike. No
 * table refers to another: rows that belong together have the same domain or account,
 * which is what a sharded database is divided by. */
#define KEY "text COLLATE \"C\" NOT NULL"

static const char *const first_tables[] = {
    "CREATE SCHEMA IF NOT EXISTS postroad",
    "CREATE TABLE postroad.schema_version (version integer NOT NULL, since timestamptz "
    "NOT NULL DEFAULT now())",
    "INSERT INTO postroad.schema_version (version) VALUES (0)",
    "CREATE TABLE postroad.meta (name " KEY " PRIMARY KEY, number bigint, bytes bytea)",
    "CREATE TABLE postroad.domain (domain " KEY " PRIMARY KEY, id bigint, "
    "enabled boolean, first_account bigint, alias_of text, accounts_max bigint, "
    "aliases_max bigint, lists_max bigint, quota_bytes bigint, "
    "account_quota_bytes bigint, message_bytes_max bigint, delimiters text, "
    "administrators text[], created timestamptz)",
    "CREATE TABLE postroad.account (domain " KEY ", local " KEY ", id bigint, "
    "disabled boolean, name text, quota_bytes bigint, created timestamptz, "
    "message_bytes_max bigint, forward text[], forward_keep boolean, "
    "reply_enabled boolean, reply_subject text, reply_text text, "
    "reply_from timestamptz, reply_until timestamptz, reply_interval_s bigint, "
    "last_login timestamptz, last_service text, last_address text, password bytea, "
    "PRIMARY KEY (domain, local))",
    "CREATE TABLE postroad.account_place (id bigint PRIMARY KEY, domain " KEY
    ", local " KEY ")",
    "CREATE TABLE postroad.alias (domain " KEY ", local " KEY ", targets text[], "
    "PRIMARY KEY (domain, local))",
    "CREATE TABLE postroad.list (domain " KEY ", local " KEY ", name text, "
    "posting text, poster text[], owner text, created timestamptz, members text[], "
    "PRIMARY KEY (domain, local))",
    "CREATE TABLE postroad.\"group\" (domain " KEY ", local " KEY ", members text[], "
    "PRIMARY KEY (domain, local))",
    "CREATE TABLE postroad.app_password (domain " KEY ", local " KEY ", label " KEY
    ", scope text[], created timestamptz, last_use timestamptz, last_address text, "
    "secret bytea, PRIMARY KEY (domain, local, label))",
    "CREATE TABLE postroad.note (kind " KEY ", account bigint NOT NULL, about " KEY
    ", value bigint, ends timestamptz, PRIMARY KEY (kind, account, about))",
    NULL,
};

static const struct schema_step steps[] = {
    {"the tables", first_tables},
};

const struct schema_step *
schema_steps(size_t *n)
{
	*n = N_ELEMS(steps);
	return steps;
}

int
schema_judge(void *context, const struct pgsql_answer *answer, struct err *err)
{
	struct err why;
	uint64_t version;

	(void)context;
	if (!answer) {
		why = *err;
		return err_set(err, "%.130s (postroad directory init makes the tables)",
			       why.text);
	}
	if (!number_parse(pgsql_value(answer, 0, 0, 0), INT32_MAX, &version))
		return err_set(err, "the database has no version; see postroad "
				    "directory check");
	if (version < N_ELEMS(steps))
		return err_set(err,
			       "the database has tables of version %u, this program "
			       "needs %zu: postroad directory upgrade",
			       (unsigned)version, N_ELEMS(steps));
	if (version > N_ELEMS(steps))
		return err_set(err,
			       "the database has tables of version %u, this program "
			       "knows %zu: a newer Postroad is needed",
			       (unsigned)version, N_ELEMS(steps));
	return 0;
}
