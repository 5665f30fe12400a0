#include "common/directory/sql.h"

#include <errno.h>
#include <inttypes.h>

#define BEGIN  "BEGIN ISOLATION LEVEL SERIALIZABLE"
#define TXID   "SELECT txid_current()"
#define COMMIT "COMMIT"

/* One round: what is sent together. */
struct round {
	struct postgresql_task *t;
	struct pgsql_query *queries;
	struct row *rows; /* the values' memory, one a query */
	size_t n, size;
};

static void
round_init(struct round *r, struct postgresql_task *t, size_t size)
{
	*r = (struct round){.t = t, .size = size};
	r->queries = memory_new(size, sizeof(*r->queries));
	r->rows = memory_new(size, sizeof(*r->rows));
}

static void
round_release(struct round *r)
{
	for (size_t i = 0; i < r->n; i++)
		row_release(&r->rows[i]);
	free(r->rows);
	free(r->queries);
}

/* The row of the next query, to be filled. */
static struct row *
round_row(struct round *r)
{
	ASSERT(r->n < r->size);
	row_init(&r->rows[r->n]);
	return &r->rows[r->n++];
}

static void
round_statement(struct round *r, unsigned statement)
{
	const struct row *row = &r->rows[r->n - 1];

	r->queries[r->n - 1] = (struct pgsql_query){statement, row->values, row->n};
}

static void
round_plain(struct round *r, const char *text)
{
	(void)round_row(r);
	round_statement(r, pgsql_statement(r->t->b->pool, text));
}

/* ---- questions */

static bool
put_limit(struct row *row, size_t limit)
{
	struct buf text = buf_make(24);
	struct span copy;
	bool good;

	buf_putf(&text, "%zu", limit);
	good =
	    row->n < ROW_COLUMNS_MAX && arena_copy(&row->arena, buf_span(&text), &copy);
	if (good)
		row->values[row->n++] = copy;
	buf_release(&text);
	return good;
}

static bool
put_get(struct round *r, const struct relation *relation, const struct memo_entry *e)
{
	if (!row_put_key(relation, e->key, true, round_row(r)))
		return false;
	round_statement(r, postgresql_statement(r->t->b, relation, ROW_GET));
	return true;
}

static bool
put_count(struct round *r, const struct relation *relation, const struct memo_entry *e)
{
	struct row *row = round_row(r);
	size_t n;

	if (!row_put_key(relation, e->key, false, row))
		return false;
	n = row->n;
	if (!put_limit(row, e->limit))
		return false;
	round_statement(r, postgresql_count_statement(r->t->b, relation, n));
	return true;
}

static bool
put_page(struct round *r, const struct relation *relation, const struct memo_entry *e)
{
	struct row *row = round_row(r);
	bool after = e->after.n > 0;
	size_t n;

	if (!row_put_key(relation, e->key, false, row))
		return false;
	n = row->n;
	if (n == relation->n_keys ||
	    (after && !row_put_key(relation, e->after, true, row)))
		return false;
	if (!put_limit(row, e->limit))
		return false;
	round_statement(r, postgresql_walk_statement(r->t->b, relation, n, after));
	return true;
}

static bool
put_sql(struct round *r, const struct memo_entry *e)
{
	const struct sql *s = r->t->b->sql;
	enum directory_sql_query which;

	if (e->kind != MEMO_GET || !sql_has(e->key, &which) || !s->given[which] ||
	    !sql_put_key(s, e->key, round_row(r)))
		return false;
	round_statement(r, s->statements[which]);
	return true;
}

static int
put_entry(struct round *r, const struct memo_entry *e, struct err *err)
{
	static bool (*const puts[])(struct round *, const struct relation *,
				    const struct memo_entry *) = {
	    [MEMO_GET] = put_get, [MEMO_PAGE] = put_page, [MEMO_COUNT] = put_count};
	const struct relation *relation = relation_of(e->key);

	if (r->t->b->sql ? put_sql(r, e) : relation && puts[e->kind](r, relation, e))
		return 0;
	return err_set(err, "a question that the directory's tables do not answer");
}

static int
put_change(struct round *r, const struct backend_change *change, struct err *err)
{
	const struct relation *relation = relation_of(change->key);
	struct row *row = round_row(r);
	enum row_statement s = change->value.at ? ROW_PUT : ROW_ERASE;

	if (!relation || !row_put_key(relation, change->key, true, row))
		return err_set(err, "a change that the directory's tables do not have");
	if (s == ROW_PUT && row_put_value(relation, change->value, row, err) != 0)
		return -1;
	round_statement(r, postgresql_statement(r->t->b, relation, s));
	return 0;
}

