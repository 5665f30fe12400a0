/* Messages that wait for space on the disk of the mailboxes. */
#include "qmgr/queue/internal.h"

bool
full_said(struct span text)
{
	return span_starts(text, SPAN("4.3.1 "));
}

bool
full_probe(struct queue *q, uint32_t now_s)
{
	struct full *f = &q->full;

	if (now_s - f->window_s >= QUEUE_FULL_PROBE_S) {
		f->window_s = now_s;
		f->n_probes = 0;
	}
	if (f->n_probes == QUEUE_FULL_PROBES)
		return false;
	f->n_probes++;
	return true;
}

void
full_over(struct queue *q)
{
	if (q->full.over)
		return;
	q->full.over = true;
	q->full.after = 0;
}

/* What fails again is marked again. */
static void
release(struct queue *q, uint32_t ref, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, ref);

	if (!(e->flags & ENTRY_FULL))
		return;
	e->flags &= (uint16_t)~ENTRY_FULL;
	if (e->state != ENTRY_WAITING)
		return;
	e->due_s = now_s;
	queue_enter(q, ref, ENTRY_WAITING);
}

bool
queue_full_turn(struct queue *q, size_t n, uint32_t now_s)
{
	uint32_t ref;

	while (q->full.over && n-- > 0) {
		q->full.over = idmap_next(&q->ids, q->full.after, &q->full.after, &ref);
		if (q->full.over)
			release(q, ref, now_s);
	}
	return q->full.over;
}
