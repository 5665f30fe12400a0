/* messages read from the source, then appended under one lock */
#include "common/transfer/import_internal.h"

/* One message at least always fits. */
#define BYTES_MAX (IMPORT_BATCH_BYTES + STORE_MESSAGE_MAX)

void
import_batch_init(struct import_batch *b)
{
	*b = (struct import_batch){
	    .bytes = buf_make(BYTES_MAX),
	    .rows = memory_new(IMPORT_BATCH_MESSAGES, sizeof(*b->rows)),
	};
}

void
import_batch_release(struct import_batch *b)
{
	buf_release(&b->bytes);
	free(b->rows);
}

bool
import_batch_is_full(const struct import_batch *b)
{
	return b->n == IMPORT_BATCH_MESSAGES || b->bytes.n >= IMPORT_BATCH_BYTES;
}

static void
not_taken(struct import_box *box, const struct mail_message *m, const char *text)
{
	box->counts.failed++;
	import_note(box->im, box->name, m->path, text);
}

int
import_batch_read(struct import_batch *b, struct import_box *box, size_t index,
		  const struct identity *who, uint32_t uid, bool *taken)
{
	const struct mail_message *m = &box->from->messages[index];
	struct batch_row *row = &b->rows[b->n];
	struct mail_shape shape;
	size_t start = b->bytes.n;
	struct err err = {0};

	*taken = false;
	switch (mail_source_read(box->im->source, m, &b->bytes, &shape, &err)) {
	case MAIL_READ_OK:
		break;
	case MAIL_READ_GONE:
		not_taken(box, m,
			  "was moved or changed while it was read: "
			  "run the import again");
		b->bytes.n = start;
		return 0;
	case MAIL_READ_LARGE:
		not_taken(box, m, "is too large");
		b->bytes.full = false;
		b->bytes.n = start;
		return 0;
	case MAIL_READ_FAULT:
		*box->im->err = err;
		return -1;
	}
	*row = (struct batch_row){.index = index,
				  .offset = start,
				  .bytes = b->bytes.n - start,
				  .who = *who,
				  .uid = uid};
	digest_of(span_make(b->bytes.at + start, row->bytes), row->digest);
	b->n++;
	box->counts.mended += shape.mixed;
	*taken = true;
	return 0;
}

/* The unique-id it had at the source, perhaps in `hold`. */
static struct span
uidl_of(const struct import_box *box, const struct mail_message *m, struct buf *hold)
{
	const char *format = box->im->options->uidl_format;

	if (m->uidl.n > 0)
		return m->uidl;
	if (!format)
		format = box->from->dovecot ? "%08Xu%08Xv" : "";
	if (!box->inbox || format[0] == '\0' ||
	    !uidl_format(format, m, box->from->uidvalidity, hold))
		return SPAN("");
	return buf_span(hold);
}

static void
arrived_add(struct import_box *box, const struct batch_row *row, uint32_t uid)
{
	struct arrived *at;

	if (box->n_arrived == box->size_arrived) {
		box->size_arrived = box->size_arrived ? 2 * box->size_arrived : 256;
		box->arrived =
		    memory_resize(box->arrived, box->size_arrived, sizeof(*at));
	}
	at = &box->arrived[box->n_arrived++];
	at->uid = uid;
	memcpy(at->digest, row->digest, sizeof(at->digest));
}

static enum store_result
append(const struct import_batch *b, struct import_box *box,
       const struct batch_row *row, struct buf *hold, struct store_appended *out)
{
	const struct mail_message *m = &box->from->messages[row->index];
	const struct store_message message = {
	    .mailbox = box->id,
	    .content = span_make(b->bytes.at + row->offset, row->bytes),
	    .flags = m->flags,
	    .keywords = import_keywords(box, m->keywords),
	    .internal_us = m->internal_us,
	    .saved_us = m->saved_us,
	    .delivery = row->who.delivery,
	    .replay = true,
	    .now_us = box->im->options->now_us,
	    .uid = row->uid,
	    .guid = row->who.guid,
	    .uidl = uidl_of(box, m, hold),
	};

	return store_append(box->im->account, &message, out, box->im->err);
}

