#include "admin/import.h"

static const enum directory_kind kinds[MOVEIN_KINDS] = {
    [MOVEIN_DOMAIN] = DIRECTORY_DOMAIN,
    [MOVEIN_ACCOUNT] = DIRECTORY_ACCOUNT,
    [MOVEIN_ALIAS] = DIRECTORY_ALIAS,
    [MOVEIN_LIST] = DIRECTORY_LIST,
};

enum directory_kind
import_kind(const struct movein_object *o)
{
	return kinds[o->kind];
}

/* All addresses of the field together, as the directory has them. */
static bool
put_addresses(const struct movein_object *o, const char *field, struct arena *arena,
	      const struct directory_field *f, struct directory_value *out)
{
	struct buf items = buf_make(f->max ? f->max : DIRECTORY_REQUEST_MAX);
	bool good;

	for (size_t i = 0; i < o->n_values; i++)
		if (strcmp(o->values[i].field, field) == 0)
			directory_item_put(&items, o->values[i].text);
	good = !items.full && arena_copy(arena, buf_span(&items), &out->text);
	buf_release(&items);
	return good;
}

static bool
is_plain_number(enum directory_type type)
{
	return type == DIRECTORY_NUMBER || type == DIRECTORY_BYTES ||
	       type == DIRECTORY_SECONDS || type == DIRECTORY_TIME;
}

static bool
put_value(const struct movein_object *o, const struct movein_value *v,
	  const struct directory_field *f, struct arena *arena,
	  struct directory_value *out, struct err *err)
{
	*out = (struct directory_value){.how = DIRECTORY_VALUE_SET};
	if (f->type == DIRECTORY_ADDRESSES) {
		err_set(err, "too many addresses");
		return put_addresses(o, v->field, arena, f, out);
	}
	if (is_plain_number(f->type)) {
		err_set(err, "no such number");
		return number_parse(v->text, f->max ? f->max : UINT64_MAX,
				    &out->number);
	}
	if (directory_value_parse(f, v->text, arena, out, err) != 0)
		return false;
	out->how = DIRECTORY_VALUE_SET;
	return true;
}

void
import_object(struct import *im, const struct movein_object *o, struct arena *arena,
	      struct directory_object *out)
{
	*out = (struct directory_object){.kind = kinds[o->kind], .name = o->name};
	for (size_t i = 0; i < o->n_values; i++) {
		const struct movein_value *v = &o->values[i];
		size_t number = directory_field_number(out->kind, span_str(v->field));
		struct directory_value value;
		struct err err;

		if (number == 0 || out->values[number].how == DIRECTORY_VALUE_SET)
			continue;
		if (put_value(o, v, directory_field(out->kind, number), arena, &value,
			      &err))
			out->values[number] = value;
		else
			movein_note(&im->m, o->name, "%s '%.*s': %s: left out",
				    v->field, SPAN_ARG(span_first(v->text, 60)),
				    err.text);
	}
}
