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

/* Reports about its mail that came to all of its members would be mail about which
 * there are reports. */
static enum directory_result
check_owner(struct change *c)
{
	struct span owner = c->object.values[FIELD_LIST_OWNER].text;
	int by = 0;

	if (c->wanted->values[FIELD_LIST_OWNER].how != DIRECTORY_VALUE_ABSENT &&
	    owner.n > 0)
		by = directory_comes_by(c->d, owner, directory_name_span(&c->name.name),
					c->err);
	if (by > 0)
		return directory_say(DIRECTORY_BAD_VALUE, c->err,
				     "the owner %.*s leads to the list itself, whose "
				     "members would all get the reports; name somebody",
				     SPAN_ARG(span_first(owner, 100)));
	return by < 0 ? DIRECTORY_FAULT : DIRECTORY_DONE;
}

static enum directory_result
check(struct change *c)
{
	const struct directory_value *v = c->object.values;
	enum directory_result r = check_owner(c);

	if (r != DIRECTORY_DONE)
		return r;
	if (c->is_new)
		directory_put_number(&c->object, FIELD_LIST_CREATED, c->now);
	if (v[FIELD_LIST_POSTING].number == DIRECTORY_POSTING_SENDER &&
	    v[FIELD_LIST_POSTER].text.n == 0)
		return directory_say(DIRECTORY_BAD_VALUE, c->err,
				     "posting=sender needs a poster as well");
	return DIRECTORY_DONE;
}

const struct kind_rules list_rules = {.check_new = check_new, .check = check};
