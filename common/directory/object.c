#include "common/directory/object.h"

void
directory_put_number(struct directory_object *o, size_t field, uint64_t number)
{
	o->values[field] =
	    (struct directory_value){.how = DIRECTORY_VALUE_SET, .number = number};
}

void
directory_put_text(struct directory_object *o, size_t field, struct span text)
{
	o->values[field] =
	    (struct directory_value){.how = DIRECTORY_VALUE_SET, .text = text};
}

/* ---- the addresses of one value */

void
directory_item_put(struct buf *items, struct span item)
{
	wire_put_bytes(items, item);
}

bool
directory_item_next(struct cursor *c, struct span *item)
{
	struct span next;

	if (c->failed || c->rest.n == 0)
		return false;
	next = wire_get_bytes(c);
	if (!c->failed)
		*item = next;
	return !c->failed;
}

bool
directory_item_find(struct span items, struct span item)
{
	struct cursor c = cursor_make(items);
	struct span one;

	while (directory_item_next(&c, &one))
		if (span_equal(one, item))
			return true;
	return false;
}

size_t
directory_item_count(struct span items)
{
	struct cursor c = cursor_make(items);
	struct span one;
	size_t n = 0;

	while (directory_item_next(&c, &one))
		n++;
	return n;
}

static bool
items_whole(struct span items)
{
	struct cursor c = cursor_make(items);
	struct span one;

	while (directory_item_next(&c, &one))
		;
	return cursor_done(&c);
}

/* ---- as bytes */

static void
value_put(const struct directory_field *f, size_t number,
	  const struct directory_value *v, struct buf *out)
{
	wire_put_u8(out, (uint8_t)number);
	wire_put_u8(out, (uint8_t)v->how);
	if (directory_field_is_number(f))
		wire_put_u64(out, v->number);
	else
		wire_put_bytes(out, v->text);
}

void
directory_values_put(const struct directory_object *o, struct buf *out)
{
	for (size_t i = 1; i < DIRECTORY_FIELDS; i++) {
		const struct directory_field *f = directory_field(o->kind, i);

		if (f && o->values[i].how != DIRECTORY_VALUE_ABSENT)
			value_put(f, i, &o->values[i], out);
	}
	wire_put_u8(out, 0);
}

static void
value_get(struct cursor *c, const struct directory_field *f, struct directory_value *v)
{
	uint8_t how = wire_get_u8(c);

	v->how = (enum directory_how)how;
	if (directory_field_is_number(f))
		v->number = wire_get_u64(c);
	else
		v->text = wire_get_bytes(c);
	if (how == DIRECTORY_VALUE_ABSENT || how > DIRECTORY_VALUE_DELETE ||
	    (how != DIRECTORY_VALUE_SET && f->type != DIRECTORY_ADDRESSES) ||
	    (f->type == DIRECTORY_ADDRESSES && !items_whole(v->text)))
		c->failed = true;
}

bool
directory_values_get(struct cursor *c, enum directory_kind kind,
		     struct directory_value values[DIRECTORY_FIELDS])
{
	uint8_t number, last = 0;

	while ((number = wire_get_u8(c)) != 0 && !c->failed) {
		const struct directory_field *f = directory_field(kind, number);

		if (!f || number <= last) {
			c->failed = true;
			break;
		}
		value_get(c, f, &values[number]);
		last = number;
	}
	return !c->failed;
}

void
directory_object_put(const struct directory_object *o, struct buf *out)
{
	wire_put_u8(out, (uint8_t)o->kind);
	wire_put_bytes(out, o->name);
	wire_put_bytes(out, o->label);
	directory_values_put(o, out);
}

bool
directory_object_get(struct cursor *c, struct directory_object *out)
{
	struct directory_object o = {0};
	uint8_t kind = wire_get_u8(c);

	o.name = wire_get_bytes(c);
	o.label = wire_get_bytes(c);
	if (kind >= DIRECTORY_KINDS)
		c->failed = true;
	o.kind = (enum directory_kind)(kind % DIRECTORY_KINDS);
	if (!directory_values_get(c, o.kind, o.values))
		return false;
	*out = o;
	return true;
}
