/* A segment that failed or was never used: cut back to what was synced, so that
 * nothing that was refused can be found there later, or removed. */
#include "spoold/store.h"

struct discard {
	struct proc_job job;
	struct store *store;
	struct segment *segment;
	bool remove;
	int result;
	struct err err;
};

static void
discard_work(struct proc_job *job)
{
	struct discard *d = (struct discard *)job;
	const struct segment *g = d->segment;
	const struct log_io *io = d->store->setup.io;

	if (d->remove) {
		d->result = log_dir_remove(&d->store->dir, g->number, &d->err);
		return;
	}
	if (io->ftruncate(io->disk, g->file.fd, g->writer.synced) != 0 ||
	    io->fsync(io->disk, g->file.fd) != 0)
		d->result = err_sys(&d->err, "segment: cut back");
}

static void
discard_done(struct proc_job *job)
{
	struct discard *d = (struct discard *)job;

	d->store->n_jobs--;
	if (d->result != 0)
		logline(LOGLINE_ERROR, "spool.fault",
			L_U64("segment", d->segment->number), L_ERR(&d->err));
	d->segment->syncing = false;
	store_forget(d->store, d->segment);
	free(d);
}

void
store_discard(struct store *s, struct segment *segment)
{
	struct discard *d = memory_new(1, sizeof(*d));

	d->job = (struct proc_job){.work = discard_work, .done = discard_done};
	d->store = s;
	d->segment = segment;
	d->remove = segment->writer.synced <= LOG_HEADER_BYTES;
	segment->syncing = store_work(s, &d->job);
	if (!segment->syncing)
		free(d); /* again in the next turn */
}
