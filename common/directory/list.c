#include "common/directory/internal.h"

static enum directory_result
check_new(struct change *c)
{
	enum directory_result r;

	if (!directory_name_ours(&c->name.name, c->err))
		return DIRECTORY_BAD_NAME;
	r = change_check_free(c);
	if (r == DIRECTORY_DONE)
		r = change_check_limit(c, FIELD_DOMAIN_LISTS_MAX, "lists");
	return r;
}

static enum directory_result
check(struct change *c)
{
	const struct directory_value *v = c->object.values;

	if (c->is_new)
		directory_put_number(&c->object, FIELD_LIST_CREATED, c->now);
	if (v[FIELD_LIST_POSTING].number == DIRECTORY_POSTING_SENDER &&
	    v[FIELD_LIST_POSTER].text.n == 0)
		return directory_say(DIRECTORY_BAD_VALUE, c->err,
				     "posting=sender needs a poster as well");
	return DIRECTORY_DONE;
}

const struct kind_rules list_rules = {.check_new = check_new, .check = check};
