#include "common/directory/postgresql_memo.h"

void
memo_init(struct memo *m)
{
	*m = (struct memo){0};
	arena_init(&m->arena, MEMO_BYTES_MAX);
	m->wanted_end = &m->wanted;
}

void
memo_release(struct memo *m)
{
	arena_release(&m->arena);
}

static struct memo_entry **
bucket_of(struct memo *m, enum memo_kind kind, struct span key, struct span after)
{
	uint32_t hash = crc32c(crc32c((uint32_t)kind, key), after);

	return &m->buckets[hash % MEMO_BUCKETS];
}

static struct memo_entry *
add(struct memo *m, struct memo_entry **bucket, const struct memo_entry *like)
{
	struct memo_entry *e = arena_new(&m->arena, 1, sizeof(*e));

	if (!e)
		return NULL;
	*e = *like;
	if (!arena_copy(&m->arena, like->key, &e->key) ||
	    !arena_copy(&m->arena, like->after, &e->after))
		return NULL;
	e->next = *bucket;
	*bucket = e;
	*m->wanted_end = e;
	m->wanted_end = &e->next_wanted;
	m->n_wanted++;
	return e;
}

static bool
is_same(const struct memo_entry *a, const struct memo_entry *b)
{
	return a->kind == b->kind && a->limit == b->limit &&
	       span_equal(a->key, b->key) && span_equal(a->after, b->after);
}

struct memo_entry *
memo_find(struct memo *m, enum memo_kind kind, struct span key, struct span after,
	  size_t limit)
{
	const struct memo_entry wanted = {
	    .kind = kind, .key = key, .after = after, .limit = limit};
	struct memo_entry **bucket = bucket_of(m, kind, key, after);

	for (struct memo_entry *e = *bucket; e; e = e->next)
		if (is_same(e, &wanted))
			return e;
	return add(m, bucket, &wanted);
}

/* Row number `at` of an answer. */
static int
take_record(struct memo *m, const struct relation *r, const struct pgsql_answer *answer,
	    size_t query, size_t at, struct memo_record *out, struct err *err)
{
	struct buf key = buf_make(RECORD_KEY_MAX), value = buf_make(RECORD_VALUE_MAX);
	int result = row_get(r, answer, query, at, &key, &value, err);

	if (result == 0 && (!arena_copy(&m->arena, buf_span(&key), &out->key) ||
			    !arena_copy(&m->arena, buf_span(&value), &out->value)))
		result = err_set(err, "one task reads too much of the directory");
	buf_release(&key);
	buf_release(&value);
	return result;
}

static int
take_page(struct memo *m, struct memo_entry *e, const struct pgsql_answer *answer,
	  size_t query, struct err *err)
{
	const struct relation *r = relation_of(e->key);
	size_t n = pgsql_rows(answer, query);

	e->records = arena_new(&m->arena, n + 1, sizeof(*e->records));
	if (!e->records)
		return err_set(err, "one task reads too much of the directory");
	for (size_t i = 0; i < n; i++)
		if (take_record(m, r, answer, query, i, &e->records[i], err) != 0)
			return -1;
	e->n = n;
	return 0;
}

int
memo_take(struct memo *m, struct memo_entry *e, const struct pgsql_answer *answer,
	  size_t query, struct err *err)
{
	uint64_t count = 0;

	ASSERT(e->kind != MEMO_GET);
	if (e->kind == MEMO_PAGE && take_page(m, e, answer, query, err) != 0)
		return -1;
	if (e->kind == MEMO_COUNT &&
	    !number_parse(pgsql_value(answer, query, 0, 0), SIZE_MAX, &count))
		return err_set(err, "the database counts strangely");
	e->count = (size_t)count;
	e->here = true;
	return 0;
}

/* ---- gets, all of one relation together */

struct memo_entry *
memo_next_get(struct memo_entry *wanted, const struct relation *r)
{
	struct memo_entry *e = wanted;

	while (e && (e->kind != MEMO_GET || relation_of(e->key) != r))
		e = e->next_wanted;
	return e;
}

int
memo_take_gets(struct memo *m, const struct relation *r,
	       const struct pgsql_answer *answer, size_t query, struct err *err)
{
	size_t n = pgsql_rows(answer, query);

	for (struct memo_entry *e = memo_next_get(m->wanted, r); e;
	     e = memo_next_get(e->next_wanted, r))
		e->here = true;
	for (size_t i = 0; i < n; i++) {
		struct memo_record *record = arena_new(&m->arena, 1, sizeof(*record));
		struct memo_entry *e;

		if (!record)
			return err_set(err, "one task reads too much of the directory");
		if (take_record(m, r, answer, query, i, record, err) != 0)
			return -1;
		e = memo_find(m, MEMO_GET, record->key, (struct span){0}, 1);
		if (!e || !e->here)
			return err_set(err, "a row of %s was not asked for", r->table);
		e->records = record;
		e->n = 1;
	}
	return 0;
}

void
memo_heard(struct memo *m)
{
	m->wanted = NULL;
	m->wanted_end = &m->wanted;
	m->n_wanted = 0;
}

struct memo_entry *
memo_copy(struct memo *to, const struct memo_entry *e)
{
	struct memo_entry *copy = arena_new(&to->arena, 1, sizeof(*copy));

	if (!copy)
		return NULL;
	*copy = *e;
	copy->records = arena_new(&to->arena, e->n + 1, sizeof(*copy->records));
	for (size_t i = 0; copy->records && i < e->n; i++)
		if (!arena_copy(&to->arena, e->records[i].key, &copy->records[i].key) ||
		    !arena_copy(&to->arena, e->records[i].value,
				&copy->records[i].value))
			return NULL;
	return copy->records ? copy : NULL;
}
