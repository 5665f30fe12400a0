/* The jobs of a message are all answered: its sender is told what there is to tell,
 * then it is done, waits, or is held. */
#include "qmgr/queue/internal.h"

/* The first recipient that still waits, for the log. */
static struct span
open_recipient(const struct queue *q, const struct work *w)
{
	const struct entry *e = entry_at(&q->entries, w->ref);

	for (uint32_t i = 0; i < e->n_targets; i++)
		if (entry_target(e, i) == TARGET_OPEN)
			return w->targets[i].recipient;
	return SPAN("");
}

/* The longer a process is away the rarer it is looked for. */
static uint32_t
away_s(const struct queue *q, uint8_t kinds, uint32_t now_s)
{
	uint32_t longest = 1;

	for (size_t kind = 0; kind < JOB_KINDS; kind++)
		for (uint32_t i = 0; i < q->config.instances[kind]; i++) {
			const struct instance *at = &q->instances[kind][i];

			if (kinds & 1 << kind && !at->up &&
			    now_s - at->away_since_s > longest)
				longest = now_s - at->away_since_s;
		}
	return longest < QUEUE_AWAY_MAX_S ? longest : QUEUE_AWAY_MAX_S;
}

/* --- giving up ------------------------------------------------------------ */

static bool
older_than(const struct entry *e, uint32_t seconds, uint32_t now_s)
{
	return now_s > e->arrived_s && now_s - e->arrived_s > seconds;
}

/* What was not tried because a process is away is not given up for that. */
static enum given_up
give_up_why(const struct queue *q, const struct work *w, uint32_t now_s)
{
	const struct entry *e = entry_at(&q->entries, w->ref);

	if (e->flags & ENTRY_GIVE_UP)
		return GIVEN_UP_OPERATOR;
	if (w->away && !w->deferred)
		return GIVEN_UP_NOT;
	return older_than(e, q->config.lifetime_s, now_s) ? GIVEN_UP_LATE
							  : GIVEN_UP_NOT;
}

static void
give_up(struct queue *q, uint32_t work, uint32_t now_s)
{
	struct work *w = &q->works[work];
	struct entry *e = entry_at(&q->entries, w->ref);
	enum given_up why = give_up_why(q, w, now_s);

	for (uint32_t i = 0; why != GIVEN_UP_NOT && i < e->n_targets; i++)
		if (entry_target(e, i) == TARGET_OPEN)
			result_give_up(q, work, i, why);
}

/* --- what becomes of the message ------------------------------------------ */

/* A process that is away is no try of the message, and needs no note: after a crash
 * it would be tried at once anyway. Why a target failed stays known for its report. */
static void
wait_away(struct queue *q, const struct work *w, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, w->ref);

	e->due_s = now_s + (w->away ? away_s(q, w->away, now_s) : REPORT_AGAIN_S);
	if (entry_count(e, TARGET_FAILED) == 0)
		queue_set_reason(q, e, SPAN(QUEUE_AWAY_REASON));
	queue_enter(q, w->ref, ENTRY_WAITING);
}

/* However often it is tried for space, that counts as one try. */
static void
wait_tried(struct queue *q, const struct work *w, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, w->ref);
	uint32_t due_s;

	if (e->tries < UINT16_MAX && !(w->full && e->flags & ENTRY_FULL))
		e->tries++;
	if (w->full)
		e->flags |= ENTRY_FULL;
	else
		e->flags &= (uint16_t)~ENTRY_FULL;
	if (w->full && full_probe(q, now_s))
		due_s = now_s + QUEUE_FULL_PROBE_S;
	else
		due_s = report_due(q, e, now_s, queue_retry_s(q, e->tries, now_s));
	queue_defer(q, w->ref, due_s, open_recipient(q, w));
}

static void
work_result(struct queue *q, const struct work *w, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, w->ref);
	uint16_t flags = e->flags;

	e->flags &= (uint16_t) ~(ENTRY_HOLD | ENTRY_REMOVE | ENTRY_GIVE_UP);
	if (entry_count(e, TARGET_DONE) == e->n_targets)
		queue_finish(q, w->ref, QUEUE_EVENT_DONE);
	else if (flags & ENTRY_REMOVE)
		queue_finish(q, w->ref, QUEUE_EVENT_REMOVED);
	else if (flags & ENTRY_HOLD)
		queue_hold(q, w->ref, SPAN("held by the operator"));
	else if (w->deferred && entry_count(e, TARGET_OPEN) > 0)
		wait_tried(q, w, now_s);
	else
		wait_away(q, w, now_s);
}

void
work_maybe_end(struct queue *q, uint32_t work, uint32_t now_s)
{
	struct work *w = &q->works[work];
	struct entry *e = entry_at(&q->entries, w->ref);
	uint32_t n_targets = e->n_targets;

	if (e->flags & (ENTRY_HOLD | ENTRY_REMOVE | ENTRY_GIVE_UP))
		jobs_cancel(q, work);
	if (w->jobs != ENTRY_NONE)
		return;
	if (!(e->flags & (ENTRY_HOLD | ENTRY_REMOVE))) {
		give_up(q, work, now_s);
		if (report_start(q, work, now_s))
			return;
	}
	work_result(q, w, now_s);
	work_free(q, work, n_targets);
}
