/* what a crash left is made whole and durable before anything is added
 *
 * A sync that failed may have left pages that are shown and not on the disk, and the
 * process that knew may be dead: so what no sync is known to have covered is written
 * once more before it is synced, the headers of new files too: without its header a
 * file is none.
 */
#include "common/store/internal.h"

#define CHUNK_BYTES (1u << 20)

/* The bytes of a file from `from` to `to`, written as they are. */
static int
rewrite(const struct log_file *f, uint64_t from, uint64_t to, struct buf *hold,
	struct err *err)
{
	while (from < to) {
		size_t n = to - from < CHUNK_BYTES ? (size_t)(to - from) : CHUNK_BYTES;
		struct iovec v;
		ssize_t got;

		buf_reset(hold);
		v.iov_base = buf_extend(hold, n);
		got = f->io->pread(f->io->disk, f->fd, v.iov_base, n, from);
		if (got <= 0)
			return err_sys(err, "store: cannot read back what was written");
		v.iov_len = (size_t)got;
		if (file_write(f, &v, 1, from, err) < 0)
			return -1;
		from += (size_t)got;
	}
	return 0;
}

/* The data file of a message becomes the one open for writing. */
static int
data_writable(struct store_account *a, uint32_t number, struct err *err)
{
	const struct log_dir dir = account_dir(a, FILE_DATA);
	struct log_file *f = &a->files[FILE_DATA];

	if (f->fd >= 0 && f->id.number == number)
		return 0;
	log_file_close(f);
	if (log_dir_open(&dir, number, LOG_WRITE, f, err) == LOG_OPEN_OK)
		return 0;
	f->fd = -1;
	return -1;
}

void
pending_torn(struct pending *p, const struct store_record *dropped)
{
	for (size_t i = 0; i < p->n_replaces; i++)
		if (p->replaces[i].since < dropped->appended &&
		    p->replaces[i].modseq > dropped->appended)
			p->replaces[i].torn = true;
}

static void
drop(struct store_account *a, struct pending *all, const struct pending_message *p)
{
	struct event e = {.kind = EVENT_DROPPED,
			  .time_us = a->now_us,
			  .mailbox = p->record.mailbox,
			  .uid = p->record.uid,
			  .n = 1,
			  .bytes = store_record_size(&p->record),
			  .unseen = !(p->record.flags & STORE_SEEN),
			  .delivery = p->delivery};

	batch_event(a, &e);
	pending_torn(all, &p->record);
}

/* What a message that is torn was to replace is back. */
static void
restore(struct store_account *a, const struct pending_replace *p)
{
	struct event e = {.kind = EVENT_RESTORED,
			  .time_us = a->now_us,
			  .mailbox = p->mailbox,
			  .since = p->modseq,
			  .n = p->n,
			  .bytes = p->bytes,
			  .unseen = p->unseen,
			  .ranges = buf_span(&p->ranges)};

	batch_event(a, &e);
}

/* OK, or FAULT; a message that is torn is dropped. */
static int
settle_message(struct store_account *a, struct pending *all,
	       const struct pending_message *p, struct buf *hold, struct err *err)
{
	const struct store_record *r = &p->record;
	uint64_t n = log_frame_bytes(DATA_HEAD_BYTES + r->content_bytes);
	const struct log_file *f;
	uint64_t at;

	switch (data_check(a, r, &f, &at, err)) {
	case STORE_OK:
		break;
	case STORE_FAULT:
		return -1;
	default:
		drop(a, all, p);
		return 0;
	}
	if (data_writable(a, r->data_number, err) < 0 ||
	    rewrite(&a->files[FILE_DATA], 0, LOG_HEADER_BYTES, hold, err) < 0)
		return -1;
	return rewrite(&a->files[FILE_DATA], r->data_offset, r->data_offset + n, hold,
		       err);
}

static int
settle_all(struct store_account *a, struct pending *pending, struct buf *hold,
	   struct err *err)
{
	/* With the file's header, when nothing of it is durable. */
	uint64_t start =
	    a->durable > a->base + LOG_HEADER_BYTES ? a->durable - a->base : 0;
	bool broken;

	a->batch.open = true;
	for (size_t i = 0; i < pending->n; i++)
		if (settle_message(a, pending, &pending->at[i], hold, err) < 0)
			return -1;
	for (size_t i = 0; i < pending->n_replaces; i++)
		if (pending->replaces[i].torn)
			restore(a, &pending->replaces[i]);
	if (rewrite(&a->files[FILE_JOURNAL], start, a->journal_end, hold, err) < 0)
		return -1;
	a->stale = false;
	if (batch_write(a, err) < 0)
		return -1;
	/* When it fails nothing is void, for some of it may have been reported: the
	 * next who loads the account writes it once more. */
	return account_sync_or_not(a, &broken, err);
}

int
load_settle(struct store_account *a, struct pending *pending, struct err *err)
{
	struct buf hold = buf_make(CHUNK_BYTES);
	int result = 0;

	if (a->durable < a->state.position)
		result = settle_all(a, pending, &hold, err);
	if (result < 0) {
		a->stale = true;
		batch_forget(&a->batch);
	}
	buf_release(&hold);
	return result;
}
