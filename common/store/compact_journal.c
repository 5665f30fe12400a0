/* a compaction's third step: the journal told anew, as one snapshot */
#include "common/store/compact.h"

#include <errno.h>

#define OUT_BYTES    (4u << 20)
#define IDS_AN_EVENT 65536

struct telling {
	struct compaction *c;
	struct log_file file;
	uint64_t end;
	struct buf out, payload, hold;
	bool failed;
	struct err *err;
};

static void
tell_flush(struct telling *t)
{
	struct iovec v = {t->out.at, t->out.n};

	if (t->out.n > 0 && !t->failed)
		t->failed = file_write(&t->file, &v, 1, t->end - t->out.n, t->err) < 0;
	buf_reset(&t->out);
}

static void
tell(struct telling *t, const struct event *e)
{
	buf_reset(&t->payload);
	event_put(e, &t->payload);
	if (t->payload.full) {
		t->failed = true;
		err_set(t->err, "store: an event is too large");
		return;
	}
	if (t->out.n > 0 && !buf_room(&t->out, log_frame_bytes(t->payload.n)))
		tell_flush(t);
	frame_put(&t->file, t->end, 0, (uint16_t)e->kind, buf_span(&t->payload),
		  &t->out);
	t->end += log_frame_bytes(t->payload.n);
}

/* In place of a prefix that cannot be read: as long, since sizes never change. */
static struct span
prefix_lost(size_t n, struct buf *hold)
{
	buf_reset(hold);
	buf_put_str(hold, "X-Postroad-Lost: ");
	while (hold->n < n)
		buf_put_char(hold, 'x');
	hold->n = n;
	if (n >= 2)
		memcpy(hold->at + n - 2, "\r\n", 2);
	return buf_span(hold);
}

static void
tell_message(struct telling *t, const struct store_record *r)
{
	struct event e = {.kind = EVENT_APPEND,
			  .time_us = r->saved_us,
			  .mailbox = r->mailbox,
			  .record = *r};
	struct append_texts texts;

	switch (append_texts_get(t->c->source, r, &t->hold, &texts, t->err)) {
	case STORE_OK:
		e.prefix = texts.prefix;
		e.uidl = texts.uidl;
		break;
	case STORE_FAULT:
		t->failed = true;
		return;
	default:
		e.prefix = prefix_lost(r->prefix_bytes, &t->hold);
	}
	e.record.flags &= STORE_FLAGS;
	e.modseq = r->flags & RECORD_GONE ? r->appended : r->modseq;
	tell(t, &e);
}

static void
tell_gone(struct telling *t, const struct store_record *r)
{
	struct event e = {.kind = EVENT_EXPUNGE,
			  .modseq = r->modseq,
			  .time_us = (int64_t)r->expunged_s * 1000000,
			  .mailbox = r->mailbox,
			  .n = 1,
			  .bytes = store_record_size(r),
			  .unseen = !(r->flags & STORE_SEEN)};
	struct buf range = buf_make(8);

	event_range_put((struct store_range){r->uid, r->uid}, &range);
	e.ranges = buf_span(&range);
	tell(t, &e);
	buf_release(&range);
}

static int
order_modseq(const void *a, const void *b)
{
	const struct store_record *x = *(struct store_record *const *)a,
				  *y = *(struct store_record *const *)b;

	if (x->modseq != y->modseq)
		return x->modseq < y->modseq ? -1 : 1;
	return x->uid < y->uid ? -1 : x->uid > y->uid;
}

/* What a mailbox that is deleted was called, should somebody want it back. */
static void
tell_name(struct telling *t, const struct box *b)
{
	const struct history_box *h = history_box(&t->c->history, b->id);
	struct event e = {.kind = EVENT_MAILBOX, .modseq = 8};

	if (!h)
		return;
	e.box = (struct store_mailbox){
	    .id = b->id, .uidvalidity = h->uidvalidity, .uidnext = 1, .name = h->name};
	tell(t, &e);
}

static void
tell_cutoff(struct telling *t)
{
	struct event e = {.kind = EVENT_COMPACTED,
			  .modseq = 8,
			  .time_us = (int64_t)t->c->cutoff_s * 1000000};

	if (e.time_us < t->c->history.cutoff_us)
		e.time_us = t->c->history.cutoff_us;
	tell(t, &e);
}

