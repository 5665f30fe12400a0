/* mailboxes renamed, with all below them [RFC9051 6.3.6] */
#include "common/store/change_internal.h"

struct renaming {
	struct store_account *account;
	uint32_t id;
	struct span old; /* ends in '/' */
	struct span name;
	struct buf next;
};

/* The name that a mailbox gets, in `next`; false when it keeps its own. */
static bool
rename_next(struct renaming *r, const struct store_mailbox *box)
{
	bool below = span_starts(box->name, r->old);

	if (!below && box->id != r->id)
		return false;
	buf_reset(&r->next);
	buf_put(&r->next, r->name);
	if (below)
		buf_put(&r->next, span_after(box->name, r->old.n - 1));
	return true;
}

/* OK, EXISTS, LIMIT. */
static enum store_result
rename_check(struct renaming *r)
{
	const struct state *s = &r->account->state;
	uint64_t bytes = 0;

	if (span_starts(r->name, r->old))
		return STORE_LIMIT;
	for (size_t i = 0; i < s->n; i++) {
		if (!rename_next(r, &s->boxes[i]))
			continue;
		if (r->next.full)
			return STORE_LIMIT;
		if (store_mailbox_find(r->account, buf_span(&r->next)) != 0)
			return STORE_EXISTS;
		bytes += r->next.n + 512;
	}
	return batch_journal_room(r->account, bytes) ? STORE_OK : STORE_LIMIT;
}

static void
rename_all(struct renaming *r)
{
	struct store_account *a = r->account;

	for (size_t i = 0; i < a->state.n; i++) {
		struct event e = {.kind = EVENT_MAILBOX,
				  .time_us = a->now_us,
				  .box = a->state.boxes[i]};

		if (!rename_next(r, &e.box))
			continue;
		e.box.name = buf_span(&r->next);
		if (state_name_has(&a->state, e.box.name))
			e.box.subscribed = true;
		batch_event(a, &e);
	}
}

static enum store_result
rename_box(struct store_account *a, uint32_t id, struct span name)
{
	struct renaming r = {
	    .account = a, .id = id, .next = buf_make(STORE_MAILBOX_NAME_MAX)};
	struct buf old = buf_make(STORE_MAILBOX_NAME_MAX + 1);
	enum store_result result;

	buf_put(&old, state_box(&a->state, id)->name);
	buf_put_char(&old, '/');
	r.old = buf_span(&old);
	r.name = name;
	result = rename_check(&r);
	if (result == STORE_OK)
		result = mailbox_add_above(a, name);
	if (result == STORE_OK)
		rename_all(&r);
	buf_release(&r.next);
	buf_release(&old);
	return result;
}

/* Its messages go, it stays. */
static enum store_result
rename_inbox(struct store_account *a, struct span name)
{
	static const struct store_range all = {1, UINT32_MAX};
	struct event e = {.kind = EVENT_MOVE,
			  .time_us = a->now_us,
			  .mailbox = STORE_INBOX,
			  .first = 1};
	struct choice c = {0};
	enum store_result result = STORE_EXISTS;

	if (store_mailbox_find(a, name) == 0)
		result = mailbox_add_above(a, name);
	if (result == STORE_OK)
		result = mailbox_add(a, name, STORE_USE_NONE, &e.to);
	if (result != STORE_OK)
		return result;
	choose(a, STORE_INBOX, (struct store_uids){&all, 1}, NULL, NULL, &c);
	choice_event(&c, &e);
	e.unseen = c.unseen;
	if (c.ranges.full)
		result = STORE_LIMIT;
	else if (c.n > 0)
		batch_event(a, &e);
	buf_release(&c.ranges);
	return result;
}

enum store_result
store_mailbox_rename(struct store_account *a, uint32_t id, struct span name,
		     int64_t now_us, struct err *err)
{
	char hold[STORE_MAILBOX_NAME_MAX];
	enum store_result result;

	if (!name_good(name))
		return STORE_LIMIT;
	name = name_written(name, hold);
	result = change_begin(a, now_us, err);
	if (result != STORE_OK)
		return result;
	if (!state_box(&a->state, id))
		result = STORE_NONE;
	else if (id == STORE_INBOX)
		result = rename_inbox(a, name);
	else
		result = rename_box(a, id, name);
	if (result != STORE_OK)
		return change_refuse(a, result);
	return store_batch_end(a, err);
}
