#include "common/directory/sql.h"

#include <errno.h>
#include <inttypes.h>

#define BEGIN  "BEGIN ISOLATION LEVEL SERIALIZABLE"
#define TXID   "SELECT txid_current()"
#define COMMIT "COMMIT"

#define NO_ANSWER "a question that the directory's tables do not answer"

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
	bool good;

	buf_putf(&text, "%zu", limit);
	good = row_put_text(row, buf_span(&text));
	buf_release(&text);
	return good;
}

/* Appends the keys of one record. */
static bool
add_keys(struct row_columns *columns, const struct relation *relation, struct span key)
{
	struct row row;
	bool good;

	row_init(&row);
	good = row_put_key(relation, key, true, &row);
	row_columns_add(columns, &row);
	row_release(&row);
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
put_get_many(struct round *r, const struct relation *relation,
	     const struct memo_entry *first)
{
	struct row_columns columns;
	bool good = true;

	row_columns_init(&columns);
	for (const struct memo_entry *e = first; e && good;
	     e = memo_next_get(e->next_wanted, relation))
		good = add_keys(&columns, relation, e->key);
	good = good && row_columns_end(&columns, round_row(r));
	row_columns_release(&columns);
	if (good)
		round_statement(r,
				postgresql_statement(r->t->b, relation, ROW_GET_MANY));
	return good;
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

/* All wanted gets from one relation. */
static int
put_gets(struct round *r, const struct relation *relation, struct err *err)
{
	struct memo_entry *first = memo_next_get(r->t->memo.wanted, relation);

	if (!first || (memo_next_get(first->next_wanted, relation)
			   ? put_get_many(r, relation, first)
			   : put_get(r, relation, first)))
		return 0;
	return err_set(err, NO_ANSWER);
}

static int
put_entry(struct round *r, const struct memo_entry *e, struct err *err)
{
	const struct relation *relation = relation_of(e->key);

	if (relation && (e->kind == MEMO_PAGE ? put_page(r, relation, e)
					      : put_count(r, relation, e)))
		return 0;
	return err_set(err, NO_ANSWER);
}

static int
put_questions(struct round *r, struct err *err)
{
	size_t n;
	const struct relation *all = relations(&n);

	for (size_t i = 0; i < n; i++)
		if (put_gets(r, &all[i], err) != 0)
			return -1;
	for (const struct memo_entry *e = r->t->memo.wanted; e; e = e->next_wanted)
		if (e->kind != MEMO_GET && put_entry(r, e, err) != 0)
			return -1;
	return 0;
}

static int
put_sql_questions(struct round *r, struct err *err)
{
	for (const struct memo_entry *e = r->t->memo.wanted; e; e = e->next_wanted)
		if (!put_sql(r, e))
			return err_set(err, NO_ANSWER);
	return 0;
}

/* ---- changes */

static int
put_erase(struct round *r, const struct relation *relation,
	  const struct backend_change *change, struct err *err)
{
	if (!row_put_key(relation, change->key, true, round_row(r)))
		return err_set(err, NO_ANSWER);
	round_statement(r, postgresql_statement(r->t->b, relation, ROW_ERASE));
	return 0;
}

static int
add_record(struct row_columns *columns, const struct relation *relation,
	   const struct backend_change *change, struct err *err)
{
	struct row row;
	int result = 0;

	row_init(&row);
	if (!row_put_key(relation, change->key, true, &row))
		result = err_set(err, NO_ANSWER);
	if (result == 0)
		result = row_put_value(relation, change->value, &row, err);
	row_columns_add(columns, &row);
	row_release(&row);
	return result;
}

/* The first of these changes, with those behind it that go into the same statement;
 * *n becomes how many that are. */
static int
put_records(struct round *r, const struct relation *relation,
	    const struct backend_change *changes, size_t *n, struct err *err)
{
	struct row_columns columns;
	size_t i = 0;
	int result = 0;

	row_columns_init(&columns);
	for (; i < *n && changes[i].value.at &&
	       relation_of(changes[i].key) == relation && result == 0;
	     i++)
		result = add_record(&columns, relation, &changes[i], err);
	if (result == 0 && !row_columns_end(&columns, round_row(r)))
		result = err_set(err, "one change of the directory is too large");
	row_columns_release(&columns);
	if (result == 0)
		round_statement(r,
				postgresql_statement(r->t->b, relation, ROW_PUT_MANY));
	*n = i;
	return result;
}

/* By relation, what is erased first, then by key: two servers that change the same
 * rows come to them in the same order. */
static int
compare_changes(const void *a, const void *b)
{
	const struct backend_change *x = a, *y = b;
	bool puts_x = x->value.at != NULL, puts_y = y->value.at != NULL;

	if (x->key.at[0] != y->key.at[0])
		return x->key.at[0] < y->key.at[0] ? -1 : 1;
	if (puts_x != puts_y)
		return puts_x ? 1 : -1;
	return span_compare(x->key, y->key);
}

static int
put_changes(struct round *r, struct err *err)
{
	struct postgresql_task *t = r->t;

	qsort(t->changes, t->n_changes, sizeof(*t->changes), compare_changes);
	for (size_t i = 0, n; i < t->n_changes; i += n) {
		const struct backend_change *change = &t->changes[i];
		const struct relation *relation = relation_of(change->key);
		int result;

		if (!relation)
			return err_set(err, NO_ANSWER);
		n = change->value.at ? t->n_changes - i : 1;
		result = change->value.at ? put_records(r, relation, change, &n, err)
					  : put_erase(r, relation, change, err);
		if (result != 0)
			return -1;
	}
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

/* In the order of put_questions(). */
static int
take_answers(struct postgresql_task *t, const struct pgsql_answer *answer, size_t i,
	     struct err *err)
{
	size_t n;
	const struct relation *all = relations(&n);

	for (size_t k = 0; k < n; k++)
		if (memo_next_get(t->memo.wanted, &all[k]) &&
		    memo_take_gets(&t->memo, &all[k], answer, i++, err) != 0)
			return -1;
	for (struct memo_entry *e = t->memo.wanted; e; e = e->next_wanted)
		if (e->kind != MEMO_GET &&
		    memo_take(&t->memo, e, answer, i++, err) != 0)
			return -1;
	return 0;
}

static int
take_sql_answers(struct postgresql_task *t, const struct pgsql_answer *answer, size_t i,
		 struct err *err)
{
	for (struct memo_entry *e = t->memo.wanted; e; e = e->next_wanted)
		if (sql_take(t->b, &t->memo, e, answer, i++, err) != 0)
			return -1;
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
	if ((t->b->sql ? take_sql_answers(t, answer, i, err)
		       : take_answers(t, answer, i, err)) != 0)
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
	if (t->apply != APPLY_WANTED)
		return t->b->sql ? put_sql_questions(r, err) : put_questions(r, err);
	if (put_changes(r, err) != 0)
		return -1;
	round_plain(r, COMMIT);
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
