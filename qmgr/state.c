/* The state log: notes appended once a turn, synced in groups by a thread, begun
 * anew with a snapshot when a file is full. Segments are freed only when the notes
 * that say so are durable. */
#include "qmgr/qmgr.h"

#include "qmgr/state_file.h"

#include <errno.h>
#include <event2/event.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static void
state_fault(struct state *s, const struct err *err)
{
	logline(LOGLINE_ERROR, "queue.fault", L_STR("doing", "state"), L_ERR(err));
	s->want_file = true;
	s->retry_wait = true;
}

/* --- appending ------------------------------------------------------------ */

/* The front of the notes that goes into one record, cut between two notes. */
static struct span
record_cut(struct span notes)
{
	struct cursor c = cursor_make(notes);
	struct note n;
	size_t used = 0;

	if (notes.n <= STATE_RECORD_BYTES)
		return notes;
	while (note_next(&c, &n) && notes.n - c.rest.n <= STATE_RECORD_BYTES)
		used = notes.n - c.rest.n;
	ASSERT(used > 0);
	return span_first(notes, used);
}

static void
notes_append(struct qmgr *m)
{
	struct state *s = &m->state;
	struct buf *notes = &m->queue->notes;
	struct err err;
	uint64_t at;

	while (notes->n > 0) {
		struct span record = record_cut(buf_span(notes));

		switch (log_append(&s->writer, STATE_NOTES, &record, 1, &at, &err)) {
		case LOG_OK:
			s->position += record.n;
			break;
		case LOG_FULL:
			if (s->snapshot_end == 0)
				s->file_bytes = 2 * s->writer.limit;
			s->want_file = true;
			return;
		case LOG_DEAD:
			state_fault(s, &err);
			return;
		}
		if (record.n == notes->n)
			buf_reset(notes);
		else
			buf_drop_front(notes, record.n);
	}
}

/* --- syncing -------------------------------------------------------------- */

struct sync_job {
	struct proc_job job;
	struct qmgr *qmgr;
	struct log_file file;
	int result;
	struct err err;
};

static void
sync_work(struct proc_job *job)
{
	struct sync_job *y = (struct sync_job *)job;

	y->result = log_file_sync(&y->file, &y->err);
}

static void
free_told(struct qmgr *m)
{
	struct state *s = &m->state;
	struct ipc_peer *spoold = proc_peer(m->proc, IPC_KIND_SPOOLD, 0);
	size_t n = 0;

	/* What is being looked through must not become a new segment meanwhile. */
	if (!spoold || !ipc_peer_is_up(spoold) || m->spoold_fresh ||
	    m->search.running || s->n_waits == 0)
		return;
	for (; n < s->n_waits && s->waits[n].position <= s->durable; n++) {
		struct ipc_segment_free f = {.segment = s->waits[n].segment};

		if (!queue_segment_released(m->queue, f.segment))
			continue;
		segment_fd_drop(m, f.segment);
		ipc_send_segment_free(spoold, &f);
	}
	s->n_waits -= n;
	memmove(s->waits, s->waits + n, s->n_waits * sizeof(*s->waits));
}

static void
covered_now(struct qmgr *m)
{
	struct state *s = &m->state;

	if (s->snapshot_end == 0 || s->covered_position < s->snapshot_end)
		return;
	s->durable = s->covered_position;
	state_files_remove(m);
}

static void
sync_done(struct proc_job *job)
{
	struct sync_job *y = (struct sync_job *)job;
	struct state *s = &y->qmgr->state;

	s->syncing = false;
	if (log_sync_end(&s->writer, s->covered, y->result, &y->err) == LOG_OK)
		covered_now(y->qmgr);
	else
		state_fault(s, &y->err);
	free(y);
}

static void
sync_start(struct qmgr *m)
{
	struct state *s = &m->state;
	struct sync_job *y;

	if (!s->open || s->syncing || s->creating || s->writer.dead ||
	    s->writer.position == s->writer.synced)
		return;
	y = memory_new(1, sizeof(*y));
	y->job = (struct proc_job){.work = sync_work, .done = sync_done};
	y->qmgr = m;
	y->file = s->file;
	s->covered = log_sync_begin(&s->writer);
	s->covered_position = s->position;
	s->syncing = proc_work(m->proc, &y->job);
	if (!s->syncing)
		free(y);
}

