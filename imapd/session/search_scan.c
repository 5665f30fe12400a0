/* the program of a SEARCH, run over the messages of the view */
#include "imapd/session/search.h"

#define DAY_S    86400
#define ZONE_MAX 5 /* days that a zone, even an absurd one, moves a date at most */

/* --- one test, on one message --------------------------------------------- */

typedef bool test_run(const struct search_candidate *m, struct search_test *t);

static bool holds(const struct search_candidate *m, struct search_test *t);

static bool
test_all(const struct search_candidate *m, struct search_test *t)
{
	(void)m;
	(void)t;
	return true;
}

static bool
test_and(const struct search_candidate *m, struct search_test *t)
{
	for (struct search_test *child = t->first; child; child = child->next)
		if (!holds(m, child))
			return false;
	return true;
}

static bool
test_or(const struct search_candidate *m, struct search_test *t)
{
	for (struct search_test *child = t->first; child; child = child->next)
		if (holds(m, child))
			return true;
	return false;
}

static bool
test_set(const struct search_candidate *m, struct search_test *t)
{
	const struct imap_ranges *r = t->numbers;

	while (t->range < r->n && r->at[t->range].last < m->number)
		t->range++;
	return t->range < r->n && r->at[t->range].first <= m->number;
}

static bool
test_flag(const struct search_candidate *m, struct search_test *t)
{
	return (m->record->flags & t->bits) != 0;
}

static bool
test_keyword(const struct search_candidate *m, struct search_test *t)
{
	return (m->record->keywords & t->bits) != 0;
}

static bool
test_recent(const struct search_candidate *m, struct search_test *t)
{
	(void)t;
	return view_recent(&m->s->view, m->record->uid);
}

static bool
test_old(const struct search_candidate *m, struct search_test *t)
{
	return !test_recent(m, t);
}

static bool
test_new(const struct search_candidate *m, struct search_test *t)
{
	return test_recent(m, t) && !(m->record->flags & STORE_SEEN);
}

static bool
test_internal(const struct search_candidate *m, struct search_test *t)
{
	return m->record->internal_us >= t->from_us &&
	       m->record->internal_us < t->to_us;
}

static bool
test_saved(const struct search_candidate *m, struct search_test *t)
{
	return m->record->saved_us >= t->from_us && m->record->saved_us < t->to_us;
}

static bool
test_larger(const struct search_candidate *m, struct search_test *t)
{
	return store_record_size(m->record) > t->number;
}

static bool
test_smaller(const struct search_candidate *m, struct search_test *t)
{
	return store_record_size(m->record) < t->number;
}

static bool
test_modseq(const struct search_candidate *m, struct search_test *t)
{
	return m->record->modseq >= t->number;
}

static bool
test_emailid(const struct search_candidate *m, struct search_test *t)
{
	return t->number != 0 && memcmp(m->record->guid, t->guid, sizeof(t->guid)) == 0;
}

static bool
test_threadid(const struct search_candidate *m, struct search_test *t)
{
	return t->number != 0 && m->record->thread_key == t->number;
}

/* --- the Date field as it stands, without its time and zone [RFC9051 6.4.4] --- */

static int64_t
day_of(int64_t seconds)
{
	return (seconds - (seconds < 0 ? DAY_S - 1 : 0)) / DAY_S;
}

/* What an ENVELOPE has first: a quoted string, a literal or NIL. */
static struct span
envelope_date(struct span envelope)
{
	struct span rest = span_after(envelope, 1);
	uint64_t n;

	if (rest.n > 0 && rest.at[0] == '"') {
		rest = span_after(rest, 1);
		return span_cut(&rest, '"');
	}
	if (rest.n == 0 || rest.at[0] != '{')
		return SPAN("");
	rest = span_after(rest, 1);
	if (!number_parse(span_cut(&rest, '}'), UINT32_MAX, &n))
		return SPAN("");
	return span_first(span_after(rest, 2), (size_t)n);
}

static bool
sent_on_day(const struct store_summary *summary, const struct search_test *t)
{
	int64_t day = day_of(summary->date_seconds);
	struct mime_date date;

	if (summary->date_seconds == MIME_DATE_NONE)
		return false;
	if (day + ZONE_MAX < t->from_day || day - ZONE_MAX >= t->to_day)
		return false;
	if (day - ZONE_MAX >= t->from_day && day + ZONE_MAX < t->to_day)
		return true;
	date = mime_date_parse(envelope_date(summary->envelope));
	day = day_of(summary->date_seconds + date.zone_minutes * 60);
	return day >= t->from_day && day < t->to_day;
}

static bool
test_sent(const struct search_candidate *m, struct search_test *t)
{
	struct store_summary summary;
	enum store_result result =
	    store_summary_of(m->s->account->mail, m->record, &summary, &m->w->err);

	m->w->records_left -= SEARCH_SUMMARY_COST;
	if (result != STORE_OK && result != STORE_DAMAGED)
		m->w->trouble = result;
	return result == STORE_OK && sent_on_day(&summary, t);
}

/* --- all of them ---------------------------------------------------------- */