/* ---- answers */

/* Where the answers to the wanted entries begin: behind BEGIN and its number. */
static size_t
head_of(const struct postgresql_task *t)
{
	return t->kind == DIRECTORY_CHANGES && !t->b->sql && !t->begun ? 2 : 0;
}

static int
take_head(struct postgresql_task *t, const struct pgsql_answer *answer, size_t head,
	  struct err *err)
{
	if (head == 0)
		return 0;
	t->begun = true;
	if (!number_parse(pgsql_value(answer, 1, 0, 0), INT64_MAX, &t->txid))
		return err_set(err, "the database numbers its transactions strangely");
	return 0;
}

static int
take_answer(struct postgresql_task *t, const struct pgsql_answer *answer,
	    struct err *err)
{
	size_t i = head_of(t);

	if (take_head(t, answer, i, err) != 0)
		return -1;
	if (t->apply == APPLY_SENT) {
		t->apply = APPLY_DONE;
		t->begun = false;
		return 0;
	}
	if (t->apply == APPLY_WANTED)
		return 0;
	for (struct memo_entry *e = t->memo.wanted; e; e = e->next_wanted)
		if ((t->b->sql ? sql_take(t->b, &t->memo, e, answer, i++, err)
			       : memo_take(&t->memo, e, answer, i++, err)) != 0)
			return -1;
	memo_heard(&t->memo);
	return 0;
}

/* A change whose COMMIT may have reached the server without its answer coming back. */
static bool
in_doubt(const struct postgresql_task *t, enum pgsql_outcome outcome)
{
	return t->apply == APPLY_SENT &&
	       (outcome == PGSQL_LOST || outcome == PGSQL_TIMEOUT);
}

static void
on_answer(void *context, enum pgsql_outcome outcome, const struct pgsql_answer *answer,
	  const struct err *err)
{
	struct postgresql_task *t = context;
	struct err fault;

	t->request = NULL;
	if (in_doubt(t, outcome)) {
		t->why = *err;
		postgresql_settle(t);
	} else if (outcome == PGSQL_CONFLICT ||
		   (outcome == PGSQL_LOST && t->kind == DIRECTORY_CHANGES)) {
		postgresql_again(t, err);
	} else if (outcome != PGSQL_DONE) {
		postgresql_fail(t, err);
	} else if (take_answer(t, answer, &fault) != 0) {
		postgresql_fail(t, &fault);
	} else if (t->apply == APPLY_WANTED) {
		postgresql_ask(t);
	} else {
		postgresql_run(t);
	}
}

/* ---- asking */

static int
put_round(struct postgresql_task *t, struct round *r, struct err *err)
{
	if (head_of(t) > 0) {
		round_plain(r, BEGIN);
		round_plain(r, TXID);
	}
	if (t->apply == APPLY_WANTED) {
		for (size_t i = 0; i < t->n_changes; i++)
			if (put_change(r, &t->changes[i], err) != 0)
				return -1;
		round_plain(r, COMMIT);
		return 0;
	}
	for (const struct memo_entry *e = t->memo.wanted; e; e = e->next_wanted)
		if (put_entry(r, e, err) != 0)
			return -1;
	return 0;
}

/* A change that reads nothing first has no transaction yet: its number is asked for
 * before COMMIT goes out, so that the end can be found out. */
static bool
must_begin_first(const struct postgresql_task *t)
{
	return t->apply == APPLY_WANTED && !t->begun;
}

static void
round_send(struct postgresql_task *t, const struct round *r)
{
	if (t->kind == DIRECTORY_CHANGES && !t->b->sql && !t->session)
		t->session = pgsql_session_new(t->b->pool);
	t->request = pgsql_ask(t->b->pool, t->session, r->queries, r->n, on_answer, t);
}

void
postgresql_ask(struct postgresql_task *t)
{
	size_t most = t->memo.n_wanted + t->n_changes + 3;
	struct round r;
	struct err err;

	if (most > PGSQL_QUERIES_MAX) {
		err_set(&t->why, "one task reads too much of the directory");
		event_active(&t->deadline, EV_TIMEOUT, 0);
		return;
	}
	round_init(&r, t, most);
	if (must_begin_first(t)) {
		round_plain(&r, BEGIN);
		round_plain(&r, TXID);
		round_send(t, &r);
	} else if (put_round(t, &r, &err) != 0) {
		/* From the loop, not from here. */
		t->why = err;
		event_active(&t->deadline, EV_TIMEOUT, 0);
	} else {
		if (t->apply == APPLY_WANTED)
			t->apply = APPLY_SENT;
		round_send(t, &r);
	}
	round_release(&r);
}
