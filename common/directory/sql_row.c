#include "common/directory/password.h"
#include "common/directory/sql.h"
#include "common/movein/movein.h"

#define VALUE_BYTES_MAX (1U << 20)

bool
sql_has(struct span key, enum directory_sql_query *which)
{
	static const struct {
		enum record_kind kind;
		enum directory_sql_query query;
	} rows[] = {
	    {RECORD_DOMAIN,  DIRECTORY_SQL_DOMAIN },
	    {RECORD_ACCOUNT, DIRECTORY_SQL_ACCOUNT},
	    {RECORD_ALIAS,   DIRECTORY_SQL_ALIAS  },
	};

	for (size_t i = 0; i < N_ELEMS(rows); i++)
		if (key.n > 0 && key.at[0] == (char)rows[i].kind) {
			*which = rows[i].query;
			return true;
		}
	return false;
}

static bool
put(struct row *row, struct span s)
{
	struct span copy;

	if (!arena_copy(&row->arena, s, &copy))
		return false;
	row->values[row->n++] = copy.at ? copy : SPAN("");
	return true;
}

/* $1 the address (or domain), $2 its local part, $3 its domain. */
bool
sql_put_key(const struct sql *s, struct span key, struct row *row)
{
	struct span rest = span_after(key, 1), domain = span_cut(&rest, '\0');
	struct buf address = buf_make(DIRECTORY_ADDRESS_MAX);
	enum directory_sql_query which;
	bool good = sql_has(key, &which);

	row->n = 0;
	if (good && which == DIRECTORY_SQL_DOMAIN) {
		good = put(row, domain);
	} else if (good) {
		buf_put(&address, rest);
		buf_put_char(&address, '@');
		buf_put(&address, domain);
		good = !address.full && put(row, buf_span(&address)) &&
		       put(row, rest) && put(row, domain);
	}
	if (good && row->n > s->n_values[which])
		row->n = s->n_values[which];
	buf_release(&address);
	return good;
}

/* ---- values of columns */

/* Of any scheme that can be checked; another lets nobody in, nor does one that stands
 * there in clear: making keys of it takes too long for a lookup. */
static int
take_password(struct span text, struct arena *arena, struct directory_value *v)
{
	struct buf hash = buf_make(DIRECTORY_CRYPT_MAX),
		   bytes = buf_make(VALUE_BYTES_MAX);
	struct directory_password password = {0};
	struct err why;

	if (movein_password(text, &hash) == MOVEIN_PASSWORD_HASH &&
	    directory_password_import(buf_span(&hash), &password, &why) == 0) {
		directory_password_put(&password, &bytes);
		v->how = DIRECTORY_VALUE_SET;
		if (!arena_copy(arena, buf_span(&bytes), &v->text))
			v->how = DIRECTORY_VALUE_ABSENT;
		explicit_bzero(bytes.at, bytes.n);
	}
	directory_password_wipe(&password);
	buf_release(&hash);
	buf_release(&bytes);
	return 0;
}

static bool
says_yes(struct span text)
{
	static const char *const words[] = {"t", "1", "true", "yes", "y", "on"};

	for (size_t i = 0; i < N_ELEMS(words); i++)
		if (span_equal_nocase(text, span_str(words[i])))
			return true;
	return false;
}

/* {a,b} of an array, or a list with commas, whatever blanks there are. */
static bool
put_items(struct span text, struct buf *items)
{
	struct buf one = buf_make(VALUE_BYTES_MAX);
	int r = 1;

	if (span_starts(text, SPAN("{"))) {
		while ((r = pgsql_array_next(&text, &one)) > 0)
			directory_item_put(items, buf_span(&one));
	} else {
		while (text.n > 0) {
			struct span item = span_trim(span_cut(&text, ','), " \t\r\n");

			if (item.n > 0)
				directory_item_put(items, item);
		}
		r = 0;
	}
	buf_release(&one);
	return r == 0 && !items->full;
}

static int
take_items(struct span text, struct arena *arena, struct directory_value *v)
{
	struct buf items = buf_make(VALUE_BYTES_MAX);
	struct span old = v->text;
	bool good;

	buf_put(&items, old);
	good = put_items(text, &items) && arena_copy(arena, buf_span(&items), &v->text);
	buf_release(&items);
	v->how = v->text.n > 0 ? DIRECTORY_VALUE_SET : DIRECTORY_VALUE_ABSENT;
	return good ? 0 : -1;
}

static int
take_value(const struct directory_field *f, struct span text, struct arena *arena,
	   struct directory_value *v, struct err *err)
{
	struct directory_value parsed = {0};

	switch (f->type) {
	case DIRECTORY_SECRET:
		return take_password(text, arena, v);
	case DIRECTORY_ADDRESSES:
		return take_items(text, arena, v);
	case DIRECTORY_FLAG:
		v->how = DIRECTORY_VALUE_SET;
		v->number = says_yes(text);
		return 0;
	default:
		if (text.n == 0)
			return 0;
		if (directory_value_parse(f, text, arena, &parsed, err) != 0)
			return -1;
		*v = parsed;
		return 0;
	}
}

/* A column that names no field is of no interest, so SELECT * will do. */
static int
take_column(struct directory_object *o, const char *name, struct span text,
	    struct arena *arena, struct err *err)
{
	size_t number = directory_field_number(o->kind, span_str(name));
	const struct directory_field *f = directory_field(o->kind, number);
	struct err why;

