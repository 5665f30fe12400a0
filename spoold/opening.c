#include "spoold/opening.h"

struct opening {
	struct proc_job job;
	struct store *store;
	struct stream *stream;
	uint32_t number;
	uint64_t bytes; /* that must fit besides the reserve */
	struct log_file file;
	int result;
	struct err err;
};

static void
opening_work(struct proc_job *job)
{
	struct opening *o = (struct opening *)job;

	o->result = store_space(o->store, o->bytes, &o->err);
	if (o->result == 0)
		o->result =
		    log_dir_create(&o->store->dir, o->number, 0, &o->file, &o->err);
}

/* The segment, in the store's list. */
static struct segment *
opening_segment(struct opening *o)
{
	struct segment *g = segment_new(&o->file, LOG_FILE_MAX);

	g->own = true;
	g->next = o->store->open;
	o->store->open = g;
	return g;
}

/* What was held goes first into the new segment. */
static void
opening_start(struct opening *o, struct stream *st)
{
	char head[SPOOL_HEAD_BYTES];
	struct buf held = st->held;
	struct err err;

	st->held = buf_make(STORE_WAITING_MAX);
	st->segment = opening_segment(o);
	stream_enter(st, STREAM_WRITING);
	if (log_stream_begin(&st->segment->writer, SPOOL_MESSAGE, &err) == LOG_OK) {
		spool_head_put(&st->head, head);
		stream_write(st, span_make(head, sizeof(head)));
		if (st->state == STREAM_WRITING)
			stream_write(st, buf_span(&held));
	} else {
		store_fail(o->store, st->segment, &err);
		stream_refuse(st, store_outcome(&err));
	}
	buf_release(&held);
}

static void
opening_failed(struct opening *o, struct stream *st)
{
	o->store->n_own--;
	logline(LOGLINE_ERROR, "spool.fault", L_STR("doing", "own segment"),
		L_ERR(&o->err));
	if (st->client)
		stream_refuse(st, store_outcome(&o->err));
}

static void
opening_done(struct proc_job *job)
{
	struct opening *o = (struct opening *)job;
	struct stream *st = o->stream;

	o->store->n_jobs--;
	st->opening = false;
	store_number_made(o->store, o->number);
	if (o->result != 0)
		opening_failed(o, st);
	else if (st->client && st->state == STREAM_OPENING)
		opening_start(o, st);
	else
		opening_segment(o)->state = SEGMENT_UNUSED;
	if (!st->client)
		free(st);
	else if (st->ended)
		stream_finish(st);
	free(o);
}

void
stream_open(struct stream *st, uint64_t bytes)
{
	struct store *s = st->client->store;
	struct opening *o;
	uint32_t number;

	if (s->n_own >= STORE_OWN_MAX || !store_number(s, &number)) {
		stream_refuse(st, SPOOL_FAULT);
		return;
	}
	o = memory_new(1, sizeof(*o));
	o->job = (struct proc_job){.work = opening_work, .done = opening_done};
	o->store = s;
	o->stream = st;
	o->number = number;
	o->bytes = bytes;
	if (!store_work(s, &o->job)) {
		store_number_made(s, number);
		free(o);
		stream_refuse(st, SPOOL_FAULT);
		return;
	}
	s->n_own++;
	st->opening = true;
	stream_enter(st, STREAM_OPENING);
}
