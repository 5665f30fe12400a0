/* EXPUNGE [RFC9051 6.4.3], UID EXPUNGE [RFC4315 2.1]
 *
 * In steps, each a call on the store: of many messages some may be gone before others.
 */
#include "imapd/session/inner.h"
#include "imapd/session/ranges.h"

/* [RFC7162 3.2.10] */
void
put_highestmodseq(struct session *s)
{
	struct store_mailbox box;

	if (!(s->enabled & IMAP_ENABLE_QRESYNC) ||
	    !store_mailbox_get(s->account->mail, s->view.mailbox, &box))
		return;
	buf_put(&s->result.code, SPAN("HIGHESTMODSEQ "));
	imap_put_number(&s->result.code, box.modseq);
}

struct expunge_work {
	bool begun;
	struct imap_ranges numbers;
	struct view_walk walk;   /* looks for those that are \Deleted ... */
	struct imap_ranges uids; /* ... and found these, which are still there */
	uint64_t n;
};

void
release_expunge(struct session *s)
{
	struct expunge_work *w = s->work;

	imap_ranges_release(&w->numbers);
	imap_ranges_release(&w->uids);
}

/* False: there is no such message. */
static bool
expunge_begin(struct expunge_work *w, const struct session *s)
{
	w->begun = true;
	if (s->command.uid)
		return view_resolve(s, &s->command.expunge, true, &w->numbers);
	if (s->view.n > 0)
		imap_ranges_add(&w->numbers, 1, (uint32_t)s->view.n);
	return true;
}

/* Those that are \Deleted among the next ones; false after the last. */
static bool
deleted_find(struct expunge_work *w, const struct session *s)
{
	const struct store_record *r;
	uint32_t number;

	for (unsigned left = s->policy->limits.change_step; left > 0; left--) {
		if (!view_next(s, &w->numbers, &w->walk, &number, &r))
			return false;
		if (r && (r->flags & STORE_DELETED))
			imap_ranges_add(&w->uids, r->uid, r->uid);
	}
	return true;
}

static enum store_result
deleted_expunge(struct expunge_work *w, struct session *s, int64_t now_us,
		struct err *err)
{
	enum store_result result;
	uint64_t n = 0;

	if (w->uids.n == 0)
		return STORE_OK;
	result = store_expunge(s->account->mail, s->view.mailbox,
			       session_uids(&w->uids), now_us, &n, NULL, err);
	s->account->epoch++;
	if (result == STORE_BUSY)
		return result;
	session_changed(s);
	imap_ranges_release(&w->uids);
	w->n += n;
	return result;
}

enum run
run_expunge(struct session *s, struct step *step)
{
	struct expunge_work *w = session_work(s, sizeof(*w));
	enum store_result result;
	struct err err = {0};
	bool more = true;

	if (s->view.read_only)
		return done_no(s, NULL, "The mailbox is read-only");
	if (!w->begun && !expunge_begin(w, s))
		return done_bad(s, "No such message");
	if (w->uids.n == 0) /* else somebody had the lock */
		more = deleted_find(w, s);
	result = deleted_expunge(w, s, step->now_us, &err);
	if (result != STORE_OK)
		return done_store(s, result, "expunge", &err);
	if (more)
		return RUN_TURN;
	if (w->n > 0)
		put_highestmodseq(s);
	return s->policy->sync_flags ? done_ok_durable(s) : done_ok(s);
}
