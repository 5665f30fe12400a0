#include "common/directory/sql.h"

#include <errno.h>

static struct postgresql *
of(struct backend *backend)
{
	return (struct postgresql *)backend;
}

static struct backend *
local_of(struct backend *backend)
{
	return of(backend)->sql->local;
}

static bool
is_theirs(struct span key)
{
	enum directory_sql_query which;

	return sql_has(key, &which);
}

/* ---- calls */

static int
sql_get(struct backend *backend, struct span key, struct buf *out, struct err *err)
{
	const struct sql *s = of(backend)->sql;
	enum directory_sql_query which;

	if (!sql_has(key, &which))
		return s->local->calls->get(s->local, key, out, err);
	if (!s->given[which])
		return 0;
	return postgresql_calls.get(backend, key, out, err);
}

/* What is in the operator's tables is listed there. */
static int
sql_walk(struct backend *backend, struct span prefix, struct span after, size_t limit,
	 backend_visit *visit, void *context, struct err *err)
{
	struct backend *local = local_of(backend);

	if (is_theirs(prefix))
		return 0;
	return local->calls->walk(local, prefix, after, limit, visit, context, err);
}

static int
sql_count(struct backend *backend, struct span prefix, size_t limit, size_t *n,
	  struct err *err)
{
	struct backend *local = local_of(backend);

	*n = 0;
	if (is_theirs(prefix))
		return 0;
	return local->calls->count(local, prefix, limit, n, err);
}

static void
sql_prefetch(struct backend *backend, const struct span *keys, size_t n)
{
	enum directory_sql_query which;

	for (size_t i = 0; i < n; i++)
		if (sql_has(keys[i], &which) && of(backend)->sql->given[which])
			postgresql_calls.prefetch(backend, &keys[i], 1);
}

/* ---- changes: all but logins is refused for what is theirs */

/* Without what is kept beside. */
static void
put_plain(const struct directory_object *o, struct buf *out)
{
	struct directory_object plain = *o;

	for (size_t f = FIELD_ACCOUNT_LAST_LOGIN; f <= FIELD_ACCOUNT_LAST_ADDRESS; f++)
		plain.values[f] = (struct directory_value){0};
	record_put_object(&plain, out);
}

/* Does it leave all as it is but the last login? Then *kept is what stays of it. */
static bool
only_login(struct backend *backend, const struct backend_change *change,
	   struct buf *kept)
{
	struct directory_object now = {.kind = DIRECTORY_ACCOUNT}, then = now,
				shadow = now;
	struct buf old = buf_make(RECORD_VALUE_MAX), a = buf_make(RECORD_VALUE_MAX),
		   b = buf_make(RECORD_VALUE_MAX);
	struct err none;
	bool good = change->key.at[0] == (char)RECORD_ACCOUNT && change->value.at &&
		    sql_get(backend, change->key, &old, &none) > 0 &&
		    record_get_object(buf_span(&old), &then) &&
		    record_get_object(change->value, &now);

	if (good) {
		put_plain(&now, &a);
		put_plain(&then, &b);
		good = span_equal(buf_span(&a), buf_span(&b));
		shadow.values[FIELD_ACCOUNT_ID] = now.values[FIELD_ACCOUNT_ID];
		for (size_t f = FIELD_ACCOUNT_LAST_LOGIN;
		     f <= FIELD_ACCOUNT_LAST_ADDRESS; f++)
			shadow.values[f] = now.values[f];
		record_put_object(&shadow, kept);
	}
	buf_release(&old);
	buf_release(&a);
	buf_release(&b);
	return good;
}

static int
refuse(struct err *err)
{
	err_set(err, "domains, accounts and aliases are in the operator's own tables, "
		     "and are changed there");
	err->code = EROFS;
	return -1;
}

static int
sql_apply(struct backend *backend, const struct backend_change *changes, size_t n,
	  struct err *err)
{
	struct backend *local = local_of(backend);
	struct backend_change *ours = memory_new(n + 1, sizeof(*ours));
	struct buf *kept = memory_new(n + 1, sizeof(*kept));
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++) {
		ours[i] = changes[i];
		kept[i] = buf_make(RECORD_VALUE_MAX);
		if (!is_theirs(changes[i].key))
			continue;
		if (only_login(backend, &changes[i], &kept[i]))
			ours[i].value = buf_span(&kept[i]);
		else
			r = refuse(err);
	}
	if (r == 0)
		r = local->calls->apply(local, ours, n, err);
	for (size_t i = 0; i < n; i++)
		buf_release(&kept[i]);
	free(kept);
	free(ours);
	return r;
}

static void
sql_backend_close(struct backend *backend)
{
	struct sql *s = of(backend)->sql;

	postgresql_calls.close(backend);
	sql_close(&s);
}

static void
sql_state(const struct backend *backend, struct directory_state *out)
{
	postgresql_calls.state(backend, out);
}

const struct backend_calls sql_calls = {
    .get = sql_get,
    .walk = sql_walk,
    .count = sql_count,
    .apply = sql_apply,
    .close = sql_backend_close,
    .prefetch = sql_prefetch,
    .state = sql_state,
    .begin = postgresql_begin,
    .cancel = postgresql_cancel,
    .wait = postgresql_wait,
};

/* ---- opening */

/* The highest $N, outside of 'texts'. */
static size_t
count_values(const char *text)
{
	bool quoted = false;
	size_t most = 0;

	for (; *text; text++) {
		quoted = quoted != (*text == '\'');
		if (!quoted && *text == '$' && text[1] >= '1' && text[1] <= '9' &&
		    (size_t)(text[1] - '0') > most)
			most = (size_t)(text[1] - '0');
	}
	return most;
}

static int
read_queries(struct sql *s, const struct directory_options *o, struct postgresql *b,
	     struct err *err)
{
	static const size_t most[] = {1, 3, 3};

	for (size_t i = 0; i < DIRECTORY_SQL_QUERIES; i++) {
		s->given[i] = o->queries[i] && o->queries[i][0] != '\0';
		if (!s->given[i])
			continue;
		s->n_values[i] = count_values(o->queries[i]);
		if (s->n_values[i] > most[i])
			return err_set(err, "a query has more than its %zu parameters",
				       most[i]);
		s->statements[i] = pgsql_statement(b->pool, o->queries[i]);
	}
	if (s->given[DIRECTORY_SQL_DOMAIN] && s->given[DIRECTORY_SQL_ACCOUNT])
		return 0;
	return err_set(err, "directory = sql needs sql_domain_query and "
			    "sql_account_query");
}

int
sql_open(const struct directory_options *o, struct postgresql *b, struct err *err)
{
	size_t cache = o->cache_bytes ? o->cache_bytes : DIRECTORY_CACHE_BYTES;
	struct sql *s = memory_new(1, sizeof(*s));

	if (read_queries(s, o, b, err) != 0 ||
	    berkeley_open(o->folder, cache, &s->local, err) != 0) {
		sql_close(&s);
		return -1;
	}
	b->sql = s;
	return 0;
}

void
sql_close(struct sql **owner)
{
	struct sql *s = *owner;

	*owner = NULL;
	if (s && s->local)
		s->local->calls->close(s->local);
	free(s);
}
