#include "common/directory/postgresql_row.h"

#include <errno.h>
#include <inttypes.h>

#define ROW_ARENA_BYTES (128U << 20) /* of all rows of one statement */
#define ARRAY_BYTES_MAX (1U << 20)

void
row_init(struct row *row)
{
	row->n = 0;
	arena_init(&row->arena, ROW_ARENA_BYTES);
}

void
row_release(struct row *row)
{
	arena_release(&row->arena);
}

bool
row_put_text(struct row *row, struct span s)
{
	struct span copy;

	if (row->n == ROW_COLUMNS_MAX || !arena_copy(&row->arena, s, &copy))
		return false;
	if (!copy.at)
		copy = SPAN("");
	row->values[row->n++] = copy;
	return true;
}

static bool
put_null(struct row *row)
{
	if (row->n == ROW_COLUMNS_MAX)
		return false;
	row->values[row->n++] = (struct span){0};
	return true;
}

static bool
put_buf(struct row *row, struct buf *b)
{
	bool good = !b->full && row_put_text(row, buf_span(b));

	buf_release(b);
	return good;
}

/* bigint has a sign. */
static bool
put_number(struct row *row, uint64_t number)
{
	struct buf text = buf_make(24);

	if (number > INT64_MAX)
		return false;
	buf_putf(&text, "%" PRIu64, number);
	return put_buf(row, &text);
}

/* ---- keys */

static bool
put_key_column(enum row_type type, bool last, struct span *rest, struct row *row)
{
	struct cursor c = cursor_make(*rest);
	size_t end = span_find(*rest, '\0');
	struct span bytes;
	uint64_t id;

	if (type == ROW_TEXT && !last && end == rest->n)
		return false;
	if (type == ROW_TEXT) {
		*rest = span_after(*rest, end + !last);
		return row_put_text(row, span_first(c.rest, end));
	}
	bytes = wire_get_raw(&c, type == ROW_BIGINT ? 8 : 1);
	*rest = c.rest;
	if (c.failed)
		return false;
	if (type == ROW_LETTER)
		return row_put_text(row, bytes);
	memcpy(&id, bytes.at, sizeof(id));
	return put_number(row, be64toh(id));
}

bool
row_put_key(const struct relation *r, struct span key, bool whole, struct row *row)
{
	struct span rest = span_after(key, 1);

	row->n = 0;
	for (size_t i = 0; i < r->n_keys; i++) {
		bool last = i + 1 == r->n_keys;

		if (!whole && rest.n == 0)
			return true;
		if (!whole && last && r->keys[i].type == ROW_TEXT)
			return false; /* the beginning of a name */
		if (!put_key_column(r->keys[i].type, last, &rest, row))
			return false;
	}
	return rest.n == 0;
}

static bool
get_key_column(enum row_type type, bool last, struct span value, struct buf *key)
{
	uint64_t number;

	if (!value.at)
		return false;
	if (type == ROW_BIGINT) {
		if (!number_parse(value, INT64_MAX, &number))
			return false;
		number = htobe64(number);
		buf_put(key, span_make(&number, sizeof(number)));
		return true;
	}
	if (type == ROW_LETTER && value.n != 1)
		return false;
	buf_put(key, value);
	if (type == ROW_TEXT && !last)
		buf_put_char(key, '\0');
	return true;
}

static bool
get_key(const struct relation *r, const struct span *columns, struct buf *key)
{
	buf_reset(key);
	buf_put_char(key, (char)r->kind);
	for (size_t i = 0; i < r->n_keys; i++)
		if (!get_key_column(r->keys[i].type, i + 1 == r->n_keys, columns[i],
				    key))
			return false;
	return !key->full;
}

/* ---- values of objects */

static struct span
word_at(const char *words, uint64_t index)
{
	struct span rest = span_str(words), word = {0};

	for (uint64_t i = 0; i <= index && rest.n > 0; i++)
		word = span_cut(&rest, ' ');
	return word;
}

static bool
find_word(const char *words, struct span word, uint64_t *index)
{
	struct span rest = span_str(words);

	for (uint64_t i = 0; rest.n > 0; i++)
		if (span_equal(span_cut(&rest, ' '), word)) {
			*index = i;
			return true;
		}
	return false;
}

static bool
put_words(struct row *row, const char *words, uint64_t set)
{
	struct buf text = buf_make(ARRAY_BYTES_MAX);

	for (uint64_t i = 0; i < 64; i++)
		if (set >> i & 1)
			pgsql_array_put(&text, word_at(words, i));
	pgsql_array_end(&text);
	return put_buf(row, &text);
}

