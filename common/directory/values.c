#include "common/directory/internal.h"

#define SHOWN 100 /* bytes of a value in a message */

static int
shown(struct span s)
{
	return (int)(s.n < SHOWN ? s.n : SHOWN);
}

/* ---- texts */

static bool
is_printable(struct span text, bool lines)
{
	if (!utf8_valid(text))
		return false;
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.at[i];
		bool line = lines && (c == '\n' || c == '\r' || c == '\t');

		if ((c < 0x20 && !line) || c == 0x7f)
			return false;
	}
	return true;
}

static enum directory_result
keep(struct change *c, struct span text, struct directory_value *v)
{
	*v = (struct directory_value){.how = DIRECTORY_VALUE_SET};
	if (text.n > 0 && !arena_copy(&c->arena, text, &v->text))
		return directory_say(DIRECTORY_BAD_VALUE, c->err, "too much at once");
	return DIRECTORY_DONE;
}

static enum directory_result
set_name(struct change *c, const struct directory_field *f, struct span text,
	 struct directory_value *v)
{
	char domain[DIRECTORY_DOMAIN_MAX + 1];
	struct directory_name name;

	if (text.n == 0)
		return keep(c, text, v);
	if (f->type == DIRECTORY_DOMAIN_NAME) {
		if (directory_domain_canonical(text, domain, c->err) != 0)
			return DIRECTORY_BAD_VALUE;
		return keep(c, span_str(domain), v);
	}
	if (directory_name_parse(text, &name, c->err) != 0)
		return DIRECTORY_BAD_VALUE;
	if (name.local_bytes == 0)
		return directory_say(DIRECTORY_BAD_VALUE, c->err,
				     "%s needs a name before the @", f->name);
	return keep(c, text, v);
}

static enum directory_result
set_text(struct change *c, const struct directory_field *f, struct span text,
	 struct directory_value *v)
{
	if (f->max > 0 && text.n > f->max)
		return directory_say(DIRECTORY_BAD_VALUE, c->err,
				     "%s has at most %llu bytes", f->name,
				     (unsigned long long)f->max);
	if (f->type == DIRECTORY_SECRET)
		return keep(c, text, v);
	if (!is_printable(text, f->flags & DIRECTORY_LINES))
		return directory_say(DIRECTORY_BAD_VALUE, c->err,
				     "%s is UTF-8 text without control characters",
				     f->name);
	if (f->type != DIRECTORY_TEXT)
		return set_name(c, f, text, v);
	return keep(c, text, v);
}

static enum directory_result
set_number(struct change *c, const struct directory_field *f, uint64_t number,
	   struct directory_value *v)
{
	if (f->max > 0 && number > f->max)
		return directory_say(DIRECTORY_BAD_VALUE, c->err, "%s is at most %llu",
				     f->name, (unsigned long long)f->max);
	*v = (struct directory_value){.how = DIRECTORY_VALUE_SET, .number = number};
	return DIRECTORY_DONE;
}

/* ---- addresses */

/* An address at one of our domains must lead somewhere, or mail would be lost to
 * a slip of the pen. */
static enum directory_result
check_leads(struct change *c, struct span address)
{
	const struct directory_policy policy = {.delimiters = SPAN("+")};
	struct directory_route route;
	struct arena arena;
	enum directory_route_kind kind;

	arena_init(&arena, DIRECTORY_ARENA_BYTES);
	kind = directory_resolve(c->d, address, &policy, &arena, &route, c->err);
	arena_release(&arena);
	if (kind == DIRECTORY_ROUTE_FAULT)
		return DIRECTORY_FAULT;
	if (kind == DIRECTORY_ROUTE_UNKNOWN)
		return directory_say(DIRECTORY_NOT_FOUND, c->err,
				     "%.*s is neither an account nor an alias nor a "
				     "list here",
				     shown(address), address.at);
	return DIRECTORY_DONE;
}

