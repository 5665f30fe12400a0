#include "common/imap/set.h"

#include "common/imap/put.h"

void
imap_ranges_release(struct imap_ranges *r)
{
	free(r->at);
	*r = (struct imap_ranges){0};
}

void
imap_ranges_add(struct imap_ranges *r, uint32_t first, uint32_t last)
{
	struct imap_range *end = r->n > 0 ? &r->at[r->n - 1] : NULL;

	ASSERT(first > 0 && first <= last && (!end || first >= end->first));
	if (end && first - 1 <= end->last) {
		if (last > end->last)
			end->last = last;
		return;
	}
	if (r->n == r->size) {
		r->size = r->size ? 2 * r->size : 4;
		r->at = memory_resize(r->at, r->size, sizeof(*r->at));
	}
	r->at[r->n++] = (struct imap_range){first, last};
}

/* "*" becomes max, the smaller end comes first; false for nothing at all. */
static bool
range_resolve(struct imap_range r, uint32_t max, bool cut, struct imap_range *out)
{
	uint32_t a = r.first ? r.first : max, b = r.last ? r.last : max;

	*out = a <= b ? (struct imap_range){a, b} : (struct imap_range){b, a};
	if (cut && out->last > max)
		out->last = max;
	if (out->first == 0) /* "*" of an empty mailbox: the other end alone */
		out->first = out->last;
	return out->first > 0 && out->first <= out->last;
}

static int
range_compare(const void *a, const void *b)
{
	const struct imap_range *x = a, *y = b;

	return (x->first > y->first) - (x->first < y->first);
}

void
imap_set_resolve(const struct imap_set *set, uint32_t max, bool cut,
		 struct imap_ranges *out)
{
	struct imap_range *sorted, r;
	bool in_order = true;
	size_t n = 0;

	imap_ranges_release(out);
	if (set->n == 0)
		return;
	sorted = memory_new(set->n, sizeof(*sorted));
	for (size_t i = 0; i < set->n; i++) {
		if (!range_resolve(set->at[i], max, cut, &r))
			continue;
		in_order &= n == 0 || sorted[n - 1].first <= r.first;
		sorted[n++] = r;
	}
	if (!in_order)
		qsort(sorted, n, sizeof(*sorted), range_compare);
	for (size_t i = 0; i < n; i++)
		imap_ranges_add(out, sorted[i].first, sorted[i].last);
	free(sorted);
}

bool
imap_ranges_contain(const struct imap_ranges *r, uint32_t number)
{
	size_t low = 0, high = r->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (r->at[middle].last < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low < r->n && r->at[low].first <= number;
}

static void
put_end(struct buf *out, uint32_t number)
{
	if (number > 0)
		imap_put_number(out, number);
	else
		buf_put_char(out, '*');
}

void
imap_put_ranges(struct buf *out, const struct imap_range *at, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (i > 0)
			buf_put_char(out, ',');
		put_end(out, at[i].first);
		if (at[i].last == at[i].first)
			continue;
		buf_put_char(out, ':');
		put_end(out, at[i].last);
	}
}
