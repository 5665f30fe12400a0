#include "common/lookup/internal.h"

#include <event2/event.h>

struct database {
	struct table_config config;
	struct pgsql *pool;
	unsigned statement;
};

struct database_request {
	struct database *database;
	struct pgsql_request *asked;
	char *key; /* for result formats */
	database_answered *answered;
	void *context;
};

/* --- opening ------------------------------------------------------------------------
 */

/* What the section says, or the file that it names. */
static int
config_read(const struct conf_table *conf, struct table_config *out,
	    struct table_problems *problems, struct err *err)
{
	struct buf text = buf_make(1U << 20);
	int result = 0;

	if (!*conf->file) {
		if (table_config_make(conf->connection, conf->query, out, err) == 0)
			return 0;
		return err_set(err, "query %.200s", err->text);
	}
	result = opened_file_read(conf->file, &text, err);
	if (result == 0 && !table_config_parse(buf_span(&text), out, problems))
		result = err_set(err, "%.150s: has errors", conf->file);
	if (text.at)
		explicit_bzero(text.at, text.size);
	buf_release(&text);
	return result;
}

int
database_new(const struct conf_table *conf, struct event_base *base,
	     struct table_problems *problems, struct database **out, struct err *err)
{
	struct pgsql_options options = {.name = conf->name,
					.password_file = conf->password_file,
					.connections = (unsigned)conf->connections,
					.timeout_ms = conf->timeout_s * 1000,
					.read_only = true};
	struct database *d = memory_new(1, sizeof(*d));

	if (config_read(conf, &d->config, problems, err) != 0) {
		free(d);
		return -1;
	}
	options.connection = d->config.connection;
	options.password = d->config.password;
	if (pgsql_new(base, &options, &d->pool, err) != 0) {
		database_free(&d);
		return -1;
	}
	d->statement = pgsql_statement(d->pool, d->config.query.statement);
	*out = d;
	return 0;
}

void
database_free(struct database **d)
{
	if (!*d)
		return;
	if ((*d)->pool)
		pgsql_free(&(*d)->pool);
	table_config_release(&(*d)->config);
	free(*d);
	*d = NULL;
}

/* --- asking -------------------------------------------------------------------------
 */

static void
request_free(struct database_request *r)
{
	free(r->key);
	free(r);
}

/* All columns of all rows, as pgsql_table(5) has it: joined by commas. False when
 * there are too many. */
static bool
rows_put(const struct database_request *r, const struct pgsql_answer *answer,
	 struct buf *out)
{
	const struct table_config *c = &r->database->config;
	uint64_t n = 0;

	for (size_t row = 0; row < pgsql_rows(answer, 0); row++)
		for (size_t column = 0; column < pgsql_columns(answer, 0); column++) {
			struct span value = pgsql_value(answer, 0, row, column);
			size_t before = out->n;

			if (value.n == 0)
				continue;
			buf_put_str(out, before > 0 ? "," : "");
			if (!table_expand(span_str(c->result_format), value,
					  span_str(r->key), out)) {
				out->n = before;
				continue;
			}
			if (++n > c->results_max && c->results_max > 0)
				return false;
		}
	return !out->full;
}

static void
answer_rows(const struct database_request *r, const struct pgsql_answer *answer)
{
	struct buf value = buf_make(TABLE_VALUE_BYTES_MAX);
	struct err err;

	if (!rows_put(r, answer, &value)) {
		err_set(&err, "the answer is too long");
		r->answered(r->context, TABLE_FAULT, (struct span){0}, &err);
	} else {
		r->answered(r->context, value.n > 0 ? TABLE_FOUND : TABLE_NOT_FOUND,
			    buf_span(&value), NULL);
	}
	buf_release(&value);
}

static void
on_answer(void *context, enum pgsql_outcome outcome, const struct pgsql_answer *answer,
	  const struct err *err)
{
	struct database_request *r = context;

	r->asked = NULL;
	if (outcome == PGSQL_DONE)
		answer_rows(r, answer);
	else if (outcome == PGSQL_BAD_VALUE)
		r->answered(r->context, TABLE_NOT_FOUND, (struct span){0}, NULL);
	else
		r->answered(r->context, TABLE_FAULT, (struct span){0}, err);
	request_free(r);
}

void
database_cancel(struct database_request **request)
{
	if (!*request)
		return;
	pgsql_cancel(&(*request)->asked);
	request_free(*request);
	*request = NULL;
}

/* False when the key has not what the query asks for. */
static bool
values_make(const struct table_query *q, struct span key, struct buf *bytes,
	    struct span values[TABLE_PARAMETERS_MAX])
{
	size_t ends[TABLE_PARAMETERS_MAX], start = 0;

	for (size_t i = 0; i < q->n; i++) {
		if (!table_expand(span_str(q->parameters[i]), key, key, bytes))
			return false;
		ends[i] = bytes->n;
	}
	for (size_t i = 0; i < q->n; i++) {
		values[i] = span_make(bytes->at + start, ends[i] - start);
		start = ends[i];
	}
	return !bytes->full;
}

enum table_result
database_ask(struct database *d, struct span key, database_answered *answered,
	     void *context, struct database_request **request)
{
	struct buf bytes = buf_make(TABLE_PARAMETERS_MAX * (2 * TABLE_KEY_MAX));
	struct span values[TABLE_PARAMETERS_MAX];
	struct pgsql_query query = {
	    .statement = d->statement, .values = values, .n = d->config.query.n};
	bool ask = key.n <= TABLE_KEY_MAX && table_config_wants(&d->config, key) &&
		   values_make(&d->config.query, key, &bytes, values);

	if (ask) {
		struct database_request *r = memory_new(1, sizeof(*r));

		*r = (struct database_request){.database = d,
					       .key = span_dup(key),
					       .answered = answered,
					       .context = context};
		r->asked = pgsql_ask(d->pool, NULL, &query, 1, on_answer, r);
		*request = r;
	}
	buf_release(&bytes);
	return ask ? TABLE_WAIT : TABLE_NOT_FOUND;
}
