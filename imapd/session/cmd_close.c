/* CLOSE, UNSELECT */
#include "imapd/session/inner.h"

void
session_deselect(struct session *s)
{
	view_leave(s);
	imap_ranges_release(&s->saved);
	s->state = S_AUTHENTICATED;
}

enum run
run_unselect(struct session *s, struct step *step)
{
	(void)step;
	session_deselect(s);
	return done_ok(s);
}

/* Those of the view that are \Deleted: what the client never heard of stays. */
static void
deleted_uids(const struct session *s, struct imap_ranges *uids)
{
	const struct store_account *mail = s->account->mail;
	const struct view *v = &s->view;
	const struct store_record *r;

	for (r = store_first(mail, v->mailbox); r && r->uid < v->uidnext;
	     r = store_next(mail, r))
		if (r->flags & STORE_DELETED)
			imap_ranges_add(uids, r->uid, r->uid);
}

/* Expunges without a word [RFC9051 6.4.1]. */
enum run
run_close(struct session *s, struct step *step)
{
	struct imap_ranges uids = {0};
	enum store_result result = STORE_OK;
	struct err err = {0};
	uint64_t n;

	if (!s->view.read_only && !s->view.gone)
		deleted_uids(s, &uids);
	if (uids.n > 0) {
		result =
		    store_expunge(s->account->mail, s->view.mailbox,
				  session_uids(&uids), step->now_us, &n, NULL, &err);
		session_changed(s);
	}
	imap_ranges_release(&uids);
	if (result == STORE_BUSY)
		return RUN_LOCK;
	session_deselect(s);
	if (result != STORE_OK)
		return done_store(s, result, "close", &err);
	return done_ok(s);
}
