/* \Seen, which fetching a text sets [RFC9051 6.4.5.1]
 *
 * For some messages ahead at once, in one event of the journal.
 */
#include "imapd/session/fetch.h"
#include "imapd/session/ranges.h"

#define MARK_MESSAGES_MAX 256
#define MARK_BYTES_MAX    (4u << 20) /* of those messages, about */

/* The unseen ones among those that come next, as uids; *last is the last looked at. */
static void
mark_choose(struct fetch *f, struct imap_ranges *uids, uint32_t *last)
{
	struct view_walk walk = f->walk;
	const struct store_record *r;
	uint64_t bytes = 0;
	uint32_t number;

	for (int i = 0; i < MARK_MESSAGES_MAX && bytes < MARK_BYTES_MAX; i++) {
		if (!view_next(f->session, &f->numbers, &walk, &number, &r))
			break;
		*last = number;
		if (!r || (f->changed && r->modseq <= f->changed_since))
			continue;
		bytes += store_record_size(r);
		if (!(r->flags & STORE_SEEN))
			imap_ranges_add(uids, r->uid, r->uid);
	}
}

static enum store_result
mark_set(struct fetch *f, const struct imap_ranges *uids, int64_t now_us,
	 struct err *err)
{
	const struct store_flag_change change = {.verb = STORE_FLAGS_ADD,
						 .flags = STORE_SEEN};
	struct session *s = f->session;
	enum store_result result;
	uint64_t modseq = 0;

	view_silent_begin(&s->view);
	result =
	    store_flags_change(s->account->mail, s->view.mailbox, session_uids(uids),
			       &change, now_us, &modseq, NULL, err);
	view_silent_end(&s->view, result == STORE_OK ? modseq : 0);
	s->account->epoch++;
	session_changed(s);
	return result;
}

enum run
fetch_mark(struct fetch *f, struct step *step)
{
	struct imap_ranges uids = {0};
	enum store_result result = STORE_OK;
	struct err err = {0};
	uint32_t last = f->marked_to;

	if (f->walk.number < f->marked_to)
		return RUN_DONE;
	mark_choose(f, &uids, &last);
	if (uids.n > 0)
		result = mark_set(f, &uids, step->now_us, &err);
	if (result == STORE_BUSY) {
		imap_ranges_release(&uids);
		return RUN_LOCK;
	}
	imap_ranges_release(&f->marked);
	f->marked = uids;
	f->marked_to = last;
	if (result == STORE_OK || result == STORE_NONE)
		return RUN_DONE;
	/* The texts can be read all the same. */
	log_fault(f->session, "seen", &err);
	imap_ranges_release(&f->marked);
	f->marks = false;
	return RUN_DONE;
}
