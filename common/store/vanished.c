/* what a client that comes back must be told is gone [RFC7162 3.2.5.2] */
#include "common/store/internal.h"

static int
uid_order(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static void
vanished_since(const struct store_gone *gone, size_t n, uint64_t since,
	       struct store_uid_list *out)
{
	uint32_t *uids = memory_new(n + 1, sizeof(*uids));
	bool in_order = true; /* most often: an EXPUNGE goes upwards */
	size_t k = 0;

	for (size_t i = 0; i < n; i++) {
		if (gone[i].modseq <= since)
			continue;
		in_order &= k == 0 || uids[k - 1] <= gone[i].uid;
		uids[k++] = gone[i].uid;
	}
	if (!in_order)
		qsort(uids, k, sizeof(*uids), uid_order);
	for (size_t i = 0; i < k; i++)
		if (i == 0 || uids[i] != uids[i - 1])
			store_uid_list_add(out, (struct store_range){uids[i], uids[i]});
	free(uids);
}

/* All that are not there. */
static void
vanished_all(const struct store_account *a, const struct store_mailbox *box,
	     struct store_uid_list *out)
{
	uint32_t next = 1;

	for (const struct store_record *r = store_first(a, box->id); r;
	     r = store_next(a, r)) {
		if (r->uid > next)
			store_uid_list_add(out, (struct store_range){next, r->uid - 1});
		next = r->uid + 1;
	}
	if (next < box->uidnext)
		store_uid_list_add(out, (struct store_range){next, box->uidnext - 1});
}

void
store_vanished(const struct store_account *a, uint32_t mailbox, uint64_t since,
	       struct store_uid_list *out)
{
	const struct store_gone *gone;
	struct store_mailbox box;
	size_t n;

	store_uid_list_reset(out);
	if (!store_mailbox_get(a, mailbox, &box))
		return;
	gone = store_expunged(a, mailbox, &n);
	if (since < box.expunged_since)
		vanished_all(a, &box, out);
	else
		vanished_since(gone, n, since, out);
}
