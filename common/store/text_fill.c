/* making the texts that are missing */
#include "common/store/text_internal.h"

#include <errno.h>

#define LOOK_MAX 65536 /* messages looked at in one step */

/* Where to go on in a mailbox. */
static uint32_t *
filled_of(struct texts *texts, uint32_t mailbox)
{
	size_t low = 0, high = texts->n_filled;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (texts->filled[middle].mailbox < mailbox)
			low = middle + 1;
		else
			high = middle;
	}
	if (low < texts->n_filled && texts->filled[low].mailbox == mailbox)
		return &texts->filled[low].uid;
	if (texts->n_filled == texts->size_filled) {
		texts->size_filled = texts->size_filled ? 2 * texts->size_filled : 8;
		texts->filled = memory_resize(texts->filled, texts->size_filled,
					      sizeof(*texts->filled));
	}
	memmove(&texts->filled[low + 1], &texts->filled[low],
		(texts->n_filled - low) * sizeof(*texts->filled));
	texts->n_filled++;
	texts->filled[low] = (struct text_filled){mailbox, 1};
	return &texts->filled[low].uid;
}

static void
pending_forget(struct texts *texts)
{
	buf_release(&texts->pending);
	texts->n_rows = 0;
}

static void
pending_add(struct texts *texts, const struct store_record *r, struct span text)
{
	struct text_row row = {.data_offset = r->data_offset,
			       .bytes = (uint32_t)text.n};

	memcpy(row.guid, r->guid, sizeof(row.guid));
	if (texts->n_rows == texts->size_rows) {
		texts->size_rows = texts->size_rows ? 2 * texts->size_rows : 64;
		texts->rows =
		    memory_resize(texts->rows, texts->size_rows, sizeof(*texts->rows));
	}
	texts->rows[texts->n_rows++] = row;
	buf_put(&texts->pending, text);
	buf_put_char(&texts->pending, '\0');
	texts->pending_number = r->data_number;
}

/* --- writing -------------------------------------------------------------- */

/* How many of the pending texts from row `first` on go into one chunk; their bytes. */
static size_t
chunk_rows(const struct texts *texts, size_t first, size_t *bytes)
{
	size_t n = 0;

	*bytes = 0;
	while (first + n < texts->n_rows && n < TEXT_ROWS_MAX) {
		size_t more = texts->rows[first + n].bytes + 1u;

		if (n > 0 && *bytes + more > TEXT_CHUNK_BYTES)
			break;
		*bytes += more;
		n++;
	}
	return n;
}

/* Frames of all pending texts, to stand from t->end on. The directory is told: it is
 * right when they are written. */
static void
pending_frame(struct store_account *a, struct text_file *t, const struct log_file *f,
	      struct buf *payload, struct buf *out)
{
	const struct texts *texts = a->texts;
	struct span rest = buf_span(&texts->pending);
	size_t bytes, n;

	for (size_t first = 0; first < texts->n_rows; first += n) {
		uint32_t at;

		n = chunk_rows(texts, first, &bytes);
		buf_reset(payload);
		text_chunk_put(&texts->rows[first], n, span_first(rest, bytes),
			       payload);
		rest = span_after(rest, bytes);
		frame_put(f, t->end, 0, TEXT_RECORD, buf_span(payload), out);
		text_file_add_chunk(t, t->end, log_frame_bytes(payload->n));
		at = (uint32_t)(payload->n - bytes);
		for (size_t i = 0; i < n; i++) {
			text_file_add(t, &texts->rows[first + i], at, (uint32_t)i);
			at += texts->rows[first + i].bytes + 1;
		}
		t->end += log_frame_bytes(payload->n);
	}
}

/* text.N for writing, made when there is none that is good. */
static int
file_open(struct store_account *a, struct text_file *t, struct log_file *f,
	  struct err *err)
{
	struct log_dir dir = account_dir(a, FILE_TEXT);
	enum log_open got = log_dir_open(&dir, t->number, LOG_WRITE, f, err);

	if (got == LOG_OPEN_OK)
		text_file_follow(a, t, f);
	if (got == LOG_OPEN_OK && !t->old)
		return 0;
	if (got == LOG_OPEN_FAULT && err->code != ENOENT)
		return -1;
	if (got == LOG_OPEN_OK)
		log_file_close(f);
	dir.io = &a->store->lazy;
	if (got != LOG_OPEN_FAULT && log_dir_remove(&dir, t->number, err) < 0)
		return -1;
	if (t->end > 0 || t->old)
		texts_look_again(a);
	text_file_reset(t);
	if (log_dir_create(&dir, t->number, 0, f, err) < 0)
		return -1;
	f->io = a->store->io;
	text_file_follow(a, t, f);
	return 0;
}

