/* SORT: what messages are sorted by, as bytes that compare as they shall
 *
 * The keys of a message stand one after the other: eight bytes of a number, its highest
 * first, or a text that ends in two NULs (a NUL in it is followed by 0xff). So no key
 * begins another, and a reversed one is just inverted.
 */
#include "imapd/session/search.h"

#define SECOND_US INT64_C(1000000)

int64_t
search_sent_date(const struct store_summary *summary, const struct store_record *record)
{
	int64_t us = record->internal_us;

	if (summary->date_seconds != MIME_DATE_NONE)
		return summary->date_seconds;
	return (us - (us < 0 ? SECOND_US - 1 : 0)) / SECOND_US;
}

static void
put_number(struct buf *out, int64_t number)
{
	uint64_t bits = (uint64_t)number ^ UINT64_C(1) << 63;
	char bytes[8];

	for (int i = 7; i >= 0; i--, bits >>= 8)
		bytes[i] = (char)(bits & 0xff);
	buf_put(out, span_make(bytes, sizeof(bytes)));
}

/* Rare: a NUL that some mailbox name has. From the end on, so that each byte moves
 * once. */
static void
nuls_mark(struct buf *out, size_t start)
{
	size_t from = out->n, nuls = 0, to;

	for (size_t i = start; i < out->n; i++)
		nuls += out->at[i] == '\0';
	if (nuls == 0 || !buf_extend(out, nuls))
		return;
	for (to = out->n; to > from;) {
		char c = out->at[--from];

		if (c == '\0')
			out->at[--to] = (char)0xff;
		out->at[--to] = c;
	}
}

static void
put_text(struct buf *out, struct span text)
{
	size_t start = out->n;

	sort_casemap(text, out);
	nuls_mark(out, start);
	buf_put(out, SPAN("\0\0"));
}

static bool
reads_summary(const struct session *s)
{
	const struct imap_search *search = &s->command.search;

	for (size_t i = 0; i < search->n_sort; i++)
		if (search->sort[i].field != IMAP_SORT_ARRIVAL &&
		    search->sort[i].field != IMAP_SORT_SIZE)
			return true;
	return false;
}

static void
put_key(enum imap_sort_field field, const struct store_record *record,
	const struct store_summary *summary, struct buf *out)
{
	const struct store_summary none = {.date_seconds = MIME_DATE_NONE};
	const struct span texts[] = {
	    [IMAP_SORT_CC] = summary->cc_mailbox,
	    [IMAP_SORT_FROM] = summary->from_mailbox,
	    [IMAP_SORT_SUBJECT] = summary->base_subject,
	    [IMAP_SORT_TO] = summary->to_mailbox,
	    [IMAP_SORT_DISPLAYFROM] = summary->from_display,
	    [IMAP_SORT_DISPLAYTO] = summary->to_display,
	};

	switch (field) {
	case IMAP_SORT_ARRIVAL:
		put_number(out, search_sent_date(&none, record));
		break;
	case IMAP_SORT_DATE:
		put_number(out, search_sent_date(summary, record));
		break;
	case IMAP_SORT_SIZE:
		put_number(out, (int64_t)store_record_size(record));
		break;
	default:
		put_text(out, texts[field]);
		break;
	}
}

static uint64_t
prefix_of(struct span key)
{
	uint64_t prefix = 0;

	for (size_t i = 0; i < sizeof(prefix); i++)
		prefix = prefix << 8 | (i < key.n ? (unsigned char)key.at[i] : 0);
	return prefix;
}

/* The item has the key's first bytes. */
static void
prefix_drop(struct buf *keys, size_t start)
{
	size_t n = keys->n - start, prefix = sizeof(uint64_t);

	if (n > prefix)
		memmove(keys->at + start, keys->at + start + prefix, n - prefix);
	keys->n -= n < prefix ? n : prefix;
}

static void
add_item(struct session *s, uint32_t number, const struct store_record *record,
	 const struct store_summary *summary)
{
	const struct imap_search *search = &s->command.search;
	struct search *w = s->work;
	struct buf *keys = &w->keys;
	size_t start = keys->n;
	struct span key;

	for (size_t i = 0; i < search->n_sort; i++) {
		size_t from = keys->n;

		put_key(search->sort[i].field, record, summary, keys);
		for (; search->sort[i].reverse && from < keys->n; from++)
			keys->at[from] = (char)~keys->at[from];
	}
	key = span_after(buf_span(keys), start);
	w->merge.items[w->merge.n++] = (struct sort_item){
	    .prefix = prefix_of(key),
	    .offset = start,
	    .length = (uint32_t)key.n,
	    .number = number,
	};
	w->records_left -= 2 + (int64_t)(key.n / 16);
	prefix_drop(keys, start);
}

/* False when there are too many: each is an item, and one while it is moved. */
static bool
gather_begin(const struct session *s, struct search *w)
{
	size_t max = s->policy->limits.order_bytes_max,
	       items = 2 * (w->n_found + 1) * sizeof(*w->merge.items);

	if (w->merge.items)
		return true;
	if (items > max)
		return false;
	buf_init(&w->keys, max - items);
	w->merge.items = memory_resize(NULL, w->n_found + 1, sizeof(*w->merge.items));
	return true;
}

enum search_work
search_too_much(struct session *s)
{
	(void)done_no(s, "LIMIT", "There is too much to put in order at once");
	return SEARCH_ENDED;
}

enum search_work
sort_gather(struct session *s, struct step *step)
{
	struct search *w = s->work;
	bool reads = reads_summary(s);
	struct view_walk before = w->walk;
	const struct store_record *record;
	uint32_t number;

	if (!gather_begin(s, w))
		return search_too_much(s);
	search_budget(s);
	while (view_next(s, &w->found, &w->walk, &number, &record)) {
		struct store_summary summary = {.date_seconds = MIME_DATE_NONE};
		enum store_result result = STORE_OK;

		if (!record)
			continue;
		if (reads) {
			result = store_summary_of(s->account->mail, record, &summary,
						  &w->err);
			w->records_left -= SEARCH_SUMMARY_COST;
		}
		if (result != STORE_OK && result != STORE_DAMAGED) {
			w->walk = before;
			return search_trouble(s, result, &w->err);
		}
		before = w->walk;
		add_item(s, number, record, &summary);
		if (w->keys.full)
			return search_too_much(s);
		if (w->records_left <= 0) {
			session_progress(s, step, number, s->view.n);
			return SEARCH_TURN;
		}
	}
	return SEARCH_NEXT;
}

enum search_work
sort_order(struct session *s, struct step *step)
{
	struct search *w = s->work;

	if (!w->merge.spare)
		sort_merge_begin(&w->merge, w->merge.items, w->merge.n, w->keys.at);
	if (sort_merge_step(&w->merge, SEARCH_ORDER_STEP)) {
		sort_merge_end(&w->merge);
		buf_release(&w->keys);
		return SEARCH_NEXT;
	}
	session_progress(s, step, 0, 0);
	return SEARCH_TURN;
}
