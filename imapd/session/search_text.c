/* SEARCH BODY, TEXT and HEADER: needles in the texts of messages
 *
 * When message after message is asked for, their texts come in blocks: a needle is
 * looked for in a whole block first, and mostly is not there.
 */
#include "imapd/session/search.h"

void
search_text_forget(struct search *w)
{
	w->text.number = 0;
	w->text.block.n = 0;
}

bool
search_text_at_hand(const struct search *w)
{
	return w->text.at + 1 < w->text.block.n;
}

/* The text of the message, when it stands in the block that is held. */
static bool
take_from_block(const struct search_candidate *m)
{
	struct search_text *t = &m->w->text;
	const struct store_text_block *block = &t->block;

	while (t->at < block->n && block->items[t->at].record->uid < m->record->uid)
		t->at++;
	if (t->at == block->n || block->items[t->at].record->uid != m->record->uid)
		return false;
	t->parts = block->items[t->at].text;
	t->number = m->number;
	return true;
}

/* A block from the message on. */
static enum store_result
fetch_block(const struct search_candidate *m)
{
	struct account *account = m->s->account;
	struct search_text *t = &m->w->text;
	struct store_range uids = {m->record->uid,
				   view_uid(&m->s->view, (uint32_t)m->s->view.n)};
	uint64_t epoch = account->epoch;
	enum store_result result;

	t->blocks++;
	t->at = 0;
	result = store_text_block(account->mail, m->s->view.mailbox, uids, &t->block,
				  &m->w->err);
	if (result != STORE_OK)
		t->block.n = 0;
	m->w->moved = epoch != account->epoch;
	m->w->text_left -= (int64_t)t->block.bytes;
	return result;
}

/* The text of the message alone. */
static enum store_result
fetch_one(const struct search_candidate *m)
{
	struct search_text *t = &m->w->text;
	enum store_result result =
	    store_text_of(m->s->account->mail, m->record, &t->parts, &m->w->err);

	t->block.n = 0;
	t->number = m->number;
	if (result != STORE_OK)
		t->parts = (struct text_parts){0};
	return result == STORE_DAMAGED ? STORE_OK : result;
}

/* Fetched once, however many tests look at it. False when it cannot be had. */
static bool
text_take(const struct search_candidate *m)
{
	struct search_text *t = &m->w->text;
	bool neighbour = m->number == t->last + 1;
	enum store_result result;

	if (t->number == m->number)
		return true;
	t->last = m->number;
	if (t->block.n > 0 && take_from_block(m))
		return true;
	result = neighbour ? fetch_block(m) : fetch_one(m);
	if (result == STORE_OK && neighbour && !m->w->moved && !take_from_block(m))
		result = fetch_one(m);
	m->w->trouble = result;
	return result == STORE_OK && !m->w->moved;
}

/* Can the needle be in a text of the block? */
static bool
is_in_block(struct search *w, struct search_test *t)
{
	const struct search_text *text = &w->text;

	if (text->block.n == 0)
		return true;
	if (t->block != text->blocks) {
		t->block = text->blocks;
		w->text_left -= (int64_t)text->block.all.n;
		t->in_block = text_find(text->block.all, t->needle) < text->block.all.n;
	}
	return t->in_block;
}

static bool
find(struct search *w, struct span text, struct span needle)
{
	w->text_left -= (int64_t)text.n;
	return text_find(text, needle) < text.n;
}

bool
search_test_header(const struct search_candidate *m, struct search_test *t)
{
	struct search *w = m->w;

	if (!text_take(m) || (t->needle.n > 0 && !is_in_block(w, t)))
		return false;
	w->text_left -= (int64_t)w->text.parts.headers.n;
	return text_header_has(w->text.parts.headers, t->name, t->needle);
}

bool
search_test_body(const struct search_candidate *m, struct search_test *t)
{
	return text_take(m) && is_in_block(m->w, t) &&
	       find(m->w, m->w->text.parts.body, t->needle);
}

bool
search_test_text(const struct search_candidate *m, struct search_test *t)
{
	const struct text_parts *parts = &m->w->text.parts;

	return text_take(m) && is_in_block(m->w, t) &&
	       (find(m->w, parts->headers, t->needle) ||
		find(m->w, parts->body, t->needle));
}
