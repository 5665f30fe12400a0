#include "common/directory/internal.h"

/* Groups have names of their own: no mail comes for them. */
static enum directory_result
check_new(struct change *c)
{
	if (!directory_name_ours(&c->name.name, c->err))
		return DIRECTORY_BAD_NAME;
	return change_check_limit(c, FIELD_DOMAIN_LISTS_MAX, "groups");
}

const struct kind_rules group_rules = {.check_new = check_new};
