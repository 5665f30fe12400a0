/* index and summaries made anew from journal and data */
#include "common/store/change_internal.h"

#define RELOCATED_A_BATCH 1000

/* One summary to the end of summary.N, and an event that says where it is now. */
static enum store_result
summary_replace(struct store_account *a, const struct store_record *r, struct err *err)
{
	struct event e = {.kind = EVENT_RELOCATED,
			  .time_us = a->now_us,
			  .mailbox = r->mailbox,
			  .uid = r->uid};
	struct batch *b = &a->batch;
	enum store_result result = summary_render(a, r, &b->scratch, err);

	if (result != STORE_OK)
		return result;
	if (summary_open(a, log_frame_bytes(b->scratch.n), err) < 0)
		return STORE_FAULT;
	e.summary_number = a->state.tail.summary.number;
	e.summary_offset = (uint32_t)a->state.tail.summary.end;
	e.summary_bytes = (uint32_t)b->scratch.n;
	frame_put(&a->files[FILE_SUMMARY], e.summary_offset, 0, SUMMARY_RECORD,
		  buf_span(&b->scratch), &b->summary);
	batch_event(a, &e);
	return STORE_OK;
}

/* Up to a batch of those from uid on; *uid is where to go on, 0 at the end. */
static enum store_result
rebuild_some(struct store_account *a, uint32_t mailbox, uint32_t *uid, uint64_t *n,
	     struct err *err)
{
	enum store_result result = change_begin(a, a->now_us, err);
	unsigned done = 0;

	if (result != STORE_OK)
		return result;
	for (;; (*uid)++) {
		const struct box *b =
		    state_box(&a->state, mailbox) ? view_box(a->view, mailbox) : NULL;
		size_t i = b ? box_lower(b, *uid) : 0;
		const struct store_record *r;

		if (!b || i == box_n(b)) {
			*uid = 0;
			break;
		}
		r = box_at(b, i);
		*uid = r->uid;
		if ((r->flags & RECORD_GONE) || summary_good(a, r))
			continue;
		result = summary_replace(a, r, err);
		if (result == STORE_FAULT) {
			a->stale = true;
			store_batch_cancel(a);
			return result;
		}
		done += result == STORE_OK;
		if (done == RELOCATED_A_BATCH ||
		    !buf_room(&a->batch.summary, SUMMARY_MAX + 64))
			break;
	}
	*n += done;
	return store_batch_end(a, err);
}

static enum store_result
rebuild_index(struct store_account *a, struct err *err)
{
	enum store_result locked;
	struct view *v = NULL;
	int result;

	locked = account_lock(a, true, err);
	if (locked != STORE_OK)
		return locked;
	result = account_follow(a, true, err);
	if (result == 0)
		result = view_load(a, false, &v, err);
	if (result == 0) {
		view_free(&a->view);
		a->view = v;
		a->viewed = true;
		watch_view(a);
		result = a->durable >= a->state.position
			     ? index_save(a, err)
			     : err_set(err, "store: the account is in use");
	}
	account_unlock(a);
	return result == 0 ? STORE_OK : STORE_FAULT;
}

enum store_result
store_rebuild(struct store_account *a, int64_t now_us, uint64_t *summaries,
	      struct err *err)
{
	struct store_mailbox box = {0};
	enum store_result result;

	*summaries = 0;
	a->now_us = now_us;
	result = store_sync(a, now_us, err);
	if (result == STORE_OK)
		result = rebuild_index(a, err);
	while (result == STORE_OK && store_mailbox_next(a, box.id, &box)) {
		uint32_t uid = 1;

		while (result == STORE_OK && uid > 0)
			result = rebuild_some(a, box.id, &uid, summaries, err);
	}
	if (result == STORE_OK)
		result = store_sync(a, now_us, err);
	if (result == STORE_OK && *summaries > 0)
		result = rebuild_index(a, err);
	if (result == STORE_OK)
		result = texts_rebuild(a, err);
	return result;
}
