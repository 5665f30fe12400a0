/* Copies a message onward, out of a segment that only few messages pin. */
#include "spoold/store.h"

struct move {
	struct proc_job job;
	struct store *store;
	uint64_t id;
	uint32_t segment;
	uint64_t offset;
	struct buf hold;
	struct log_record record;
	struct spool_head head;
	bool found;
};

static void
move_work(struct proc_job *job)
{
	struct move *m = (struct move *)job;
	struct log_file file;
	struct err err;

	if (log_dir_open(&m->store->dir, m->segment, LOG_READ, &file, &err) !=
	    LOG_OPEN_OK)
		return;
	m->found = log_fetch(&file, m->offset, 16384, &m->hold, &m->record, &err) ==
		       LOG_READ_RECORD &&
		   m->record.kind == SPOOL_MESSAGE &&
		   spool_head_parse(m->record.payload, m->record.n, &m->head) &&
		   m->head.id == m->id;
	log_file_close(&file);
}

static void
move_done(struct proc_job *job)
{
	struct move *m = (struct move *)job;
	struct store *s = m->store;

	s->n_jobs--;
	s->n_moves--;
	if (m->found && !s->refusing) {
		struct letter letter = {
		    .head = m->head,
		    .bytes = span_after(m->record.payload, SPOOL_HEAD_BYTES)};

		letter.head.flags |= SPOOL_MOVED;
		store_put(s, &letter);
	} else {
		store_answer(s, (struct origin){0}, m->id, SPOOL_FAULT);
	}
	buf_release(&m->hold);
	free(m);
}

void
store_move(struct store *s, uint64_t id, uint32_t segment, uint64_t offset)
{
	struct move *m = memory_new(1, sizeof(*m));

	m->job = (struct proc_job){.work = move_work, .done = move_done};
	m->store = s;
	m->id = id;
	m->segment = segment;
	m->offset = offset;
	m->hold = buf_make(SPOOL_SHARED_MAX + 4096);
	if (s->n_moves < STORE_MOVES_MAX && store_work(s, &m->job)) {
		s->n_moves++;
		return;
	}
	store_answer(s, (struct origin){0}, m->id, SPOOL_FAULT);
	free(m);
}
