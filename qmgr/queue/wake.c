/* What kept messages waiting is over: all that wait for that reason are due. Found by
 * a walk, a piece in each turn. */
#include "qmgr/queue/internal.h"

void
queue_wake(struct queue *q, uint32_t reason)
{
	struct wake *w;

	if (reason == 0)
		return;
	if (q->n_wakes == QUEUE_WAKES_MAX)
		return; /* they come by themselves, later */
	w = &q->wakes[q->n_wakes++];
	*w =
	    (struct wake){.reason = word_take(&q->words, word_text(&q->words, reason))};
}

static void
wake_one(struct queue *q, uint32_t ref, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, ref);

	if (e->state != ENTRY_WAITING || e->flags & ENTRY_PARKED || e->due_s <= now_s)
		return;
	e->due_s = now_s;
	queue_enter(q, ref, ENTRY_WAITING);
}

static void
wake_end(struct queue *q)
{
	word_drop(&q->words, &q->wakes[0].reason);
	q->n_wakes--;
	memmove(q->wakes, q->wakes + 1, q->n_wakes * sizeof(q->wakes[0]));
}

bool
queue_wake_turn(struct queue *q, size_t n, uint32_t now_s)
{
	uint32_t ref;

	while (q->n_wakes > 0 && n-- > 0) {
		struct wake *w = &q->wakes[0];

		if (!idmap_next(&q->ids, w->after, &w->after, &ref))
			wake_end(q);
		else if (entry_at(&q->entries, ref)->reason == w->reason)
			wake_one(q, ref, now_s);
	}
	return q->n_wakes > 0;
}
