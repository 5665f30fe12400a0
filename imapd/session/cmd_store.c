/* STORE [RFC9051 6.4.6], UNCHANGEDSINCE [RFC7162 3.1.3]
 *
 * In steps, each a call on the store: messages are changed one by one, as
 * [RFC7162 3.1.3] has it, and some of many before others.
 */
#include "imapd/session/fetch.h"
#include "imapd/session/ranges.h"

struct store_work {
	bool begun, stored;
	bool changed;             /* one of them at least */
	bool gone;                /* one of the messages is not there any more */
	struct ranges_place done; /* among the numbers of the report */
	struct fetch report;
	struct imap_ranges modified; /* uids, or numbers: as the client counts */
};

void
release_store(struct session *s)
{
	struct store_work *w = s->work;

	fetch_release(&w->report);
	imap_ranges_release(&w->modified);
}

static const enum store_flag_verb verbs[] = {
    [IMAP_STORE_ADD] = STORE_FLAGS_ADD,
    [IMAP_STORE_REMOVE] = STORE_FLAGS_REMOVE,
    [IMAP_STORE_REPLACE] = STORE_FLAGS_REPLACE,
};

static void
modified_add(struct store_work *w, const struct store_uid_list *uids)
{
	for (size_t i = 0; i < uids->n; i++)
		imap_ranges_add(&w->modified, uids->at[i].first, uids->at[i].last);
}

/* Of these numbers. OK, or why not. */
static enum store_result
flags_store(struct store_work *w, struct session *s, const struct imap_ranges *numbers,
	    int64_t now_us, struct err *err)
{
	const struct imap_store *what = &s->command.store;
	struct store_flag_change change = {.verb = verbs[what->verb],
					   .flags = what->flags.system,
					   .conditional = what->conditional,
					   .unchanged_since = what->unchanged_since};
	struct store_uid_list modified = {0};
	struct imap_ranges uids = {0};
	enum store_result result;
	uint64_t modseq = 0;

	result = flags_bits(s, &what->flags, what->verb != IMAP_STORE_REMOVE, now_us,
			    &change.keywords, err);
	s->account->epoch++;
	if (result != STORE_OK)
		return result;
	view_uids(&s->view, numbers, &uids);
	view_silent_begin(&s->view);
	result =
	    store_flags_change(s->account->mail, s->view.mailbox, session_uids(&uids),
			       &change, now_us, &modseq, &modified, err);
	/* All of it is reported by the command itself, or is not to be. */
	view_silent_end(&s->view, result == STORE_OK ? modseq : 0);
	s->account->epoch++;
	w->changed |= result == STORE_OK && modseq > 0;
	if (result == STORE_OK)
		modified_add(w, &modified);
	store_uid_list_release(&modified);
	imap_ranges_release(&uids);
	return result;
}

/* Those that were left alone are not reported. */
static void
modified_take(struct store_work *w, struct session *s)
{
	struct imap_ranges numbers = {0};

	if (w->modified.n == 0)
		return;
	view_numbers(&s->view, &w->modified, &numbers);
	ranges_cut(&w->report.numbers, &numbers);
	if (s->command.uid) {
		imap_ranges_release(&numbers);
		return;
	}
	imap_ranges_release(&w->modified);
	w->modified = numbers;
}

/* What is told of each message: its flags, but for SILENT; its MODSEQ to those who know
 * it, with SILENT, too. False: nothing at all. */
static bool
report_compile(struct store_work *w, struct session *s, bool changed)
{
	bool condstore = s->enabled & IMAP_ENABLE_CONDSTORE;
	bool silent = s->command.store.silent;

	if (silent && !(condstore && (changed || s->command.store.conditional)))
		return false;
	return fetch_compile_report(
	    &w->report, s->command.uid || (s->enabled & IMAP_ENABLE_QRESYNC), !silent,
	    condstore);
}

