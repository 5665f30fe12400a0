/* Looks through the segments for messages that the queue does not know: at the
 * start, and when spoold was restarted and may have stored what it could not tell. */
#include "qmgr/qmgr.h"

#include <errno.h>

struct found {
	uint64_t id;
	struct place place;
	bool moved;
};

/* One segment, read by a thread. */
struct look {
	struct proc_job job;
	struct qmgr *qmgr;
	uint32_t number;
	uint64_t from, end;
	struct found *found;
	size_t n, size;
	uint64_t damaged; /* bytes */
	uint64_t at;      /* where the search ended */
	bool failed;
	struct err err;
};

static void
found_add(struct look *l, const struct log_record *record,
	  const struct spool_head *head)
{
	if (l->n == l->size) {
		l->size = l->size ? l->size * 2 : 64;
		l->found = memory_resize(l->found, l->size, sizeof(*l->found));
	}
	l->found[l->n++] = (struct found){
	    .id = head->id,
	    .moved = head->flags & SPOOL_MOVED,
	    .place = {.offset = record->offset,
		      .content_bytes =
			  record->n - SPOOL_HEAD_BYTES - head->envelope_bytes,
		      .envelope_bytes = head->envelope_bytes,
		      .segment = l->number}
        };
}

static void
record_take(struct look *l, const struct log_file *file,
	    const struct log_record *record)
{
	char bytes[SPOOL_HEAD_BYTES] = {0};
	struct span head_bytes = span_first(record->payload, SPOOL_HEAD_BYTES);
	struct spool_head head;

	if (!record->payload.at) {
		ssize_t n = file->io->pread(file->io->disk, file->fd, bytes,
					    sizeof(bytes), record->payload_at);

		head_bytes = span_make(bytes, n > 0 ? (size_t)n : 0);
	}
	if (record->kind == SPOOL_MESSAGE &&
	    spool_head_parse(head_bytes, record->n, &head))
		found_add(l, record, &head);
}

static void
look_through(struct look *l, const struct log_file *file)
{
	struct log_record record;
	struct log_reader r;
	enum log_read got;

	log_reader_init(&r, file, l->from, l->end);
	while ((got = log_reader_next(&r, &record, &l->err)) != LOG_READ_END) {
		if (got == LOG_READ_RECORD)
			record_take(l, file, &record);
		else if (got == LOG_READ_DAMAGE)
			l->damaged += record.next - record.offset;
		else
			break;
	}
	l->failed = got == LOG_READ_FAULT;
	l->at = r.at;
	if (!l->failed && r.scan.unreadable > r.at) {
		/* Where nothing was read there may be messages. */
		errno = EIO;
		l->failed = err_sys(&l->err, "segment %u before %llu", l->number,
				    (unsigned long long)r.scan.unreadable) < 0;
	}
	log_reader_release(&r);
}

static void
look_work(struct proc_job *job)
{
	struct look *l = (struct look *)job;
	struct log_file file;

	switch (log_dir_open(&l->qmgr->seg, l->number, LOG_READ, &file, &l->err)) {
	case LOG_OPEN_OK:
		look_through(l, &file);
		log_file_close(&file);
		break;
	case LOG_OPEN_FAULT:
		l->failed = l->err.code != ENOENT; /* freed meanwhile */
		break;
	case LOG_OPEN_DAMAGED:
		l->failed = true;
		break;
	case LOG_OPEN_UNREADY:
		break;
	}
}

/* --- in the loop ---------------------------------------------------------- */

static void
held_apply(struct qmgr *m, const struct held_add *h)
{
	unsigned origin = h->moved ? QUEUE_MOVED : 0;

	if (h->is_state)
		queue_set_current(m->queue, h->place.segment);
	else if (h->moved && h->place.segment == 0)
		queue_move_failed(m->queue, h->id);
	else
		queue_add(m->queue, h->id, &h->place, origin, qmgr_now_s());
}

static void
hold_or_apply(struct qmgr *m, const struct held_add *h)
{
	struct search *s = &m->search;

	if (!s->running) {
		held_apply(m, h);
		return;
	}
	if (s->n_held == s->size_held) {
		s->size_held = s->size_held ? s->size_held * 2 : 256;
		s->held = memory_resize(s->held, s->size_held, sizeof(*s->held));
	}
	s->held[s->n_held++] = *h;
}

static void search_start(struct qmgr *m);

