/* messages of the past brought back: an event each, no bytes copied */
#include "common/store/change_internal.h"
#include "common/store/restore_past.h"

#define CHUNK_MESSAGES 10000

struct bringing {
	struct store_account *account;
	const struct box *from; /* of then */
	uint32_t to;
	uint8_t (*guids)[STORE_GUID_BYTES]; /* in `to` now, sorted; null: no matter */
	size_t n_guids;
	size_t next; /* index in `from` */
	struct buf hold;
	struct store_past_done done;
};

static int
guid_order(const void *a, const void *b)
{
	return memcmp(a, b, STORE_GUID_BYTES);
}

/* What is there need not come back, not even when it came back by another uid. */
static void
guids_note(struct bringing *b)
{
	size_t size = 0;

	for (const struct store_record *r = store_first(b->account, b->to); r;
	     r = store_next(b->account, r)) {
		if (b->n_guids == size) {
			size = size ? 2 * size : 256;
			b->guids = memory_resize(b->guids, size, sizeof(*b->guids));
		}
		memcpy(b->guids[b->n_guids++], r->guid, STORE_GUID_BYTES);
	}
	if (b->n_guids > 0)
		qsort(b->guids, b->n_guids, sizeof(*b->guids), guid_order);
}

static bool
wanted(const struct bringing *b, const struct store_record *r)
{
	if (!past_live(r))
		return false;
	return b->n_guids == 0 ||
	       !bsearch(r->guid, b->guids, b->n_guids, sizeof(*b->guids), guid_order);
}

/* OK, LIMIT, FAULT. */
static enum store_result
bring_one(struct bringing *b, const struct store_record *then, struct err *err)
{
	struct store_account *a = b->account;
	const struct store_mailbox *box = state_box(&a->state, b->to);
	struct event e = {.kind = EVENT_APPEND,
			  .time_us = a->now_us,
			  .mailbox = b->to,
			  .record = *then};
	struct append_texts texts;
	const struct log_file *f;
	enum store_result result;
	uint64_t at;

	if (box->uidnext >= UINT32_MAX - 1)
		return STORE_LIMIT;
	result = data_check(a, then, &f, &at, err);
	if (result == STORE_OK)
		result = append_texts_get(a, then, &b->hold, &texts, err);
	if (result == STORE_FAULT)
		return result;
	if (result != STORE_OK) {
		b->done.damaged++;
		return STORE_OK;
	}
	e.prefix = texts.prefix;
	e.uidl = texts.uidl;
	e.record.flags &= STORE_FLAGS;
	e.record.mailbox = b->to;
	e.record.uid = box->uidnext;
	e.record.given = 0;
	e.record.saved_us = a->now_us;
	e.record.modseq = e.record.appended = 0;
	e.record.expunged_s = 0;
	batch_event(a, &e);
	b->done.messages++;
	b->done.bytes += store_record_size(then);
	return STORE_OK;
}

/* As many as one batch has room for. */
static enum store_result
bring_chunk(struct bringing *b, int64_t now_us, struct err *err)
{
	enum store_result result = change_begin(b->account, now_us, err);

	if (result != STORE_OK)
		return result;
	if (!state_box(&b->account->state, b->to))
		return change_refuse(b->account, STORE_NONE);
	for (size_t n = 0; b->next < box_n(b->from) && n < CHUNK_MESSAGES; b->next++) {
		const struct store_record *r = box_at(b->from, b->next);

		if (!wanted(b, r))
			continue;
		if (!batch_journal_room(b->account, r->prefix_bytes + 256))
			break;
		result = bring_one(b, r, err);
		if (result != STORE_OK)
			return change_refuse(b->account, result);
		n++;
	}
	return store_batch_end(b->account, err);
}

enum store_result
store_past_restore(struct store_account *a, const struct store_past *past, uint32_t id,
		   uint32_t to, bool all, int64_t now_us, struct store_past_done *done,
		   struct err *err)
{
	struct bringing b = {.account = a,
			     .from = view_box(past->view, id),
			     .to = to,
			     .hold = buf_make(JOURNAL_EVENT_MAX)};
	enum store_result result = STORE_OK;

	if (!state_box(&a->state, to))
		result = STORE_NONE;
	else if (!all)
		guids_note(&b);
	while (result == STORE_OK && b.from && b.next < box_n(b.from))
		result = bring_chunk(&b, now_us, err);
	if (result == STORE_OK)
		*done = b.done;
	buf_release(&b.hold);
	free(b.guids);
	return result;
}
