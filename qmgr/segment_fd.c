/* The open segments: read by us, passed on once to each process that delivers. */
#include "qmgr/qmgr.h"

static const enum ipc_kind programs[] = {[JOB_LOCAL] = IPC_KIND_LOCAL,
					 [JOB_REMOTE] = IPC_KIND_REMOTE,
					 [JOB_BOUNCE] = IPC_KIND_BOUNCE};

bool
job_kind_of(enum ipc_kind program, enum job_kind *out)
{
	for (size_t i = 0; i < N_ELEMS(programs); i++)
		if (programs[i] == program) {
			*out = (enum job_kind)i;
			return true;
		}
	return false;
}

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
drop_tell(struct qmgr *m, const struct segment_fd *s, enum job_kind kind)
{
	struct ipc_segment_drop drop = {.segment = s->number};

	for (uint32_t i = 0; i < m->queue->config.instances[kind]; i++) {
		struct ipc_peer *peer = proc_peer(m->proc, programs[kind], i);

		if (peer && s->told[kind] & UINT64_C(1) << i)
			ipc_send_segment_drop(peer, &drop);
	}
}

static void
drop_at(struct qmgr *m, size_t i)
{
	struct segment_fds *f = &m->fds;

	for (size_t kind = 0; kind < JOB_KINDS; kind++)
		drop_tell(m, &f->at[i], (enum job_kind)kind);
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
segment_fd_tell(struct segment_fd *s, struct ipc_peer *peer)
{
	struct ipc_segment_fd message = {.segment = s->number};
	uint64_t bit = UINT64_C(1) << ipc_peer_instance(peer);
	enum job_kind kind;

	if (!job_kind_of(ipc_peer_kind(peer), &kind) || s->told[kind] & bit)
		return;
	s->told[kind] |= bit;
	ipc_send_segment_fd(peer, &message, s->file.fd);
}

void
segment_fd_done(struct qmgr *m, uint32_t number)
{
	size_t i = place_find(&m->fds, number);

	if (i < m->fds.n && m->fds.at[i].number == number && m->fds.at[i].n_jobs > 0)
		m->fds.at[i].n_jobs--;
}

void
segment_fd_drop(struct qmgr *m, uint32_t number)
{
	size_t i = place_find(&m->fds, number);

	if (i < m->fds.n && m->fds.at[i].number == number)
		drop_at(m, i);
}

void
segment_fds_instance_down(struct qmgr *m, enum job_kind kind, uint32_t instance)
{
	const struct queue *q = m->queue;
	struct place p;

	for (uint32_t i = 0; i < q->n_jobs_size; i++)
		if (queue_sent_place(q, kind, instance,
				     (uint64_t)q->jobs[i].generation << 32 | i, &p))
			segment_fd_done(m, p.segment);
	for (size_t i = 0; i < m->fds.n; i++)
		m->fds.at[i].told[kind] &= ~(UINT64_C(1) << instance);
}
