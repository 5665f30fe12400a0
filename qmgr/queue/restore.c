/* The queue as the state log remembers it, note by note. */
#include "qmgr/queue/internal.h"

static void
restore_done(struct queue *q, uint64_t id)
{
	uint32_t ref;

	if (idmap_find(&q->ids, id, &ref)) {
		struct entry *e = entry_at(&q->entries, ref);
		struct place p = entry_place(e);

		queue_enter(q, ref, ENTRY_FREE);
		segment_leave(&q->segments, &p);
		idmap_remove(&q->ids, id);
		word_drop(&q->words, &e->reason);
		word_drop(&q->words, &e->domain);
		entry_free(&q->entries, ref);
	}
	if (!idmap_find(&q->dead, id, &ref))
		ASSERT(idmap_add(&q->dead, id, 0));
}

/* The entry of that id, new or known, standing at its noted place. */
static uint32_t
restore_entry(struct queue *q, const struct note *n, uint32_t now_s)
{
	struct entry *e;
	uint32_t ref;

	if (idmap_find(&q->ids, n->id, &ref)) {
		struct place old = entry_place(entry_at(&q->entries, ref));

		segment_enter(&q->segments, &n->place, now_s);
		segment_leave(&q->segments, &old);
	} else {
		ref = entry_new(&q->entries);
		ASSERT(idmap_add(&q->ids, n->id, ref));
		segment_enter(&q->segments, &n->place, now_s);
	}
	e = entry_at(&q->entries, ref);
	e->id = n->id;
	entry_set_place(e, &n->place);
	return ref;
}

static void
restore_message(struct queue *q, const struct note *n, uint32_t now_s)
{
	uint32_t ref = restore_entry(q, n, now_s);
	struct entry *e = entry_at(&q->entries, ref);

	e->arrived_s = n->arrived_s;
	e->due_s = n->due_s;
	e->tries = n->tries;
	e->flags |= ENTRY_RECORDED | ENTRY_REPLAY;
	e->flags &= (uint16_t) ~(ENTRY_GIVE_UP | ENTRY_REMOVE);
	if (n->warned)
		e->flags |= ENTRY_WARNED;
	if (n->given_up)
		e->flags |= ENTRY_GIVE_UP;
	if (n->removed)
		e->flags |= ENTRY_REMOVE;
	if (n->n_targets > 0 && !entry_set_targets(e, n->n_targets)) {
		entry_forget_targets(e);
		ASSERT(entry_set_targets(e, n->n_targets));
	}
	word_drop(&q->words, &e->domain);
	e->domain = word_take(&q->words, n->domain);
	queue_set_reason(q, e, n->reason);
	/* Whether there is space now is seen at once. */
	if (full_said(n->reason) && !n->held) {
		e->flags |= ENTRY_FULL;
		e->due_s = now_s;
	}
	queue_enter(q, ref, n->held ? ENTRY_HELD : ENTRY_WAITING);
}

static void
restore_target(struct queue *q, const struct note *n)
{
	struct entry *e;
	uint32_t ref;

	if (!idmap_find(&q->ids, n->id, &ref))
		return;
	e = entry_at(&q->entries, ref);
	if (n->ordinal < e->n_targets)
		entry_target_set(e, n->ordinal, n->state);
}

/* Back to nothing: a complete snapshot follows. */
static void
restore_start_over(struct queue *q)
{
	struct queue *fresh = queue_new(&q->config);
	struct queue old = *q;

	*q = *fresh;
	*fresh = old;
	queue_free(&fresh);
}

void
queue_restore(struct queue *q, const struct note *n, uint32_t now_s)
{
	switch (n->kind) {
	case NOTE_DONE:
		restore_done(q, n->id);
		break;
	case NOTE_MESSAGE:
		restore_message(q, n, now_s);
		break;
	case NOTE_TARGET:
		restore_target(q, n);
		break;
	case NOTE_SNAPSHOT:
		restore_start_over(q);
		break;
	case NOTE_SEGMENT:
		queue_segment_known(q, n->segment, n->known_end, now_s);
		break;
	case NOTE_SNAPSHOT_END:
		break;
	case NOTE_PAUSE:
		(void)(n->held ? pause_set(q, n->domain) : pause_clear(q, n->domain));
		break;
	case NOTE_SENT:
		limits_restore(&q->limits, &n->sent);
		break;
	}
}

void
queue_restore_doubt(struct queue *q)
{
	for (size_t i = 0; i < q->segments.n; i++)
		q->segments.at[i].known_end = 0;
	q->doubt = true;
}

void
queue_restored(struct queue *q)
{
	q->doubt = false;
	q->clock_walk = true; /* whatever the clock said when they were noted */
	idmap_release(&q->dead);
}
