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

struct memo_entry *
memo_find(struct memo *m, enum memo_kind kind, struct span key, struct span after,
	  size_t limit)
{
	struct memo_entry **bucket = bucket_of(m, kind, key, after);

	for (struct memo_entry *e = *bucket; e; e = e->next)
		if (e->kind == kind && e->limit == limit && span_equal(e->key, key) &&
		    span_equal(e->after, after))
			return e;
	return add(m, bucket,
		   &(struct memo_entry){
		       .kind = kind, .key = key, .after = after, .limit = limit});
}

static int
take_records(struct memo *m, struct memo_entry *e, const struct relation *r,
	     const struct pgsql_answer *answer, size_t query, struct err *err)
{
	struct buf key = buf_make(RECORD_KEY_MAX), value = buf_make(RECORD_VALUE_MAX);
	int result = 0;

	e->n = pgsql_rows(answer, query);
	e->records = arena_new(&m->arena, e->n + 1, sizeof(*e->records));
	if (!e->records)
		return err_set(err, "one task reads too much of the directory");
	for (size_t i = 0; i < e->n && result == 0; i++) {
		result = row_get(r, answer, query, i, &key, &value, err);
		if (result == 0 &&
		    (!arena_copy(&m->arena, buf_span(&key), &e->records[i].key) ||
		     !arena_copy(&m->arena, buf_span(&value), &e->records[i].value)))
			result =
			    err_set(err, "one task reads too much of the directory");
	}
	buf_release(&key);
	buf_release(&value);
	return result;
}

int
memo_take(struct memo *m, struct memo_entry *e, const struct pgsql_answer *answer,
	  size_t query, struct err *err)
{
	uint64_t count = 0;

	if (e->kind != MEMO_COUNT) {
		if (take_records(m, e, relation_of(e->key), answer, query, err) != 0)
			return -1;
	} else if (!number_parse(pgsql_value(answer, query, 0, 0), SIZE_MAX, &count)) {
		return err_set(err, "the database counts strangely");
	}
	e->count = (size_t)count;
	e->here = true;
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
