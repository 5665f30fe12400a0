#include "spoold/store.h"

#include <errno.h>

void
store_init(struct store *s, const struct store_setup *setup, uint32_t next_number,
	   uint32_t numbers_end)
{
	*s = (struct store){
	    .setup = *setup, .next_number = next_number, .numbers_end = numbers_end};
	s->dir = (struct log_dir){setup->io, setup->dir_fd, "", SPOOL_SEGMENT_KIND};
	s->waiting_end = &s->waiting;
	store_prepare(s);
}

void
store_release(struct store *s)
{
	ASSERT(s->n_jobs == 0);
	while (s->open)
		store_forget(s, s->open);
	segment_free(&s->prepared);
	for (struct waiting *w; (w = s->waiting);) {
		s->waiting = w->next;
		free(w);
	}
	free(s->results);
	free(s->making);
}

bool
store_work(struct store *s, struct proc_job *job)
{
	if (!s->setup.work(s->setup.context, job))
		return false;
	s->n_jobs++;
	return true;
}

enum spool_outcome
store_outcome(const struct err *err)
{
	return err->code == ENOSPC || err->code == EDQUOT ? SPOOL_NO_SPACE
							  : SPOOL_FAULT;
}

struct segment *
store_find(const struct store *s, uint32_t number)
{
	for (struct segment *g = s->open; g; g = g->next)
		if (g->number == number)
			return g;
	return s->prepared && s->prepared->number == number ? s->prepared : NULL;
}

void
store_forget(struct store *s, struct segment *segment)
{
	struct segment **at = &s->open;

	while (*at && *at != segment)
		at = &(*at)->next;
	if (*at)
		*at = segment->next;
	if (segment->own)
		s->n_own--;
	else
		s->state_due = true;
	if (s->current == segment)
		s->current = NULL;
	segment_free(&segment);
}

void
store_fail(struct store *s, struct segment *segment, const struct err *err)
{
	if (segment->state == SEGMENT_FAILED)
		return;
	logline(LOGLINE_ERROR, "spool.fault", L_U64("segment", segment->number),
		L_ERR(err));
	segment->state = SEGMENT_FAILED;
	segment->err = *err;
	s->n_faults++;
	s->hold_off = true;
	if (s->current == segment)
		s->current = NULL;
}

void
store_use_prepared(struct store *s)
{
	if (s->current || !s->prepared)
		return;
	s->current = s->prepared;
	s->prepared = NULL;
	s->current->next = s->open;
	s->open = s->current;
	s->state_due = true;
	store_prepare(s);
}

/* True when the message is taken care of: appended, or refused. */
static bool
append_or_refuse(struct store *s, const struct letter *m)
{
	struct err err;

	for (;;) {
		store_use_prepared(s);
		if (!s->current)
			return false;
		switch (segment_append(s->current, m, &err)) {
		case LOG_OK:
			return true;
		case LOG_FULL:
			s->current->state = SEGMENT_SEALED;
			s->current = NULL;
			break;
		case LOG_DEAD:
			store_fail(s, s->current, &err);
			store_answer(s, m->origin, m->head.id, store_outcome(&err));
			return true;
		}
	}
}

static void
wait_for_segment(struct store *s, const struct letter *m)
{
	struct waiting *w = memory_new(1, sizeof(*w) + m->bytes.n);

	w->letter = *m;
	if (m->bytes.n)
		memcpy(w + 1, m->bytes.at, m->bytes.n);
	w->letter.bytes.at = (const char *)(w + 1);
	*s->waiting_end = w;
	s->waiting_end = &w->next;
	s->waiting_bytes += m->bytes.n;
}

void
store_put(struct store *s, const struct letter *m)
{
	if (!s->waiting && append_or_refuse(s, m))
		return;
	if (s->refusing)
		store_answer(s, m->origin, m->head.id, s->trouble);
	else
		wait_for_segment(s, m);
}

