/* common/store/uids.h - sets of uids as ranges */
#pragma once

#include "common/base/base.h"

struct store_range {
	uint32_t first, last;
};

/* Ascending ranges that do not overlap, owned by the caller. */
struct store_uids {
	const struct store_range *at;
	size_t n;
};

/* Ascending ranges of uids that were met, neighbours merged: 3, 4, 5 are one. Starts
 * as {0}; a call that fills one empties it first. Freed by store_uid_list_release(). */
struct store_uid_list {
	struct store_range *at;
	size_t n, size;
};

static inline struct store_uids
store_uid_list_uids(const struct store_uid_list *list)
{
	return (struct store_uids){list->at, list->n};
}

/* What is added must be above all that is there. */
void store_uid_list_add(struct store_uid_list *list, struct store_range range);
/* How many uids. */
MUST_USE uint64_t store_uid_list_count(const struct store_uid_list *list);
/* Empties it; the memory stays. */
void store_uid_list_reset(struct store_uid_list *list);
void store_uid_list_release(struct store_uid_list *list);
