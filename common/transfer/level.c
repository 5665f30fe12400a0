/* what changed at the source since the last run, to the account
 *
 * Three states of a message are held against each other: what the source had, as it was
 * remembered, what it has, and what is here. What the source changed is changed here;
 * what was changed here stays.
 */
#include "common/transfer/import_internal.h"

#define RANGES_MAX 5000 /* of one change */

/* --- remembering ---------------------------------------------------------- */

static uint64_t
keyword_bit(const void *context, struct span name)
{
	int bit = store_keyword_find(context, name);

	return bit < 0 ? 0 : UINT64_C(1) << bit;
}

int
level_begin(struct import *im)
{
	struct buf notes = buf_make(STORE_IMPORT_NOTES_MAX);
	enum store_result result = store_import_notes_get(im->account, &notes, im->err);

	/* Notes of another version say nothing. */
	if (result == STORE_OK &&
	    !past_parse(&im->past, buf_span(&notes), keyword_bit, im->account))
		past_release(&im->past);
	buf_release(&notes);
	past_begin(&im->past, mail_source_path(im->source), im->options->into);
	return result == STORE_FAULT ? -1 : 0;
}

static struct span
keyword_name(const void *context, int bit)
{
	const struct import *im = context;

	return store_keyword_name(im->account, bit);
}

/* Of no use any more: neither here nor there. */
static bool
row_kept(const void *context, const struct guid_row *row)
{
	const struct import *im = context;

	return row->met || guids_has(&im->known, row->guid, row->mailbox);
}

int
level_end(struct import *im)
{
	struct buf notes = buf_make(STORE_IMPORT_NOTES_MAX);
	int result = 0;

	past_put(&im->past, keyword_name, row_kept, im, &notes);
	if (!notes.full)
		result = store_import_notes_put(im->account, buf_span(&notes), im->err);
	buf_release(&notes);
	return result;
}

/* The source has it so now. */
static void
remember(struct import_box *box, const struct mail_message *m,
	 const struct identity *who)
{
	struct guid_row *row = guids_have(&box->im->past.rows, who->guid, box->id);

	row->met = true;
	row->source = box->im->past.source;
	row->flags = m->flags & STORE_FLAGS;
	row->keywords = import_keywords(box, m->keywords);
}

void
level_arrived(struct import_box *box, const struct mail_message *m,
	      const struct identity *who)
{
	remember(box, m, who);
}

/* --- flags ---------------------------------------------------------------- */

/* What of it is in this mailbox, or null: it was moved, or deleted. */
static const struct store_record *
record_of(const struct import *im, const uint8_t guid[STORE_GUID_BYTES],
	  uint32_t mailbox)
{
	const struct guid_row *row = guids_find(&im->known, guid, mailbox);

	return row ? store_find(im->account, mailbox, row->uid) : NULL;
}

static void
level_add(struct import_box *box, const struct level_row *row)
{
	if (box->n_level == box->size_level) {
		box->size_level = box->size_level ? 2 * box->size_level : 256;
		box->level =
		    memory_resize(box->level, box->size_level, sizeof(*box->level));
	}
	box->level[box->n_level++] = *row;
	box->counts.changed++;
}

/* The change from what the source had to what it has, as far as it is none here. */
static void
delta_take(struct import_box *box, const struct mail_message *m,
	   const struct store_record *r, uint32_t had_flags, uint64_t had_keywords)
{
	uint32_t flags = m->flags & STORE_FLAGS, here = r->flags & STORE_FLAGS;
	uint64_t keywords = import_keywords(box, m->keywords);
	const struct level_row row = {
	    .uid = r->uid,
	    .flags_on = flags & ~had_flags & ~here,
	    .flags_off = had_flags & ~flags & here,
	    .keywords_on = keywords & ~had_keywords & ~r->keywords,
	    .keywords_off = had_keywords & ~keywords & r->keywords,
	};

	if (row.flags_on || row.flags_off || row.keywords_on || row.keywords_off)
		level_add(box, &row);
}

static bool
same_as(const struct import_box *box, const struct mail_message *m, uint32_t flags,
	uint64_t keywords)
{
	return (m->flags & STORE_FLAGS) == (flags & STORE_FLAGS) &&
	       import_keywords(box, m->keywords) == keywords;
}

