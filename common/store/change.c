/* flags and expunging */
#include "common/store/change_internal.h"

enum store_result
change_begin(struct store_account *a, int64_t now_us, struct err *err)
{
	enum store_result result;

	a->now_us = now_us;
	result = store_batch_begin(a, true, err);
	if (result != STORE_OK)
		return result;
	durable_read(a);
	if (view_ensure(a, err) < 0) {
		store_batch_cancel(a);
		return STORE_FAULT;
	}
	return STORE_OK;
}

/* A box whose mailbox exists and which a client can see, or null. */
static struct box *
box_get(const struct store_account *a, uint32_t mailbox)
{
	return state_box(&a->state, mailbox) ? view_box(a->view, mailbox) : NULL;
}

/* Ends the range that is being made. */
static void
choice_close(struct choice *c)
{
	if (c->range.first > 0)
		event_range_put(c->range, &c->ranges);
	c->range = (struct store_range){0};
}

static void
choice_add(struct choice *c, const struct store_record *r)
{
	struct store_uid_list *uids = c->uids;

	/* In line, where it is often one after the other. */
	if (uids && uids->n > 0 && uids->at[uids->n - 1].last + 1 == r->uid)
		uids->at[uids->n - 1].last = r->uid;
	else if (uids)
		store_uid_list_add(uids, (struct store_range){r->uid, r->uid});
	if (c->range.first == 0)
		c->range.first = r->uid;
	c->range.last = r->uid;
	c->n++;
	c->bytes += store_record_size(r);
	c->unseen += !(r->flags & STORE_SEEN);
}

/* A range grows over uids that are no longer there, not over one left out: so all
 * of a mailbox is one range. */
static void
choose_range(const struct store_account *a, const struct box *b,
	     struct store_range range, choose_one *take, const void *context,
	     struct choice *c)
{
	for (size_t i = box_lower(b, range.first); i < box_n(b); i++) {
		const struct store_record *r = box_at(b, i);

		if (r->uid > range.last)
			break;
		if (r->flags & RECORD_GONE)
			continue;
		if (r->appended <= a->durable && (!take || take(r, context)))
			choice_add(c, r);
		else
			choice_close(c);
	}
}

void
choose(const struct store_account *a, uint32_t mailbox, struct store_uids uids,
       choose_one *take, const void *context, struct choice *c)
{
	const struct box *b = box_get(a, mailbox);

	c->ranges = buf_make(JOURNAL_EVENT_MAX / 2);
	if (c->uids)
		store_uid_list_reset(c->uids);
	for (size_t i = 0; b && i < uids.n; i++) {
		size_t next = box_lower(b, uids.at[i].first);

		/* Somebody stands between this range and the last. */
		for (size_t k = next; k-- > 0 && c->range.first > 0;) {
			if (box_at(b, k)->uid <= c->range.last)
				break;
			if (!(box_at(b, k)->flags & RECORD_GONE))
				choice_close(c);
		}
		choose_range(a, b, uids.at[i], take, context, c);
	}
	choice_close(c);
}

void
choice_event(const struct choice *c, struct event *e)
{
	e->ranges = buf_span(&c->ranges);
	e->n = c->n;
	e->bytes = c->bytes;
}

enum store_result
change_end(struct store_account *a, struct choice *c, struct event *e, struct err *err)
{
	uint64_t n = c ? c->n : 1;

	if (c && c->ranges.full) {
		buf_release(&c->ranges);
		store_batch_cancel(a);
		err_set(err, "store: too many ranges of messages");
		return STORE_FAULT;
	}
	if (c)
		choice_event(c, e);
	e->time_us = a->now_us;
	if (n > 0)
		batch_event(a, e);
	if (c)
		buf_release(&c->ranges);
	return store_batch_end(a, err);
}

/* What is wanted, and who may not have it. */
struct flags_wish {
	const struct store_flag_change *change;
	struct store_uid_list *modified;
};

static uint32_t
flags_after(const struct store_flag_change *c, uint32_t flags)
{
	switch (c->verb) {
	case STORE_FLAGS_ADD:
		return flags | (c->flags & STORE_FLAGS);
	case STORE_FLAGS_REMOVE:
		return flags & ~c->flags;
	case STORE_FLAGS_REPLACE:
		break;
	}
	return c->flags & STORE_FLAGS;
}

static uint64_t
keywords_after(const struct store_flag_change *c, uint64_t keywords)
{
	switch (c->verb) {
	case STORE_FLAGS_ADD:
		return keywords | c->keywords;
	case STORE_FLAGS_REMOVE:
		return keywords & ~c->keywords;
	case STORE_FLAGS_REPLACE:
		break;
	}
	return c->keywords;
}

static bool
flags_take(const struct store_record *r, const void *context)
{
	const struct flags_wish *w = context;
	uint32_t flags = r->flags & STORE_FLAGS;

	if (w->change->conditional && r->modseq > w->change->unchanged_since) {
		if (w->modified)
			store_uid_list_add(w->modified,
					   (struct store_range){r->uid, r->uid});
		return false;
	}
	return flags_after(w->change, flags) != flags ||
	       keywords_after(w->change, r->keywords) != r->keywords;
}

/* By how much the count of unseen messages changes. */
static int64_t
flags_unseen(const struct store_flag_change *change, const struct choice *c)
{
	if (flags_after(change, 0) & STORE_SEEN)
		return -c->unseen;
	if (!(flags_after(change, STORE_SEEN) & STORE_SEEN))
		return (int64_t)c->n - c->unseen;
	return 0;
}

enum store_result
store_flags_change(struct store_account *a, uint32_t mailbox, struct store_uids uids,
		   const struct store_flag_change *change, int64_t now_us,
		   uint64_t *modseq, struct store_uid_list *modified, struct err *err)
{
	const struct flags_wish wish = {change, modified};
	struct event e = {.kind = EVENT_FLAGS,
			  .mailbox = mailbox,
			  .verb = change->verb,
			  .flags = change->flags & STORE_FLAGS,
			  .keywords = change->keywords};
	enum store_result result = change_begin(a, now_us, err);
	struct choice c = {0};

	if (result != STORE_OK)
		return result;
	if (!state_box(&a->state, mailbox)) {
		store_batch_cancel(a);
		return STORE_NONE;
	}
	if (modified)
		store_uid_list_reset(modified);
	choose(a, mailbox, uids, flags_take, &wish, &c);
	e.unseen = flags_unseen(change, &c);
	result = change_end(a, &c, &e, err);
	if (result == STORE_OK)
		*modseq = e.modseq;
	return result;
}
