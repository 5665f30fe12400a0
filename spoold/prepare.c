/* The segment after the current one, made by a thread ahead of time. */
#include "spoold/store.h"

#include <errno.h>
#include <sys/statvfs.h>

struct prepare {
	struct proc_job job;
	struct store *store;
	uint64_t from; /* a spare to recycle, or 0 */
	uint32_t number;
	struct log_file file;
	int result;
	struct err err;
};

int
store_space(const struct store *s, uint64_t bytes, struct err *err)
{
	struct statvfs fs;

	if (fstatvfs(s->setup.dir_fd, &fs) != 0)
		return err_sys(err, "spool: statvfs");
	/* Some file systems count no inodes and say 0 of 0. */
	if ((uint64_t)fs.f_bavail * fs.f_frsize >= s->setup.reserve_bytes + bytes &&
	    (fs.f_files == 0 || fs.f_favail >= STORE_RESERVE_FILES))
		return 0;
	errno = ENOSPC;
	return err_sys(err, "spool: only the reserve is left");
}

static void
prepare_work(struct proc_job *job)
{
	struct prepare *p = (struct prepare *)job;
	const struct store *s = p->store;
	uint64_t size = s->setup.segment_bytes;

	if (p->from) {
		p->result = log_dir_recycle(&s->dir, p->from, p->number, size, &p->file,
					    &p->err);
		return;
	}
	p->result = store_space(s, size, &p->err);
	if (p->result == 0)
		p->result = log_dir_create(&s->dir, p->number, size, &p->file, &p->err);
}

static void
prepare_failed(struct store *s, const struct err *err)
{
	if (!s->refusing)
		logline(LOGLINE_ERROR, "spool.fault", L_STR("doing", "new segment"),
			L_ERR(err));
	s->trouble = store_outcome(err);
	s->refusing = true;
	s->hold_off = true;
}

static void
prepare_done(struct proc_job *job)
{
	struct prepare *p = (struct prepare *)job;
	struct store *s = p->store;

	s->n_jobs--;
	s->preparing = false;
	store_number_made(s, p->number);
	if (p->result == 0) {
		if (s->refusing)
			logline(LOGLINE_INFO, "spool.recovered",
				L_U64("segment", p->number));
		s->refusing = false;
		s->prepared = segment_new(&p->file, s->setup.segment_bytes);
		store_use_prepared(s);
	} else {
		prepare_failed(s, &p->err);
	}
	free(p);
}

void
store_prepare(struct store *s)
{
	struct prepare *p;

	if (s->preparing || s->prepared || s->hold_off)
		return;
	p = memory_new(1, sizeof(*p));
	p->job = (struct proc_job){.work = prepare_work, .done = prepare_done};
	p->store = s;
	if (!store_number(s, &p->number)) {
		err_set(&p->err, "spool: no numbers for segments");
		prepare_failed(s, &p->err);
		free(p);
		return;
	}
	if (s->n_spares > 0)
		p->from = s->spares[--s->n_spares];
	s->preparing = store_work(s, &p->job);
	if (s->preparing)
		return;
	store_number_made(s, p->number);
	free(p);
}
