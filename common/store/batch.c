/* appending, many messages with one write a file */
#include "common/store/internal.h"

#include <errno.h>
#include <fcntl.h>

#define HEADROOM_BYTES (16u << 10)
#define HEADROOM_MIN   (12u << 10) /* less is made up */

void
batch_init(struct batch *b)
{
	*b = (struct batch){
	    .journal = buf_make(JOURNAL_EVENT_MAX + 4096),
	    .heads = buf_make(JOURNAL_EVENT_MAX),
	    .summary = buf_make(STORE_BATCH_MAX + SUMMARY_MAX + 4096),
	    .scratch = buf_make(SUMMARY_MAX),
	    .payload = buf_make(JOURNAL_EVENT_MAX),
	};
}

void
batch_release(struct batch *b)
{
	buf_release(&b->journal);
	buf_release(&b->heads);
	buf_release(&b->summary);
	buf_release(&b->scratch);
	buf_release(&b->payload);
	free(b->pieces);
}

void
batch_forget(struct batch *b)
{
	buf_reset(&b->journal);
	buf_reset(&b->heads);
	buf_reset(&b->summary);
	b->n = 0;
	b->data_bytes = 0;
	b->expunges = false;
	b->open = false;
}

enum store_result
store_batch_begin(struct store_account *a, bool wait, struct err *err)
{
	enum store_result result = account_lock(a, wait, err);

	if (result != STORE_OK)
		return result;
	if (account_follow(a, true, err) < 0) {
		account_unlock(a);
		return STORE_FAULT;
	}
	view_renew(a);
	a->batch.open = true;
	return STORE_OK;
}

void
store_batch_cancel(struct store_account *a)
{
	ASSERT(a->batch.open && a->locked);
	/* What was applied never happened. */
	if (a->batch.journal.n > 0)
		a->stale = true;
	batch_forget(&a->batch);
	account_unlock(a);
}

bool
batch_journal_room(const struct store_account *a, size_t n)
{
	return buf_room(&a->batch.journal, n + 512);
}

void
batch_event(struct store_account *a, struct event *e)
{
	struct batch *b = &a->batch;
	uint64_t offset = a->journal_end + b->journal.n;

	buf_reset(&b->payload);
	event_put(e, &b->payload);
	if (e->modseq == 0)
		e->modseq = a->base + offset + log_frame_bytes(b->payload.n);
	if (e->kind == EVENT_APPEND && e->record.appended == 0)
		e->record.appended = e->record.modseq = e->modseq;
	e->file = (uint32_t)a->files[FILE_JOURNAL].id.number;
	e->offset = (uint32_t)offset;
	frame_put(&a->files[FILE_JOURNAL], offset,
		  a->durable > a->base ? a->durable - a->base : 0, (uint16_t)e->kind,
		  buf_span(&b->payload), &b->journal);
	account_apply(a, e);
}

/* The pieces, as many vectors. */
static struct iovec *
pieces_gather(const struct batch *b)
{
	struct iovec *v = memory_new(b->n, sizeof(*v));
	char *head = b->heads.at;

	for (size_t i = 0; i < b->n; i++) {
		struct span s = b->pieces[i].content;

		if (s.at) {
			v[i] = (struct iovec){(char *)(uintptr_t)s.at, s.n};
		} else {
			v[i] = (struct iovec){head, s.n};
			head += s.n;
		}
	}
	return v;
}

/* What the journal is about to say cannot be torn by a power loss any more. */
static int
data_settle(struct store_account *a, struct err *err)
{
	const struct log_io *io = a->store->io;
	const struct log_file *f = &a->files[FILE_DATA];

	if (log_file_sync(f, err) < 0)
		return -1;
	if (a->data_named == f->id.number)
		return 0;
	if (io->fsync(io->disk, a->dir) < 0)
		return err_sys(err, "store: cannot sync a directory");
	a->data_named = (uint32_t)f->id.number;
	return 0;
}

