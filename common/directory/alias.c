#include "common/directory/internal.h"

static enum directory_result
check_new(struct change *c)
{
	enum directory_result r;

	if (c->name.name.local_bytes > 0 && !directory_name_ours(&c->name.name, c->err))
		return DIRECTORY_BAD_NAME;
	r = change_check_free(c);
	if (r == DIRECTORY_DONE)
		r = change_check_limit(c, FIELD_DOMAIN_ALIASES_MAX, "aliases");
	return r;
}

static enum directory_result
check(struct change *c)
{
	if (c->is_new && c->object.values[FIELD_ALIAS_TARGETS].text.n == 0)
		return directory_say(DIRECTORY_BAD_VALUE, c->err,
				     "an alias has 1 to %d targets",
				     DIRECTORY_TARGETS_MAX);
	return DIRECTORY_DONE;
}

const struct kind_rules alias_rules = {.check_new = check_new, .check = check};