void
level_message(struct import_box *box, const struct mail_message *m,
	      const struct identity *who)
{
	struct import *im = box->im;
	const struct guid_row *had = guids_find(&im->past.rows, who->guid, box->id);
	const struct store_record *r = record_of(im, who->guid, box->id);

	if (had && had->met)
		return;
	if (r && had)
		delta_take(box, m, r, had->flags, had->keywords);
	else if (r && r->modseq == r->appended)
		/* Nothing was remembered, but nobody has touched it since it came. */
		delta_take(box, m, r, r->flags & STORE_FLAGS, r->keywords);
	else if ((r && !same_as(box, m, r->flags, r->keywords)) ||
		 (had && !same_as(box, m, had->flags, had->keywords)))
		box->counts.kept++;
	remember(box, m, who);
}

static int
order_level(const void *a, const void *b)
{
	const struct level_row *x = a, *y = b;

	if (x->flags_on != y->flags_on)
		return x->flags_on < y->flags_on ? -1 : 1;
	if (x->flags_off != y->flags_off)
		return x->flags_off < y->flags_off ? -1 : 1;
	if (x->keywords_on != y->keywords_on)
		return x->keywords_on < y->keywords_on ? -1 : 1;
	if (x->keywords_off != y->keywords_off)
		return x->keywords_off < y->keywords_off ? -1 : 1;
	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

static bool
same_change(const struct level_row *a, const struct level_row *b)
{
	return a->flags_on == b->flags_on && a->flags_off == b->flags_off &&
	       a->keywords_on == b->keywords_on && a->keywords_off == b->keywords_off;
}

/* One change of all in the list. */
static enum store_result
flags_change(struct import_box *box, const struct store_uid_list *uids,
	     const struct level_row *row)
{
	const struct store_flag_change changes[] = {
	    {.verb = STORE_FLAGS_ADD,
	     .flags = row->flags_on,
	     .keywords = row->keywords_on },
	    {.verb = STORE_FLAGS_REMOVE,
	     .flags = row->flags_off,
	     .keywords = row->keywords_off},
	};
	struct import *im = box->im;
	enum store_result result = STORE_OK;
	uint64_t modseq;

	for (size_t i = 0; i < N_ELEMS(changes) && result == STORE_OK; i++)
		if (changes[i].flags || changes[i].keywords)
			result = store_flags_change(
			    im->account, box->id, store_uid_list_uids(uids),
			    &changes[i], im->options->now_us, &modseq, NULL, im->err);
	return result;
}

int
level_apply(struct import_box *box)
{
	struct store_uid_list uids = {0};
	enum store_result result = STORE_OK;
	size_t i = 0;

	if (box->n_level > 0)
		qsort(box->level, box->n_level, sizeof(*box->level), order_level);
	while (i < box->n_level && result == STORE_OK) {
		const struct level_row *first = &box->level[i];

		store_uid_list_reset(&uids);
		for (; i < box->n_level && uids.n < RANGES_MAX &&
		       same_change(&box->level[i], first);
		     i++)
			store_uid_list_add(
			    &uids,
			    (struct store_range){box->level[i].uid, box->level[i].uid});
		result = flags_change(box, &uids, first);
	}
	store_uid_list_release(&uids);
	/* Somebody may have deleted the mailbox meanwhile. */
	return result == STORE_OK || result == STORE_NONE ? 0 : -1;
}

/* --- what is gone --------------------------------------------------------- */

struct leaving {
	struct import *im;
	struct transfer_counts *counts;
	uint32_t mailbox;
	uint32_t *uids;
	size_t n;
};

static int
order_uids(const void *a, const void *b)
{
	const uint32_t *x = a, *y = b;

	return *x < *y ? -1 : *x > *y;
}

/* One that the source had, and has no more. */
static void
leave(struct leaving *l, const struct past_had *had)
{
	const struct import *im = l->im;
	const struct guid_row *past = guids_find(&im->past.rows, had->guid, l->mailbox);
	const struct store_record *r = record_of(im, had->guid, l->mailbox);

	if (!past)
		return;
	if (r && (r->flags & STORE_FLAGS) == past->flags &&
	    r->keywords == past->keywords)
		l->uids[l->n++] = r->uid;
	else if (r || guids_has(&im->known, had->guid, 0))
		l->counts->kept++;
}

static enum store_result
leaving_expunge(const struct leaving *l)
{
	struct import *im = l->im;
	struct store_uid_list uids = {0};
	enum store_result result = STORE_OK;
	uint64_t n;
	size_t i = 0;

	qsort(l->uids, l->n, sizeof(*l->uids), order_uids);
	while (i < l->n && result == STORE_OK) {
		store_uid_list_reset(&uids);
		for (; i < l->n && uids.n < RANGES_MAX; i++)
			store_uid_list_add(
			    &uids, (struct store_range){l->uids[i], l->uids[i]});
		result =
		    store_expunge(im->account, l->mailbox, store_uid_list_uids(&uids),
				  im->options->now_us, &n, NULL, im->err);
	}
	store_uid_list_release(&uids);
	return result;
}

static int
leaving_end(struct leaving *l)
{
	const struct transfer_options *options = l->im->options;
	enum store_result result = STORE_OK;

	l->counts->gone += l->n;
	if (l->n > 0 && options->delete_gone && !options->dry_run)
		result = leaving_expunge(l);
	free(l->uids);
	return result == STORE_OK || result == STORE_NONE ? 0 : -1;
}

/* Is there anything that this run did not meet? */
static bool
any_unmet(const struct import *im, const struct past_had *had, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct guid_row *row =
		    guids_find(&im->past.rows, had[i].guid, had[i].mailbox);

		if (row && !row->met)
			return true;
	}
	return false;
}

