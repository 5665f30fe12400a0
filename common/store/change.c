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
	if (!a->view && view_load(a, true, &a->view, err) < 0) {
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

	*c = (struct choice){.ranges = buf_make(JOURNAL_EVENT_MAX / 2)};
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
	if (c) {
		e->ranges = buf_span(&c->ranges);
		e->n = c->n;
		e->bytes = c->bytes;
	}
	e->time_us = a->now_us;
	if (n > 0)
		batch_event(a, e);
	if (c)
		buf_release(&c->ranges);
	return store_batch_end(a, err);
}

struct flags_wish {
	enum store_flag_verb verb;
	uint32_t flags;
	uint64_t keywords;
};

static uint32_t
flags_after(const struct flags_wish *w, uint32_t flags)
{
	switch (w->verb) {
	case STORE_FLAGS_ADD:
		return flags | w->flags;
	case STORE_FLAGS_REMOVE:
		return flags & ~w->flags;
	case STORE_FLAGS_REPLACE:
		break;
	}
	return w->flags;
}

static uint64_t
keywords_after(const struct flags_wish *w, uint64_t keywords)
{
	switch (w->verb) {
	case STORE_FLAGS_ADD:
		return keywords | w->keywords;
	case STORE_FLAGS_REMOVE:
		return keywords & ~w->keywords;
	case STORE_FLAGS_REPLACE:
		break;
	}
	return w->keywords;
}

static bool
flags_differ(const struct store_record *r, const void *context)
{
	const struct flags_wish *w = context;
	uint32_t flags = r->flags & STORE_FLAGS;

	return flags_after(w, flags) != flags ||
	       keywords_after(w, r->keywords) != r->keywords;
}

enum store_result
store_flags_change(struct store_account *a, uint32_t mailbox, struct store_uids uids,
		   enum store_flag_verb verb, uint32_t flags, uint64_t keywords,
		   int64_t now_us, uint64_t *modseq, struct err *err)
{
	const struct flags_wish wish = {verb, flags & STORE_FLAGS, keywords};
	struct event e = {.kind = EVENT_FLAGS,
			  .mailbox = mailbox,
			  .verb = verb,
			  .flags = wish.flags,
			  .keywords = keywords};
	enum store_result result = change_begin(a, now_us, err);
	struct choice c;

	if (result != STORE_OK)
		return result;
	if (!state_box(&a->state, mailbox)) {
		store_batch_cancel(a);
		return STORE_NONE;
	}
	choose(a, mailbox, uids, flags_differ, &wish, &c);
	if (flags_after(&wish, 0) & STORE_SEEN)
		e.unseen = -c.unseen;
	else if (!(flags_after(&wish, STORE_SEEN) & STORE_SEEN))
		e.unseen = (int64_t)c.n - c.unseen;
	result = change_end(a, &c, &e, err);
	if (result == STORE_OK)
		*modseq = e.modseq;
	return result;
}

enum store_result
store_expunge(struct store_account *a, uint32_t mailbox, struct store_uids uids,
	      int64_t now_us, uint64_t *n, struct err *err)
{
	struct event e = {.kind = EVENT_EXPUNGE, .mailbox = mailbox};
	enum store_result result = change_begin(a, now_us, err);
	struct choice c;

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

static enum store_result
copy_or_move(struct store_account *a, struct event *e, struct store_uids uids,
	     int64_t now_us, uint32_t *first, uint64_t *n, struct err *err)
{
	enum store_result result = change_begin(a, now_us, err);
	const struct store_mailbox *to;
	struct choice c;

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
	result = change_end(a, &c, e, err);
	if (result == STORE_OK) {
		*first = e->first;
		*n = e->n;
	}
	return result;
}

enum store_result
store_copy(struct store_account *a, uint32_t from, struct store_uids uids, uint32_t to,
	   int64_t now_us, uint32_t *first, uint64_t *n, struct err *err)
{
	struct event e = {.kind = EVENT_COPY, .mailbox = from, .to = to};

	return copy_or_move(a, &e, uids, now_us, first, n, err);
}

enum store_result
store_move(struct store_account *a, uint32_t from, struct store_uids uids, uint32_t to,
	   int64_t now_us, uint32_t *first, uint64_t *n, struct err *err)
{
	struct event e = {.kind = EVENT_MOVE, .mailbox = from, .to = to};

	return copy_or_move(a, &e, uids, now_us, first, n, err);
}