static void
search_end(struct qmgr *m)
{
	struct search *s = &m->search;

	log_numbers_release(&s->numbers);
	s->running = false;
	if (s->again) {
		s->n_held = 0; /* of a former channel: all of it is on disk */
		search_start(m);
		return;
	}
	queue_set_current(m->queue, s->current);
	queue_moves_forget(m->queue);
	for (size_t i = 0; i < s->n_held; i++)
		held_apply(m, &s->held[i]);
	s->n_held = 0;
	logline(LOGLINE_INFO, "queue.searched", L_U64("found", s->n_found),
		L_U64("messages", m->queue->ids.n));
	if (!s->first)
		return;
	s->first = false;
	queue_restored(m->queue);
	state_begin(m);
}

static void search_next(struct qmgr *m);

static void
look_done(struct proc_job *job)
{
	struct look *l = (struct look *)job;
	struct qmgr *m = l->qmgr;
	uint32_t now_s = qmgr_now_s();

	for (size_t i = 0; i < l->n; i++)
		m->search.n_found += queue_add(
		    m->queue, l->found[i].id, &l->found[i].place,
		    QUEUE_FOUND | (l->found[i].moved ? QUEUE_MOVED : 0), now_s);
	if (l->at > l->from)
		queue_segment_known(m->queue, l->number, l->at, now_s);
	if (l->failed || l->damaged > 0) {
		queue_segment_pin(m->queue, l->number, now_s);
		logline(LOGLINE_ERROR, "queue.damage", L_U64("segment", l->number),
			L_U64("bytes", l->damaged), L_ERR(&l->err));
	}
	free(l->found);
	free(l);
	m->search.i++;
	search_next(m);
}

/* What is not synced is not there yet: a message that its client was never promised
 * must not be delivered, and one whose sync fails is cut off again. */
static uint64_t
synced_end(const struct search *s, uint32_t number)
{
	if (number == s->current)
		return s->current_end;
	if (number >= s->next)
		return 0;
	for (size_t i = 0; i < s->n_open; i++)
		if (s->open[i] == number)
			return 0;
	return LOG_END_UNKNOWN;
}

static struct look *
look_new(struct qmgr *m, uint32_t number)
{
	struct look *l = memory_new(1, sizeof(*l));
	uint64_t known = queue_segment_end(m->queue, number);

	l->job = (struct proc_job){.work = look_work, .done = look_done};
	l->qmgr = m;
	l->number = number;
	l->from = known > LOG_HEADER_BYTES ? known : LOG_HEADER_BYTES;
	l->end = synced_end(&m->search, number);
	return l;
}

static void
search_next(struct qmgr *m)
{
	struct search *s = &m->search;

	while (s->i < s->numbers.n && !s->again) {
		struct look *l = look_new(m, (uint32_t)s->numbers.at[s->i]);

		queue_segment_remains(m->queue, l->number);
		if (l->from < l->end) {
			if (!proc_work(m->proc, &l->job)) {
				look_work(&l->job);
				look_done(&l->job);
			}
			return;
		}
		free(l);
		s->i++;
	}
	search_end(m);
}

static void
search_start(struct qmgr *m)
{
	struct search *s = &m->search;
	struct err err;

	s->running = true;
	s->again = false;
	s->i = 0;
	s->n_found = 0;
	s->failed = log_dir_list(&m->seg, &s->numbers, &err) != 0;
	if (s->failed)
		logline(LOGLINE_ERROR, "queue.fault", L_STR("doing", "search"),
			L_ERR(&err));
	else
		search_next(m);
}

void
search_second(struct qmgr *m)
{
	struct search *s = &m->search;

	if (!s->failed)
		return;
	if (s->again)
		s->n_held = 0; /* of a former channel: all of it is on disk */
	search_start(m);
}

static void
state_keep(struct search *s, const struct ipc_queue_state *state)
{
	struct cursor c = cursor_make(state->open);

	s->current = state->segment;
	s->current_end = state->offset;
	s->next = state->next;
	s->n_open = 0;
	s->open = memory_resize(s->open, state->open.n / 4 + 1, sizeof(*s->open));
	while (c.rest.n >= 4)
		s->open[s->n_open++] = wire_get_u32(&c);
}

void
search_state(struct qmgr *m, const struct ipc_queue_state *state)
{
	struct held_add h = {.is_state = true, .place = {.segment = state->segment}};

	if (!m->spoold_fresh) {
		hold_or_apply(m, &h);
		return;
	}
	m->spoold_fresh = false;
	state_keep(&m->search, state);
	if (m->search.running)
		m->search.again = true;
	else
		search_start(m);
}

void
search_add(struct qmgr *m, const struct ipc_queue_add *a)
{
	struct held_add h = {
	    .id = a->id,
	    .moved = a->moved,
	    .place = {.offset = a->offset,
		      .content_bytes = a->content_bytes,
		      .envelope_bytes = a->envelope_bytes,
		      .segment = a->segment}
        };

	hold_or_apply(m, &h);
}
