#include "admin/import_adopt.h"

static bool
items_within(struct span few, struct span many)
{
	struct cursor c = cursor_make(few);
	struct span item;

	while (directory_item_next(&c, &item))
		if (!directory_item_find(many, item))
			return false;
	return true;
}

static bool
value_equal(const struct directory_field *f, const struct directory_value *a,
	    const struct directory_value *b)
{
	if (directory_field_is_number(f))
		return a->number == b->number;
	if (f->type == DIRECTORY_ADDRESSES)
		return items_within(a->text, b->text) && items_within(b->text, a->text);
	return span_equal(a->text, b->text);
}

/* Nobody has said anything of it yet. */
static bool
value_missing(const struct directory_field *f, const struct directory_value *v)
{
	if (v->how == DIRECTORY_VALUE_ABSENT)
		return true;
	if (f->type == DIRECTORY_FLAG || f->type == DIRECTORY_CHOICE)
		return false;
	return directory_field_is_number(f) ? v->number == 0 : v->text.n == 0;
}

void
import_compare(const struct directory_object *there,
	       const struct directory_object *wanted, struct directory_object *missing,
	       const char **differs)
{
	*missing = (struct directory_object){
	    .kind = wanted->kind, .name = wanted->name, .label = wanted->label};
	*differs = NULL;
	for (size_t i = 1; i < DIRECTORY_FIELDS; i++) {
		const struct directory_field *f = directory_field(wanted->kind, i);

		if (!f || wanted->values[i].how == DIRECTORY_VALUE_ABSENT ||
		    value_equal(f, &there->values[i], &wanted->values[i]))
			continue;
		if (value_missing(f, &there->values[i]))
			missing->values[i] = wanted->values[i];
		else if (!*differs)
			*differs = f->name;
	}
}
