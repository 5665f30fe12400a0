/* EXPUNGE [RFC9051 6.4.3], UID EXPUNGE [RFC4315 2.1] */
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

/* Those among the numbers that are \Deleted, as uids. */
static void
deleted_find(const struct session *s, const struct imap_ranges *numbers,
	     struct imap_ranges *uids)
{
	const struct store_record *r;
	struct view_walk walk = {0};
	uint32_t number;

	while (view_next(s, numbers, &walk, &number, &r))
		if (r && (r->flags & STORE_DELETED))
			imap_ranges_add(uids, r->uid, r->uid);
}

static enum store_result
expunge_deleted(struct session *s, const struct imap_ranges *numbers, int64_t now_us,
		uint64_t *n, struct err *err)
{
	enum store_result result = STORE_OK;
	struct imap_ranges uids = {0};

	*n = 0;
	deleted_find(s, numbers, &uids);
	if (uids.n > 0) {
		result = store_expunge(s->account->mail, s->view.mailbox,
				       session_uids(&uids), now_us, n, NULL, err);
		s->account->epoch++;
		session_changed(s);
	}
	imap_ranges_release(&uids);
	return result;
}

enum run
run_expunge(struct session *s, struct step *step)
{
	struct imap_ranges numbers = {0};
	enum store_result result;
	struct err err = {0};
	uint64_t n;

	if (s->view.read_only)
		return done_no(s, NULL, "The mailbox is read-only");
	if (!s->command.uid && s->view.n > 0)
		imap_ranges_add(&numbers, 1, (uint32_t)s->view.n);
	if (s->command.uid && !view_resolve(s, &s->command.expunge, true, &numbers))
		return done_bad(s, "No such message");
	result = expunge_deleted(s, &numbers, step->now_us, &n, &err);
	imap_ranges_release(&numbers);
	if (result != STORE_OK)
		return done_store(s, result, "expunge", &err);
	if (n > 0)
		put_highestmodseq(s);
	return s->policy->sync_flags ? done_ok_durable(s) : done_ok(s);
}
