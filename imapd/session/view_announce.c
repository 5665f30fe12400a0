/* untagged news of the selected mailbox */
#include "imapd/session/inner.h"

#define VANISHED_RANGES 1000 /* in one line */
#define NOTES_STEP      1000 /* ranges made numbers at once */
#define GONE            0    /* in uids: told to be gone, to be squeezed out */

/* The notes are not whole: finds out what there is to tell. */
static void
compare_all(struct session *s)
{
	const struct store_account *mail = s->account->mail;
	struct view *v = &s->view;
	const struct store_record *r = store_first(mail, v->mailbox);

	imap_ranges_release(&v->flags);
	imap_ranges_release(&v->expunged);
	for (size_t i = 0; i < v->n; i++) {
		while (r && r->uid < v->uids[i])
			r = store_next(mail, r);
		if (!r || r->uid > v->uids[i])
			imap_ranges_add(&v->expunged, v->uids[i], v->uids[i]);
		else if (r->modseq > v->modseq)
			imap_ranges_add(&v->flags, v->uids[i], v->uids[i]);
	}
	v->all = false;
	v->appended = true;
}

void
view_expunged_settle(struct session *s)
{
	struct view *v = &s->view;

	if (v->all)
		compare_all(s);
	view_sort_notes(&v->expunged);
}

/* Squeezes out, from index i on, what was told to be gone. */
static void
squeeze(struct view *v, size_t i)
{
	size_t kept = i;

	for (; i < v->n; i++)
		if (v->uids[i] != GONE)
			v->uids[kept++] = v->uids[i];
	v->n = kept;
}

/* More than a line takes besides its flags. */
#define LINE_BYTES 160

static char *
add_text(char *at, struct span text)
{
	memcpy(at, text.at, text.n);
	return at + text.n;
}

static char *
add_number(char *at, uint64_t number)
{
	char digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + number % 10);
	while ((number /= 10) > 0);
	return add_text(at, span_make(digits + n, sizeof(digits) - n));
}

static void
put_expunge(struct buf *out, size_t number)
{
	char line[LINE_BYTES], *at = add_text(line, SPAN("* "));

	at = add_text(add_number(at, number), SPAN(" EXPUNGE\r\n"));
	buf_put(out, span_make(line, (size_t)(at - line)));
}

/* From the highest down, so that no number changes before it was told. What is told is
 * forgotten, so that the rest is no more work than this. */
static bool
put_expunges(struct session *s, struct buf *out)
{
	struct imap_ranges *gone = &s->view.expunged;
	struct view *v = &s->view;
	size_t lowest = v->n;
	bool full = false;

	while (gone->n > 0 && !full) {
		struct imap_range *r = &gone->at[gone->n - 1];
		size_t first = view_lower(v, lowest, r->first);
		size_t n =
		    r->last == UINT32_MAX ? lowest : view_lower(v, lowest, r->last + 1);

		for (; n > first && !full; full = session_full(s, out)) {
			put_expunge(out, n--);
			r->last = v->uids[n] - 1;
			v->uids[n] = GONE;
			lowest = n;
		}
		if (n == first)
			gone->n--;
	}
	squeeze(v, lowest);
	if (gone->n > 0)
		return false;
	imap_ranges_release(gone);
	return true;
}

/* Forgets notes of uids up to and with `uid`; the notes are in order. */
static void
notes_drop(struct imap_ranges *notes, uint32_t uid)
{
	struct imap_ranges rest = {0};

	for (size_t i = 0; i < notes->n; i++)
		if (notes->at[i].last > uid)
			imap_ranges_add(&rest,
					notes->at[i].first > uid ? notes->at[i].first
								 : uid + 1,
					notes->at[i].last);
	imap_ranges_release(notes);
	*notes = rest;
}

static void
put_vanished_line(struct buf *out, struct imap_ranges *uids)
{
	buf_put_str(out, "* VANISHED ");
	imap_put_ranges(out, uids->at, uids->n);
	buf_put_str(out, "\r\n");
	uids->n = 0;
}

bool
put_vanished_earlier(const struct session *s, const struct imap_ranges *uids,
		     size_t *told, struct buf *out)
{
	while (*told < uids->n) {
		size_t n = uids->n - *told;

		if (session_full(s, out))
			return false;
		if (n > VANISHED_RANGES)
			n = VANISHED_RANGES;
		buf_put_str(out, "* VANISHED (EARLIER) ");
		imap_put_ranges(out, uids->at + *told, n);
		buf_put_str(out, "\r\n");
		*told += n;
	}
	return true;
}

