/* a compaction's second step: data.N and summary.N without what is dropped */
#include "common/store/compact.h"

#include <errno.h>

#define OUT_BYTES (4u << 20)

struct copying {
	struct compaction *c;
	enum file_sort sort;
	struct event_place *tail; /* of the new files */
	bool begun;
	struct buf out; /* not yet written, before tail->end */
	struct buf hold;
};

static uint32_t
ref_number(const struct ref *ref, enum file_sort sort)
{
	return sort == FILE_DATA ? ref->record->data_number
				 : ref->record->summary_number;
}

static uint32_t
ref_offset(const struct ref *ref, enum file_sort sort)
{
	return sort == FILE_DATA ? ref->record->data_offset
				 : ref->record->summary_offset;
}

static void
ref_move(struct ref *ref, enum file_sort sort, const struct event_place *to)
{
	if (sort == FILE_DATA) {
		ref->record->data_number = to->number;
		ref->record->data_offset = (uint32_t)to->end;
	} else {
		ref->record->summary_number = to->number;
		ref->record->summary_offset = (uint32_t)to->end;
	}
}

static int
order(const struct ref *a, const struct ref *b, enum file_sort sort)
{
	uint32_t x = ref_number(a, sort), y = ref_number(b, sort);

	if (x == y) {
		x = ref_offset(a, sort);
		y = ref_offset(b, sort);
	}
	return x < y ? -1 : x > y;
}

static int
order_data(const void *a, const void *b)
{
	return order(a, b, FILE_DATA);
}

static int
order_summary(const void *a, const void *b)
{
	return order(a, b, FILE_SUMMARY);
}

static int
copy_flush(struct copying *k, struct err *err)
{
	const struct log_file *f = &k->c->account->files[k->sort];
	struct iovec v = {k->out.at, k->out.n};
	int result = 0;

	if (k->out.n > 0)
		result = file_write(f, &v, 1, k->tail->end - k->out.n, err);
	buf_reset(&k->out);
	return result;
}

/* What was begun is complete. */
static int
copy_end(struct copying *k, struct err *err)
{
	if (!k->begun)
		return 0;
	k->begun = false;
	if (copy_flush(k, err) < 0)
		return -1;
	return log_file_sync(&k->c->account->files[k->sort], err);
}

static int
copy_room(struct copying *k, uint64_t n, struct err *err)
{
	struct store_account *a = k->c->account;

	if (k->begun && k->tail->end + n > a->store->settings.data_file_bytes &&
	    k->tail->end > LOG_HEADER_BYTES && copy_end(k, err) < 0)
		return -1;
	if (k->begun)
		return buf_room(&k->out, n) ? 0 : copy_flush(k, err);
	if (account_file_new(a, k->sort, k->tail->number, err) < 0)
		return -1;
	k->tail->number = (uint32_t)a->files[k->sort].id.number;
	k->tail->end = LOG_HEADER_BYTES;
	k->begun = true;
	return 0;
}

/* The n refs of one place cannot be copied; of a summary nothing is lost. */
static void
copy_left(struct copying *k, const struct ref *refs, size_t n)
{
	struct compaction *c = k->c;

	for (size_t i = 0; i < n && k->sort == FILE_DATA; i++) {
		const struct store_record *r = refs[i].record;
		const struct store_finding finding = {
		    .what = STORE_DAMAGE_CONTENT,
		    .mailbox = r->mailbox,
		    .uid = r->uid,
		    .file = r->data_number,
		    .offset = r->data_offset,
		    .bytes = log_frame_bytes(DATA_HEAD_BYTES + r->content_bytes),
		    .text = "the message cannot be read back and stays where it is"};

		if (!refs[i].keep || (r->flags & RECORD_GONE))
			continue;
		c->left++;
		if (c->find)
			c->find(c->context, &finding);
	}
}

/* The record of that place. DAMAGE, too, when the disk cannot read it. */
static enum log_read
copy_read(struct copying *k, uint32_t number, uint32_t offset,
	  struct log_record *record, struct err *err)
{
	const struct log_dir dir = account_dir(k->c->account, k->sort);
	struct log_file *f = &k->c->account->cached[k->sort];
	enum log_read got;

