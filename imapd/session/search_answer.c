/* what was found, as SEARCH, SORT and ESEARCH say it, and as "$" keeps it */
#include "imapd/session/search.h"

/* [RFC9051 6.4.4]: with IMAP4rev2, SEARCH answers as if RETURN () was given. */
static bool
is_extended(const struct session *s)
{
	return s->command.search.extended ||
	       (s->command.id == IMAP_SEARCH && (s->enabled & IMAP_ENABLE_REV2));
}

static uint32_t
returns_of(const struct session *s)
{
	return s->command.search.extended ? s->command.search.returns
					  : (uint32_t)IMAP_SEARCH_ALL;
}

/* --- what was found, by position, in the order of the answer -------------- */

static size_t
count(const struct session *s)
{
	const struct search *w = s->work;

	return s->command.id == IMAP_SORT ? w->merge.n : w->n_found;
}

/* Goes on where it was last; positions that are asked for must not fall. */
static uint32_t
number_at(const struct session *s, struct search_answer *a, size_t position)
{
	const struct search *w = s->work;
	const struct imap_range *r;

	if (s->command.id == IMAP_SORT)
		return w->merge.items[position].number;
	for (;; a->range++) {
		size_t n;

		r = &w->found.at[a->range];
		n = (size_t)(r->last - r->first) + 1;
		if (position - a->range_at < n)
			return r->first + (uint32_t)(position - a->range_at);
		a->range_at += n;
	}
}

/* A message number, or its uid. */
static uint32_t
id_at(const struct session *s, struct search_answer *a, size_t position)
{
	uint32_t number = number_at(s, a, position);

	return s->command.uid ? view_uid(&s->view, number) : number;
}

static uint32_t
id_first(const struct session *s)
{
	struct search_answer a = {0};

	return id_at(s, &a, 0);
}

static uint32_t
id_last(const struct session *s)
{
	struct search_answer a = {0};

	return id_at(s, &a, count(s) - 1);
}

/* The positions [*from, *to) that PARTIAL asks for; of negative ones, -1 is the last
 * [RFC9394 3.1]. */
static void
slice_of(const struct session *s, size_t *from, size_t *to)
{
	const struct imap_search *search = &s->command.search;
	int64_t first = search->partial_first, last = search->partial_last, swap;
	int64_t n = (int64_t)count(s);

	if (first < 0) {
		first = first < -n ? 0 : n + first + 1;
		last = last < -n ? 0 : n + last + 1;
	}
	if (first > last) {
		swap = first;
		first = last;
		last = swap;
	}
	first = first < 1 ? 1 : first;
	last = last > n ? n : last;
	*from = first > last ? 0 : (size_t)first - 1;
	*to = first > last ? 0 : (size_t)last;
}

/* --- SAVE [RFC5182 2.4] [RFC9394 3.2] ------------------------------------- */

struct marks {
	uint8_t *bits; /* by message number */
	size_t n;
};

static void
mark(const struct session *s, struct marks *marks, size_t from, size_t to)
{
	struct search_answer a = {0};

	for (size_t at = from; at < to; at++) {
		uint32_t number = number_at(s, &a, at);

		marks->bits[number / 8] |= (uint8_t)(1u << number % 8);
	}
}

/* Only the first, the last, or a slice. */
static void
save_some(struct session *s, uint32_t returns, struct imap_ranges *numbers)
{
	struct marks marks = {.n = s->view.n + 1};
	size_t n = count(s), from, to;

	marks.bits = memory_new(marks.n / 8 + 1, 1);
	if (n > 0 && (returns & IMAP_SEARCH_MIN))
		mark(s, &marks, 0, 1);
	if (n > 0 && (returns & IMAP_SEARCH_MAX))
		mark(s, &marks, n - 1, n);
	if (returns & IMAP_SEARCH_PARTIAL) {
		slice_of(s, &from, &to);
		mark(s, &marks, from, to);
	}
	for (uint32_t i = 0; i < marks.n; i++)
		if (marks.bits[i / 8] & 1u << i % 8)
			imap_ranges_add(numbers, i, i);
	free(marks.bits);
}

enum search_work
search_save(struct session *s, struct step *step)
{
	const uint32_t some = IMAP_SEARCH_MIN | IMAP_SEARCH_MAX | IMAP_SEARCH_PARTIAL;
	const uint32_t whole = IMAP_SEARCH_ALL | IMAP_SEARCH_COUNT;
	struct search *w = s->work;
	uint32_t returns = returns_of(s);
	struct imap_ranges numbers = {0};

	(void)step;
	if (!(returns & IMAP_SEARCH_SAVE))
		return SEARCH_NEXT;
	imap_ranges_release(&s->saved);
	if ((returns & whole) || !(returns & some)) {
		view_uids(&s->view, &w->found, &s->saved);
	} else {
		save_some(s, returns, &numbers);
		view_uids(&s->view, &numbers, &s->saved);
		imap_ranges_release(&numbers);
	}
	return SEARCH_NEXT;
}

/* --- the numbers ---------------------------------------------------------- */

static void
list_begin(const struct session *s, struct search_answer *a, bool as_set)
{
	*a = (struct search_answer){.begun = true, .as_set = as_set};
	if (returns_of(s) & IMAP_SEARCH_PARTIAL)
		slice_of(s, &a->at, &a->end);
	else
		a->end = count(s);
}

