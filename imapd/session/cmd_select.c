/* SELECT, EXAMINE; with QRESYNC [RFC7162 3.2.5], what a client missed */
#include "imapd/session/inner.h"

struct select {
	bool opened;
	struct imap_ranges vanished; /* uids; told up to `told` */
	size_t told;
	struct imap_ranges changed; /* numbers */
	struct view_walk walk;
};

void
release_select(struct session *s)
{
	struct select *w = s->work;

	imap_ranges_release(&w->vanished);
	imap_ranges_release(&w->changed);
}

/* --- what every SELECT tells [RFC9051 6.3.2] ------------------------------ */

static void
put_ok(struct buf *out, const char *code, uint64_t number, const char *text)
{
	buf_put_str(out, "* OK [");
	buf_put_str(out, code);
	buf_put_char(out, ' ');
	imap_put_number(out, number);
	buf_put_str(out, "] ");
	buf_put_str(out, text);
	buf_put_str(out, "\r\n");
}

static void
put_counts(const struct session *s, struct buf *out)
{
	const struct view *v = &s->view;

	buf_put_str(out, "* ");
	imap_put_number(out, v->n);
	buf_put_str(out, " EXISTS\r\n");
	if (s->enabled & IMAP_ENABLE_REV2)
		return;
	buf_put_str(out, "* ");
	imap_put_number(out, view_recent_count(v));
	buf_put_str(out, " RECENT\r\n");
	if (v->unseen > 0)
		put_ok(out, "UNSEEN", v->unseen, "First unseen");
}

static void
put_selected(struct session *s, struct buf *out)
{
	struct store_mailbox box;

	if (!store_mailbox_get(s->account->mail, s->view.mailbox, &box))
		return;
	put_flags_lines(s, out);
	put_counts(s, out);
	put_ok(out, "UIDVALIDITY", box.uidvalidity, "UIDs valid");
	put_ok(out, "UIDNEXT", s->view.uidnext, "Predicted next UID");
	put_ok(out, "HIGHESTMODSEQ", box.modseq, "Highest");
	buf_put_str(out, "* OK [MAILBOXID (");
	put_mailbox_id(&box, out);
	buf_put_str(out, ")] Ok\r\n");
	if (s->enabled & IMAP_ENABLE_REV2)
		put_list(s, &box, out);
}

/* --- QRESYNC -------------------------------------------------------------- */

/* The pairs of two sets, one by one; numbers ascend. */
struct pairs {
	const struct imap_set *numbers, *uids;
	size_t number_range, uid_range;
	uint32_t number, uid;
};

static bool
set_next(const struct imap_set *set, size_t *range, uint32_t *at)
{
	if (*range < set->n && *at<set->at[*range].last && * at> 0) {
		++*at;
		return true;
	}
	if (*at > 0)
		++*range;
	if (*range >= set->n || set->at[*range].first <= *at ||
	    set->at[*range].first > set->at[*range].last)
		return false;
	*at = set->at[*range].first;
	return true;
}

/* The highest uid of which the client knows the number rightly: below it, it missed
 * nothing. */
static uint32_t
matched_uid(const struct view *v, const struct imap_qresync *q)
{
	struct pairs p = {.numbers = &q->match_numbers, .uids = &q->match_uids};
	uint32_t matched = 0;

	while (set_next(p.numbers, &p.number_range, &p.number) &&
	       set_next(p.uids, &p.uid_range, &p.uid) && p.number <= v->n)
		if (view_uid(v, p.number) == p.uid)
			matched = p.uid;
	return matched;
}

/* Adds the part of `range` that is in `known`, in order. */
static void
add_known(struct imap_ranges *to, struct store_range range,
	  const struct imap_ranges *known, size_t *from)
{
	while (*from < known->n && known->at[*from].last < range.first)
		++*from;
	for (size_t i = *from; i < known->n && known->at[i].first <= range.last; i++) {
		uint32_t first = known->at[i].first, last = known->at[i].last;

		imap_ranges_add(to, first > range.first ? first : range.first,
				last < range.last ? last : range.last);
	}
}