/* What was changed before it failed is told as if somebody else had done it. */
static void
store_tell_done(const struct store_work *w, struct session *s)
{
	struct store_change change = {.kind = STORE_CHANGE_FLAGS,
				      .mailbox = s->view.mailbox};
	struct imap_ranges numbers = {0}, uids = {0};
	struct ranges_place at = {0};
	uint64_t n = w->done.taken;

	for (size_t i = 0; i < w->done.range; i++)
		n += (uint64_t)w->report.numbers.at[i].last -
		     w->report.numbers.at[i].first + 1;
	ranges_take(&w->report.numbers, &at, n, &numbers);
	view_uids(&s->view, &numbers, &uids);
	change.uids = session_uids(&uids);
	view_note(&s->view, &change);
	imap_ranges_release(&uids);
	imap_ranges_release(&numbers);
}

static enum run
store_fail(struct store_work *w, struct session *s, enum store_result result,
	   const struct err *err)
{
	if (w->changed)
		store_tell_done(w, s);
	if (result == STORE_LIMIT)
		return done_no(s, "LIMIT", "There are too many keywords already");
	return done_store(s, result, "store", err);
}

/* RUN_TURN: go on. */
static enum run
store_begin(struct store_work *w, struct session *s, struct step *step)
{
	const struct imap_store *what = &s->command.store;

	w->begun = true;
	fetch_init(&w->report, s);
	if (s->view.read_only)
		return done_no(s, NULL, "The mailbox is read-only");
	if (!view_resolve(s, &what->set, s->command.uid, &w->report.numbers))
		return done_bad(s, "No such message");
	if (what->conditional)
		session_condstore(s, step->out);
	return RUN_TURN;
}

/* The next of them. RUN_DONE: it failed; else there may be more, or `stored`. */
static enum run
store_some(struct store_work *w, struct session *s, struct step *step)
{
	unsigned n = s->policy->limits.change_step;
	struct ranges_place done = w->done;
	struct imap_ranges numbers = {0};
	enum store_result result;
	struct err err = {0};

	ranges_take(&w->report.numbers, &done, n, &numbers);
	result = flags_store(w, s, &numbers, step->now_us, &err);
	imap_ranges_release(&numbers);
	if (result == STORE_BUSY)
		return RUN_LOCK;
	if (result != STORE_OK)
		return store_fail(w, s, result, &err);
	w->done = done;
	session_changed(s);
	if (done.range < w->report.numbers.n)
		return RUN_TURN;
	w->stored = true;
	modified_take(w, s);
	put_flags_news(s, step->out);
	if (!report_compile(w, s, w->changed))
		imap_ranges_release(&w->report.numbers);
	return RUN_TURN;
}

static enum run
store_done(struct store_work *w, struct session *s)
{
	if (w->modified.n > 0) {
		buf_put(&s->result.code, SPAN("MODIFIED "));
		imap_put_ranges(&s->result.code, w->modified.at, w->modified.n);
		if (s->result.code.full) /* half of them would be a lie */
			return done_no(s, "LIMIT",
				       "Too many of the messages had changed");
		return s->policy->sync_flags ? done_ok_durable(s) : done_ok(s);
	}
	if (w->report.gone && !s->command.uid)
		return done_no(s, "EXPUNGEISSUED",
			       "Some of the messages were expunged meanwhile");
	return s->policy->sync_flags ? done_ok_durable(s) : done_ok(s);
}

enum run
run_store(struct session *s, struct step *step)
{
	struct store_work *w = session_work(s, sizeof(*w));
	enum run run;

	if (!w->begun) {
		run = store_begin(w, s, step);
		if (run != RUN_TURN)
			return run;
	}
	if (!w->stored) {
		run = store_some(w, s, step);
		if (run != RUN_TURN || !w->stored)
			return run;
	}
	run = fetch_messages(&w->report, step);
	return run == RUN_DONE ? store_done(w, s) : run;
}
