#include "qmgr/queue/internal.h"

#define NOTES_BYTES_MAX (1u << 30)

struct queue *
queue_new(const struct queue_config *config)
{
	struct queue *q = memory_new(1, sizeof(*q));

	for (size_t kind = 0; kind < JOB_KINDS; kind++) {
		ASSERT(config->instances[kind] > 0 &&
		       config->instances[kind] <= QUEUE_INSTANCES_MAX);
		for (size_t i = 0; i < QUEUE_INSTANCES_MAX; i++)
			q->instances[kind][i].first = q->instances[kind][i].last =
			    ENTRY_NONE;
	}
	q->config = *config;
	limits_init(&q->limits);
	q->relay_list = buf_make(2 * RELAY_LIST_BYTES_MAX);
	q->report_request = buf_make(DSN_REQUEST_BYTES_MAX);
	q->destinations.free = q->destinations.flows.free = ENTRY_NONE;
	q->destinations.oldest = q->destinations.newest = ENTRY_NONE;
	q->notes = buf_make(NOTES_BYTES_MAX);
	q->event_texts = buf_make(NOTES_BYTES_MAX);
	q->free_work = q->free_job = ENTRY_NONE;
	q->random = config->seed;
	return q;
}

void
queue_configure(struct queue *q, const struct queue_config *config, uint32_t now_s)
{
	struct queue_config c = *config;

	memcpy(c.instances, q->config.instances, sizeof(c.instances));
	q->config = c;
	park_release(q, now_s);
	destinations_reconfigure(q);
}

void
queue_free(struct queue **queue)
{
	struct queue *q = *queue;

	if (!q)
		return;
	works_release(q);
	free(q->jobs);
	free(q->events);
	buf_release(&q->notes);
	buf_release(&q->event_texts);
	entries_release(&q->entries);
	idmap_release(&q->ids);
	idmap_release(&q->dead);
	heap_release(&q->heap);
	words_release(&q->words);
	destinations_release(&q->destinations);
	limits_release(&q->limits);
	buf_release(&q->relay_list);
	buf_release(&q->report_request);
	segments_release(&q->segments);
	free(q);
	*queue = NULL;
}

static void
state_leave(struct queue *q, uint32_t ref)
{
	const struct entry *e = entry_at(&q->entries, ref);

	if (e->state == ENTRY_WAITING && e->flags & ENTRY_PARKED)
		park_remove(q, ref);
	else if (e->state == ENTRY_WAITING)
		heap_remove(&q->heap, &q->entries, ref);
	if (e->state == ENTRY_HELD)
		q->n_held--;
}

void
queue_enter(struct queue *q, uint32_t ref, enum entry_state to)
{
	struct entry *e = entry_at(&q->entries, ref);

	state_leave(q, ref);
	e->state = (uint8_t)to;
	e->link = ENTRY_NONE;
	if (to == ENTRY_WAITING)
		heap_add(&q->heap, &q->entries, ref);
	if (to == ENTRY_HELD)
		q->n_held++;
}

void
queue_park(struct queue *q, uint32_t ref)
{
	state_leave(q, ref);
	entry_at(&q->entries, ref)->state = ENTRY_WAITING;
	park_add(q, ref);
}

void
queue_set_reason(struct queue *q, struct entry *e, struct span reason)
{
	uint32_t word = word_take(&q->words, reason);

	word_drop(&q->words, &e->reason);
	e->reason = word;
}

/* A known message is somewhere else now. */
static bool
place_change(struct queue *q, struct entry *e, const struct place *p, uint32_t now_s)
{
	struct place old = entry_place(e);

	if (p->segment <= old.segment)
		return false;
	entry_set_place(e, p);
	segment_enter(&q->segments, p, now_s);
	queue_note_message(q, e);
	segment_leave(&q->segments, &old);
	return true;
}

static void
moving_end(struct queue *q, struct entry *e)
{
	if (e->flags & ENTRY_MOVING) {
		e->flags &= (uint16_t)~ENTRY_MOVING;
		q->n_moving--;
	}
}

static bool
known_add(struct queue *q, uint32_t ref, const struct place *p, unsigned origin,
	  uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, ref);

	/* Jobs read at the old place; a copy found meanwhile is not needed. */
	if (!(origin & QUEUE_MOVED) || e->state == ENTRY_LOADING ||
	    e->state == ENTRY_WORK)
		return false;
	moving_end(q, e);
	return place_change(q, e, p, now_s);
}

static bool
already_known(const struct queue *q, uint64_t id, const struct place *p)
{
	uint32_t ref;

	return p->offset < queue_segment_end(q, p->segment) ||
	       idmap_find(&q->dead, id, &ref);
}

/* A copy whose original is gone is the message, where the notes may have lost it. */
static bool
only_a_copy(const struct queue *q, unsigned origin)
{
	return origin & QUEUE_MOVED && !(q->doubt && origin & QUEUE_FOUND);
}