static void
find_vanished(struct session *s, struct select *w, const struct imap_ranges *known)
{
	const struct imap_qresync *q = &s->command.select.qresync;
	uint32_t matched = matched_uid(&s->view, q);
	struct store_uid_list gone = {0};
	size_t from = 0;

	store_vanished(s->account->mail, s->view.mailbox, q->modseq, &gone);
	for (size_t i = 0; i < gone.n; i++) {
		struct store_range range = gone.at[i];

		if (range.last <= matched)
			continue;
		if (range.first <= matched)
			range.first = matched + 1;
		add_known(&w->vanished, range, known, &from);
	}
	store_uid_list_release(&gone);
}

static void
find_changed(struct session *s, struct select *w, const struct imap_ranges *known)
{
	uint64_t since = s->command.select.qresync.modseq;
	const struct store_record *record;
	struct imap_ranges numbers = {0};
	struct view_walk walk = {0};
	uint32_t number;

	view_numbers(&s->view, known, &numbers);
	while (view_next(s, &numbers, &walk, &number, &record))
		if (record && record->modseq > since)
			imap_ranges_add(&w->changed, number, number);
	imap_ranges_release(&numbers);
}

static void
find_missed(struct session *s, struct select *w)
{
	const struct imap_qresync *q = &s->command.select.qresync;
	uint32_t last = s->view.uidnext - 1;
	struct imap_ranges known = {0};

	if (q->uidvalidity != s->view.uidvalidity || last == 0)
		return;
	if (q->known_uids.n > 0)
		imap_set_resolve(&q->known_uids, last, true, &known);
	else
		imap_ranges_add(&known, 1, last);
	find_vanished(s, w, &known);
	find_changed(s, w, &known);
	imap_ranges_release(&known);
}

/* False when `out` is full. */
static bool
put_missed(struct session *s, struct select *w, struct buf *out)
{
	const struct store_record *record;
	uint32_t number;

	if (!put_vanished_earlier(s, &w->vanished, &w->told, out))
		return false;
	do {
		if (session_full(s, out))
			return false;
		if (!view_next(s, &w->changed, &w->walk, &number, &record))
			return true;
		if (record)
			put_fetch_flags(s, number, record, out);
	} while (true);
}

/* --- the command ---------------------------------------------------------- */

/* True when the mailbox is selected now. */
static bool
select_open(struct session *s, struct buf *out)
{
	const struct imap_select *select = &s->command.select;
	bool read_only = s->command.id == IMAP_EXAMINE;
	uint32_t id;

	if (s->state == S_SELECTED) {
		session_deselect(s);
		buf_put_str(out, "* OK [CLOSED] The previous mailbox is closed\r\n");
	}
	id = session_mailbox(s, select->mailbox);
	if (id == 0) {
		(void)done_no(s, "NONEXISTENT", "There is no such mailbox");
		return false;
	}
	if (select->condstore || select->qresync.uidvalidity > 0)
		s->enabled |= IMAP_ENABLE_CONDSTORE;
	view_open(s, id, read_only);
	s->state = S_SELECTED;
	put_selected(s, out);
	return true;
}

enum run
run_select(struct session *s, struct step *step)
{
	const struct imap_select *select = &s->command.select;
	struct select *w = session_work(s, sizeof(*w));
	bool qresync = select->qresync.uidvalidity > 0;

	if (qresync && !(s->enabled & IMAP_ENABLE_QRESYNC))
		return done_bad(s, "QRESYNC is not enabled");
	if (!w->opened) {
		if (!select_open(s, step->out))
			return RUN_DONE;
		w->opened = true;
		if (qresync)
			find_missed(s, w);
	}
	if (!put_missed(s, w, step->out))
		return RUN_ROOM;
	buf_put_str(&s->result.code, s->view.read_only ? "READ-ONLY" : "READ-WRITE");
	return done_ok(s);
}
