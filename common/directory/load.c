#include "common/directory/internal.h"

/* A load on its way. */
struct load {
	struct directory *d;
	struct changes changes;
	uint64_t next_id;         /* first that no row of it has */
	struct record_key domain; /* the last one that is there */
	size_t n;
	struct err *err;
};

/* ---- is it a row that could be ours? */

static enum directory_result
check_value(struct load *l, const struct directory_object *o,
	    const struct directory_field *f, const struct directory_value *v)
{
	uint64_t size = directory_field_is_number(f) ? v->number : v->text.n;

	if (v->how != DIRECTORY_VALUE_SET || f->flags & DIRECTORY_DERIVED ||
	    (f->max > 0 && size > f->max) ||
	    (f->type == DIRECTORY_ADDRESSES &&
	     directory_item_count(v->text) > DIRECTORY_TARGETS_MAX))
		return directory_say(DIRECTORY_BAD_VALUE, l->err,
				     "%.*s has a value of %s that cannot be",
				     SPAN_ARG(span_first(o->name, 150)), f->name);
	return DIRECTORY_DONE;
}

static enum directory_result
check_row(struct load *l, const struct directory_object *o, struct record_name *name)
{
	enum directory_result r =
	    directory_object_name(o->kind, o->name, o->label, name, l->err);
	bool own = o->kind == DIRECTORY_ACCOUNT || o->kind == DIRECTORY_LIST ||
		   o->kind == DIRECTORY_GROUP ||
		   (o->kind == DIRECTORY_ALIAS && name->name.local_bytes > 0);

	if (r == DIRECTORY_DONE && own && !directory_name_ours(&name->name, l->err))
		r = DIRECTORY_BAD_NAME;
	for (size_t i = 1; i < DIRECTORY_FIELDS && r == DIRECTORY_DONE; i++)
		if (o->values[i].how != DIRECTORY_VALUE_ABSENT)
			r = check_value(l, o, directory_field(o->kind, i),
					&o->values[i]);
	return r;
}

/* ---- what is there; what rows before this one put counts */

static int
load_get(struct load *l, const struct record_key *key, struct span *value)
{
	if (changes_find(&l->changes, key, value))
		return value->at != NULL;
	return directory_get(l->d, *key, value, l->err);
}

static enum directory_result
check_domain(struct load *l, const struct directory_name *n)
{
	struct record_key key = record_key_domain(directory_name_domain(n));
	struct span value;
	int r = 1;

	if (!span_equal(record_key_span(&key), record_key_span(&l->domain)))
		r = load_get(l, &key, &value);
	if (r == 0)
		return directory_say(DIRECTORY_NOT_FOUND, l->err,
				     "%.150s: its domain is not here", n->text);
	l->domain = key;
	return r < 0 ? DIRECTORY_FAULT : DIRECTORY_DONE;
}

/* What a name is taken from: an account gets the mail of an alias or a list. */
static enum directory_result
replace(struct load *l, enum directory_kind kind, const struct directory_name *n)
{
	struct record_key key = record_key_of(kind, n, (struct span){0});
	struct span value;
	int r = load_get(l, &key, &value);

	if (r > 0)
		changes_erase(&l->changes, &key);
	return r < 0 ? DIRECTORY_FAULT : DIRECTORY_DONE;
}

/* ---- what a row changes besides its own record */

static enum directory_result
check_id_free(struct load *l, const struct directory_name *n,
	      const struct record_key *id_key, const struct record_key *key,
	      uint64_t id)
{
	struct span value, owner;
	int r = load_get(l, id_key, &value);

	if (r > 0 && (!record_get_bytes(value, &owner) ||
		      !span_equal(owner, record_key_span(key))))
		return directory_say(DIRECTORY_EXISTS, l->err,
				     "%.150s: the number %llu belongs to another "
				     "account",
				     n->text, (unsigned long long)id);
	return r < 0 ? DIRECTORY_FAULT : DIRECTORY_DONE;
}

