/* FETCH [RFC3501 6.4.5] [RFC9051 6.4.5] */
#include "imapd/session/fetch.h"
#include "imapd/session/ranges.h"

enum stage {
	STAGE_BEGIN,
	STAGE_VANISHED,
	STAGE_MESSAGES,
};

struct fetch_work {
	enum stage stage;
	struct fetch fetch;
	struct imap_ranges vanished;
	size_t vanished_told;
};

void
release_fetch(struct session *s)
{
	struct fetch_work *w = s->work;

	fetch_release(&w->fetch);
	imap_ranges_release(&w->vanished);
}

/* --- VANISHED [RFC7162 3.2.6] --------------------------------------------- */

/* The uids of the set that are gone, but for those that are still to be told anyway. */
static void
vanished_find(struct fetch_work *w, struct session *s)
{
	const struct imap_fetch *what = &s->command.fetch;
	struct imap_ranges asked = {0}, gone = {0};
	struct store_uid_list list = {0};

	if (what->set.saved)
		ranges_copy(&s->saved, &asked);
	else if (s->view.uidnext > 1)
		imap_set_resolve(&what->set, s->view.uidnext - 1, true, &asked);
	store_vanished(s->account->mail, s->view.mailbox, what->changed_since, &list);
	ranges_from_uids(&list, &gone);
	ranges_meet(&asked, &gone, &w->vanished);
	view_expunged_settle(s);
	ranges_cut(&w->vanished, &s->view.expunged);
	store_uid_list_release(&list);
	imap_ranges_release(&gone);
	imap_ranges_release(&asked);
}

/* --- PARTIAL [RFC9394 3.3] ------------------------------------------------ */

/* Those numbers that CHANGEDSINCE lets through. */
static void
numbers_filter(struct session *s, const struct imap_fetch *what,
	       struct imap_ranges *numbers)
{
	struct imap_ranges wanted = {0};
	const struct store_record *r;
	struct view_walk walk = {0};
	uint32_t number;

	while (view_next(s, numbers, &walk, &number, &r))
		if (r && r->modseq > what->changed_since)
			imap_ranges_add(&wanted, number, number);
	imap_ranges_release(numbers);
	*numbers = wanted;
}

/* Only the first..last of them, counted from 1, or from the end when negative. */
static void
numbers_page(const struct imap_fetch *what, struct imap_ranges *numbers)
{
	int64_t n = (int64_t)ranges_count(numbers), skip, take, a, b;
	struct imap_ranges page = {0};

	a = what->partial_first > 0 ? what->partial_first : n + 1 + what->partial_first;
	b = what->partial_last > 0 ? what->partial_last : n + 1 + what->partial_last;
	skip = (a < b ? a : b) - 1;
	take = (a < b ? b : a) - (skip > 0 ? skip : 0);
	for (size_t i = 0; i < numbers->n && take > 0; i++) {
		struct imap_range r = numbers->at[i];
		int64_t size = (int64_t)r.last - r.first + 1;

		if (skip >= size) {
			skip -= size;
			continue;
		}
		if (skip > 0)
			r.first += (uint32_t)skip;
		skip = 0;
		if (take < (int64_t)r.last - r.first + 1)
			r.last = r.first + (uint32_t)take - 1;
		take -= (int64_t)r.last - r.first + 1;
		imap_ranges_add(&page, r.first, r.last);
	}
	imap_ranges_release(numbers);
	*numbers = page;
}

/* --- the command ---------------------------------------------------------- */

static bool
uses_modseq(const struct imap_fetch *what)
{
	for (size_t i = 0; i < what->n_items; i++)
		if (what->items[i].kind == IMAP_FETCH_MODSEQ)
			return true;
	return what->changed;
}

/* RUN_TURN: go on. */
static enum run
fetch_begin(struct fetch_work *w, struct session *s, struct step *step)
{
	const struct imap_fetch *what = &s->command.fetch;
	struct fetch *f = &w->fetch;

	fetch_init(f, s);
	if (what->vanished &&
	    (!what->changed || !s->command.uid || !(s->enabled & IMAP_ENABLE_QRESYNC)))
		return done_bad(s, "VANISHED needs QRESYNC, UID and CHANGEDSINCE");
	if (!view_resolve(s, &what->set, s->command.uid, &f->numbers))
		return done_bad(s, "No such message");
	if (!fetch_compile(f, what, s->command.uid))
		return done_no(s, "LIMIT", "Too many items");
	if (uses_modseq(what))
		session_condstore(s, step->out);
	if (f->marks || (f->kinds & 1u << IMAP_FETCH_FLAGS))
		put_flags_news(s, step->out);
	if (what->partial && what->changed)
		numbers_filter(s, what, &f->numbers);
	if (what->partial)
		numbers_page(what, &f->numbers);
	if (what->vanished)
		vanished_find(w, s);
	w->stage = STAGE_VANISHED;
	return RUN_TURN;
}

static enum run
fetch_done(struct fetch *f, struct session *s)
{
	if (f->fault)
		return done_no(s, "UNAVAILABLE",
			       "The messages cannot be read just now");
	if (f->damaged)
		return done_no(s, "CORRUPTION",
			       "Some messages are damaged and were left out");
	if (f->unknown_encoding)
		return done_no(s, "UNKNOWN-CTE", "A part has an unknown encoding");
	if (f->gone && !s->command.uid)
		return done_no(s, "EXPUNGEISSUED",
			       "Some of the messages were expunged meanwhile");
	return done_ok(s);
}

enum run
run_fetch(struct session *s, struct step *step)
{
	struct fetch_work *w = session_work(s, sizeof(*w));
	enum run run = RUN_DONE;

	if (w->stage == STAGE_BEGIN) {
		run = fetch_begin(w, s, step);
		if (run != RUN_TURN)
			return run;
	}
	if (w->stage == STAGE_VANISHED) {
		if (!put_vanished_earlier(s, &w->vanished, &w->vanished_told,
					  step->out))
			return RUN_ROOM;
		w->stage = STAGE_MESSAGES;
	}
	run = fetch_messages(&w->fetch, step);
	return run == RUN_DONE ? fetch_done(&w->fetch, s) : run;
}