/* Only uids that the client knew: it counts them [RFC7162 3.2.10.2]. */
static bool
put_vanished(struct session *s, struct buf *out)
{
	const struct imap_ranges *gone = &s->view.expunged;
	struct imap_ranges uids = {0};
	struct view *v = &s->view;
	size_t lowest = v->n;
	uint32_t told = 0;
	bool full = false;

	for (size_t k = 0; k < gone->n && !full; k++) {
		size_t i = view_lower(v, v->n, gone->at[k].first);

		for (; i < v->n && v->uids[i] <= gone->at[k].last && !full; i++) {
			told = v->uids[i];
			imap_ranges_add(&uids, told, told);
			v->uids[i] = GONE;
			lowest = i < lowest ? i : lowest;
			if (uids.n < VANISHED_RANGES)
				continue;
			put_vanished_line(out, &uids);
			full = session_full(s, out);
		}
	}
	if (uids.n > 0)
		put_vanished_line(out, &uids);
	squeeze(v, lowest);
	imap_ranges_release(&uids);
	if (full)
		notes_drop(&v->expunged, told);
	else
		imap_ranges_release(&v->expunged);
	return !full;
}

static void
put_exists(struct session *s, struct buf *out)
{
	buf_put_str(out, "* ");
	imap_put_number(out, s->view.n);
	buf_put_str(out, " EXISTS\r\n");
	if (s->enabled & IMAP_ENABLE_REV2)
		return;
	buf_put_str(out, "* ");
	imap_put_number(out, view_recent_count(&s->view));
	buf_put_str(out, " RECENT\r\n");
}

void
put_fetch_flags(const struct session *s, uint32_t number,
		const struct store_record *record, struct buf *out)
{
	char line[LINE_BYTES], *at = add_number(add_text(line, SPAN("* ")), number);

	at = add_text(at, SPAN(" FETCH ("));
	if (s->command.uid || (s->enabled & IMAP_ENABLE_QRESYNC))
		at = add_text(add_number(add_text(at, SPAN("UID ")), record->uid),
			      SPAN(" "));
	at = add_text(at, SPAN("FLAGS "));
	buf_put(out, span_make(line, (size_t)(at - line)));
	put_flags(s, record, out);
	at = line;
	if (s->enabled & IMAP_ENABLE_CONDSTORE)
		at = add_text(
		    add_number(add_text(at, SPAN(" MODSEQ (")), record->modseq),
		    SPAN(")"));
	at = add_text(at, SPAN(")\r\n"));
	buf_put(out, span_make(line, (size_t)(at - line)));
}

static bool
put_flag_news(struct session *s, struct buf *out)
{
	const struct store_record *record;
	struct imap_ranges numbers = {0};
	struct view *v = &s->view;
	uint32_t number, told = 0;
	bool full = false;

	view_sort_notes(&v->flags);
	for (size_t k = 0; k < v->flags.n && !full; k += NOTES_STEP) {
		size_t left = v->flags.n - k;
		const struct imap_ranges some = {
		    v->flags.at + k, left < NOTES_STEP ? left : NOTES_STEP, 0};
		struct view_walk walk = {0};

		view_numbers(v, &some, &numbers);
		while (!full && view_next(s, &numbers, &walk, &number, &record)) {
			if (record)
				put_fetch_flags(s, number, record, out);
			told = v->uids[number - 1];
			full = session_full(s, out);
		}
	}
	imap_ranges_release(&numbers);
	if (full)
		notes_drop(&v->flags, told);
	else
		imap_ranges_release(&v->flags);
	return v->flags.n == 0;
}

/* The client knows a MODSEQ, perhaps, that is above those of messages of which it was
 * not told yet that they are gone: where it is to resynchronise from, should the
 * connection end before it is [RFC7162 3.2]. */
static void
put_told_modseq(const struct session *s, struct buf *out)
{
	if (!(s->enabled & IMAP_ENABLE_QRESYNC))
		return;
	buf_put(out, SPAN("* OK [HIGHESTMODSEQ "));
	imap_put_number(out, s->view.told_modseq);
	buf_put(out, SPAN("] Some messages are gone since\r\n"));
}

bool
view_announce(struct session *s, bool expunges, struct buf *out)
{
	struct view *v = &s->view;
	struct store_mailbox box;

	if (!view_has_news(s))
		return true;
	if (v->all)
		compare_all(s);
	if (expunges && v->expunged.n > 0) {
		view_sort_notes(&v->expunged);
		if (!(s->enabled & IMAP_ENABLE_QRESYNC ? put_vanished(s, out)
						       : put_expunges(s, out)))
			return false;
	}
	if (v->appended && view_take_new(s) > 0)
		put_exists(s, out);
	if (v->flags.n > 0) {
		put_flags_news(s, out);
		if (!put_flag_news(s, out))
			return false;
	}
	if (store_mailbox_get(s->account->mail, v->mailbox, &box))
		v->modseq = box.modseq;
	if (v->expunged.n == 0)
		v->told_modseq = v->modseq;
	else
		put_told_modseq(s, out);
	return true;
}