/* Who is there when one looks once more. */
static int
look_again(struct import_box *box, struct guids *met)
{
	struct import *im = box->im;
	struct identity who;

	for (size_t i = 0; i < mail_source_boxes(im->source); i++) {
		if (mail_source_box(im->source, i) != box->from)
			continue;
		if (mail_source_load(im->source, i, im->err) < 0)
			return -1;
	}
	for (size_t i = 0; i < box->from->n; i++)
		import_identify(box, met, &box->from->messages[i], &who);
	return 0;
}

int
level_gone(struct import_box *box)
{
	struct import *im = box->im;
	struct leaving l = {.im = im, .counts = &box->counts, .mailbox = box->id};
	struct guids met = {0};
	size_t n;
	const struct past_had *had = past_had_in(&im->past, box->id, &n);

	if (!any_unmet(im, had, n))
		return 0;
	/* A file that is renamed while its folder is read can be missed. */
	if (look_again(box, &met) < 0 ||
	    store_view_refresh(im->account, im->err) != 0) {
		guids_release(&met);
		return -1;
	}
	l.uids = memory_new(n, sizeof(*l.uids));
	for (size_t i = 0; i < n; i++) {
		const struct guid_row *row =
		    guids_find(&im->past.rows, had[i].guid, box->id);

		if (row && !row->met && !guids_has(&met, had[i].guid, 0))
			leave(&l, &had[i]);
	}
	guids_release(&met);
	return leaving_end(&l);
}

static const uint8_t no_guid[STORE_GUID_BYTES];

void
level_visit(struct import *im, uint32_t mailbox)
{
	guids_add(&im->visited, no_guid, mailbox);
}

/* One mailbox that the source has no more. */
static int
gone_box(struct import *im, const struct past_had *had, size_t n)
{
	struct leaving l = {.im = im, .counts = im->counts, .mailbox = had[0].mailbox};
	struct store_mailbox m;

	if (!store_mailbox_get(im->account, had[0].mailbox, &m))
		return 0;
	l.uids = memory_new(n, sizeof(*l.uids));
	for (size_t i = 0; i < n; i++)
		leave(&l, &had[i]);
	if (l.n > 0)
		import_note(im, m.name, "", "the source has this mailbox no more");
	return leaving_end(&l);
}

int
level_gone_boxes(struct import *im)
{
	const struct past *p = &im->past;
	size_t n;

	for (size_t i = 0; i < p->n_had; i += n) {
		const struct past_had *had = past_had_in(p, p->had[i].mailbox, &n);

		if (!guids_has(&im->visited, no_guid, had->mailbox) &&
		    gone_box(im, had, n) < 0)
			return -1;
	}
	return 0;
}