static void
put_id(struct load *l, const struct record_key *id_key, const struct record_key *key)
{
	struct buf value = buf_make(RECORD_VALUE_MAX);

	record_put_bytes(record_key_span(key), &value);
	changes_put(&l->changes, id_key, buf_span(&value));
	buf_release(&value);
}

/* The number of the account that the row replaces; 0: there is none. */
static enum directory_result
find_old_id(struct load *l, const struct record_key *key, uint64_t *id)
{
	struct directory_object old = {.kind = DIRECTORY_ACCOUNT};
	struct span value;
	int r = load_get(l, key, &value);

	if (r > 0 && !record_get_object(value, &old))
		r = directory_damaged(l->err, record_key_span(key));
	*id = old.values[FIELD_ACCOUNT_ID].number;
	return r < 0 ? DIRECTORY_FAULT : DIRECTORY_DONE;
}

/* The row's number, that of the account it replaces, or a new one. */
static enum directory_result
load_account_id(struct load *l, struct directory_object *o,
		const struct directory_name *n, const struct record_key *key)
{
	uint64_t id = o->values[FIELD_ACCOUNT_ID].number, old_id;
	struct record_key id_key, old_key;
	enum directory_result result = find_old_id(l, key, &old_id);

	if (result != DIRECTORY_DONE)
		return result;
	if (id == 0)
		id = old_id ? old_id : l->next_id;
	directory_put_number(o, FIELD_ACCOUNT_ID, id);
	if (id == old_id)
		return DIRECTORY_DONE;
	id_key = record_key_id(id);
	if (id < l->next_id)
		result = check_id_free(l, n, &id_key, key, id);
	else
		l->next_id = id + 1; /* nobody has it */
	if (result != DIRECTORY_DONE)
		return result;
	if (old_id) {
		old_key = record_key_id(old_id);
		changes_erase(&l->changes, &old_key);
	}
	put_id(l, &id_key, key);
	return DIRECTORY_DONE;
}

static enum directory_result
load_account(struct load *l, struct directory_object *o, const struct directory_name *n,
	     const struct record_key *key)
{
	enum directory_result r = replace(l, DIRECTORY_ALIAS, n);

	if (r == DIRECTORY_DONE)
		r = replace(l, DIRECTORY_LIST, n);
	return r == DIRECTORY_DONE ? load_account_id(l, o, n, key) : r;
}

static enum directory_result
load_domain(struct load *l, struct directory_object *o, const struct directory_name *n,
	    const struct record_key *key)
{
	uint64_t *id = &o->values[FIELD_DOMAIN_ID].number;

	(void)n;
	(void)key;
	if (*id == 0)
		directory_put_number(o, FIELD_DOMAIN_ID, l->next_id);
	if (*id >= l->next_id)
		l->next_id = *id + 1;
	return DIRECTORY_DONE;
}

/* An account is not replaced by something that holds no mail. */
static enum directory_result
load_address(struct load *l, struct directory_object *o, const struct directory_name *n,
	     const struct record_key *key)
{
	struct record_key account =
	    record_key_of(DIRECTORY_ACCOUNT, n, (struct span){0});
	struct span value;
	int r = load_get(l, &account, &value);

	(void)key;
	if (r > 0)
		return directory_say(DIRECTORY_EXISTS, l->err, "%.150s is an account",
				     n->text);
	if (r < 0)
		return DIRECTORY_FAULT;
	return replace(l, o->kind == DIRECTORY_ALIAS ? DIRECTORY_LIST : DIRECTORY_ALIAS,
		       n);
}

/* An account that is made later must not find passwords that somebody else knows. */
static enum directory_result
load_app_password(struct load *l, struct directory_object *o,
		  const struct directory_name *n, const struct record_key *key)
{
	struct record_key account =
	    record_key_of(DIRECTORY_ACCOUNT, n, (struct span){0});
	struct span value;
	int r = load_get(l, &account, &value);

	(void)o;
	(void)key;
	if (r == 0)
		return directory_say(DIRECTORY_NOT_FOUND, l->err,
				     "there is no account %.150s", n->text);
	return r < 0 ? DIRECTORY_FAULT : DIRECTORY_DONE;
}

