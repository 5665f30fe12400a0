#include "qmgr/state_file.h"

#include <errno.h>

/* --- reading -------------------------------------------------------------- */

typedef void notes_each(struct qmgr *m, const struct note *n, void *context);

static void
damage_at(struct qmgr *m, uint64_t number, uint64_t offset)
{
	m->state.damaged = true;
	logline(LOGLINE_ERROR, "queue.damage", L_U64("state", number),
		L_U64("offset", offset));
}

static void
damage_of(struct qmgr *m, uint64_t number, const struct err *err)
{
	m->state.damaged = true;
	logline(LOGLINE_ERROR, "queue.damage", L_U64("state", number), L_ERR(err));
}

static void
record_walk(struct qmgr *m, const struct log_record *record, uint64_t number,
	    notes_each *each, void *context)
{
	struct cursor c = cursor_make(record->payload);
	struct note n;

	if (record->kind != STATE_NOTES || !record->payload.at)
		return;
	while (note_next(&c, &n))
		each(m, &n, context);
	if (c.failed)
		damage_at(m, number, record->offset);
}

/* Every note of one open file; what is damaged is skipped and said. */
static void
records_walk(struct qmgr *m, const struct log_file *file, notes_each *each,
	     void *context)
{
	uint64_t number = file->id.number;
	struct log_record record;
	struct log_reader r;
	enum log_read got;
	struct err err;

	log_reader_init(&r, file, LOG_HEADER_BYTES, LOG_END_UNKNOWN);
	while ((got = log_reader_next(&r, &record, &err)) == LOG_READ_RECORD ||
	       got == LOG_READ_DAMAGE) {
		if (got == LOG_READ_RECORD)
			record_walk(m, &record, number, each, context);
		else
			damage_at(m, number, record.offset);
	}
	if (got == LOG_READ_FAULT)
		damage_of(m, number, &err);
	else if (r.scan.unreadable > r.at)
		damage_at(m, number, r.at);
	log_reader_release(&r);
}

static void
file_walk(struct qmgr *m, uint64_t number, notes_each *each, void *context)
{
	struct log_file file;
	struct err err = {0};

	switch (log_dir_open(&m->state.dir, number, LOG_READ, &file, &err)) {
	case LOG_OPEN_OK:
		records_walk(m, &file, each, context);
		log_file_close(&file);
		break;
	case LOG_OPEN_UNREADY:
		break;
	default:
		damage_of(m, number, &err);
		break;
	}
}

struct snapshot_found {
	bool begun, complete;
};

/* An end that has no beginning is of the file before, which had no room for it. */
static void
find_end(struct qmgr *m, const struct note *n, void *context)
{
	struct snapshot_found *found = context;

	(void)m;
	if (n->kind == NOTE_SNAPSHOT)
		*found = (struct snapshot_found){.begun = true};
	if (n->kind == NOTE_SNAPSHOT_END)
		found->complete = found->begun;
}

static bool
is_complete(struct qmgr *m, uint64_t number)
{
	struct snapshot_found found = {0};

	file_walk(m, number, find_end, &found);
	return found.complete;
}

/* context: bool, whether the file's snapshot is complete. */
static void
restore_note(struct qmgr *m, const struct note *n, void *context)
{
	const bool *complete = context;

	if (!*complete && (n->kind == NOTE_SNAPSHOT || n->kind == NOTE_SEGMENT))
		return;
	queue_restore(m->queue, n, qmgr_now_s());
}

/* A file from before the snapshot (the one at first - 1) is not needed: the next one
 * can then be made of it even on a disk without space or inodes. */
static void
spare_keep(struct state *s, size_t first)
{
	if (first < 2)
		return;
	s->spare = s->old.at[0];
	s->old.n--;
	memmove(s->old.at, s->old.at + 1, s->old.n * sizeof(*s->old.at));
}

int
state_files_read(struct qmgr *m, struct err *err)
{
	struct state *s = &m->state;
	size_t first;

	if (log_dir_list(&s->dir, &s->old, err) != 0)
		return -1;
	s->next_number = s->old.n ? s->old.at[s->old.n - 1] + 1 : 1;
	for (first = s->old.n; first > 0; first--)
		if (is_complete(m, s->old.at[first - 1]))
			break;
	for (size_t i = first ? first - 1 : 0; i < s->old.n; i++) {
		bool complete = first > 0 && i == first - 1;

		file_walk(m, s->old.at[i], restore_note, &complete);
	}
	if (s->damaged || first == 0)
		queue_restore_doubt(m->queue);
	spare_keep(s, first);
	logline(LOGLINE_INFO, "queue.restored", L_U64("messages", m->queue->ids.n),
		L_U64("files", s->old.n));
	return 0;
}