/* Those that waited: into the segment that is ready now, or refused. */
static void
waiting_serve(struct store *s)
{
	struct waiting *w;

	while ((w = s->waiting)) {
		if (!append_or_refuse(s, &w->letter)) {
			if (!s->refusing)
				return;
			store_answer(s, w->letter.origin, w->letter.head.id,
				     s->trouble);
		}
		s->waiting = w->next;
		if (!s->waiting)
			s->waiting_end = &s->waiting;
		s->waiting_bytes -= w->letter.bytes.n;
		free(w);
	}
}

static void
tell_stored(struct store *s, const struct segment *g, const struct pending *p)
{
	struct store_result added = {.kind = STORE_ADDED,
				     .id = p->id,
				     .segment = g->number,
				     .offset = p->offset,
				     .envelope_bytes = p->envelope_bytes,
				     .content_bytes = p->content_bytes,
				     .moved = p->moved};

	s->n_stored++;
	store_added(s, &added);
	store_answer(s, p->origin, p->id, SPOOL_STORED);
}

static void
sync_done(struct proc_job *job)
{
	struct segment *g =
	    (struct segment *)((char *)job - offsetof(struct segment, job));
	struct store *s = g->owner;
	struct pending p;

	s->n_jobs--;
	s->n_syncs++;
	if (segment_sync_end(g, s->setup.now_us()) != LOG_OK) {
		struct err err = g->err;

		store_fail(s, g, &err);
		return;
	}
	while (segment_next(g, false, &p))
		tell_stored(s, g, &p);
}

static void
sync_start(struct store *s, struct segment *g)
{
	g->owner = s;
	g->job.done = sync_done;
	segment_sync_begin(g);
	if (!store_work(s, &g->job))
		g->syncing = false; /* again in the next turn */
}

static enum segment_wish
segment_turn(struct store *s, struct segment *g)
{
	enum segment_wish wish = segment_wish(g, s->setup.now_us());

	if (wish == SEGMENT_WISH_SYNC)
		sync_start(s, g);
	return wish;
}

/* What is over: closed, or refused and discarded. */
static void
segment_close(struct store *s, struct segment *g)
{
	struct pending p;

	if (g->syncing || g->state == SEGMENT_OPEN)
		return;
	if (g->state == SEGMENT_SEALED) {
		if (g->n == 0)
			store_forget(s, g);
		return;
	}
	while (segment_next(g, true, &p))
		store_answer(s, p.origin, p.id, store_outcome(&g->err));
	store_discard(s, g);
}

bool
store_turn(struct store *s)
{
	struct segment *next;
	bool later = false;

	waiting_serve(s);
	for (struct segment *g = s->open; g; g = next) {
		next = g->next;
		later |= segment_turn(s, g) == SEGMENT_WISH_LATER;
		segment_close(s, g);
	}
	return later;
}

void
store_second(struct store *s)
{
	s->hold_off = false;
	store_prepare(s);
}

bool
store_full(const struct store *s)
{
	return s->waiting_bytes > STORE_WAITING_MAX;
}

bool
store_idle(const struct store *s)
{
	if (s->waiting || s->n_moves > 0)
		return false;
	for (const struct segment *g = s->open; g; g = g->next)
		if (g->n > 0 || g->own)
			return false;
	return true;
}

void
store_state(const struct store *s, uint32_t *segment, uint64_t *offset)
{
	*segment = s->current ? s->current->number : 0;
	*offset = s->current ? s->current->writer.synced : 0;
}

bool
store_complete(const struct store *s)
{
	for (const struct segment *g = s->open; g; g = g->next)
		if (!g->own && g != s->current)
			return false;
	return true;
}

bool
store_state_due(struct store *s)
{
	if (!s->state_due || !s->current || !store_complete(s))
		return false;
	s->state_due = false;
	return true;
}

void
store_open_put(const struct store *s, struct buf *list)
{
	for (const struct segment *g = s->open; g; g = g->next)
		if (g != s->current)
			wire_put_u32(list, g->number);
	if (s->prepared)
		wire_put_u32(list, s->prepared->number);
	for (size_t i = 0; i < s->n_making; i++)
		wire_put_u32(list, s->making[i]);
}