int
batch_flush_data(struct store_account *a, struct err *err)
{
	struct batch *b = &a->batch;
	struct iovec *v;
	int result;

	if (b->n == 0)
		return 0;
	v = pieces_gather(b);
	result = file_write(&a->files[FILE_DATA], v, b->n, b->data_start, err);
	if (result == 0 && a->data_first)
		result = data_settle(a, err);
	free(v);
	b->n = 0;
	b->data_bytes = 0;
	buf_reset(&b->heads);
	return result;
}

int
batch_flush_summary(struct store_account *a, struct err *err)
{
	struct batch *b = &a->batch;
	struct iovec v = {b->summary.at, b->summary.n};
	int result;

	if (b->summary.n == 0)
		return 0;
	result = file_write(&a->files[FILE_SUMMARY], &v, 1, b->summary_start, err);
	buf_reset(&b->summary);
	return result;
}

void
headroom_keep(struct store_account *a)
{
	const struct log_file *f = &a->files[FILE_JOURNAL];

	if (f->io->disk || (a->headroom_number == f->id.number &&
			    a->headroom_end >= a->journal_end + HEADROOM_MIN))
		return;
	if (fallocate(f->fd, FALLOC_FL_KEEP_SIZE, (off_t)a->journal_end,
		      HEADROOM_BYTES) != 0)
		return;
	a->headroom_number = f->id.number;
	a->headroom_end = a->journal_end + HEADROOM_BYTES;
}

static int
batch_flush_journal(struct store_account *a, struct err *err)
{
	struct batch *b = &a->batch;
	struct iovec v = {b->journal.at, b->journal.n};
	const struct log_file *f = &a->files[FILE_JOURNAL];

	if (b->journal.n == 0)
		return 0;
	if (b->journal.full)
		return err_set(err, "store: a batch is too large");
	if (file_write(f, &v, 1, a->journal_end, err) < 0) {
		/* Whole records of a batch that failed must not be found later; if
		 * that fails as well, they are told by their delivery ids. */
		(void)f->io->ftruncate(f->io->disk, f->fd, a->journal_end);
		return -1;
	}
	a->journal_end += b->journal.n;
	a->state.position = a->base + a->journal_end;
	a->written = a->state.position;
	headroom_keep(a);
	return 0;
}

int
batch_write(struct store_account *a, struct err *err)
{
	int result = a->stale ? err_set(err, "store: a message of the batch failed")
			      : batch_flush_data(a, err);

	if (result == 0)
		result = batch_flush_summary(a, err);
	if (result == 0)
		result = batch_flush_journal(a, err);
	batch_forget(&a->batch);
	if (result < 0) {
		a->stale = true;
		a->suspect = true;
	}
	return result;
}

/* A full journal is rolled when all of it is durable, by store_synced(), so that nobody
 * waits for the disk; at twice its size by whoever has just appended. */
#define ROLL_FORCED 2

/* A file is begun only when the one before is durable: so the base of the last file is
 * something to rely on, whatever else a power loss takes. */
static int
batch_roll(struct store_account *a, struct err *err)
{
	struct err later;

	if (a->view)
		(void)!lag_step(a->view, SIZE_MAX);
	if (account_sync(a, err) < 0)
		return -1;
	/* A new file that cannot be had now is tried again by the next batch. */
	if (journal_roll(a, &(struct event_head){0}, &later) < 0)
		a->stale = true;
	return 0;
}

enum store_result
store_batch_end(struct store_account *a, struct err *err)
{
	int result;

	ASSERT(a->batch.open && a->locked);
	result = batch_write(a, err);
	if (result == 0 &&
	    a->journal_end > ROLL_FORCED * a->store->settings.journal_file_bytes)
		result = batch_roll(a, err);
	account_unlock(a);
	return result == 0 ? STORE_OK : STORE_FAULT;
}