	if (f->fd < 0 || f->id.number != number) {
		log_file_close(f);
		if (log_dir_open(&dir, number, LOG_READ, f, err) != LOG_OPEN_OK) {
			f->fd = -1;
			return LOG_READ_DAMAGE;
		}
	}
	got = log_fetch(f, offset, 64u << 10, &k->hold, record, err);
	/* It may have been what stands behind the record. */
	if (got == LOG_READ_FAULT && err->code == EIO)
		got = log_fetch(f, offset, 0, &k->hold, record, err);
	return got == LOG_READ_FAULT && err->code == EIO ? LOG_READ_DAMAGE : got;
}

/* The n refs of one place. */
static int
copy_one(struct copying *k, struct ref *refs, size_t n, struct err *err)
{
	struct store_account *a = k->c->account;
	struct event_place to;
	struct log_record record;

	switch (copy_read(k, ref_number(refs, k->sort), ref_offset(refs, k->sort),
			  &record, err)) {
	case LOG_READ_FAULT:
		return -1;
	case LOG_READ_RECORD:
		break;
	default:
		copy_left(k, refs, n);
		return 0;
	}
	if (copy_room(k, log_frame_bytes(record.n), err) < 0)
		return -1;
	to = *k->tail;
	frame_put(&a->files[k->sort], to.end, 0, record.kind, record.payload, &k->out);
	k->tail->end += log_frame_bytes(record.n);
	for (size_t i = 0; i < n; i++)
		ref_move(&refs[i], k->sort, &to);
	return 0;
}

static size_t
same_place(const struct ref *refs, size_t n, enum file_sort sort)
{
	size_t i = 1;

	while (i < n && order(&refs[0], &refs[i], sort) == 0)
		i++;
	return i;
}

static bool
any_kept(const struct ref *refs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (refs[i].keep)
			return true;
	return false;
}

/* The n refs of one file. */
static int
copy_file(struct copying *k, struct ref *refs, size_t n, struct err *err)
{
	bool wasted = false;
	size_t step;

	for (size_t i = 0; i < n; i += step) {
		step = same_place(&refs[i], n - i, k->sort);
		wasted = wasted || !any_kept(&refs[i], step);
	}
	for (size_t i = 0; wasted && i < n; i += step) {
		step = same_place(&refs[i], n - i, k->sort);
		if (any_kept(&refs[i], step) && copy_one(k, &refs[i], step, err) < 0)
			return -1;
	}
	/* Nothing of it is kept, but appends would go on there: they get a new file,
	 * so that this one can go. */
	if (wasted && !k->begun && ref_number(refs, k->sort) == k->tail->number)
		return copy_room(k, 0, err);
	return 0;
}

int
compact_copy(struct compaction *c, enum file_sort sort, struct err *err)
{
	struct copying k = {
	    .c = c,
	    .sort = sort,
	    .tail = sort == FILE_DATA ? &c->tail.data : &c->tail.summary,
	    .out = buf_make(OUT_BYTES + LOG_RECORD_MAX + 64),
	    .hold = buf_make(LOG_RECORD_MAX + 64),
	};
	int result = 0;

	if (c->n > 0)
		qsort(c->refs, c->n, sizeof(*c->refs),
		      sort == FILE_DATA ? order_data : order_summary);
	for (size_t i = 0, n; i < c->n && result == 0; i += n) {
		uint32_t number = ref_number(&c->refs[i], sort);

		for (n = 1;
		     i + n < c->n && ref_number(&c->refs[i + n], sort) == number;)
			n++;
		if (number > 0)
			result = copy_file(&k, &c->refs[i], n, err);
		if (k.out.n > OUT_BYTES && result == 0)
			result = copy_flush(&k, err);
	}
	if (result == 0)
		result = copy_end(&k, err);
	buf_release(&k.out);
	buf_release(&k.hold);
	return result;
}