static void
put_stretch(struct search_answer *a, struct buf *out)
{
	if (a->first == 0)
		return;
	if (a->put_one)
		buf_put_char(out, a->as_set ? ',' : ' ');
	a->put_one = true;
	imap_put_number(out, a->first);
	if (a->last > a->first) {
		buf_put_char(out, ':');
		imap_put_number(out, a->last);
	}
	a->first = a->last = 0;
}

/* The next id; in a set, what follows one another is put together. */
static void
put_id(struct search_answer *a, uint32_t id, struct buf *out)
{
	if (a->as_set && a->first > 0 && id == a->last + 1) {
		a->last = id;
		return;
	}
	put_stretch(a, out);
	a->first = a->last = id;
}

static enum search_work
put_ids(struct session *s, struct search_answer *a, struct buf *out)
{
	for (size_t left = SEARCH_PUT_STEP; a->at < a->end; a->at++, left--) {
		if (session_full(s, out))
			return SEARCH_ROOM;
		if (left == 0)
			return SEARCH_TURN;
		put_id(a, id_at(s, a, a->at), out);
	}
	put_stretch(a, out);
	return SEARCH_NEXT;
}

/* --- what stands around them ---------------------------------------------- */

static void
put_named(struct buf *out, const char *name, uint64_t number)
{
	buf_put_str(out, name);
	imap_put_number(out, number);
}

/* [RFC4731 3.2]: of the messages that are told. */
static uint64_t
modseq_told(const struct session *s, uint32_t returns)
{
	const struct search *w = s->work;
	uint64_t told = 0;

	returns &= ~(uint32_t)IMAP_SEARCH_SAVE;
	if (s->command.id == IMAP_SORT || returns == 0 ||
	    (returns & ~(uint32_t)(IMAP_SEARCH_MIN | IMAP_SEARCH_MAX)))
		return w->modseq_highest;
	if (returns & IMAP_SEARCH_MIN)
		told = w->modseq_first;
	if ((returns & IMAP_SEARCH_MAX) && w->modseq_last > told)
		told = w->modseq_last;
	return told;
}

/* "PARTIAL (1:100 " or "ALL "; false when there is no list. */
static bool
put_list_name(const struct session *s, uint32_t returns, struct buf *out)
{
	const struct imap_search *search = &s->command.search;

	if (returns & IMAP_SEARCH_PARTIAL) {
		buf_putf(out, " PARTIAL (%lld:%lld ", (long long)search->partial_first,
			 (long long)search->partial_last);
		return true;
	}
	if (!(returns & IMAP_SEARCH_ALL) || count(s) == 0)
		return false;
	buf_put_str(out, " ALL ");
	return true;
}

static void
extended_begin(struct session *s, struct search_answer *a, struct buf *out)
{
	uint32_t returns = returns_of(s);
	size_t n = count(s);

	buf_put_str(out, "* ESEARCH (TAG \"");
	buf_put(out, s->command.tag);
	buf_put_str(out, s->command.uid ? "\") UID" : "\")");
	if ((returns & IMAP_SEARCH_MIN) && n > 0)
		put_named(out, " MIN ", id_first(s));
	if ((returns & IMAP_SEARCH_MAX) && n > 0)
		put_named(out, " MAX ", id_last(s));
	if (returns & IMAP_SEARCH_COUNT)
		put_named(out, " COUNT ", n);
	list_begin(s, a, true);
	if (!put_list_name(s, returns, out))
		a->at = a->end;
}

static void
extended_end(struct session *s, struct search_answer *a, struct buf *out)
{
	uint32_t returns = returns_of(s);

	if (returns & IMAP_SEARCH_PARTIAL)
		buf_put_str(out, a->put_one ? ")" : "NIL)");
	if (s->command.search.uses_modseq && count(s) > 0)
		put_named(out, " MODSEQ ", modseq_told(s, returns));
	buf_put_str(out, "\r\n");
}

static void
plain_begin(struct session *s, struct search_answer *a, struct buf *out)
{
	buf_put_str(out, s->command.id == IMAP_SORT ? "* SORT" : "* SEARCH");
	list_begin(s, a, false);
	if (a->at < a->end)
		buf_put_char(out, ' ');
}

/* [RFC7162 3.1.5] */
static void
plain_end(struct session *s, struct buf *out)
{
	if (s->command.search.uses_modseq && count(s) > 0) {
		put_named(out, " (MODSEQ ", modseq_told(s, 0));
		buf_put_char(out, ')');
	}
	buf_put_str(out, "\r\n");
}

enum search_work
search_put(struct session *s, struct step *step)
{
	struct search_answer *a = &((struct search *)s->work)->answer;
	bool extended = is_extended(s);
	enum search_work work;

	if (extended && returns_of(s) == IMAP_SEARCH_SAVE)
		return SEARCH_NEXT;
	if (!a->begun && extended)
		extended_begin(s, a, step->out);
	else if (!a->begun)
		plain_begin(s, a, step->out);
	work = put_ids(s, a, step->out);
	if (work != SEARCH_NEXT)
		return work;
	if (extended)
		extended_end(s, a, step->out);
	else
		plain_end(s, step->out);
	return SEARCH_NEXT;
}
