#include "common/directory/internal.h"

#define ARENA_BYTES ((size_t)2 * DIRECTORY_ARENA_BYTES)

static const struct kind_rules *const rules[DIRECTORY_KINDS] = {
    [DIRECTORY_DOMAIN] = &domain_rules, [DIRECTORY_ACCOUNT] = &account_rules,
    [DIRECTORY_ALIAS] = &alias_rules,   [DIRECTORY_LIST] = &list_rules,
    [DIRECTORY_GROUP] = &group_rules,   [DIRECTORY_APP_PASSWORD] = &app_password_rules,
};

static enum directory_result
change_init(struct change *c, struct directory *d,
	    const struct directory_object *wanted, struct err *err)
{
	enum directory_result r;

	*c = (struct change){.d = d, .err = err, .wanted = wanted};
	c->object.kind = wanted->kind;
	arena_init(&c->arena, ARENA_BYTES);
	changes_init(&c->changes);
	r = directory_object_name(wanted->kind, wanted->name, wanted->label, &c->name,
				  err);
	if (r == DIRECTORY_DONE)
		c->key =
		    record_key_of(wanted->kind, &c->name.name, span_str(c->name.label));
	return r;
}

static void
change_release(struct change *c)
{
	arena_release(&c->arena);
	changes_release(&c->changes);
}

enum directory_result
change_load(struct change *c, enum directory_kind kind, const struct directory_name *n,
	    struct span label, struct directory_object *out)
{
	struct directory_object o;
	int r = directory_load_object(c->d, kind, n, label, &o, c->err);

	if (r < 0)
		return DIRECTORY_FAULT;
	if (r == 0)
		return DIRECTORY_NOT_FOUND;
	for (size_t i = 1; i < DIRECTORY_FIELDS; i++)
		if (o.values[i].text.n > 0 &&
		    !arena_copy(&c->arena, o.values[i].text, &o.values[i].text))
			return directory_say(DIRECTORY_FAULT, c->err,
					     "%.150s is too large", n->text);
	*out = o;
	return DIRECTORY_DONE;
}

/* The domain that a new object would be in. */
static enum directory_result
load_home(struct change *c)
{
	struct span domain = directory_name_domain(&c->name.name), alias_of;
	struct directory_name name;
	enum directory_result r;

	if (c->wanted->kind == DIRECTORY_DOMAIN)
		return DIRECTORY_DONE;
	if (!directory_name_make((struct span){0}, domain, &name))
		return DIRECTORY_BAD_NAME;
	r = change_load(c, DIRECTORY_DOMAIN, &name, (struct span){0}, &c->domain);
	if (r == DIRECTORY_NOT_FOUND)
		return directory_say(r, c->err,
				     "%.150s is not a domain of this server; "
				     "'postroad domain add' makes it one",
				     domain.at);
	alias_of = c->domain.values[FIELD_DOMAIN_ALIAS_OF].text;
	if (r == DIRECTORY_DONE && alias_of.n > 0)
		return directory_say(DIRECTORY_BAD_NAME, c->err,
				     "%.100s is an alias of %.*s: add it there",
				     domain.at, (int)alias_of.n, alias_of.at);
	return r;
}

static enum directory_result
finish(struct change *c)
{
	if (c->object.kind == DIRECTORY_ALIAS &&
	    c->object.values[FIELD_ALIAS_TARGETS].text.n == 0)
		changes_erase(&c->changes, &c->key);
	else
		changes_put_object(&c->changes, &c->key, &c->object);
	return changes_apply(&c->changes, c->d->backend, c->err);
}

/* ---- adding */

/* An alias that is there gets more targets. */
static void
extend(struct change *c, struct directory_object *more)
{
	*more = *c->wanted;
	if (more->values[FIELD_ALIAS_TARGETS].how == DIRECTORY_VALUE_SET)
		more->values[FIELD_ALIAS_TARGETS].how = DIRECTORY_VALUE_INSERT;
	c->wanted = more;
}

static enum directory_result
add(struct change *c)
{
	const struct kind_rules *k = rules[c->wanted->kind];
	struct directory_object more;
	enum directory_result r = load_home(c);

	if (r != DIRECTORY_DONE)
		return r;
	r = change_load(c, c->wanted->kind, &c->name.name, span_str(c->name.label),
			&c->object);
	c->is_new = r == DIRECTORY_NOT_FOUND;
	if (r == DIRECTORY_DONE && c->wanted->kind == DIRECTORY_ALIAS)
		extend(c, &more);
	else if (r == DIRECTORY_DONE)
		return directory_say(
		    DIRECTORY_EXISTS, c->err, "%.150s is there already",
		    directory_name_shown(c->wanted->kind, &c->name.name).at);
	else if (r != DIRECTORY_NOT_FOUND)
		return r;
	r = DIRECTORY_DONE;
	if (c->is_new && k->check_new)
		r = k->check_new(c);
	if (r == DIRECTORY_DONE)
		r = change_values(c);
	if (r == DIRECTORY_DONE && k->check)
		r = k->check(c);
	return r == DIRECTORY_DONE ? finish(c) : r;
}

