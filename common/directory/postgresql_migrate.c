#include "common/directory/postgresql_row.h"
#include "common/directory/postgresql_schema.h"
#include "common/directory/schema.h"

#include <event2/event.h>
#include <inttypes.h>
#include <stdio.h>

#define MIGRATE_TIMEOUT_MS (15ull * 60 * 1000) /* a step may rewrite a big table */

/* Those that do not know the new tables connect again and find out. */
#define SEND_AWAY                                                                      \
	"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = "      \
	"current_database() AND usename = current_user AND pid <> pg_backend_pid() "   \
	"AND application_name = 'postroad directory'"
#define SET_VERSION                                                                    \
	"UPDATE postroad.schema_version SET version = $1::integer, since = now() "     \
	"WHERE version = $1::integer - 1"

/* A database, asked one thing after the other. */
struct migration {
	struct event_base *base;
	struct pgsql *pool;
	struct pgsql_session *session; /* null: outside of a transaction */
	bool told;
	enum pgsql_outcome outcome;
	char value[64], state[6];
	uint64_t touched;
	struct err err;
};

static int
migration_open(struct migration *m, const struct directory_options *o, struct err *err)
{
	const struct pgsql_options options = {
	    .name = "migration",
	    .connection = o->connection,
	    .password_file = o->password_file,
	    .connections = 1,
	    .timeout_ms = MIGRATE_TIMEOUT_MS,
	};

	*m = (struct migration){.base = event_base_new()};
	ASSERT(m->base);
	if (pgsql_new(m->base, &options, &m->pool, err) == 0)
		return 0;
	event_base_free(m->base);
	return -1;
}

static void
migration_close(struct migration *m)
{
	pgsql_session_free(&m->session);
	pgsql_free(&m->pool);
	event_base_free(m->base);
}

static void
on_answer(void *context, enum pgsql_outcome outcome, const struct pgsql_answer *answer,
	  const struct err *err)
{
	struct migration *m = context;

	m->told = true;
	m->outcome = outcome;
	if (err)
		m->err = *err;
	m->value[0] = m->state[0] = '\0';
	if (!answer)
		return;
	(void)snprintf(m->state, sizeof(m->state), "%s", pgsql_answer_sqlstate(answer));
	m->touched = pgsql_touched(answer, 0);
	if (!span_copy(pgsql_value(answer, 0, 0, 0), m->value, sizeof(m->value)))
		m->value[0] = '\0';
}

static int
ask(struct migration *m, const char *text, const char *value, struct err *err)
{
	struct span values[] = {span_str(value)};
	struct pgsql_query query = {pgsql_statement(m->pool, text), values,
				    value != NULL};

	m->told = false;
	if (!pgsql_ask(m->pool, m->session, &query, 1, on_answer, m))
		return -1;
	while (!m->told)
		ASSERT(event_base_loop(m->base, EVLOOP_ONCE) >= 0);
	if (m->outcome == PGSQL_DONE)
		return 0;
	*err = m->err;
	return -1;
}

/* ---- what is there */

static int
find_version(struct migration *m, unsigned *version, struct err *err)
{
	uint64_t number;

	*version = 0;
	if (ask(m, SCHEMA_VERSION_STATEMENT, NULL, err) != 0)
		/* no such table, no such schema */
		return strcmp(m->state, "42P01") == 0 || strcmp(m->state, "3F000") == 0
			   ? 0
			   : -1;
	if (!number_parse(span_str(m->value), INT32_MAX, &number))
		return err_set(err, "postroad.schema_version has no version");
	*version = (unsigned)number;
	return 0;
}

int
directory_schema_find(const struct directory_options *options,
		      struct directory_schema *out, struct err *err)
{
	struct directory_schema found = {0};
	struct migration m;
	size_t wanted;
	int result;

	(void)schema_steps(&wanted);
	found.wanted = (unsigned)wanted;
	if (migration_open(&m, options, err) != 0)
		return -1;
	result = ask(&m, "SHOW server_version", NULL, err);
	(void)snprintf(found.server, sizeof(found.server), "%.31s", m.value);
	if (result == 0)
		result = find_version(&m, &found.version, err);
	migration_close(&m);
	if (result == 0)
		*out = found;
	return result;
}

