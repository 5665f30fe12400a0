#include "common/store/uids.h"

void
store_uid_list_add(struct store_uid_list *list, struct store_range range)
{
	struct store_range *last = list->n ? &list->at[list->n - 1] : NULL;

	ASSERT(range.first <= range.last && (!last || range.first > last->last));
	if (last && last->last + 1 == range.first) {
		last->last = range.last;
		return;
	}
	if (list->n == list->size) {
		list->size = list->size ? 2 * list->size : 8;
		list->at = memory_resize(list->at, list->size, sizeof(*list->at));
	}
	list->at[list->n++] = range;
}

uint64_t
store_uid_list_count(const struct store_uid_list *list)
{
	uint64_t n = 0;

	for (size_t i = 0; i < list->n; i++)
		n += list->at[i].last - list->at[i].first + UINT64_C(1);
	return n;
}

void
store_uid_list_reset(struct store_uid_list *list)
{
	list->n = 0;
}

void
store_uid_list_release(struct store_uid_list *list)
{
	free(list->at);
	*list = (struct store_uid_list){0};
}