enum directory_result
directory_add(struct directory *d, const struct directory_object *object, uint64_t now,
	      struct err *err)
{
	struct change c;
	enum directory_result r = change_init(&c, d, object, err);

	c.now = now;
	if (r == DIRECTORY_DONE)
		r = add(&c);
	change_release(&c);
	return r;
}

/* ---- changing and removing what is there */

static enum directory_result
load_own(struct change *c)
{
	enum directory_result r =
	    directory_find(c->d, c->wanted->kind, c->wanted->name, c->wanted->label,
			   &c->arena, &c->object, c->err);

	if (r == DIRECTORY_DONE && c->wanted->kind != DIRECTORY_DOMAIN) {
		struct directory_name home;

		if (!directory_name_make((struct span){0},
					 directory_name_domain(&c->name.name), &home))
			return DIRECTORY_BAD_NAME;
		r = change_load(c, DIRECTORY_DOMAIN, &home, (struct span){0},
				&c->domain);
		if (r == DIRECTORY_NOT_FOUND)
			r = (enum directory_result)directory_damaged(
			    c->err, record_key_span(&c->key));
	}
	return r;
}

enum directory_result
directory_set(struct directory *d, const struct directory_object *object,
	      struct err *err)
{
	struct change c;
	enum directory_result r = change_init(&c, d, object, err);

	if (r == DIRECTORY_DONE)
		r = load_own(&c);
	if (r == DIRECTORY_DONE)
		r = change_values(&c);
	if (r == DIRECTORY_DONE && rules[object->kind]->check)
		r = rules[object->kind]->check(&c);
	if (r == DIRECTORY_DONE)
		r = finish(&c);
	change_release(&c);
	return r;
}

enum directory_result
directory_remove(struct directory *d, enum directory_kind kind, struct span name,
		 struct span label, uint64_t now, struct err *err)
{
	const struct directory_object object = {
	    .kind = kind, .name = name, .label = label};
	struct change c;
	enum directory_result r = change_init(&c, d, &object, err);

	c.now = now;
	if (r == DIRECTORY_DONE)
		r = load_own(&c);
	if (r == DIRECTORY_DONE && rules[kind]->check_remove)
		r = rules[kind]->check_remove(&c);
	if (r == DIRECTORY_DONE) {
		changes_erase(&c.changes, &c.key);
		r = changes_apply(&c.changes, d->backend, err);
	}
	change_release(&c);
	return r;
}

/* ---- what several kinds ask for */

enum directory_result
change_check_free(struct change *c)
{
	static const enum directory_kind kinds[] = {DIRECTORY_ACCOUNT, DIRECTORY_ALIAS,
						    DIRECTORY_LIST};
	struct directory_object other;

	for (size_t i = 0; i < N_ELEMS(kinds); i++) {
		int r;

		if (kinds[i] == c->wanted->kind)
			continue;
		r = directory_load_object(c->d, kinds[i], &c->name.name,
					  (struct span){0}, &other, c->err);
		if (r < 0)
			return DIRECTORY_FAULT;
		if (r > 0)
			return directory_say(DIRECTORY_EXISTS, c->err,
					     "%.150s is there already, as %s %s",
					     c->name.name.text,
					     kinds[i] == DIRECTORY_LIST ? "a" : "an",
					     directory_kind_name(kinds[i]));
	}
	return DIRECTORY_DONE;
}

enum directory_result
change_check_limit(struct change *c, size_t field, const char *what)
{
	uint64_t max = c->domain.values[field].number;
	struct directory_name in;
	size_t n = 0;

	if (max == 0)
		return DIRECTORY_DONE;
	if (!directory_name_make((struct span){0}, directory_name_domain(&c->name.name),
				 &in) ||
	    directory_count(c->d, record_key_in(c->wanted->kind, &in), (size_t)max, &n,
			    c->err) != 0)
		return DIRECTORY_FAULT;
	if (n < max)
		return DIRECTORY_DONE;
	return directory_say(
	    DIRECTORY_LIMIT, c->err,
	    "%.100s may have %llu %s and has them all; 'postroad domain "
	    "set' changes %s",
	    directory_name_domain(&c->name.name).at, (unsigned long long)max, what,
	    directory_field(DIRECTORY_DOMAIN, field)->name);
}
