#include "imapd/session/ranges.h"

void
ranges_copy(const struct imap_ranges *a, struct imap_ranges *out)
{
	for (size_t i = 0; i < a->n; i++)
		imap_ranges_add(out, a->at[i].first, a->at[i].last);
}

uint64_t
ranges_count(const struct imap_ranges *a)
{
	uint64_t n = 0;

	for (size_t i = 0; i < a->n; i++)
		n += (uint64_t)a->at[i].last - a->at[i].first + 1;
	return n;
}

void
ranges_take(const struct imap_ranges *a, struct ranges_place *place, uint64_t n,
	    struct imap_ranges *out)
{
	while (n > 0 && place->range < a->n) {
		uint32_t first = a->at[place->range].first + place->taken;
		uint64_t left = (uint64_t)a->at[place->range].last - first + 1;
		uint32_t some = (uint32_t)(left < n ? left : n);

		imap_ranges_add(out, first, first + (some - 1));
		n -= some;
		place->taken += some;
		if (some == left)
			*place = (struct ranges_place){.range = place->range + 1};
	}
}

void
ranges_to_uids(const struct imap_ranges *a, struct store_uid_list *out)
{
	for (size_t i = 0; i < a->n; i++)
		store_uid_list_add(out,
				   (struct store_range){a->at[i].first, a->at[i].last});
}

void
ranges_from_uids(const struct store_uid_list *a, struct imap_ranges *out)
{
	for (size_t i = 0; i < a->n; i++)
		imap_ranges_add(out, a->at[i].first, a->at[i].last);
}

/* Takes the place of what is there. */
static void
ranges_replace(struct imap_ranges *a, struct imap_ranges *with)
{
	imap_ranges_release(a);
	*a = *with;
}

/* What is left of r without b, from b->at[*k] on, which it moves along. */
static void
range_cut(struct imap_range r, const struct imap_ranges *b, size_t *k,
	  struct imap_ranges *out)
{
	while (*k < b->n && b->at[*k].last < r.first)
		++*k;
	for (size_t i = *k; i < b->n && b->at[i].first <= r.last; i++) {
		if (b->at[i].first > r.first)
			imap_ranges_add(out, r.first, b->at[i].first - 1);
		if (b->at[i].last >= r.last)
			return;
		r.first = b->at[i].last + 1;
	}
	imap_ranges_add(out, r.first, r.last);
}

void
ranges_cut(struct imap_ranges *a, const struct imap_ranges *b)
{
	struct imap_ranges out = {0};
	size_t k = 0;

	if (a->n == 0 || b->n == 0)
		return;
	for (size_t i = 0; i < a->n; i++)
		range_cut(a->at[i], b, &k, &out);
	ranges_replace(a, &out);
}

void
ranges_meet(const struct imap_ranges *a, const struct imap_ranges *b,
	    struct imap_ranges *out)
{
	for (size_t i = 0, k = 0; i < a->n && k < b->n;) {
		struct imap_range x = a->at[i], y = b->at[k];
		uint32_t first = x.first > y.first ? x.first : y.first;
		uint32_t last = x.last < y.last ? x.last : y.last;

		if (first <= last)
			imap_ranges_add(out, first, last);
		if (x.last < y.last)
			i++;
		else
			k++;
	}
}

void
ranges_join(struct imap_ranges *a, const struct imap_ranges *b)
{
	struct imap_ranges out = {0};
	size_t i = 0, k = 0;

	if (b->n == 0)
		return;
	while (i < a->n || k < b->n) {
		bool left = k == b->n || (i < a->n && a->at[i].first <= b->at[k].first);

		struct imap_range r = left ? a->at[i++] : b->at[k++];

		imap_ranges_add(&out, r.first, r.last);
	}
	ranges_replace(a, &out);
}