static void
tell_box(struct telling *t, const struct box *b)
{
	struct store_record **gone =
	    memory_new(box_n(b) + 1, sizeof(struct store_record *));
	struct event end = {.kind = EVENT_UNMAILBOX,
			    .time_us = (int64_t)b->deleted_s * 1000000,
			    .mailbox = b->id,
			    .modseq = 8};
	size_t n = 0, told = 0;

	for (size_t i = 0; i < box_n(b) && !t->failed; i++) {
		struct store_record *r = box_at(b, i);

		if (!compact_keeps(t->c, b, r))
			continue;
		tell_message(t, r);
		told++;
		if (r->flags & RECORD_GONE)
			gone[n++] = r;
	}
	qsort(gone, n, sizeof(*gone), order_modseq);
	for (size_t i = 0; i < n && !t->failed; i++)
		tell_gone(t, gone[i]);
	if (b->deleted && told > 0) {
		tell_name(t, b);
		tell(t, &end);
	}
	free(gone);
}

/* As an earlier compaction did: by its time they will once be forgotten. */
static void
tell_again(void *context, const struct event *e)
{
	const struct event again = {.kind = EVENT_DELIVERIES,
				    .time_us = e->time_us,
				    .modseq = 8,
				    .list = e->list};

	tell(context, &again);
}

static void
tell_deliveries(struct telling *t, struct store_account *a)
{
	int64_t since = a->now_us - (int64_t)STORE_DELIVERY_KEEP_S * 1000000;
	struct deliveries *d = deliveries_load(a, since, tell_again, t, t->err);
	struct event e = {.kind = EVENT_DELIVERIES, .time_us = a->now_us, .modseq = 8};
	struct buf list = buf_make(16 * IDS_AN_EVENT);

	t->failed = t->failed || !d;
	for (size_t i = 0; d && i <= d->size && !t->failed; i++) {
		if (i < d->size && !delivery_none(d->at[i]))
			event_delivery_put(d->at[i], &list);
		if (list.n == 0 || (i < d->size && buf_room(&list, 16)))
			continue;
		e.list = buf_span(&list);
		tell(t, &e);
		buf_reset(&list);
	}
	buf_release(&list);
	deliveries_free(&d);
}

static void
tell_head(struct telling *t)
{
	struct store_account *a = t->c->account;
	struct event e = {.kind = EVENT_HEAD, .time_us = a->now_us};
	struct buf hold[STATE_HEAD_BUFS];

	state_put_head(&t->c->source->state, &e, hold);
	e.state.data = t->c->tail.data;
	e.state.summary = t->c->tail.summary;
	e.head = (struct event_head){
	    .account = a->id,
	    .base = t->c->base,
	    .previous_end = a->state.position,
	    .previous = (uint32_t)a->files[FILE_JOURNAL].id.number,
	    .snapshot = true,
	};
	memcpy(e.head.boot, a->store->boot, sizeof(e.head.boot));
	tell(t, &e);
	tell(t, &e);
	for (int i = 0; i < STATE_HEAD_BUFS; i++)
		buf_release(&hold[i]);
}

static int
journal_number(struct store_account *a, uint64_t *out, struct err *err)
{
	const struct log_dir dir = account_dir(a, FILE_JOURNAL);
	struct log_numbers numbers;

	if (log_dir_list(&dir, &numbers, err) < 0)
		return -1;
	*out = numbers.at[numbers.n - 1] + 1;
	log_numbers_release(&numbers);
	return 0;
}

int
compact_journal(struct compaction *c, uint64_t *number, struct err *err)
{
	struct store_account *a = c->account;
	struct log_dir dir = account_dir(a, FILE_JOURNAL);
	struct telling t = {
	    .c = c,
	    .end = LOG_HEADER_BYTES,
	    .out = buf_make(OUT_BYTES + JOURNAL_EVENT_MAX),
	    .payload = buf_make(JOURNAL_EVENT_MAX),
	    .hold = buf_make(JOURNAL_EVENT_MAX),
	    .err = err,
	};

	dir.prefix = COMPACT_PREFIX;
	if (journal_number(a, number, err) < 0 ||
	    log_dir_create(&dir, *number, 0, &t.file, err) < 0)
		return -1;
	tell_head(&t);
	tell_cutoff(&t);
	for (size_t i = 0; i < c->view->n && !t.failed; i++) {
		tell_box(&t, &c->view->boxes[i]);
		if (t.out.n > OUT_BYTES)
			tell_flush(&t);
	}
	if (!t.failed)
		tell_deliveries(&t, a);
	if (!t.failed && c->source != a)
		tell_deliveries(&t, c->source);
	tell_flush(&t);
	if (!t.failed)
		t.failed = log_file_sync(&t.file, err) < 0;
	log_file_close(&t.file);
	buf_release(&t.out);
	buf_release(&t.payload);
	buf_release(&t.hold);
	return t.failed ? -1 : 0;
}
