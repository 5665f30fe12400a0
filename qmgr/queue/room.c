/* Segments: which are needed no more, which are to be emptied. */
#include "qmgr/queue/internal.h"

void
queue_set_current(struct queue *q, uint32_t segment)
{
	segments_set_current(&q->segments, segment);
}

bool
queue_next_done(struct queue *q, uint32_t *segment)
{
	for (size_t i = 0; i < q->segments.n; i++) {
		struct queue_segment *s = &q->segments.at[i];

		if (s->use != SEGMENT_DONE)
			continue;
		s->use = SEGMENT_RELEASED;
		*segment = s->number;
		return true;
	}
	return false;
}

bool
queue_segment_released(const struct queue *q, uint32_t segment)
{
	const struct queue_segment *s = segment_find(&q->segments, segment);

	return s && s->use == SEGMENT_RELEASED;
}

void
queue_segment_known(struct queue *q, uint32_t segment, uint64_t end, uint32_t now_s)
{
	struct queue_segment *s = segment_need(&q->segments, segment, now_s);

	if (end > s->known_end)
		s->known_end = end;
}

void
queue_segment_pin(struct queue *q, uint32_t segment, uint32_t now_s)
{
	segment_need(&q->segments, segment, now_s)->use = SEGMENT_PINNED;
}

uint64_t
queue_segment_end(const struct queue *q, uint32_t segment)
{
	const struct queue_segment *s = segment_find(&q->segments, segment);

	return s ? s->known_end : 0;
}

void
queue_segment_remains(struct queue *q, uint32_t segment)
{
	struct queue_segment *s = segment_find(&q->segments, segment);

	if (s && s->use == SEGMENT_RELEASED)
		s->use = SEGMENT_DONE;
}

void
queue_segments_listed(struct queue *q, const uint64_t *numbers, size_t n)
{
	segments_forget_gone(&q->segments, numbers, n);
}

void
queue_empty_start(struct queue *q, uint32_t now_s)
{
	if (q->emptying)
		return;
	for (size_t i = 0; i < q->segments.n; i++) {
		struct queue_segment *s = &q->segments.at[i];

		s->emptying = s->live > 0 && s->number != q->segments.current &&
			      now_s - s->first_s > QUEUE_EMPTY_AGE_S &&
			      s->live_bytes < s->known_end / 100 * QUEUE_EMPTY_PERCENT;
		q->emptying = q->emptying || s->emptying;
	}
	q->empty_after = 0;
}

static bool
movable(const struct queue *q, const struct entry *e, uint32_t now_s)
{
	const struct queue_segment *s = segment_find(&q->segments, e->segment);

	if (!s || !s->emptying || e->flags & ENTRY_MOVING)
		return false;
	return e->state == ENTRY_HELD ||
	       (e->state == ENTRY_WAITING && e->due_s > now_s + 10);
}

bool
queue_next_move(struct queue *q, uint32_t now_s, size_t n, uint64_t *id,
		struct place *p)
{
	uint32_t ref;

	while (q->emptying && q->n_moving < QUEUE_MOVES_MAX && n-- > 0) {
		struct entry *e;

		if (!idmap_next(&q->ids, q->empty_after, &q->empty_after, &ref)) {
			q->emptying = false;
			break;
		}
		e = entry_at(&q->entries, ref);
		if (!movable(q, e, now_s))
			continue;
		e->flags |= ENTRY_MOVING;
		q->n_moving++;
		*id = e->id;
		*p = entry_place(e);
		return true;
	}
	return false;
}