/* A message that was never seen before. */
static void
fresh_add(struct queue *q, uint64_t id, const struct place *p, unsigned origin,
	  uint32_t now_s)
{
	uint32_t ref = entry_new(&q->entries);
	struct entry *e = entry_at(&q->entries, ref);

	e->id = id;
	e->arrived_s = now_s;
	e->due_s = now_s;
	e->flags = origin & QUEUE_FOUND ? ENTRY_REPLAY : 0;
	entry_set_place(e, p);
	ASSERT(idmap_add(&q->ids, id, ref));
	segment_enter(&q->segments, p, now_s);
	queue_enter(q, ref, ENTRY_WAITING);
}

bool
queue_add(struct queue *q, uint64_t id, const struct place *p, unsigned origin,
	  uint32_t now_s)
{
	uint32_t ref;
	bool known;

	if (id == 0 || !place_possible(p))
		return false;
	known = already_known(q, id, p);
	/* What a search finds may have unknown records before it; what spoold tells
	 * comes in order. */
	if (!(origin & QUEUE_FOUND))
		queue_segment_known(q, p->segment, place_end(p), now_s);
	if (idmap_find(&q->ids, id, &ref))
		return known_add(q, ref, p, origin, now_s);
	if (known || only_a_copy(q, origin))
		return false;
	fresh_add(q, id, p, origin, now_s);
	return true;
}

void
queue_move_failed(struct queue *q, uint64_t id)
{
	uint32_t ref;

	if (idmap_find(&q->ids, id, &ref))
		moving_end(q, entry_at(&q->entries, ref));
}

void
queue_moves_forget(struct queue *q)
{
	const struct entry *e;
	uint64_t after = 0;

	while (q->n_moving > 0 && (e = queue_walk(q, after))) {
		after = e->id;
		queue_move_failed(q, e->id);
	}
}

void
queue_finish(struct queue *q, uint32_t ref, enum queue_event_kind why)
{
	struct entry *e = entry_at(&q->entries, ref);
	struct note n = {.kind = NOTE_DONE, .id = e->id};
	struct place p = entry_place(e);

	note_put(&q->notes, &n);
	queue_event_add(q, why, e, SPAN(""));
	queue_enter(q, ref, ENTRY_FREE);
	moving_end(q, e);
	segment_leave(&q->segments, &p);
	idmap_remove(&q->ids, e->id);
	word_drop(&q->words, &e->reason);
	word_drop(&q->words, &e->domain);
	entry_free(&q->entries, ref);
	q->n_done++;
}

void
queue_defer(struct queue *q, uint32_t ref, uint32_t due_s, struct span recipient)
{
	struct entry *e = entry_at(&q->entries, ref);

	e->due_s = due_s;
	queue_enter(q, ref, ENTRY_WAITING);
	queue_note_message(q, e);
	queue_event_add(q, QUEUE_EVENT_DEFERRED, e, recipient);
	q->n_deferred++;
}

void
queue_hold(struct queue *q, uint32_t ref, struct span reason)
{
	struct entry *e = entry_at(&q->entries, ref);

	queue_set_reason(q, e, reason);
	queue_enter(q, ref, ENTRY_HELD);
	queue_note_message(q, e);
	queue_event_add(q, QUEUE_EVENT_HELD, e, SPAN(""));
}

/* splitmix64 */
static uint64_t
random_next(struct queue *q)
{
	uint64_t z = q->random += 0x9e3779b97f4a7c15u;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
	z = (z ^ z >> 27) * 0x94d049bb133111ebu;
	return z ^ z >> 31;
}

uint32_t
queue_random(struct queue *q, uint32_t n)
{
	return n > 0 ? (uint32_t)(random_next(q) % n) : 0;
}

uint32_t
queue_retry_s(struct queue *q, uint32_t tries, uint32_t now_s)
{
	uint64_t delay = q->config.retry_min_s;

	for (uint32_t i = 1; i < tries && delay < q->config.retry_max_s; i++)
		delay *= 2;
	if (delay > q->config.retry_max_s)
		delay = q->config.retry_max_s;
	/* An eighth more or less, so that what failed together does not come back
	 * together. */
	delay = delay - delay / 8 + random_next(q) % (delay / 4 + 1);
	return now_s + (uint32_t)(delay ? delay : 1);
}

const struct entry *
queue_walk(const struct queue *q, uint64_t after)
{
	uint64_t id;
	uint32_t ref;

	return idmap_next(&q->ids, after, &id, &ref) ? entry_at(&q->entries, ref)
						     : NULL;
}

const struct entry *
queue_find(const struct queue *q, uint64_t id)
{
	uint32_t ref;

	return idmap_find(&q->ids, id, &ref) ? entry_at(&q->entries, ref) : NULL;
}

enum queue_status
queue_entry_status(const struct entry *e)
{
	if (e->state == ENTRY_HELD)
		return QUEUE_HELD;
	/* What was put off has a reason, though it was not tried. */
	return e->state == ENTRY_WAITING && (e->tries > 0 || e->reason != 0)
		   ? QUEUE_DEFERRED
		   : QUEUE_ACTIVE;
}
