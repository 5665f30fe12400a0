/* imapd/session/ranges.h - sums and differences of sets of numbers, in linear time */
#pragma once

#include "common/imap/imap.h"
#include "common/store/store.h"

/* a without b. */
void ranges_cut(struct imap_ranges *a, const struct imap_ranges *b);
/* a and b together. */
void ranges_join(struct imap_ranges *a, const struct imap_ranges *b);
/* What is in both, appended to out, which is empty. */
void ranges_meet(const struct imap_ranges *a, const struct imap_ranges *b,
		 struct imap_ranges *out);
/* A copy; out is empty. */
void ranges_copy(const struct imap_ranges *a, struct imap_ranges *out);
MUST_USE uint64_t ranges_count(const struct imap_ranges *a);

/* A place among the numbers of a set; a value, zero to begin. */
struct ranges_place {
	size_t range;
	uint32_t taken; /* of that range */
};

/* The next n numbers at most, appended to out, which is empty; the place moves behind
 * them. None: it is at the end. */
void ranges_take(const struct imap_ranges *a, struct ranges_place *place, uint64_t n,
		 struct imap_ranges *out);

/* To the store and back; out is empty. */
void ranges_to_uids(const struct imap_ranges *a, struct store_uid_list *out);
void ranges_from_uids(const struct store_uid_list *a, struct imap_ranges *out);