/* --- making --------------------------------------------------------------- */

struct make {
	struct proc_job job;
	struct qmgr *qmgr;
	uint64_t from, number, size;
	struct log_file file;
	struct log_numbers segments; /* whose files are there */
	bool listed;
	int result;
	struct err err;
};

static void
make_work(struct proc_job *job)
{
	struct make *k = (struct make *)job;
	const struct qmgr *m = k->qmgr;
	const struct log_io *io = m->seg.io;

	/* Listed, then synced: what is not in the list will not come back. */
	k->listed = log_dir_list(&m->seg, &k->segments, &k->err) == 0 &&
		    io->fsync(io->disk, m->seg.fd) == 0;
	if (k->from)
		k->result = log_dir_recycle(&m->state.dir, k->from, k->number, k->size,
					    &k->file, &k->err);
	else
		k->result = log_dir_create(&m->state.dir, k->number, k->size, &k->file,
					   &k->err);
}

static void
make_done(struct proc_job *job)
{
	struct make *k = (struct make *)job;
	struct qmgr *m = k->qmgr;
	struct state *s = &m->state;

	s->creating = false;
	if (k->result == 0) {
		if (k->listed)
			queue_segments_listed(m->queue, k->segments.at, k->segments.n);
		state_file_use(m, &k->file, k->size);
	} else {
		logline(LOGLINE_ERROR, "queue.fault", L_STR("doing", "state"),
			L_ERR(&k->err));
		s->retry_wait = true;
	}
	log_numbers_release(&k->segments);
	free(k);
}

void
state_file_make(struct qmgr *m)
{
	struct state *s = &m->state;
	uint64_t wanted =
	    m->queue->ids.n * STATE_ENTRY_BYTES * 2 + m->queue->notes.n * 2;
	struct make *k = memory_new(1, sizeof(*k));

	k->job = (struct proc_job){.work = make_work, .done = make_done};
	k->qmgr = m;
	k->number = s->next_number++;
	k->from = s->spare;
	s->spare = 0;
	k->size = STATE_FILE_BYTES;
	wanted = wanted > s->file_bytes ? wanted : s->file_bytes;
	while (k->size < wanted && k->size < LOG_FILE_MAX / 2)
		k->size *= 2;
	s->creating = proc_work(m->proc, &k->job);
	if (!s->creating)
		free(k);
}

/* --- removing ------------------------------------------------------------- */

void
state_file_is_old(struct state *s, uint64_t number)
{
	s->old.at = memory_resize(s->old.at, s->old.n + 1, sizeof(*s->old.at));
	s->old.at[s->old.n++] = number;
}

struct removal {
	struct proc_job job;
	struct qmgr *qmgr;
	struct log_numbers numbers;
	struct err err;
	bool failed;
};

static void
removal_work(struct proc_job *job)
{
	struct removal *r = (struct removal *)job;

	for (size_t i = 0; i < r->numbers.n; i++)
		if (log_dir_remove(&r->qmgr->state.dir, r->numbers.at[i], &r->err) != 0)
			r->failed = true;
}

static void
removal_done(struct proc_job *job)
{
	struct removal *r = (struct removal *)job;

	if (r->failed)
		logline(LOGLINE_WARNING, "queue.fault", L_STR("doing", "remove state"),
			L_ERR(&r->err));
	log_numbers_release(&r->numbers);
	free(r);
}

void
state_files_remove(struct qmgr *m)
{
	struct state *s = &m->state;
	struct removal *r;

	if (s->old.n == 0)
		return;
	if (s->spare == 0)
		s->spare = s->old.at[--s->old.n];
	if (s->old.n == 0)
		return;
	r = memory_new(1, sizeof(*r));
	r->job = (struct proc_job){.work = removal_work, .done = removal_done};
	r->qmgr = m;
	r->numbers = s->old;
	s->old = (struct log_numbers){0};
	if (!proc_work(m->proc, &r->job)) {
		s->old = r->numbers;
		free(r);
	}
}
