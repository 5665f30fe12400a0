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

struct close_work {
	uint32_t next; /* uid to look at */
};

/* Those of the view that are \Deleted, the next ones; what the client never heard of
 * stays. Returns the uid to go on with; 0: none. */
static uint32_t
deleted_uids(const struct session *s, uint32_t next, struct imap_ranges *uids)
{
	const struct store_account *mail = s->account->mail;
	unsigned left = s->policy->limits.change_step;
	const struct view *v = &s->view;
	const struct store_record *r;

	for (r = store_find_from(mail, v->mailbox, next); r && r->uid < v->uidnext;
	     r = store_next(mail, r)) {
		if (left-- == 0)
			return r->uid;
		if (r->flags & STORE_DELETED)
			imap_ranges_add(uids, r->uid, r->uid);
	}
	return 0;
}

/* Expunges without a word [RFC9051 6.4.1], step by step. */
enum run
run_close(struct session *s, struct step *step)
{
	struct close_work *w = session_work(s, sizeof(*w));
	enum store_result result = STORE_OK;
	struct imap_ranges uids = {0};
	struct err err = {0};
	uint32_t next = 0;
	uint64_t n;

	if (!s->view.read_only && !s->view.gone)
		next = deleted_uids(s, w->next, &uids);
	if (uids.n > 0) {
		result =
		    store_expunge(s->account->mail, s->view.mailbox,
				  session_uids(&uids), step->now_us, &n, NULL, &err);
		s->account->epoch++;
		session_changed(s);
	}
	imap_ranges_release(&uids);
	if (result == STORE_BUSY)
		return RUN_LOCK;
	w->next = next;
	if (result == STORE_OK && next > 0)
		return RUN_TURN;
	session_deselect(s);
	if (result != STORE_OK)
		return done_store(s, result, "close", &err);
	return done_ok(s);
}
