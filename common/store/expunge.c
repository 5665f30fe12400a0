/* expunging, copying, moving */
#include "common/store/change_internal.h"

enum store_result
store_expunge(struct store_account *a, uint32_t mailbox, struct store_uids uids,
	      int64_t now_us, uint64_t *n, struct store_uid_list *done, struct err *err)
{
	struct event e = {.kind = EVENT_EXPUNGE, .mailbox = mailbox};
	enum store_result result = change_begin(a, now_us, err);
	struct choice c = {.uids = done};

	if (result != STORE_OK)
		return result;
	if (!state_box(&a->state, mailbox)) {
		store_batch_cancel(a);
		return STORE_NONE;
	}
	choose(a, mailbox, uids, NULL, NULL, &c);
	e.unseen = c.unseen;
	result = change_end(a, &c, &e, err);
	if (result == STORE_OK)
		*n = e.n;
	return result;
}

enum store_result
store_batch_expunge(struct store_account *a, uint32_t mailbox, struct store_uids uids,
		    struct store_uid_list *done, struct err *err)
{
	struct event e = {.kind = EVENT_REPLACE,
			  .mailbox = mailbox,
			  .time_us = a->now_us,
			  .since = a->base + a->journal_end};
	struct choice c = {.uids = done};
	enum store_result result = STORE_OK;

	ASSERT(a->batch.open);
	if (!state_box(&a->state, mailbox))
		return STORE_NONE;
	if (view_ensure(a, err) < 0)
		return STORE_FAULT;
	choose(a, mailbox, uids, NULL, NULL, &c);
	if (c.ranges.full || !batch_journal_room(a, c.ranges.n))
		result = STORE_LIMIT;
	else if (c.n > 0) {
		choice_event(&c, &e);
		e.unseen = c.unseen;
		a->batch.expunges = true;
		batch_event(a, &e);
	}
	buf_release(&c.ranges);
	return result;
}

static enum store_result
copy_or_move(struct store_account *a, struct event *e, struct store_uids uids,
	     int64_t now_us, struct store_uid_list *done, struct err *err)
{
	enum store_result result = change_begin(a, now_us, err);
	const struct store_mailbox *to;
	struct choice c = {.uids = done};

	if (result != STORE_OK)
		return result;
	to = state_box(&a->state, e->to);
	if (!to || !state_box(&a->state, e->mailbox)) {
		store_batch_cancel(a);
		return STORE_NONE;
	}
	choose(a, e->mailbox, uids, NULL, NULL, &c);
	if (c.n >= UINT32_MAX - to->uidnext) {
		buf_release(&c.ranges);
		store_batch_cancel(a);
		return STORE_LIMIT;
	}
	e->first = to->uidnext;
	e->unseen = c.unseen;
	return change_end(a, &c, e, err);
}

enum store_result
store_copy(struct store_account *a, uint32_t from, struct store_uids uids, uint32_t to,
	   int64_t now_us, uint32_t *first, uint64_t *n, struct store_uid_list *done,
	   struct err *err)
{
	struct event e = {.kind = EVENT_COPY, .mailbox = from, .to = to};
	enum store_result result = copy_or_move(a, &e, uids, now_us, done, err);

	if (result == STORE_OK) {
		*first = e.first;
		*n = e.n;
	}
	return result;
}

enum store_result
store_move(struct store_account *a, uint32_t from, struct store_uids uids, uint32_t to,
	   int64_t now_us, uint32_t *first, uint64_t *n, struct store_uid_list *done,
	   struct err *err)
{
	struct event e = {.kind = EVENT_MOVE, .mailbox = from, .to = to};
	enum store_result result = copy_or_move(a, &e, uids, now_us, done, err);

	if (result == STORE_OK) {
		*first = e.first;
		*n = e.n;
	}
	return result;
}
