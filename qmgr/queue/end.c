/* The jobs of a message are all answered: its sender is told what there is to tell,
 * then it is done, waits, or is held. */
#include "qmgr/queue/internal.h"

#define PARK_AGAIN_S 5 /* until one that could not be parked is looked at again */

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
uint32_t
queue_away_s(const struct queue *q, uint8_t kinds, uint32_t now_s)
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

/* What was not tried because a process is away, or the operator wants it so, is not
 * given up for that. */
static enum given_up
give_up_why(const struct queue *q, const struct work *w, uint32_t now_s)
{
	const struct entry *e = entry_at(&q->entries, w->ref);

	if (e->flags & ENTRY_GIVE_UP)
		return GIVEN_UP_OPERATOR;
	if ((w->away || w->paused) && !w->deferred)
		return GIVEN_UP_NOT;
	return clock_too_old(q, e, now_s) ? GIVEN_UP_LATE : GIVEN_UP_NOT;
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

/* --- targets whose destination cannot take them ---------------------------- */

void
work_put_off(struct queue *q, uint32_t work, enum admit why, const struct admission *a)
{
	struct work *w = &q->works[work];

	if (why == ADMIT_AWAY) {
		w->away |= 1 << JOB_REMOTE;
		return;
	}
	if (why == ADMIT_FULL) {
		w->parks = true;
	} else {
		queue_set_reason(q, entry_at(&q->entries, w->ref), a->reason);
		if (w->due_s == 0 || a->due_s < w->due_s)
			w->due_s = a->due_s;
	}
	w->put_off = true;
	w->paused |= why == ADMIT_PAUSED;
}

/* --- what becomes of the message ------------------------------------------ */

/* A process that is away is no try of the message, and needs no note: after a crash
 * it would be tried at once anyway. Why a target failed stays known for its report. */
static void
wait_away(struct queue *q, const struct work *w, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, w->ref);

	e->due_s = now_s + (w->away ? queue_away_s(q, w->away, now_s) : REPORT_AGAIN_S);
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

/* Whether its open targets are all in one place; then the message can be put off
 * again without being read. */
static void
open_place_set(struct queue *q, const struct work *w)
{
	struct entry *e = entry_at(&q->entries, w->ref);
	const struct work_target *first = NULL;
	bool one = true;
	uint32_t word;

	for (uint32_t i = 0; i < e->n_targets; i++) {
		const struct work_target *t = &w->targets[i];

		if (entry_target(e, i) != TARGET_OPEN)
			continue;
		first = first ? first : t;
		one = one && target_is_remote(&t->target) &&
		      place_same(&t->target, &first->target);
	}
	e->flags &= (uint16_t)~ENTRY_ONE;
	if (!first)
		return;
	word = place_word(q, &first->target);
	word_drop(&q->words, &e->domain);
	e->domain = word;
	/* The word is made to know its destination. */
	if (one && destination_of(q, word_text(&q->words, word)) != ENTRY_NONE)
		e->flags |= ENTRY_ONE;
}

/* No try, and no note: after a crash it would be looked at at once anyway. */
static void
wait_put_off(struct queue *q, const struct work *w, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, w->ref);

	q->n_put_off++;
	if (w->parks && !w->away && park_possible(q, e)) {
		queue_park(q, w->ref);
		return;
	}
	e->due_s = w->due_s > now_s ? w->due_s : now_s + PARK_AGAIN_S;
	queue_enter(q, w->ref, ENTRY_WAITING);
}

static void
work_result(struct queue *q, const struct work *w, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, w->ref);
	uint16_t flags = e->flags;

	e->flags &= (uint16_t) ~(ENTRY_HOLD | ENTRY_REMOVE | ENTRY_GIVE_UP);
	open_place_set(q, w);
	if (entry_count(e, TARGET_DONE) == e->n_targets)
		queue_finish(q, w->ref, QUEUE_EVENT_DONE);
	else if (flags & ENTRY_REMOVE)
		queue_finish(q, w->ref, QUEUE_EVENT_REMOVED);
	else if (flags & ENTRY_HOLD)
		queue_hold(q, w->ref, SPAN(QUEUE_HELD_REASON));
	else if (w->deferred && entry_count(e, TARGET_OPEN) > 0)
		wait_tried(q, w, now_s);
	else if (w->put_off)
		wait_put_off(q, w, now_s);
	else
		wait_away(q, w, now_s);
}

/* The time for a warning has come, and nobody wants one: it need not be read for that
 * again. */
static void
warning_pass(const struct queue *q, const struct work *w, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, w->ref);

	if (q->config.warning_after_s > 0 && !(w->away & 1 << JOB_BOUNCE) &&
	    !w->reports_later && entry_older(e, q->config.warning_after_s, now_s))
		e->flags |= ENTRY_WARNED;
}

void
work_maybe_end(struct queue *q, uint32_t work, uint32_t now_s)
{
	struct work *w = &q->works[work];
	struct entry *e = entry_at(&q->entries, w->ref);
	uint32_t n_targets = e->n_targets;

	if (e->flags & (ENTRY_HOLD | ENTRY_REMOVE | ENTRY_GIVE_UP))
		jobs_cancel(q, work, now_s);
	if (w->jobs != ENTRY_NONE)
		return;
	if (!(e->flags & (ENTRY_HOLD | ENTRY_REMOVE))) {
		give_up(q, work, now_s);
		if (report_start(q, work, now_s))
			return;
		warning_pass(q, w, now_s);
	}
	work_result(q, w, now_s);
	work_free(q, work, n_targets);
}
