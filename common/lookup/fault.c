#include "common/lookup/lookup.h"

static bool
names(const struct conf_list *list, const char *table)
{
	for (size_t i = 0; i < list->n; i++)
		if (strcmp(list->at[i], table) == 0)
			return true;
	return false;
}

static const char *
route_fault(struct span value)
{
	struct buf to = buf_make(TABLE_VALUE_BYTES_MAX);
	struct table_action refusal;
	enum table_hop hop = table_hop_parse(value, &to, &refusal);

	buf_release(&to);
	return hop == TABLE_HOP_WRONG ? table_hop_fault(value) : NULL;
}

const char *
lookup_value_fault(const struct settings *s, const char *table, struct span value)
{
	const struct conf_list *const lists[] = {&s->client_access, &s->helo_access,
						 &s->sender_access,
						 &s->recipient_access};
	struct table_action action;
	const char *wrong = NULL;

	for (size_t i = 0; i < N_ELEMS(lists) && !wrong; i++)
		if (names(lists[i], table))
			wrong = table_action_parse(value, &action);
	if (!wrong && names(&s->route_tables, table))
		wrong = route_fault(value);
	return wrong;
}
