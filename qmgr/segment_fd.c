/* The open segments: read by us, passed on to each local once. */
#include "qmgr/qmgr.h"

static size_t
place_find(const struct segment_fds *f, uint32_t number)
{
	size_t low = 0, high = f->n;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (f->at[middle].number < number)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
drop_at(struct qmgr *m, size_t i)
{
	struct segment_fds *f = &m->fds;
	struct ipc_segment_drop drop = {.segment = f->at[i].number};

	for (uint32_t k = 0; k < proc_count(m->proc, IPC_KIND_LOCAL); k++) {
		struct ipc_peer *local = proc_peer(m->proc, IPC_KIND_LOCAL, k);

		if (local && f->at[i].told & UINT64_C(1) << k)
			ipc_send_segment_drop(local, &drop);
	}
	log_file_close(&f->at[i].file);
	f->n--;
	memmove(f->at + i, f->at + i + 1, (f->n - i) * sizeof(*f->at));
}

/* One that no job needs, so that the number of open ones stays bounded. */
static void
drop_an_idle_one(struct qmgr *m)
{
	struct segment_fds *f = &m->fds;

	for (size_t n = 0; n < 16 && f->n >= SEGMENT_FDS_MAX; n++) {
		f->hand = (f->hand + 1) % f->n;
		if (f->at[f->hand].n_jobs == 0)
			drop_at(m, f->hand);
	}
}

static struct segment_fd *
insert(struct segment_fds *f, uint32_t number, const struct log_file *file)
{
	size_t i = place_find(f, number);

	if (f->n == f->size) {
		f->size = f->size ? f->size * 2 : 16;
		f->at = memory_resize(f->at, f->size, sizeof(*f->at));
	}
	memmove(f->at + i + 1, f->at + i, (f->n - i) * sizeof(*f->at));
	f->n++;
	f->at[i] = (struct segment_fd){.number = number, .file = *file};
	return &f->at[i];
}

struct segment_fd *
segment_fd_get(struct qmgr *m, uint32_t number, struct err *err)
{
	struct segment_fds *f = &m->fds;
	size_t i = place_find(f, number);
	struct log_file file;

	if (i < f->n && f->at[i].number == number)
		return &f->at[i];
	switch (log_dir_open(&m->seg, number, LOG_READ, &file, err)) {
	case LOG_OPEN_OK:
		break;
	case LOG_OPEN_FAULT:
		return NULL;
	default:
		(void)err_set(err, "segment %u is damaged", number);
		return NULL;
	}
	drop_an_idle_one(m);
	return insert(f, number, &file);
}

void
segment_fd_tell(struct qmgr *m, struct segment_fd *s, struct ipc_peer *local)
{
	struct ipc_segment_fd message = {.segment = s->number};
	uint64_t bit = UINT64_C(1) << ipc_peer_instance(local);

	(void)m;
	if (s->told & bit)
		return;
	s->told |= bit;
	ipc_send_segment_fd(local, &message, s->file.fd);
}

void
segment_fd_drop(struct qmgr *m, uint32_t number)
{
	size_t i = place_find(&m->fds, number);

	if (i < m->fds.n && m->fds.at[i].number == number)
		drop_at(m, i);
}

static void
job_gone(struct qmgr *m, uint32_t instance, uint64_t number)
{
	struct queue_job job;
	size_t i;

	if (!queue_sent_job(m->queue, instance, number, &job))
		return;
	i = place_find(&m->fds, job.place.segment);
	if (i < m->fds.n && m->fds.at[i].number == job.place.segment &&
	    m->fds.at[i].n_jobs > 0)
		m->fds.at[i].n_jobs--;
}

void
segment_fds_instance_down(struct qmgr *m, uint32_t instance)
{
	const struct queue *q = m->queue;

	for (uint32_t i = 0; i < q->n_jobs_size; i++)
		job_gone(m, instance, (uint64_t)q->jobs[i].generation << 32 | i);
	for (size_t i = 0; i < m->fds.n; i++)
		m->fds.at[i].told &= ~(UINT64_C(1) << instance);
}
