/* tests/unit/postgresql_fixture.h - an empty schema in the database that
 * POSTROAD_POSTGRESQL names (tests/postgres.py); without it the tests are skipped */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>

#include <event2/event.h>

#include "common/directory/directory.h"
#include "common/pgsql/pgsql.h"

#define UNIT_TEST_SKIPPED 77 /* exit status that ctest takes so; cmake/Rooms.cmake */

/* One statement, waited for; rows are of no interest. */
struct postgresql_said {
	bool told;
	enum pgsql_outcome outcome;
	char value[200];
	char error[300];
};

static inline void
postgresql_hear(void *context, enum pgsql_outcome outcome,
		const struct pgsql_answer *answer, const struct err *err)
{
	struct postgresql_said *said = context;

	said->told = true;
	said->outcome = outcome;
	if (err)
		snprintf(said->error, sizeof(said->error), "%s", err->text);
	if (answer &&
	    !span_copy(pgsql_value(answer, 0, 0, 0), said->value, sizeof(said->value)))
		said->value[0] = '\0';
}

/* Null when there is no server. */
static inline const char *
postgresql_server(void)
{
	return getenv("POSTROAD_POSTGRESQL");
}

/* By somebody else than the directory. The first column of the first row is in
 * `value`, which may be null. */
static inline void
postgresql_sql(const char *text, char value[200])
{
	struct event_base *base = event_base_new();
	struct pgsql_options options = {.name = "test",
					.connection = postgresql_server(),
					.connections = 1,
					.timeout_ms = 20000};
	struct postgresql_said said = {0};
	struct pgsql_query query = {0};
	struct pgsql *pool;
	struct err err;

	assert_int_equal(pgsql_new(base, &options, &pool, &err), 0);
	query.statement = pgsql_statement(pool, text);
	assert_non_null(pgsql_ask(pool, NULL, &query, 1, postgresql_hear, &said));
	while (!said.told)
		assert_true(event_base_loop(base, EVLOOP_ONCE) >= 0);
	if (said.outcome != PGSQL_DONE)
		fail_msg("%s: %s", text, said.error);
	if (value)
		snprintf(value, 200, "%s", said.value);
	pgsql_free(&pool);
	event_base_free(base);
}

static inline void
postgresql_step(void *context, unsigned version, const char *what)
{
	(void)context, (void)version, (void)what;
}

static inline void
postgresql_options(struct directory_options *options, const char *connection)
{
	options->backend = DIRECTORY_POSTGRESQL;
	options->connection = connection;
	options->password_file = "";
	options->connections = 4;
	options->timeout_ms = 5000;
}

/* `options` for a directory in it, whose tables are new and empty. */
static inline void
postgresql_prepare(struct directory_options *options)
{
	struct err err;

	postgresql_options(options, postgresql_server());
	postgresql_sql("DROP SCHEMA IF EXISTS postroad CASCADE", NULL);
	if (directory_schema_upgrade(options, 0, postgresql_step, NULL, &err) != 0)
		fail_msg("%s", err.text);
}
