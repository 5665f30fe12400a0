/* STORE [RFC9051 6.4.6], UNCHANGEDSINCE [RFC7162 3.1.3] */
#include "imapd/session/fetch.h"
#include "imapd/session/ranges.h"

struct store_work {
	bool stored;
	bool gone; /* one of the messages is not there any more */
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

/* OK, or why not. */
static enum store_result
flags_store(struct store_work *w, struct session *s, int64_t now_us, uint64_t *modseq,
	    struct err *err)
{
	const struct imap_store *what = &s->command.store;
	struct store_flag_change change = {.verb = verbs[what->verb],
					   .flags = what->flags.system,
					   .conditional = what->conditional,
					   .unchanged_since = what->unchanged_since};
	struct store_uid_list modified = {0};
	struct imap_ranges uids = {0};
	enum store_result result;

	result = flags_bits(s, &what->flags, what->verb != IMAP_STORE_REMOVE, now_us,
			    &change.keywords, err);
	s->account->epoch++;
	if (result != STORE_OK)
		return result;
	view_uids(&s->view, &w->report.numbers, &uids);
	view_silent_begin(&s->view);
	result =
	    store_flags_change(s->account->mail, s->view.mailbox, session_uids(&uids),
			       &change, now_us, modseq, &modified, err);
	/* All of it is reported by the command itself, or is not to be. */
	view_silent_end(&s->view, result == STORE_OK ? *modseq : 0);
	s->account->epoch++;
	ranges_from_uids(&modified, &w->modified);
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

/* RUN_TURN: go on. */
static enum run
store_begin(struct store_work *w, struct session *s, struct step *step)
{
	const struct imap_store *what = &s->command.store;
	struct err err = {0};
	enum store_result result;
	uint64_t modseq = 0;

	fetch_init(&w->report, s);
	if (s->view.read_only)
		return done_no(s, NULL, "The mailbox is read-only");
	if (!view_resolve(s, &what->set, s->command.uid, &w->report.numbers))
		return done_bad(s, "No such message");
	if (what->conditional)
		session_condstore(s, step->out);
	result = flags_store(w, s, step->now_us, &modseq, &err);
	if (result == STORE_BUSY)
		imap_ranges_release(&w->report.numbers);
	if (result == STORE_LIMIT)
		return done_no(s, "LIMIT", "There are too many keywords already");
	if (result != STORE_OK)
		return done_store(s, result, "store", &err);
	w->stored = true;
	session_changed(s);
	modified_take(w, s);
	put_flags_news(s, step->out);
	if (!report_compile(w, s, modseq > 0))
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

	if (!w->stored) {
		run = store_begin(w, s, step);
		if (run != RUN_TURN)
			return run;
	}
	run = fetch_messages(&w->report, step);
	return run == RUN_DONE ? store_done(w, s) : run;
}
