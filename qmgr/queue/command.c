/* What an operator may do to one message. */
#include "qmgr/queue/internal.h"

/* A message in work: done when its jobs end. Noted at once, for it has been told to be
 * so, whatever happens before. */
static bool
mark(struct queue *q, struct entry *e, enum entry_flag flag, uint32_t now_s)
{
	uint32_t work = e->link;

	e->flags &= (uint16_t) ~(ENTRY_HOLD | ENTRY_GIVE_UP); /* the last word holds */
	e->flags |= (uint16_t)flag;
	queue_note_message(q, e);
	if (e->state == ENTRY_WORK)
		work_maybe_end(q, work, now_s);
	return true;
}

static bool
in_work(const struct entry *e)
{
	return e->state == ENTRY_WORK || e->state == ENTRY_LOADING;
}

static bool
command_hold(struct queue *q, uint32_t ref, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, ref);

	if (in_work(e))
		return mark(q, e, ENTRY_HOLD, now_s);
	if (e->state == ENTRY_HELD)
		return false;
	e->flags &= (uint16_t)~ENTRY_GIVE_UP;
	queue_hold(q, ref, SPAN(QUEUE_HELD_REASON));
	return true;
}

/* To be tried now; what had failed for good is tried again too. */
static void
due_now(struct queue *q, uint32_t ref, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, ref);

	for (uint32_t i = 0; i < e->n_targets; i++)
		if (entry_target(e, i) == TARGET_FAILED) {
			entry_target_set(e, i, TARGET_OPEN);
			queue_note_target(q, e, i);
		}
	park_dead_ask(q, e, now_s);
	e->due_s = now_s;
	queue_enter(q, ref, ENTRY_WAITING);
	queue_note_message(q, e);
}

static bool
command_release(struct queue *q, uint32_t ref, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, ref);

	if (in_work(e) && e->flags & ENTRY_HOLD) {
		e->flags &= (uint16_t)~ENTRY_HOLD;
		queue_note_message(q, e);
		return true;
	}
	if (e->state != ENTRY_HELD)
		return false;
	due_now(q, ref, now_s);
	return true;
}

static bool
command_flush(struct queue *q, uint32_t ref, uint32_t now_s)
{
	if (entry_at(&q->entries, ref)->state != ENTRY_WAITING)
		return false;
	due_now(q, ref, now_s);
	return true;
}

static bool
command_requeue(struct queue *q, uint32_t ref, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, ref);

	if (e->state != ENTRY_WAITING && e->state != ENTRY_HELD)
		return false;
	e->tries = 0;
	queue_set_reason(q, e, SPAN(""));
	due_now(q, ref, now_s);
	return true;
}

static bool
command_remove(struct queue *q, uint32_t ref, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, ref);

	if (in_work(e))
		return mark(q, e, ENTRY_REMOVE, now_s);
	queue_finish(q, ref, QUEUE_EVENT_REMOVED);
	return true;
}

static bool
command_bounce(struct queue *q, uint32_t ref, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, ref);

	if (in_work(e))
		return mark(q, e, ENTRY_GIVE_UP, now_s);
	e->flags |= ENTRY_GIVE_UP;
	e->due_s = now_s;
	queue_enter(q, ref, ENTRY_WAITING);
	queue_note_message(q, e);
	return true;
}

bool
queue_command(struct queue *q, uint64_t id, enum queue_verb verb, uint32_t now_s)
{
	static bool (*const rows[])(struct queue *, uint32_t, uint32_t) = {
	    [QUEUE_HOLD] = command_hold,     [QUEUE_RELEASE] = command_release,
	    [QUEUE_FLUSH] = command_flush,   [QUEUE_REQUEUE] = command_requeue,
	    [QUEUE_REMOVE] = command_remove, [QUEUE_BOUNCE] = command_bounce,
	};
	uint32_t ref;

	if ((size_t)verb >= N_ELEMS(rows) || !rows[verb] ||
	    !idmap_find(&q->ids, id, &ref))
		return false;
	return rows[verb](q, ref, now_s);
}
