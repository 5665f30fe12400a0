#include "common/pgsql/internal.h"

#include <stdio.h>

#define PREPARING(statement) (-1 - (int)(statement))

static int
broken(struct pgsql_connection *c, struct err *err)
{
	verdict_text(err, c->pool->name, PQerrorMessage(c->pq));
	return -1;
}

/* ---- out */

static void
expect(struct pgsql_connection *c, int what)
{
	if (c->sent == c->expects_size) {
		c->expects_size = c->expects_size ? 2 * c->expects_size : 16;
		c->expects =
		    memory_resize(c->expects, c->expects_size, sizeof(*c->expects));
	}
	c->expects[c->sent++] = what;
}

static void
statement_name(unsigned statement, char out[STATEMENT_NAME_MAX])
{
	(void)snprintf(out, STATEMENT_NAME_MAX, "postroad%u", statement);
}

/* Preparing goes out before the first use, in the same pipeline. The mark is set
 * at once, so that a question that uses it twice prepares it once. */
static int
send_prepare(struct pgsql_connection *c, unsigned statement, const char *name)
{
	if (c->prepared[statement])
		return 0;
	if (PQsendPrepare(c->pq, name, c->pool->statements[statement], 0, NULL) != 1)
		return -1;
	c->prepared[statement] = true;
	expect(c, PREPARING(statement));
	return 0;
}

static int
send_piece(struct pgsql_connection *c, const struct pgsql_request *r, size_t i)
{
	const struct piece *piece = &r->pieces[i];
	char name[STATEMENT_NAME_MAX];

	statement_name(piece->statement, name);
	if (send_prepare(c, piece->statement, name) != 0)
		return -1;
	if (PQsendQueryPrepared(c->pq, name, (int)piece->n, r->values + piece->first,
				NULL, NULL, 0) != 1)
		return -1;
	expect(c, (int)i);
	return 0;
}

int
talk_send(struct pgsql_connection *c, struct pgsql_request *r, struct err *err)
{
	c->sent = c->taken = 0;
	c->failed = false;
	r->outcome = PGSQL_DONE;
	r->answer.n = r->n;
	r->answer.results = memory_new(r->n, sizeof(PGresult *));
	for (size_t i = 0; i < r->n; i++)
		if (send_piece(c, r, i) != 0)
			return broken(c, err);
	return PQpipelineSync(c->pq) == 1 ? 0 : broken(c, err);
}

int
talk_send_rollback(struct pgsql_connection *c, struct err *err)
{
	c->sent = c->taken = 0;
	c->failed = false;
	if (PQsendQueryParams(c->pq, "ROLLBACK", 0, NULL, NULL, NULL, NULL, 0) != 1)
		return broken(c, err);
	expect(c, 0);
	return PQpipelineSync(c->pq) == 1 ? 0 : broken(c, err);
}

/* ---- in */

static void
note_error(struct pgsql_connection *c, const PGresult *result)
{
	struct pgsql_request *r = c->request;
	const char *state = PQresultErrorField(result, PG_DIAG_SQLSTATE);
	const char *text = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
	const char *function = PQresultErrorField(result, PG_DIAG_SOURCE_FUNCTION);
	enum pgsql_outcome outcome = state ? verdict_of(state) : PGSQL_LOST;
	bool ours = c->pool->read_only && state && strcmp(state, "25006") == 0;

	c->failed = true;
	if (ours)
		outcome = PGSQL_REFUSED; /* what was asked for */
	else if (!state || verdict_stale(state, function ? function : ""))
		c->going = true;
	if (!r)
		return;
	if (!state ||
	    !span_copy(span_str(state), r->answer.sqlstate, sizeof(r->answer.sqlstate)))
		r->answer.sqlstate[0] = '\0';
	r->outcome = outcome;
	verdict_text(&r->err, c->pool->name,
		     text ? text : PQresultErrorMessage(result));
}

/* The result of what was sent as number c->taken. */
static void
take_result(struct pgsql_connection *c, PGresult *result)
{
	int what = c->expects[c->taken++];
	bool good = PQresultStatus(result) == PGRES_COMMAND_OK ||
		    PQresultStatus(result) == PGRES_TUPLES_OK;

	if (!good && !c->failed)
		note_error(c, result);
	if (what < 0 && !good)
		c->prepared[PREPARING(what)] = false;
	if (what >= 0 && good && c->request)
		c->request->answer.results[what] = result;
	else
		PQclear(result);
}

int
talk_take(struct pgsql_connection *c, struct err *err)
{
	int nothing = 0;

	if (PQconsumeInput(c->pq) != 1)
		return broken(c, err);
	/* A null ends the result of one query; two in a row: nothing is there. */
	while (nothing < 2 && !PQisBusy(c->pq)) {
		PGresult *result = PQgetResult(c->pq);
		ExecStatusType status = PQresultStatus(result);

		nothing = result ? 0 : nothing + 1;
		if (!result)
			continue;
		if (status == PGRES_PIPELINE_SYNC) {
			PQclear(result);
			return 1;
		}
		if (c->taken < c->sent)
			take_result(c, result);
		else
			PQclear(result); /* an error that belongs to no query */
		if (PQstatus(c->pq) == CONNECTION_BAD)
			return broken(c, err);
	}
	return PQstatus(c->pq) == CONNECTION_BAD ? broken(c, err) : 0;
}
