/* What is written down, and what happened, for the log. */
#include "qmgr/queue/internal.h"

/* What an operator said of a message in work is so already. */
static struct note
message_note(const struct queue *q, const struct entry *e)
{
	struct span reason = word_text(&q->words, e->reason);

	if (e->flags & ENTRY_HOLD)
		reason = SPAN(QUEUE_HELD_REASON);
	return (struct note){.kind = NOTE_MESSAGE,
			     .id = e->id,
			     .place = entry_place(e),
			     .arrived_s = e->arrived_s,
			     .due_s = e->due_s,
			     .n_targets = e->n_targets,
			     .tries = e->tries,
			     .held = e->state == ENTRY_HELD || e->flags & ENTRY_HOLD,
			     .warned = e->flags & ENTRY_WARNED,
			     .given_up = e->flags & ENTRY_GIVE_UP,
			     .removed = e->flags & ENTRY_REMOVE,
			     .domain = word_text(&q->words, e->domain),
			     .reason = reason};
}

static void
target_put_note(struct queue *q, const struct entry *e, uint32_t ordinal)
{
	enum target_state s = entry_target(e, ordinal);
	struct note n = {.kind = NOTE_TARGET,
			 .id = e->id,
			 .ordinal = ordinal,
			 .state = s == TARGET_WORK ? TARGET_OPEN : (uint8_t)s};

	note_put(&q->notes, &n);
}

/* Also what became of its targets, the first time in this file. */
void
queue_note_message(struct queue *q, struct entry *e)
{
	struct note n = message_note(q, e);

	note_put(&q->notes, &n);
	if (e->flags & ENTRY_RECORDED)
		return;
	e->flags |= ENTRY_RECORDED;
	for (uint32_t i = 0; i < e->n_targets; i++)
		if (entry_target(e, i) == TARGET_DONE ||
		    entry_target(e, i) == TARGET_FAILED)
			target_put_note(q, e, i);
}

void
queue_note_target(struct queue *q, struct entry *e, uint32_t ordinal)
{
	if (e->flags & ENTRY_RECORDED)
		target_put_note(q, e, ordinal);
	else
		queue_note_message(q, e);
}

void
queue_event_put(struct queue *q, const struct queue_event *event, struct span reason,
		struct span recipient)
{
	struct queue_event *e;

	if (q->n_events == q->size_events) {
		q->size_events = q->size_events ? q->size_events * 2 : 64;
		q->events = memory_resize(q->events, q->size_events, sizeof(*event));
	}
	e = &q->events[q->n_events++];
	*e = *event;
	e->text_at = (uint32_t)q->event_texts.n;
	e->reason_bytes = (uint32_t)reason.n;
	e->recipient_bytes = (uint32_t)recipient.n;
	buf_put(&q->event_texts, reason);
	buf_put(&q->event_texts, recipient);
}

void
queue_event_add(struct queue *q, enum queue_event_kind kind, const struct entry *e,
		struct span recipient)
{
	struct queue_event event = {
	    .kind = kind, .id = e->id, .due_s = e->due_s, .tries = e->tries};

	queue_event_put(q, &event, word_text(&q->words, e->reason), recipient);
}

struct span
queue_event_reason(const struct queue *q, const struct queue_event *e)
{
	return span_first(span_after(buf_span(&q->event_texts), e->text_at),
			  e->reason_bytes);
}

struct span
queue_event_recipient(const struct queue *q, const struct queue_event *e)
{
	return span_first(
	    span_after(buf_span(&q->event_texts), e->text_at + e->reason_bytes),
	    e->recipient_bytes);
}

void
queue_events_clear(struct queue *q)
{
	q->n_events = 0;
	buf_reset(&q->event_texts);
}

void
queue_snapshot_start(struct queue *q)
{
	struct note n = {.kind = NOTE_SNAPSHOT};

	note_put(&q->notes, &n);
	n.kind = NOTE_SEGMENT;
	for (size_t i = 0; i < q->segments.n; i++) {
		n.segment = q->segments.at[i].number;
		n.known_end = q->segments.at[i].known_end;
		note_put(&q->notes, &n);
	}
	pauses_note(q);
	limited_snapshot(q);
	q->snapshot = true;
	q->snapshot_after = 0;
}

bool
queue_snapshot_step(struct queue *q, size_t n)
{
	struct note end = {.kind = NOTE_SNAPSHOT_END};
	uint64_t id;
	uint32_t ref;

	while (q->snapshot && n-- > 0) {
		struct entry *e;

		if (!idmap_next(&q->ids, q->snapshot_after, &id, &ref)) {
			note_put(&q->notes, &end);
			q->snapshot = false;
			break;
		}
		e = entry_at(&q->entries, ref);
		e->flags &= (uint16_t)~ENTRY_RECORDED;
		queue_note_message(q, e);
		q->snapshot_after = id;
	}
	return !q->snapshot;
}