/* 1 there, 0 not, -1 */
static int
is_there(struct change *c, enum directory_kind kind, const struct directory_name *n)
{
	struct directory_object o;

	return directory_load_object(c->d, kind, n, (struct span){0}, &o, c->err);
}

/* "group:sales@example.org": in the form it is kept in. */
static enum directory_result
group_kept(struct change *c, struct span name, bool check, struct buf *kept)
{
	struct directory_name n;
	int r = 1;

	if (directory_name_parse(name, &n, c->err) != 0)
		return DIRECTORY_BAD_VALUE;
	if (check)
		r = is_there(c, DIRECTORY_GROUP, &n);
	if (r == 0)
		return directory_say(DIRECTORY_NOT_FOUND, c->err,
				     "there is no group %.*s", shown(name), name.at);
	buf_put(kept, SPAN("group:"));
	buf_put(kept, directory_name_span(&n));
	return r > 0 ? DIRECTORY_DONE : DIRECTORY_FAULT;
}

static enum directory_result
check_ours(struct change *c, const struct directory_field *f,
	   const struct directory_name *n)
{
	int r;

	if (f->flags & DIRECTORY_LEADS)
		return check_leads(c, directory_name_span(n));
	if (!(f->flags & DIRECTORY_ACCOUNTS))
		return DIRECTORY_DONE;
	r = is_there(c, DIRECTORY_ACCOUNT, n);
	if (r == 0)
		return directory_say(DIRECTORY_NOT_FOUND, c->err,
				     "there is no account %.150s", n->text);
	return r > 0 ? DIRECTORY_DONE : DIRECTORY_FAULT;
}

/* The form an address is kept in: canonical at our domains, as written outside.
 * `check`: it must be or lead somewhere. */
static enum directory_result
item_kept(struct change *c, const struct directory_field *f, struct span item,
	  bool check, struct buf *kept)
{
	struct directory_domain domain;
	struct directory_name n;
	struct span group;
	int ours;

	buf_reset(kept);
	if (f->flags & DIRECTORY_GROUPS && directory_group_item(item, &group))
		return group_kept(c, group, check, kept);
	if (directory_name_parse(item, &n, c->err) != 0)
		return DIRECTORY_BAD_VALUE;
	if (n.local_bytes == 0)
		return directory_say(DIRECTORY_BAD_VALUE, c->err,
				     "an address in %s needs a name before the @",
				     f->name);
	ours = directory_load_domain(c->d, directory_name_domain(&n), &domain, c->err);
	if (ours < 0)
		return DIRECTORY_FAULT;
	if (!ours && f->flags & DIRECTORY_ACCOUNTS && check)
		return directory_say(DIRECTORY_NOT_FOUND, c->err,
				     "%.*s is no account of this server", shown(item),
				     item.at);
	buf_put(kept, ours ? directory_name_span(&n) : item);
	return ours && check ? check_ours(c, f, &n) : DIRECTORY_DONE;
}

/* What a value of addresses becomes. */
struct items {
	struct buf at;
	size_t n;
	bool changed;
};

static enum directory_result
insert_item(struct change *c, const struct directory_field *f, struct span item,
	    struct items *items)
{
	struct buf kept = buf_make(DIRECTORY_ADDRESS_MAX + 16);
	enum directory_result r = item_kept(c, f, item, true, &kept);

	if (r == DIRECTORY_DONE && kept.full)
		r = directory_say(DIRECTORY_BAD_VALUE, c->err,
				  "an address is too long");
	if (r == DIRECTORY_DONE &&
	    !directory_item_find(buf_span(&items->at), buf_span(&kept))) {
		directory_item_put(&items->at, buf_span(&kept));
		items->n++;
		items->changed = true;
	}
	if (r == DIRECTORY_DONE && items->n > DIRECTORY_TARGETS_MAX)
		r = directory_say(DIRECTORY_BAD_VALUE, c->err,
				  "%s has at most %d addresses", f->name,
				  DIRECTORY_TARGETS_MAX);
	if (r == DIRECTORY_DONE && items->at.full)
		r = directory_say(DIRECTORY_BAD_VALUE, c->err,
				  "the addresses of %s are too long together", f->name);
	buf_release(&kept);
	return r;
}

