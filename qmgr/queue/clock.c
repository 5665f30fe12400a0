/* A wall clock that was set. Back: what was to be tried at a time that is far away now
 * is due, and what came later than now came now; found by a walk, a piece in each turn.
 * Ahead, or the machine slept: nothing is given up for its age until there was time to
 * see that it is so, and to try. */
#include "qmgr/queue/internal.h"

#define CLOCK_LEAP_S    60   /* less is let pass */
#define CLOCK_DUE_MAX_S 3600 /* a destination is dead or paused no longer */

/* No try is put off for longer. */
static uint32_t
longest_s(const struct queue *q)
{
	uint32_t retry_s = q->config.retry_max_s + q->config.retry_max_s / 8 + 1;

	return retry_s > CLOCK_DUE_MAX_S ? retry_s : CLOCK_DUE_MAX_S;
}

static void
walk_start(struct queue *q, uint32_t now_s)
{
	struct destinations *all = &q->destinations;

	for (uint32_t i = 0; i < all->n; i++)
		if (all->at[i].dead &&
		    all->at[i].dead_until_s > now_s + DESTINATION_DEAD_MAX_S)
			all->at[i].dead_until_s = now_s;
	q->clock_walk = true;
	q->clock_after = 0;
}

void
clock_tick(struct queue *q, uint32_t before_s, uint32_t now_s)
{
	bool back = before_s > now_s && before_s - now_s > CLOCK_LEAP_S;
	bool ahead = now_s > before_s && now_s - before_s > CLOCK_LEAP_S;

	if (back)
		walk_start(q, now_s);
	if (back || ahead)
		q->steady_s = now_s;
}

bool
clock_too_old(const struct queue *q, const struct entry *e, uint32_t now_s)
{
	uint32_t lifetime_s = q->config.lifetime_s;
	uint32_t wait_s = lifetime_s < QUEUE_STEADY_S ? lifetime_s : QUEUE_STEADY_S;

	return entry_older(e, lifetime_s, now_s) && now_s >= q->steady_s &&
	       now_s - q->steady_s > wait_s;
}

static void
clock_one(struct queue *q, uint32_t ref, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, ref);

	if (e->arrived_s > now_s)
		e->arrived_s = now_s; /* its age counts from now on */
	if (e->state != ENTRY_WAITING || e->flags & ENTRY_PARKED || e->due_s <= now_s ||
	    e->due_s - now_s <= longest_s(q))
		return;
	e->due_s = now_s;
	queue_enter(q, ref, ENTRY_WAITING);
}

bool
queue_clock_turn(struct queue *q, size_t n, uint32_t now_s)
{
	uint32_t ref;

	while (q->clock_walk && n-- > 0) {
		q->clock_walk =
		    idmap_next(&q->ids, q->clock_after, &q->clock_after, &ref);
		if (q->clock_walk)
			clock_one(q, ref, now_s);
	}
	return q->clock_walk;
}
