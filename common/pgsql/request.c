#include "common/pgsql/internal.h"

/* All values of a question, each ended by NUL as libpq wants text, in one piece of
 * memory. False when one of them cannot be text. */
static bool
copy_values(struct pgsql_request *r, const struct pgsql_query *queries, size_t n_values,
	    size_t bytes)
{
	bool good = true;
	size_t k = 0;
	char *at;

	r->values = memory_new(n_values + 1, sizeof(*r->values));
	r->text = at = memory_new(bytes + 1, 1);
	for (size_t i = 0; i < r->n; i++)
		for (size_t j = 0; j < queries[i].n; j++) {
			struct span value = queries[i].values[j];

			r->values[k++] = value.at ? at : NULL;
			if (!value.at)
				continue;
			good = good && utf8_valid(value) &&
			       span_find(value, '\0') == value.n;
			if (value.n > 0)
				memcpy(at, value.at, value.n);
			at += value.n + 1;
		}
	return good;
}

static bool
copy_queries(struct pgsql_request *r, const struct pgsql_query *queries)
{
	size_t n_values = 0, bytes = 0;

	r->pieces = memory_new(r->n, sizeof(*r->pieces));
	for (size_t i = 0; i < r->n; i++) {
		ASSERT(queries[i].statement < r->pool->n_statements);
		r->pieces[i] =
		    (struct piece){queries[i].statement, n_values, queries[i].n};
		n_values += queries[i].n;
		for (size_t j = 0; j < queries[i].n; j++)
			bytes += queries[i].values[j].n + 1;
	}
	return copy_values(r, queries, n_values, bytes);
}

struct pgsql_request *
pgsql_ask(struct pgsql *p, struct pgsql_session *session,
	  const struct pgsql_query *queries, size_t n, pgsql_answered *answered,
	  void *context)
{
	struct pgsql_request *r = memory_new(1, sizeof(*r));
	struct err err;

	ASSERT(n > 0 && n <= PGSQL_QUERIES_MAX && (!session || !session->request));
	r->pool = p;
	r->session = session;
	r->answered = answered;
	r->context = context;
	r->n = n;
	if (session)
		session->request = r;
	if (copy_queries(r, queries)) {
		pool_take(p, r);
	} else {
		err_set(&err, "database %.32s: a value that is no text", p->name);
		request_end(r, PGSQL_BAD_VALUE, &err);
	}
	return r;
}

struct pgsql_request *
request_plain(struct pgsql *p, unsigned statement)
{
	struct pgsql_request *r = memory_new(1, sizeof(*r));

	r->pool = p;
	r->n = 1;
	(void)copy_queries(r, &(struct pgsql_query){.statement = statement});
	return r;
}

void
request_forget(struct pgsql_request *r)
{
	for (size_t i = 0; i < r->answer.n; i++)
		PQclear(r->answer.results[i]);
	free(r->answer.results);
	r->answer = (struct pgsql_answer){0};
}

void
request_free(struct pgsql_request *r)
{
	request_forget(r);
	free(r->pieces);
	free(r->values);
	free(r->text);
	free(r);
}