static test_run *const tests[] = {
    [IMAP_KEY_ALL] = test_all,
    [IMAP_KEY_AND] = test_and,
    [IMAP_KEY_OR] = test_or,
    [IMAP_KEY_SET] = test_set,
    [IMAP_KEY_UID] = test_set,
    [IMAP_KEY_FLAG] = test_flag,
    [IMAP_KEY_KEYWORD] = test_keyword,
    [IMAP_KEY_NEW] = test_new,
    [IMAP_KEY_OLD] = test_old,
    [IMAP_KEY_RECENT] = test_recent,
    [IMAP_KEY_BEFORE] = test_internal,
    [IMAP_KEY_ON] = test_internal,
    [IMAP_KEY_SINCE] = test_internal,
    [IMAP_KEY_SENTBEFORE] = test_sent,
    [IMAP_KEY_SENTON] = test_sent,
    [IMAP_KEY_SENTSINCE] = test_sent,
    [IMAP_KEY_SAVEDBEFORE] = test_saved,
    [IMAP_KEY_SAVEDON] = test_saved,
    [IMAP_KEY_SAVEDSINCE] = test_saved,
    [IMAP_KEY_SAVEDATESUPPORTED] = test_all,
    [IMAP_KEY_OLDER] = test_internal,
    [IMAP_KEY_YOUNGER] = test_internal,
    [IMAP_KEY_LARGER] = test_larger,
    [IMAP_KEY_SMALLER] = test_smaller,
    [IMAP_KEY_MODSEQ] = test_modseq,
    [IMAP_KEY_HEADER] = search_test_header,
    [IMAP_KEY_BODY] = search_test_body,
    [IMAP_KEY_TEXT] = search_test_text,
    [IMAP_KEY_EMAILID] = test_emailid,
    [IMAP_KEY_THREADID] = test_threadid,
};

static bool
reads_text(const struct search_test *t)
{
	return t->kind == IMAP_KEY_HEADER || t->kind == IMAP_KEY_BODY ||
	       t->kind == IMAP_KEY_TEXT;
}

/* The message cannot be looked at any more, in this step at least. */
static bool
is_left(const struct search *w)
{
	return w->moved || w->broken_off || w->trouble != STORE_OK;
}

/* Many needles in one long text are work for many steps: what was seen of the message
 * before is kept. */
static bool
text_holds(const struct search_candidate *m, struct search_test *t)
{
	struct search *w = m->w;
	bool found;

	if (t->looked == m->number)
		return t->looked_holds;
	if (w->text_left <= -(int64_t)m->s->policy->limits.text_scan_bytes) {
		w->broken_off = true;
		return false;
	}
	found = tests[t->kind](m, t);
	if (!is_left(w)) {
		t->looked = m->number;
		t->looked_holds = found;
	}
	return found;
}

static bool
holds(const struct search_candidate *m, struct search_test *t)
{
	struct search *w = m->w;

	w->records_left--;
	if (is_left(w))
		return false;
	return (reads_text(t) ? text_holds(m, t) : tests[t->kind](m, t)) != t->negate;
}

/* --- the walk ------------------------------------------------------------- */

void
search_budget(struct session *s)
{
	struct search *w = s->work;

	w->records_left = SEARCH_RECORDS_STEP;
	w->text_left = s->policy->limits.text_scan_bytes;
	search_text_forget(w);
}

enum search_work
search_trouble(struct session *s, enum store_result result, struct err *err)
{
	if (result == STORE_NONE) /* moved by a compaction: the view is old */
		result = account_refresh(s->account, err);
	if (result == STORE_OK)
		return SEARCH_TURN;
	if (result == STORE_BUSY)
		return SEARCH_LOCK;
	(void)done_store(s, result, "search", err);
	return SEARCH_ENDED;
}

static void
note_found(struct search *w, uint32_t number, const struct store_record *record)
{
	imap_ranges_add(&w->found, number, number);
	if (w->n_found++ == 0)
		w->modseq_first = record->modseq;
	w->modseq_last = record->modseq;
	if (record->modseq > w->modseq_highest)
		w->modseq_highest = record->modseq;
}

/* RETURN (MIN), and nothing else of it, needs no more than one. */
static bool
is_enough(const struct session *s, const struct search *w)
{
	const struct imap_search *search = &s->command.search;

	return w->n_found > 0 && s->command.id == IMAP_SEARCH && search->extended &&
	       (search->returns & ~(uint32_t)IMAP_SEARCH_SAVE) == IMAP_SEARCH_MIN;
}

/* A block of texts that was read is used up, whatever the budget: the most of the work
 * is done. */
static bool
is_used_up(const struct search *w)
{
	return w->records_left <= 0 || (w->text_left <= 0 && !search_text_at_hand(w));
}

/* A message could not be looked at: it is the next one once more. */
static enum search_work
scan_again(struct session *s, const struct view_walk *before)
{
	struct search *w = s->work;
	enum store_result trouble = w->trouble;

	w->walk = *before;
	w->trouble = STORE_OK;
	w->moved = w->broken_off = false;
	return trouble == STORE_OK ? SEARCH_TURN : search_trouble(s, trouble, &w->err);
}

enum search_work
search_scan(struct session *s, struct step *step)
{
	struct search *w = s->work;
	const struct imap_ranges *numbers =
	    w->program.numbers ? w->program.numbers : &w->all;
	struct search_candidate m = {.s = s, .w = w};
	struct view_walk before = w->walk;

	search_budget(s);
	while (!is_enough(s, w) &&
	       view_next(s, numbers, &w->walk, &m.number, &m.record)) {
		bool found = m.record && holds(&m, &w->program.tests[0]);

		if (is_left(w))
			return scan_again(s, &before);
		if (found)
			note_found(w, m.number, m.record);
		before = w->walk;
		w->records_left--;
		if (is_used_up(w)) {
			session_progress(s, step, m.number, s->view.n);
			return SEARCH_TURN;
		}
	}
	w->walk = (struct view_walk){0};
	return SEARCH_NEXT;
}