	if (!text.at)
		return 0;
	if (o->kind == DIRECTORY_ACCOUNT && strcmp(name, "enabled") == 0) {
		directory_put_number(o, FIELD_ACCOUNT_DISABLED, !says_yes(text));
		return 0;
	}
	if (number == 0 || (f->flags & DIRECTORY_DERIVED) || strcmp(name, "id") == 0)
		return 0;
	err_set(&why, "it is too long");
	if (take_value(f, text, arena, &o->values[number], &why) == 0)
		return 0;
	return err_set(err, "column %s of the operator's query: %.150s", name,
		       why.text);
}

/* An alias may have a row for each target. */
static int
take_rows(struct directory_object *o, const struct pgsql_answer *answer, size_t query,
	  struct arena *arena, struct err *err)
{
	size_t rows = o->kind == DIRECTORY_ALIAS ? pgsql_rows(answer, query) : 1;

	for (size_t i = 0; i < rows; i++)
		for (size_t k = 0; k < pgsql_columns(answer, query); k++)
			if (take_column(o, pgsql_column_name(answer, query, k),
					pgsql_value(answer, query, i, k), arena,
					err) != 0)
				return -1;
	return 0;
}

/* ---- what is kept beside */

/* The numbers and logins of it; new ones when it is seen for the first time. */
static int
shadow(struct postgresql *b, struct span key, struct directory_object *o,
       struct err *err)
{
	bool account = o->kind == DIRECTORY_ACCOUNT;
	size_t id_field = account ? (size_t)FIELD_ACCOUNT_ID : (size_t)FIELD_DOMAIN_ID;
	struct record_key next_key = record_key_meta("next-id"), id_key;
	struct backend *local = b->sql->local;
	struct buf next = buf_make(RECORD_VALUE_MAX), self = buf_make(RECORD_VALUE_MAX),
		   place = buf_make(RECORD_VALUE_MAX);
	struct directory_object kept = {.kind = o->kind};
	uint64_t id = 1;
	int r = local->calls->get(local, key, &self, err);

	if (r > 0 && !record_get_object(buf_span(&self), &kept))
		r = err_set(err, "a record of the directory is damaged");
	if (r == 0 &&
	    local->calls->get(local, record_key_span(&next_key), &next, err) > 0)
		r = record_get_number(buf_span(&next), &id)
			? 0
			: err_set(err, "a record of the directory is damaged");
	if (r == 0) {
		struct backend_change changes[3];

		directory_put_number(&kept, id_field, id);
		id_key = record_key_id(id);
		record_put_number(id + 1, &next);
		record_put_object(&kept, &self);
		record_put_bytes(key, &place);
		changes[0] = (struct backend_change){record_key_span(&next_key),
						     buf_span(&next)};
		changes[1] = (struct backend_change){key, buf_span(&self)};
		changes[2] =
		    (struct backend_change){record_key_span(&id_key), buf_span(&place)};
		r = local->calls->apply(local, changes, account ? 3 : 2, err);
	}
	directory_put_number(o, id_field, kept.values[id_field].number);
	if (account && r >= 0)
		for (size_t f = FIELD_ACCOUNT_LAST_LOGIN;
		     f <= FIELD_ACCOUNT_LAST_ADDRESS; f++)
			o->values[f] = kept.values[f];
	/* Texts of it are copied before this returns. */
	if (r >= 0)
		record_put_object(o, &b->sql_record);
	buf_release(&next);
	buf_release(&self);
	buf_release(&place);
	return r < 0 ? -1 : 0;
}

int
sql_take(struct postgresql *b, struct memo *m, struct memo_entry *e,
	 const struct pgsql_answer *answer, size_t query, struct err *err)
{
	static const enum directory_kind kinds[] = {
	    [DIRECTORY_SQL_DOMAIN] = DIRECTORY_DOMAIN,
	    [DIRECTORY_SQL_ACCOUNT] = DIRECTORY_ACCOUNT,
	    [DIRECTORY_SQL_ALIAS] = DIRECTORY_ALIAS};
	enum directory_sql_query which;
	struct directory_object o;
	int r = 0;

	if (!sql_has(e->key, &which))
		return err_set(err, "the directory asked a strange question");
	o = (struct directory_object){.kind = kinds[which]};
	e->here = true;
	if (pgsql_rows(answer, query) == 0)
		return 0;
	if (o.kind == DIRECTORY_DOMAIN)
		directory_put_number(&o, FIELD_DOMAIN_ENABLED, 1);
	r = take_rows(&o, answer, query, &m->arena, err);
	if (r == 0 && o.kind == DIRECTORY_ALIAS)
		record_put_object(&o, &b->sql_record);
	else if (r == 0)
		r = shadow(b, e->key, &o, err);
	if (r != 0 ||
	    (o.kind == DIRECTORY_ALIAS && !o.values[FIELD_ALIAS_TARGETS].text.n))
		return r;
	e->records = arena_new(&m->arena, 1, sizeof(*e->records));
	if (!e->records ||
	    !arena_copy(&m->arena, buf_span(&b->sql_record), &e->records[0].value))
		return err_set(err, "one task reads too much of the directory");
	e->records[0].key = e->key;
	e->n = 1;
	return 0;
}