static void
sync_due(int fd, short what, void *context)
{
	(void)fd;
	(void)what;
	sync_start(context);
}

static void
sync_later(struct qmgr *m)
{
	struct state *s = &m->state;
	struct timeval after = {.tv_usec = STATE_SYNC_MS * 1000};

	if (s->open && !s->syncing && s->writer.position != s->writer.synced &&
	    !event_pending(s->sync_timer, EV_TIMEOUT, NULL))
		event_add(s->sync_timer, &after);
}

/* --- the whole ------------------------------------------------------------ */

int
state_start(struct qmgr *m, int spool_fd, struct err *err)
{
	struct state *s = &m->state;

	if (mkdirat(spool_fd, "state", 0700) != 0 && errno != EEXIST)
		return err_sys(err, "spool/state");
	s->dir_fd = openat(spool_fd, "state", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->dir_fd < 0 || fsync(spool_fd) != 0)
		return err_sys(err, "spool/state");
	s->dir = (struct log_dir){&log_io_real, s->dir_fd, "", SPOOL_STATE_KIND};
	s->sync_timer = evtimer_new(proc_base(m->proc), sync_due, m);
	return state_files_read(m, err);
}

void
state_begin(struct qmgr *m)
{
	m->state.want_file = true;
}

/* A new file is there: first what was still to be noted, then the snapshot. */
void
state_file_use(struct qmgr *m, const struct log_file *file, uint64_t size)
{
	struct state *s = &m->state;

	if (s->open) {
		state_file_is_old(s, s->file.id.number);
		log_file_close(&s->file);
	}
	s->open = true;
	s->want_file = false;
	s->file = *file;
	s->snapshot_end = 0;
	log_writer_init(&s->writer, &s->file, LOG_HEADER_BYTES, size);
	notes_append(m);
	queue_snapshot_start(m->queue);
}

static void
waits_add(struct qmgr *m)
{
	struct state *s = &m->state;
	uint32_t segment;

	while (queue_next_done(m->queue, &segment)) {
		if (s->n_waits == s->size_waits) {
			s->size_waits = s->size_waits ? s->size_waits * 2 : 64;
			s->waits =
			    memory_resize(s->waits, s->size_waits, sizeof(*s->waits));
		}
		s->waits[s->n_waits++] = (struct free_wait){segment, s->position};
	}
}

static void
snapshot_turn(struct qmgr *m)
{
	struct state *s = &m->state;

	if (s->snapshot_end != 0)
		return;
	if (queue_snapshot_step(m->queue, STATE_STEP)) {
		notes_append(m);
		if (m->queue->notes.n > 0)
			return;
		s->snapshot_end = s->position;
		s->file_bytes = 2 * s->writer.position;
	} else {
		qmgr_again(m);
	}
}

void
state_turn(struct qmgr *m)
{
	struct state *s = &m->state;

	if (s->want_file && !s->creating && !s->syncing && !s->retry_wait)
		state_file_make(m);
	if (m->queue->notes.n > STATE_HELD_MAX && (!s->open || s->want_file))
		buf_reset(&m->queue->notes); /* the next snapshot says it all */
	if (!s->open || s->want_file)
		return;
	notes_append(m);
	snapshot_turn(m);
	/* What is freed now was noted before this. */
	if (!m->search.running && m->queue->notes.n == 0)
		waits_add(m);
	free_told(m);
	sync_later(m);
}

void
state_second(struct qmgr *m)
{
	m->state.retry_wait = false;
}

void
state_finish(struct qmgr *m)
{
	struct state *s = &m->state;
	struct err err;

	if (!s->open || s->syncing)
		return;
	queue_note_limits(m->queue, qmgr_now_s());
	notes_append(m);
	if (log_sync(&s->writer, &err) != LOG_OK)
		state_fault(s, &err);
}