/* What became of a row. */
struct outcome {
	enum {
		ROW_APPENDED, /* or was known */
		ROW_LATE,     /* its UID is taken */
		ROW_LARGE,
	} kind;
	struct store_appended as;
};

static void
count_appended(struct import_box *box, const struct batch_row *row,
	       const struct store_appended *as)
{
	const struct mail_message *m = &box->from->messages[row->index];
	struct import *im = box->im;

	if (as->known) {
		box->counts.known++;
		return;
	}
	box->counts.imported++;
	box->counts.bytes += row->bytes;
	box->counts.new_uids += m->uid > 0 && as->uid != m->uid;
	if (as->uid >= box->next)
		box->next = as->uid + 1;
	im->unsynced++;
	im->unsynced_bytes += row->bytes;
	arrived_add(box, row, as->uid);
	level_arrived(box, m, &row->who);
}

static void
count_outcome(struct import_box *box, const struct batch_row *row,
	      const struct outcome *o)
{
	switch (o->kind) {
	case ROW_APPENDED:
		count_appended(box, row, &o->as);
		break;
	case ROW_LATE:
		late_add(box, row->index, &row->who);
		break;
	case ROW_LARGE:
		not_taken(box, &box->from->messages[row->index], "is too large");
		break;
	}
}

/* OK (also when the batch has no more room: *to says how far it came), NONE, FAULT. */
static enum store_result
append_some(const struct import_batch *b, struct import_box *box, size_t from,
	    struct outcome *outcomes, size_t *to)
{
	struct buf hold = buf_make(1024);
	enum store_result result = STORE_OK;
	size_t i = from;

	for (; i < b->n && result == STORE_OK; i += result == STORE_OK) {
		struct outcome *o = &outcomes[i - from];

		*o = (struct outcome){.kind = ROW_APPENDED};
		result = append(b, box, &b->rows[i], &hold, &o->as);
		if (result == STORE_EXISTS)
			o->kind = ROW_LATE;
		else if (result == STORE_LIMIT && i == from)
			o->kind = ROW_LARGE;
		if (o->kind != ROW_APPENDED)
			result = STORE_OK;
	}
	buf_release(&hold);
	*to = i;
	return result == STORE_LIMIT ? STORE_OK : result;
}

/* Rows from *done on, as many as one batch of the store takes. */
static int
write_some(const struct import_batch *b, struct import_box *box, size_t *done)
{
	struct store_account *account = box->im->account;
	struct outcome *outcomes = memory_new(b->n, sizeof(*outcomes));
	enum store_result result = store_batch_begin(account, true, box->im->err);
	size_t from = *done, to = from;

	if (result == STORE_OK) {
		result = append_some(b, box, from, outcomes, &to);
		if (result == STORE_OK)
			result = store_batch_end(account, box->im->err);
		else
			store_batch_cancel(account);
	}
	if (result == STORE_NONE)
		err_set(box->im->err, "the mailbox was deleted while mail was imported "
				      "to it: run the import again");
	else if (result == STORE_BUSY)
		err_set(box->im->err, "the account is in use");
	for (size_t i = from; i < to && result == STORE_OK; i++)
		count_outcome(box, &b->rows[i], &outcomes[i - from]);
	free(outcomes);
	*done = to;
	return result == STORE_OK ? 0 : -1;
}

int
import_batch_write(struct import_batch *b, struct import_box *box)
{
	size_t done = 0;

	while (done < b->n)
		if (write_some(b, box, &done) < 0)
			return -1;
	b->n = 0;
	buf_reset(&b->bytes);
	if (box->im->unsynced_bytes >= IMPORT_SYNC_BYTES ||
	    box->im->unsynced >= IMPORT_SYNC_MESSAGES)
		return import_sync(box->im);
	return 0;
}
