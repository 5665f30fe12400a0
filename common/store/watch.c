/* what the watcher is told, and when */
#include "common/store/internal.h"

void
store_watch(struct store_account *a, store_watcher *watch, void *context)
{
	a->watch.call = watch;
	a->watch.context = context;
}

static void
tell(struct store_account *a, enum store_change_kind kind, uint32_t mailbox,
     struct store_uids uids, uint64_t modseq)
{
	const struct store_change change = {kind, mailbox, uids, modseq};

	if (a->watch.call)
		a->watch.call(a->watch.context, &change);
}

/* The event's ranges; one that is out of order can only come from damage. */
static struct store_uids
event_uids(struct store_account *a, const struct event *e)
{
	struct span rest = e->ranges;
	struct store_range range;
	size_t n = 0;

	if (a->watch.size < rest.n / 8) {
		a->watch.size = rest.n / 8;
		a->watch.at =
		    memory_resize(a->watch.at, a->watch.size, sizeof(*a->watch.at));
	}
	while (event_range_next(&rest, &range))
		if (range.first <= range.last &&
		    (n == 0 || range.first > a->watch.at[n - 1].last))
			a->watch.at[n++] = range;
	return (struct store_uids){a->watch.at, n};
}

/* What an append makes is told when it is durable: watch_listed(). */
static const struct {
	enum store_change_kind kind;
	bool told, uids;
} rows[EVENT_KINDS] = {
    [EVENT_FLAGS] = {STORE_CHANGE_FLAGS,    true, true },
    [EVENT_EXPUNGE] = {STORE_CHANGE_EXPUNGED, true, true },
    [EVENT_MOVE] = {STORE_CHANGE_EXPUNGED, true, true },
    [EVENT_REPLACE] = {STORE_CHANGE_EXPUNGED, true, true },
    [EVENT_RESTORED] = {STORE_CHANGE_ALL,      true, false},
    [EVENT_MAILBOX] = {STORE_CHANGE_MAILBOX,  true, false},
    [EVENT_UNMAILBOX] = {STORE_CHANGE_MAILBOX,  true, false},
    [EVENT_KEYWORD] = {STORE_CHANGE_MAILBOX,  true, false},
    [EVENT_SUBSCRIBED] = {STORE_CHANGE_MAILBOX,  true, false},
};

void
watch_event(struct store_account *a, const struct event *e)
{
	struct store_uids uids = {0};

	if (!a->watch.call || !a->view || !rows[e->kind].told)
		return;
	if (rows[e->kind].uids)
		uids = event_uids(a, e);
	tell(a, rows[e->kind].kind, e->kind == EVENT_MAILBOX ? e->box.id : e->mailbox,
	     uids, e->modseq);
}

/* Records of the box that have become listable since it was last looked at. */
static void
box_listed(struct store_account *a, struct box *b)
{
	struct store_range range = {0};
	uint64_t modseq = 0;

	while (b->n_listed < box_n(b)) {
		const struct store_record *r = box_at(b, b->n_listed);

		if (r->appended > a->durable)
			break;
		b->n_listed++;
		if (r->flags & RECORD_GONE)
			continue;
		if (range.first == 0)
			range.first = r->uid;
		range.last = r->uid;
		modseq = r->appended > modseq ? r->appended : modseq;
	}
	if (range.first > 0 && !b->deleted)
		tell(a, STORE_CHANGE_APPENDED, b->id, (struct store_uids){&range, 1},
		     modseq);
}

void
watch_listed(struct store_account *a)
{
	if (!a->view ||
	    (a->watch.durable == a->durable && a->watch.position == a->state.position))
		return;
	for (size_t i = 0; i < a->view->n; i++)
		box_listed(a, &a->view->boxes[i]);
	a->watch.durable = a->durable;
	a->watch.position = a->state.position;
}

void
watch_view(struct store_account *a)
{
	for (size_t i = 0; i < a->view->n; i++) {
		struct box *b = &a->view->boxes[i];

		b->n_listed = box_n(b);
		while (b->n_listed > 0 &&
		       box_at(b, b->n_listed - 1)->appended > a->durable)
			b->n_listed--;
	}
	a->watch.durable = a->durable;
	a->watch.position = a->state.position;
	tell(a, STORE_CHANGE_ALL, 0, (struct store_uids){0}, 0);
}