static int
pending_write_locked(struct store_account *a, struct err *err)
{
	struct texts *texts = a->texts;
	struct text_file *t = text_file_tail(a, texts->pending_number);
	struct text_work *w = text_work_of(a->store);
	struct log_file f;
	struct iovec v;
	uint64_t start;
	int result;

	if (file_open(a, t, &f, err) < 0)
		return -1;
	start = t->end;
	buf_reset(&w->frames);
	pending_frame(a, t, &f, &w->window, &w->frames);
	v = (struct iovec){w->frames.at, w->frames.n};
	result = w->frames.full ? err_set(err, "store: texts are too long")
				: file_write(&f, &v, 1, start, err);
	log_file_close(&f);
	if (result < 0) { /* what is there has to be read */
		t->loaded = false;
		t->end = 0;
	}
	return result;
}

/* OK, BUSY, FAULT: then they are forgotten. */
static enum store_result
pending_write(struct store_account *a, bool wait, struct err *err)
{
	enum store_result result;

	if (a->texts->n_rows == 0)
		return STORE_OK;
	result = account_lock(a, wait, err);
	if (result != STORE_OK)
		return result;
	if (pending_write_locked(a, err) < 0) {
		texts_look_again(a);
		result = STORE_FAULT;
	}
	account_unlock(a);
	pending_forget(a->texts);
	return result;
}

void
texts_keep(struct store_account *a, const struct store_record *r, struct span text,
	   bool last)
{
	struct texts *texts = a->texts;
	struct err ignored;

	if (texts->n_rows > 0 &&
	    (texts->pending_number != r->data_number ||
	     texts->pending.n > TEXT_PENDING_BYTES) &&
	    pending_write(a, false, &ignored) != STORE_OK) {
		pending_forget(texts);
		texts_look_again(a);
	}
	pending_add(texts, r, text);
	if (last)
		(void)!pending_write(a, false, &ignored);
}

/* --- collecting ----------------------------------------------------------- */

struct collecting {
	struct store_account *account;
	uint64_t left; /* bytes of messages */
	uint32_t looks;
	size_t hint;
};

/* False when the step is over, before that message. */
static bool
collect_one(struct collecting *c, const struct store_record *r, struct err *err)
{
	struct store_account *a = c->account;
	struct texts *texts = a->texts;
	struct span text;

	if (c->looks++ == LOOK_MAX)
		return false;
	switch (text_file_has(a, r, &c->hint)) {
	case TEXT_THERE:
		return true;
	case TEXT_LOADED:
		return false;
	case TEXT_MISSING:
		break;
	}
	if (texts->n_rows > 0 &&
	    (c->left < r->content_bytes || texts->pending.n > TEXT_PENDING_BYTES ||
	     texts->pending_number != r->data_number))
		return false;
	c->left -= c->left < r->content_bytes ? c->left : r->content_bytes;
	/* What cannot be read now has no text; searches look themselves. */
	if (text_make(a, r, &text, err) == STORE_OK)
		pending_add(texts, r, text);
	return true;
}

/* False when the step is over. */
static bool
collect_box(struct collecting *c, uint32_t mailbox, struct err *err)
{
	struct store_account *a = c->account;
	uint32_t *next = filled_of(a->texts, mailbox);
	const struct store_record *r = store_find_from(a, mailbox, *next);

	for (; r; r = store_next(a, r)) {
		if (!collect_one(c, r, err))
			return false;
		*next = r->uid + 1;
	}
	return true;
}

/* Fills `pending`; true when there is no more. */
static bool
collect(struct store_account *a, uint64_t bytes_max, struct err *err)
{
	struct collecting c = {.account = a, .left = bytes_max};
	struct store_mailbox box = {0};

	while (store_mailbox_next(a, box.id, &box))
		if (!collect_box(&c, box.id, err))
			return false;
	return true;
}

enum store_result
texts_fill(struct store_account *a, uint64_t bytes_max, bool wait, bool *done,
	   struct err *err)
{
	struct texts *texts = texts_of(a);
	enum store_result result;
	bool all;

	*done = false;
	if (texts->n_rows == 0 && texts->position > 0 &&
	    texts->position == a->state.position) {
		*done = true;
		return STORE_OK;
	}
	all = texts->n_rows == 0 && collect(a, bytes_max, err);
	result = pending_write(a, wait, err);
	/* Without what is filled: a file turned out to be another one. */
	if (result != STORE_OK || !all || (texts->n_filled == 0 && a->state.n > 0))
		return result;
	if (a->durable >= a->state.position)
		texts->position = a->state.position;
	*done = true;
	return STORE_OK;
}

enum store_result
store_text_fill(struct store_account *a, uint64_t bytes_max, bool *done,
		struct err *err)
{
	return texts_fill(a, bytes_max, false, done, err);
}
