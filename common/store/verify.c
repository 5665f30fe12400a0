/* every CRC and every count of an account */
#include "common/store/internal.h"

#include <stdio.h>

struct verify {
	struct store_account *account;
	store_finder *find;
	void *context;
	uint64_t n;
};

static void
found(struct verify *v, const struct store_finding *finding)
{
	v->n++;
	v->find(v->context, finding);
}

static void
found_in(struct verify *v, const struct store_record *r, enum store_damage what,
	 uint32_t file, uint64_t offset, const char *text)
{
	const struct store_finding finding = {.what = what,
					      .mailbox = r->mailbox,
					      .uid = r->uid,
					      .file = file,
					      .offset = offset,
					      .text = text};

	found(v, &finding);
}

static bool
verify_event(struct chain_walk *w, const struct event *e)
{
	(void)w;
	(void)e;
	return true;
}

static void
verify_lost(struct chain_walk *w, const struct log_record *where, uint32_t number)
{
	const struct store_finding finding = {.what = STORE_DAMAGE_JOURNAL,
					      .file = number,
					      .offset = where->offset,
					      .bytes = where->next - where->offset,
					      .text = "events are lost"};

	found(w->context, &finding);
}

static int
verify_journal(struct verify *v, struct err *err)
{
	struct store_account *a = v->account;
	struct chain_walk walk = {
	    .event = verify_event, .damage = verify_lost, .context = v};
	struct chain c;
	int result;

	if (chain_open(a, 0, &c, err) != STORE_OK)
		return -1;
	result = chain_walk(&c, 0, a->state.position, &walk, err);
	chain_release(&c);
	return result;
}

static int
verify_message(struct verify *v, const struct store_record *r, struct err *err)
{
	struct store_account *a = v->account;
	const struct log_file *f;
	struct append_texts texts;
	uint64_t at;

	switch (data_check(a, r, &f, &at, err)) {
	case STORE_OK:
		break;
	case STORE_FAULT:
		return -1;
	default:
		found_in(v, r, STORE_DAMAGE_CONTENT, r->data_number, r->data_offset,
			 "the message cannot be read back");
		return 0;
	}
	switch (append_texts_get(a, r, &a->content, &texts, err)) {
	case STORE_OK:
		break;
	case STORE_FAULT:
		return -1;
	default:
		found_in(v, r, STORE_DAMAGE_PREFIX, r->journal_number,
			 r->journal_offset,
			 r->prefix_bytes > 0
			     ? "its Return-Path and Delivered-To cannot be read back"
			     : "its POP3 unique-id cannot be read back");
	}
	if (r->summary_number > 0 && !summary_good(a, r))
		found_in(v, r, STORE_DAMAGE_SUMMARY, r->summary_number,
			 r->summary_offset,
			 "its summary is damaged; it can be rebuilt");
	return 0;
}

static int
verify_box(struct verify *v, const struct box *b, struct err *err)
{
	const struct store_mailbox *m = state_box(&v->account->state, b->id);
	char text[160];
	struct store_finding finding = {
	    .what = STORE_DAMAGE_COUNTS, .mailbox = b->id, .text = text};

	if (b->deleted || !m)
		return 0;
	for (size_t i = 0; i < box_n(b); i++)
		if (!(box_at(b, i)->flags & RECORD_GONE) &&
		    verify_message(v, box_at(b, i), err) < 0)
			return -1;
	if (m->messages == b->live && m->unseen == b->unseen && m->bytes == b->bytes)
		return 0;
	snprintf(
	    text, sizeof(text),
	    "counted %llu messages, %llu unseen, %llu bytes; there are %llu, %llu, "
	    "%llu",
	    (unsigned long long)m->messages, (unsigned long long)m->unseen,
	    (unsigned long long)m->bytes, (unsigned long long)b->live,
	    (unsigned long long)b->unseen, (unsigned long long)b->bytes);
	found(v, &finding);
	return 0;
}

/* An index that is there must be good. */
static void
verify_index(struct verify *v)
{
	struct store_account *a = v->account;
	const struct store_finding finding = {
	    .what = STORE_DAMAGE_INDEX,
	    .text = "the index is damaged or old; it can be rebuilt"};
	const struct log_io *io = a->store->io;
	int fd = io->open(io->disk, a->dir, "index", LOG_READ);
	struct view *view;
	uint64_t position;
	uint32_t journal;

	if (fd < 0)
		return;
	io->close(io->disk, fd);
	view = view_new();
	if (!index_load(a, view, &journal, &position))
		found(v, &finding);
	view_free(&view);
}

static void
verify_text(void *context, uint32_t number, uint64_t offset, uint64_t bytes)
{
	const struct store_finding finding = {
	    .what = STORE_DAMAGE_TEXT,
	    .file = number,
	    .offset = offset,
	    .bytes = bytes,
	    .text = "texts for searching are damaged; they can be rebuilt"};

	found(context, &finding);
}

static int
verify_locked(struct verify *v, struct err *err)
{
	struct store_account *a = v->account;
	struct view *view;
	int result;

	durable_read(a);
	if (account_follow(a, true, err) < 0 || verify_journal(v, err) < 0 ||
	    view_load(a, false, &view, err) < 0)
		return -1;
	verify_index(v);
	result = 0;
	for (size_t i = 0; i < view->n && result == 0; i++)
		result = verify_box(v, &view->boxes[i], err);
	view_free(&view);
	if (result == 0)
		result = texts_check(a, verify_text, v, err);
	return result;
}

enum store_result
store_verify(struct store_account *a, store_finder *find, void *context,
	     uint64_t *findings, struct err *err)
{
	struct verify v = {a, find, context, 0};
	enum store_result result = account_lock(a, true, err);

	if (result != STORE_OK)
		return result;
	if (verify_locked(&v, err) < 0)
		result = STORE_FAULT;
	account_unlock(a);
	if (result == STORE_OK)
		*findings = v.n;
	return result;
}