static bool
put_texts(struct row *row, struct span items)
{
	struct buf text = buf_make(ARRAY_BYTES_MAX);
	struct cursor c = cursor_make(items);
	struct span item;

	while (directory_item_next(&c, &item))
		pgsql_array_put(&text, item);
	pgsql_array_end(&text);
	return put_buf(row, &text);
}

static bool
put_bytes(struct row *row, struct span bytes)
{
	struct buf text = buf_make(2 * bytes.n + 2);

	pgsql_bytes_put(&text, bytes);
	return put_buf(row, &text);
}

/* What a database takes as text. */
static bool
is_text(struct span s)
{
	return utf8_valid(s) && span_find(s, '\0') == s.n;
}

static bool
put_value(struct row *row, const struct row_column *c, const struct directory_value *v)
{
	if (v->how == DIRECTORY_VALUE_ABSENT)
		return put_null(row);
	switch (c->type) {
	case ROW_TEXT:
	case ROW_LETTER:
		return is_text(v->text) && row_put_text(row, v->text);
	case ROW_BIGINT:
	case ROW_TIME:
		return put_number(row, v->number);
	case ROW_BYTEA:
		return put_bytes(row, v->text);
	case ROW_BOOLEAN:
		return row_put_text(row, v->number ? SPAN("true") : SPAN("false"));
	case ROW_WORD:
		return row_put_text(row, word_at(c->field->words, v->number));
	case ROW_WORDS:
		return put_words(row, c->field->words, v->number);
	case ROW_TEXTS:
		return put_texts(row, v->text);
	}
	return false;
}

static bool
get_words(const char *words, struct span value, uint64_t *set)
{
	struct buf one = buf_make(100);
	uint64_t index;
	int r;

	*set = 0;
	while ((r = pgsql_array_next(&value, &one)) > 0) {
		if (!find_word(words, buf_span(&one), &index))
			break;
		*set |= (uint64_t)1 << index;
	}
	buf_release(&one);
	return r == 0;
}

static bool
get_texts(struct arena *arena, struct span value, struct span *out)
{
	struct buf one = buf_make(ARRAY_BYTES_MAX), items = buf_make(ARRAY_BYTES_MAX);
	int r;

	while ((r = pgsql_array_next(&value, &one)) > 0)
		directory_item_put(&items, buf_span(&one));
	r = r == 0 && !items.full && arena_copy(arena, buf_span(&items), out);
	buf_release(&one);
	buf_release(&items);
	return r;
}

static bool
get_bytes(struct arena *arena, struct span value, struct span *out)
{
	struct buf bytes = buf_make(ARRAY_BYTES_MAX);
	bool good =
	    pgsql_bytes_get(value, &bytes) && arena_copy(arena, buf_span(&bytes), out);

	buf_release(&bytes);
	return good;
}

static bool
get_value(struct arena *arena, const struct row_column *c, struct span value,
	  struct directory_value *v)
{
	v->how = value.at ? DIRECTORY_VALUE_SET : DIRECTORY_VALUE_ABSENT;
	if (!value.at)
		return true;
	switch (c->type) {
	case ROW_TEXT:
	case ROW_LETTER:
		v->text = value;
		return true;
	case ROW_BIGINT:
	case ROW_TIME:
		return number_parse(value, INT64_MAX, &v->number);
	case ROW_BYTEA:
		return get_bytes(arena, value, &v->text);
	case ROW_BOOLEAN:
		v->number = span_equal(value, SPAN("t"));
		return true;
	case ROW_WORD:
		return find_word(c->field->words, value, &v->number);
	case ROW_WORDS:
		return get_words(c->field->words, value, &v->number);
	case ROW_TEXTS:
		return get_texts(arena, value, &v->text);
	}
	return false;
}

static bool
put_object(const struct relation *r, struct span value, struct row *row)
{
	size_t n;
	const struct row_column *columns = relation_columns(r, &n);
	struct directory_object object = {.kind = r->object};
	bool good = record_get_object(value, &object);

	for (size_t i = r->n_keys; i < n && good; i++)
		good = put_value(row, &columns[i], &object.values[columns[i].number]);
	return good;
}

static bool
get_object(const struct relation *r, const struct span *values, struct buf *out)
{
	size_t n;
	const struct row_column *columns = relation_columns(r, &n);
	struct directory_object object = {.kind = r->object};
	struct arena arena;
	bool good = true;

	arena_init(&arena, ROW_ARENA_BYTES);
	for (size_t i = r->n_keys; i < n && good; i++)
		good = get_value(&arena, &columns[i], values[i],
				 &object.values[columns[i].number]);
	if (good)
		record_put_object(&object, out);
	arena_release(&arena);
	return good;
}

/* ---- values of the others */

