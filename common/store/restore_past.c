/* what an account held at a moment, from its journal */
#include "common/store/restore_past.h"

#define SECOND_US 1000000

struct past_walk {
	struct store_past *past;
	uint32_t snapshot; /* number of the file that is one; 0: none is */
};

/* Did it happen by then? A compaction tells of expunges to the second only. */
static bool
happened(const struct past_walk *w, const struct event *e)
{
	int64_t at_us = w->past->history.until_us;

	switch (e->kind) {
	case EVENT_DROPPED: /* these undo what never was */
	case EVENT_RESTORED:
	case EVENT_RELOCATED:
		return true;
	case EVENT_EXPUNGE:
	case EVENT_UNMAILBOX:
		if (e->file == w->snapshot)
			return e->time_us + SECOND_US - 1 <= at_us;
		break;
	default:
		break;
	}
	return e->time_us <= at_us;
}

static bool
past_event(struct chain_walk *walk, const struct event *e)
{
	struct past_walk *w = walk->context;

	history_take(&w->past->history, e);
	if (e->kind == EVENT_HEAD && e->head.snapshot)
		w->snapshot = e->file;
	if (happened(w, e))
		view_apply(w->past->view, e);
	return true;
}

/* The lock is held. */
static int
past_read(struct store_account *a, struct store_past *past, struct err *err)
{
	struct past_walk w = {.past = past};
	struct chain_walk walk = {.event = past_event, .context = &w};

	return chain_walk_all(a, &walk, err);
}

enum store_result
store_past_open(struct store_account *a, int64_t at_us, int64_t now_us,
		struct store_past **out, struct err *err)
{
	struct store_past *past;
	enum store_result result = store_sync(a, now_us, err);

	if (result == STORE_OK)
		result = account_lock(a, true, err);
	if (result != STORE_OK)
		return result;
	past = memory_new(1, sizeof(*past));
	past->account = a;
	past->view = view_new();
	past->history.until_us = at_us;
	if (account_follow(a, true, err) != STORE_OK || view_ensure(a, err) < 0 ||
	    past_read(a, past, err) < 0)
		result = STORE_FAULT;
	account_unlock(a);
	if (result == STORE_OK)
		*out = past;
	else
		store_past_free(&past);
	return result;
}

void
store_past_free(struct store_past **past)
{
	if (!*past)
		return;
	history_release(&(*past)->history);
	view_free(&(*past)->view);
	free(*past);
	*past = NULL;
}

int64_t
store_past_compacted_us(const struct store_past *past)
{
	return past->history.compacted_us;
}

bool
past_live(const struct store_record *r)
{
	return !(r->flags & RECORD_GONE);
}

bool
past_still_there(const struct store_account *a, uint32_t mailbox,
		 const struct store_record *r)
{
	const struct store_record *now = store_find(a, mailbox, r->uid);

	return now && memcmp(now->guid, r->guid, sizeof(now->guid)) == 0;
}

/* Uids between those that are known, whose messages a compaction may have taken though
 * they were there. Many in a row are those that a restore skipped. */
static uint64_t
count_lost(const struct store_past *past, const struct box *b)
{
	uint64_t lost = 0;
	uint32_t next = 1;

	if (past->history.cutoff_us <= past->history.until_us)
		return 0;
	for (size_t i = 0; i < box_n(b); i++) {
		uint32_t uid = box_at(b, i)->uid;

		if (uid - next < STORE_RESTORED_UIDS)
			lost += uid - next;
		next = uid + 1;
	}
	return lost;
}

static void
box_describe(const struct store_past *past, const struct box *b,
	     struct store_past_mailbox *out)
{
	for (size_t i = 0; i < box_n(b); i++) {
		const struct store_record *r = box_at(b, i);

		if (!past_live(r))
			continue;
		out->messages++;
		out->bytes += store_record_size(r);
		out->missing += !past_still_there(past->account, b->id, r);
	}
	out->lost = count_lost(past, b);
}

/* A mailbox that a snapshot names may have been made after the moment. */
static bool
made_later(const struct store_past *past, const struct history_box *h)
{
	return past->history.compacted_us > past->history.until_us &&
	       h->uidvalidity > past->history.until_us / SECOND_US + 60;
}

bool
store_past_mailbox_next(const struct store_past *past, uint32_t id,
			struct store_past_mailbox *out)
{
	for (size_t i = 0; i < past->history.n; i++) {
		const struct history_box *h = &past->history.boxes[i];
		const struct box *b = view_box(past->view, h->id);

		if (h->id <= id || (b && b->deleted))
			continue;
		*out = (struct store_past_mailbox){
		    .id = h->id,
		    .name = h->name,
		    .deleted = !state_box(&past->account->state, h->id)};
		if (b)
			box_describe(past, b, out);
		if (out->messages > 0 || !made_later(past, h))
			return true;
	}
	return false;
}