static enum directory_result
load_row(struct load *l, struct directory_object *o)
{
	static enum directory_result (*const kinds[DIRECTORY_KINDS])(
	    struct load *, struct directory_object *, const struct directory_name *,
	    const struct record_key *) = {
	    [DIRECTORY_DOMAIN] = load_domain,
	    [DIRECTORY_ACCOUNT] = load_account,
	    [DIRECTORY_ALIAS] = load_address,
	    [DIRECTORY_LIST] = load_address,
	    [DIRECTORY_APP_PASSWORD] = load_app_password,
	};
	struct record_name name;
	struct record_key key;
	enum directory_result r = check_row(l, o, &name);

	if (r != DIRECTORY_DONE)
		return r;
	key = record_key_of(o->kind, &name.name, span_str(name.label));
	if (o->kind != DIRECTORY_DOMAIN)
		r = check_domain(l, &name.name);
	if (r == DIRECTORY_DONE && kinds[o->kind])
		r = kinds[o->kind](l, o, &name.name, &key);
	if (r != DIRECTORY_DONE)
		return r;
	changes_put_object(&l->changes, &key, o);
	l->n++;
	return DIRECTORY_DONE;
}

static enum directory_result
load_rows(struct load *l, struct span rows)
{
	struct cursor c = cursor_make(rows);
	enum directory_result r = DIRECTORY_DONE;
	uint64_t before = l->next_id;

	while (r == DIRECTORY_DONE && c.rest.n > 0) {
		struct directory_object o;

		if (!directory_object_get(&c, &o))
			return directory_say(DIRECTORY_BAD_VALUE, l->err,
					     "row %zu is damaged", l->n + 1);
		r = load_row(l, &o);
	}
	if (l->next_id > before)
		directory_ids_given(&l->changes, l->next_id);
	return r;
}

/* ---- what will be asked for */

#define KEYS_MAX 5 /* of a row */

static void
prefetch_row(struct directory *d, const struct directory_object *o)
{
	static const enum directory_kind kinds[] = {DIRECTORY_ACCOUNT, DIRECTORY_ALIAS,
						    DIRECTORY_LIST};
	uint64_t id =
	    o->kind == DIRECTORY_ACCOUNT ? o->values[FIELD_ACCOUNT_ID].number : 0;
	struct record_key keys[KEYS_MAX];
	struct span spans[KEYS_MAX];
	struct record_name name;
	struct err none;
	size_t n = 0;

	if (o->kind == DIRECTORY_DOMAIN ||
	    directory_object_name(o->kind, o->name, o->label, &name, &none) !=
		DIRECTORY_DONE)
		return;
	keys[n++] = record_key_domain(directory_name_domain(&name.name));
	for (size_t i = 0; i < N_ELEMS(kinds); i++)
		keys[n++] = record_key_of(kinds[i], &name.name, (struct span){0});
	if (id)
		keys[n++] = record_key_id(id);
	for (size_t i = 0; i < n; i++)
		spans[i] = record_key_span(&keys[i]);
	d->backend->calls->prefetch(d->backend, spans, n);
}

static void
prefetch(struct directory *d, struct span rows)
{
	struct cursor c = cursor_make(rows);
	struct directory_object o;

	while (d->backend->calls->prefetch && c.rest.n > 0 &&
	       directory_object_get(&c, &o))
		prefetch_row(d, &o);
}

enum directory_result
directory_load(struct directory *d, struct span rows, size_t *n, struct err *err)
{
	struct load l = {.d = d, .err = err};
	enum directory_result r;

	if (directory_next_id(d, &l.next_id, err) != 0) {
		prefetch(d, rows); /* on the way together, if that is why */
		return DIRECTORY_FAULT;
	}
	changes_init(&l.changes);
	r = load_rows(&l, rows);
	if (r == DIRECTORY_DONE)
		r = changes_apply(&l.changes, d->backend, err);
	if (r == DIRECTORY_DONE)
		*n = l.n;
	changes_release(&l.changes);
	return r;
}