static bool
put_place(struct span value, struct row *row)
{
	const struct relation *account = relation_of(SPAN("a"));
	struct span key, rest;

	if (!record_get_bytes(value, &key) || key.n == 0 ||
	    key.at[0] != (char)account->kind)
		return false;
	rest = span_after(key, 1);
	return row_put_text(row, span_cut(&rest, '\0')) && row_put_text(row, rest);
}

static bool
put_note(struct span value, struct row *row)
{
	struct span pair;
	struct cursor c;
	uint64_t number, ends;

	if (!record_get_bytes(value, &pair))
		return false;
	c = cursor_make(pair);
	number = wire_get_u64(&c);
	ends = wire_get_u64(&c);
	return cursor_done(&c) && put_number(row, number) &&
	       (ends ? put_number(row, ends) : put_null(row));
}

static bool
put_meta(struct span value, struct row *row)
{
	struct span bytes;
	uint64_t number;

	if (record_get_number(value, &number))
		return put_number(row, number) && put_null(row);
	return record_get_bytes(value, &bytes) && put_null(row) &&
	       put_bytes(row, bytes);
}

/* With the keys of the row, which stand in it already. */
static void
say_not_held(const struct relation *r, const struct row *row, struct err *err)
{
	struct buf keys = buf_make(160);

	for (size_t i = 0; i < r->n_keys && i < row->n; i++) {
		buf_put_str(&keys, i ? ", " : "");
		buf_put(&keys, row->values[i]);
	}
	err_set(err, "%s has no room for a value of (%.*s)", r->table,
		SPAN_ARG(buf_span(&keys)));
	err->code = EINVAL;
	buf_release(&keys);
}

int
row_put_value(const struct relation *r, struct span value, struct row *row,
	      struct err *err)
{
	bool good = false;

	switch (r->value) {
	case ROW_VALUE_OBJECT:
		good = put_object(r, value, row);
		break;
	case ROW_VALUE_META:
		good = put_meta(value, row);
		break;
	case ROW_VALUE_PLACE:
		good = put_place(value, row);
		break;
	case ROW_VALUE_NOTE:
		good = put_note(value, row);
		break;
	}
	if (good)
		return 0;
	say_not_held(r, row, err);
	return -1;
}

static bool
get_place(const struct span *values, struct buf *out)
{
	struct buf key = buf_make(RECORD_KEY_MAX);

	buf_put_char(&key, (char)RECORD_ACCOUNT);
	buf_put(&key, values[0]);
	buf_put_char(&key, '\0');
	buf_put(&key, values[1]);
	record_put_bytes(buf_span(&key), out);
	buf_release(&key);
	return values[0].n > 0 && values[1].n > 0;
}

static bool
get_note(const struct span *values, struct buf *out)
{
	uint64_t number, ends = 0;
	struct buf pair = buf_make(16);
	bool good = number_parse(values[0], INT64_MAX, &number) &&
		    (!values[1].at || number_parse(values[1], INT64_MAX, &ends));

	if (good) {
		wire_put_u64(&pair, number);
		wire_put_u64(&pair, ends);
		record_put_bytes(buf_span(&pair), out);
	}
	buf_release(&pair);
	return good;
}

static bool
get_meta(const struct span *values, struct buf *out)
{
	struct buf bytes = buf_make(ARRAY_BYTES_MAX);
	uint64_t number;
	bool good;

	if (values[0].at) {
		good = number_parse(values[0], INT64_MAX, &number);
		if (good)
			record_put_number(number, out);
	} else {
		good = pgsql_bytes_get(values[1], &bytes);
		if (good)
			record_put_bytes(buf_span(&bytes), out);
	}
	buf_release(&bytes);
	return good;
}

static bool
get_any(const struct relation *r, const struct span *values, struct buf *out)
{
	switch (r->value) {
	case ROW_VALUE_OBJECT:
		return get_object(r, values, out);
	case ROW_VALUE_META:
		return get_meta(values + r->n_keys, out);
	case ROW_VALUE_PLACE:
		return get_place(values + r->n_keys, out);
	case ROW_VALUE_NOTE:
		return get_note(values + r->n_keys, out);
	}
	return false;
}

int
row_get(const struct relation *r, const struct pgsql_answer *answer, size_t query,
	size_t at, struct buf *key, struct buf *value, struct err *err)
{
	struct span values[ROW_COLUMNS_MAX];
	size_t n;

	(void)relation_columns(r, &n);
	for (size_t i = 0; i < n; i++)
		values[i] = pgsql_value(answer, query, at, i);
	if (get_key(r, values, key) && get_any(r, values, value) && !value->full)
		return 0;
	err_set(err, "a row of %s is no record of a directory", r->table);
	err->code = EIO;
	return -1;
}