static enum directory_result
delete_item(struct change *c, const struct directory_field *f, struct span item,
	    struct items *items)
{
	struct buf kept = buf_make(DIRECTORY_ADDRESS_MAX + 16);
	enum directory_result r = item_kept(c, f, item, false, &kept);
	struct cursor cursor = cursor_make(buf_span(&items->at));
	struct span one = {0};
	size_t before = 0;
	bool found = false;

	while (r == DIRECTORY_DONE && !found) {
		before = items->at.n - cursor.rest.n;
		if (!directory_item_next(&cursor, &one))
			break;
		found = span_equal(one, buf_span(&kept));
	}
	if (r == DIRECTORY_DONE && !found)
		r = directory_say(DIRECTORY_NOT_FOUND, c->err, "%.*s is not in its %s",
				  shown(item), item.at, f->name);
	if (r == DIRECTORY_DONE) {
		memmove(items->at.at + before, cursor.rest.at, cursor.rest.n);
		items->at.n = before + cursor.rest.n;
		items->n--;
		items->changed = true;
	}
	buf_release(&kept);
	return r;
}

/* What they lead to is looked at, one after the other. */
static void
expect_items(struct change *c, struct span text)
{
	struct cursor cursor = cursor_make(text);
	struct span item;

	while (directory_item_next(&cursor, &item))
		directory_expect(c->d, item);
}

static enum directory_result
set_addresses(struct change *c, const struct directory_field *f,
	      const struct directory_value *wanted, struct directory_value *v)
{
	struct items items = {.at = buf_make(f->max)};
	struct cursor cursor = cursor_make(wanted->text);
	enum directory_result r = DIRECTORY_DONE;
	struct span item;

	if (wanted->how != DIRECTORY_VALUE_SET) {
		buf_put(&items.at, v->text);
		items.n = directory_item_count(v->text);
	}
	if (wanted->how != DIRECTORY_VALUE_DELETE)
		expect_items(c, wanted->text);
	while (r == DIRECTORY_DONE && directory_item_next(&cursor, &item))
		r = wanted->how == DIRECTORY_VALUE_DELETE
			? delete_item(c, f, item, &items)
			: insert_item(c, f, item, &items);
	if (r == DIRECTORY_DONE && wanted->how == DIRECTORY_VALUE_INSERT &&
	    !items.changed)
		r = directory_say(DIRECTORY_EXISTS, c->err,
				  "%.150s has those %s already", c->name.name.text,
				  f->name);
	if (r == DIRECTORY_DONE)
		r = keep(c, buf_span(&items.at), v);
	buf_release(&items.at);
	return r;
}

/* ---- all of them */

static enum directory_result
set_value(struct change *c, size_t i)
{
	const struct directory_field *f = directory_field(c->wanted->kind, i);
	const struct directory_value *wanted = &c->wanted->values[i];
	struct directory_value *v = &c->object.values[i];

	if (!f || !(f->flags & DIRECTORY_SETTABLE))
		return directory_say(DIRECTORY_BAD_VALUE, c->err,
				     "%s of %s cannot be set", f ? f->name : "that",
				     directory_kind_name(c->wanted->kind));
	if (f->type == DIRECTORY_ADDRESSES)
		return set_addresses(c, f, wanted, v);
	if (directory_field_is_number(f))
		return set_number(c, f, wanted->number, v);
	return set_text(c, f, wanted->text, v);
}

enum directory_result
change_values(struct change *c)
{
	enum directory_result r = DIRECTORY_DONE;

	for (size_t i = 1; i < DIRECTORY_FIELDS && r == DIRECTORY_DONE; i++)
		if (c->wanted->values[i].how != DIRECTORY_VALUE_ABSENT)
			r = set_value(c, i);
	return r;
}