/* ---- comments, for psql's \d+ */

static int
comment(struct migration *m, const char *table, const char *column, const char *text,
	struct err *err)
{
	struct buf statement = buf_make(2000);
	int result;

	buf_putf(&statement, "COMMENT ON %s %s", column ? "COLUMN" : "TABLE", table);
	if (column)
		buf_putf(&statement, ".\"%s\"", column);
	buf_put_str(&statement, " IS '");
	for (; *text; text++)
		buf_put(&statement, *text == '\'' ? SPAN("''") : span_make(text, 1));
	buf_put_str(&statement, "'");
	buf_put_char(&statement, '\0');
	result = ask(m, statement.at, NULL, err);
	buf_release(&statement);
	return result;
}

static int
comment_all(struct migration *m, struct err *err)
{
	size_t n;
	const struct relation *all = relations(&n);
	int result = 0;

	for (size_t i = 0; i < n && result == 0; i++) {
		size_t n_columns;
		const struct row_column *columns =
		    relation_columns(&all[i], &n_columns);

		result = comment(m, all[i].table, NULL, all[i].help, err);
		for (size_t k = 0; k < n_columns && result == 0; k++)
			if (columns[k].field)
				result = comment(m, all[i].table, columns[k].name,
						 columns[k].field->help, err);
	}
	return result;
}

/* ---- steps */

static int
set_version(struct migration *m, unsigned version, struct err *err)
{
	char text[16];

	(void)snprintf(text, sizeof(text), "%u", version);
	if (ask(m, SET_VERSION, text, err) != 0)
		return -1;
	return m->touched == 1 ? 0 : err_set(err, "somebody else changed the version");
}

/* Version is what it leads to. */
static int
step_inside(struct migration *m, const struct schema_step *step, unsigned version,
	    struct err *err)
{
	if (ask(m, "BEGIN", NULL, err) != 0)
		return -1;
	/* Waits for another command that does the same. */
	if (version > 1 && ask(m, "LOCK TABLE postroad.schema_version", NULL, err) != 0)
		return -1;
	for (const char *const *s = step->statements; *s; s++)
		if (ask(m, *s, NULL, err) != 0)
			return -1;
	if (set_version(m, version, err) != 0)
		return -1;
	return ask(m, "COMMIT", NULL, err);
}

static int
take_step(struct migration *m, const struct schema_step *step, unsigned version,
	  struct err *err)
{
	struct err why;
	int result;

	m->session = pgsql_session_new(m->pool);
	result = step_inside(m, step, version, &why);
	pgsql_session_free(&m->session);
	if (result != 0)
		return err_set(err, "the step to version %u: %.180s", version,
			       why.text);
	return 0;
}

/* From a version to that of the last step. */
static int
take_steps(struct migration *m, const struct schema_step *steps, size_t n,
	   unsigned from, directory_schema_told *told, void *context, struct err *err)
{
	unsigned version;

	if (find_version(m, &version, err) != 0)
		return -1;
	if (version != from)
		return err_set(err, "the database has version %u, not %u", version,
			       from);
	for (; version < n; version++) {
		if (take_step(m, &steps[version], version + 1, err) != 0)
			return -1;
		told(context, version + 1, steps[version].what);
	}
	if (comment_all(m, err) != 0)
		return -1;
	return ask(m, SEND_AWAY, NULL, err);
}

int
schema_upgrade(const struct directory_options *options, const struct schema_step *steps,
	       size_t n, unsigned from, directory_schema_told *told, void *context,
	       struct err *err)
{
	struct migration m;
	int result;

	if (migration_open(&m, options, err) != 0)
		return -1;
	result = take_steps(&m, steps, n, from, told, context, err);
	migration_close(&m);
	return result;
}

int
directory_schema_upgrade(const struct directory_options *options, unsigned from,
			 directory_schema_told *told, void *context, struct err *err)
{
	size_t n;
	const struct schema_step *steps = schema_steps(&n);

	return schema_upgrade(options, steps, n, from, told, context, err);
}
