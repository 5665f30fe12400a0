/* Messages that are due, but whose destination cannot take them: put off, or parked
 * until there is room, without reading their envelopes. */
#include "qmgr/queue/internal.h"

#define DRAIN_A_TICK  2000 /* parked messages of a dead destination */
#define PARKED_A_TICK 1000 /* destinations looked at */
#define LATE_A_TICK   100  /* messages of one that are looked at for their age */

/* --- may a message of it be tried? ---------------------------------------- */

static enum admit
dead_admit(struct queue *q, struct destination *d, uint32_t now_s,
	   struct admission *out)
{
	if (now_s >= d->dead_until_s && d->n_jobs == 0)
		return ADMIT_NOW; /* to see whether it is alive */
	out->reason = word_text(&q->words, d->reason);
	out->due_s = now_s + QUEUE_AWAY_MAX_S;
	if (now_s < d->dead_until_s)
		out->due_s = d->dead_until_s;
	/* The first is there when the back-off ends, the others spread. */
	if (d->probe_due_s == d->dead_until_s)
		out->due_s += queue_random(q, d->backoff_s + 1);
	d->probe_due_s = d->dead_until_s;
	return ADMIT_LATER;
}

static bool
room(const struct queue *q, uint32_t destination, uint64_t flow, uint32_t now_s)
{
	struct destination *d = &q->destinations.at[destination];
	uint32_t f;

	if (d->n_jobs < pace_jobs_max(q, d, now_s) &&
	    q->n_of[JOB_REMOTE] < q->config.active_max)
		return true;
	if (flow == 0 || q->n_of[JOB_REMOTE] >= 2 * q->config.active_max)
		return false;
	f = flow_find(&q->destinations.flows, destination, flow);
	return f == ENTRY_NONE ||
	       q->destinations.flows.at[f].n_jobs < DESTINATION_SENDER_FREE;
}

enum admit
destination_admit(struct queue *q, uint32_t destination, struct span domain,
		  uint64_t flow, uint32_t now_s, struct admission *out)
{
	struct destination *d = &q->destinations.at[destination];
	uint32_t instance = destination_instance(q, destination);

	destination_used(q, destination, now_s);
	if (pause_find(q, domain, &out->reason)) {
		out->due_s =
		    now_s + DESTINATION_PAUSE_S + queue_random(q, DESTINATION_PAUSE_S);
		return ADMIT_PAUSED;
	}
	if (!q->instances[JOB_REMOTE][instance].up)
		return ADMIT_AWAY;
	if (d->dead)
		return dead_admit(q, d, now_s, out);
	return room(q, destination, flow, now_s) ? ADMIT_NOW : ADMIT_FULL;
}

/* --- waiting messages ----------------------------------------------------- */

/* Where all its open targets are, when that is known without its envelope. */
static uint32_t
entry_destination(const struct queue *q, const struct entry *e)
{
	const struct word *w;

	if (e->domain == 0 || (e->n_targets != 1 && !(e->flags & ENTRY_ONE)))
		return ENTRY_NONE;
	w = &q->words.at[e->domain];
	return destination_tagged(q, w) ? w->tag : ENTRY_NONE;
}

void
park_dead_ask(struct queue *q, const struct entry *e, uint32_t now_s)
{
	uint32_t i = entry_destination(q, e);

	if (i != ENTRY_NONE && q->destinations.at[i].dead &&
	    q->destinations.at[i].dead_until_s > now_s)
		q->destinations.at[i].dead_until_s = now_s;
}

/* Something is to be done with it whatever its destination says. */
static bool
pressing(const struct queue *q, const struct entry *e, uint32_t now_s)
{
	return e->flags & (ENTRY_GIVE_UP | ENTRY_HOLD | ENTRY_REMOVE) ||
	       entry_count(e, TARGET_FAILED) > 0 || /* its sender waits */
	       clock_too_old(q, e, now_s) ||
	       (q->config.warning_after_s > 0 && !(e->flags & ENTRY_WARNED) &&
		entry_older(e, q->config.warning_after_s, now_s));
}

static void
parked_list_add(struct destinations *all, uint32_t destination)
{
	if (all->n_parked == all->size_parked) {
		all->size_parked = all->size_parked ? all->size_parked * 2 : 16;
		all->parked =
		    memory_resize(all->parked, all->size_parked, sizeof(uint32_t));
	}
	all->at[destination].parked_at = all->n_parked;
	all->parked[all->n_parked++] = destination;
}

static void
parked_list_remove(struct destinations *all, uint32_t destination)
{
	struct destination *d = &all->at[destination];
	uint32_t last = all->parked[--all->n_parked];

	all->parked[d->parked_at] = last;
	all->at[last].parked_at = d->parked_at;
	d->parked_at = ENTRY_NONE;
}

void
park_add(struct queue *q, uint32_t ref)
{
	struct entry *e = entry_at(&q->entries, ref);
	uint32_t i = entry_destination(q, e);
	struct destination *d = &q->destinations.at[i];

	e->flags |= ENTRY_PARKED;
	heap_add(&d->parked, &q->entries, ref);
	q->destinations.n_parked_messages++;
	if (d->parked_at == ENTRY_NONE)
		parked_list_add(&q->destinations, i);
}

void
park_remove(struct queue *q, uint32_t ref)
{
	struct entry *e = entry_at(&q->entries, ref);
	uint32_t i = q->words.at[e->domain].tag;
	struct destination *d = &q->destinations.at[i];

	e->flags &= (uint16_t)~ENTRY_PARKED;
	heap_remove(&d->parked, &q->entries, ref);
	q->destinations.n_parked_messages--;
	if (d->parked.n > 0)
		return;
	heap_release(&d->parked);
	parked_list_remove(&q->destinations, i);
}

bool
park_possible(const struct queue *q, const struct entry *e)
{
	return entry_destination(q, e) != ENTRY_NONE;
}

bool
queue_put_off(struct queue *q, uint32_t ref, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, ref);
	uint32_t i = entry_destination(q, e);
	struct admission a = {0};

	if (i == ENTRY_NONE || pressing(q, e, now_s))
		return false;
	switch (destination_admit(
	    q, i, queue_place_domain(word_text(&q->words, e->domain)), 0, now_s, &a)) {
	case ADMIT_NOW:
		return false;
	case ADMIT_FULL:
		queue_park(q, ref);
		return true;
	case ADMIT_AWAY:
		a.reason = SPAN(QUEUE_AWAY_REASON);
		a.due_s = now_s + queue_away_s(q, 1 << JOB_REMOTE, now_s);
		break;
	case ADMIT_LATER:
	case ADMIT_PAUSED:
		break;
	}
	queue_set_reason(q, e, a.reason);
	e->due_s = a.due_s;
	queue_enter(q, ref, ENTRY_WAITING);
	q->n_put_off++;
	return true;
}

bool
park_next(struct queue *q, uint32_t now_s, uint32_t *ref)
{
	struct destinations *all = &q->destinations;

	for (uint32_t n = 0; n < DESTINATION_BLOCKED && n < all->n_parked; n++) {
		uint32_t i = all->parked[all->hand++ % all->n_parked];
		struct destination *d = &all->at[i];

		if (d->dead || !room(q, i, 0, now_s))
			continue;
		*ref = d->parked.slots[0].ref;
		return true;
	}
	return false;
}

/* --- time and death ------------------------------------------------------- */

/* From the park to where they are looked at by time. */
static void
unpark(struct queue *q, uint32_t destination, uint32_t n, uint32_t now_s)
{
	struct destination *d = &q->destinations.at[destination];

	while (n-- > 0 && d->parked.n > 0) {
		uint32_t ref = d->parked.slots[0].ref;

		entry_at(&q->entries, ref)->due_s = now_s;
		queue_enter(q, ref, ENTRY_WAITING);
	}
}

static void
late_unpark(struct queue *q, uint32_t destination, uint32_t now_s)
{
	const struct destination *d = &q->destinations.at[destination];

	for (uint32_t n = 0; n < LATE_A_TICK && d->parked.n > 0; n++) {
		if (!pressing(q, entry_at(&q->entries, d->parked.slots[0].ref), now_s))
			return;
		unpark(q, destination, 1, now_s);
	}
}

void
park_tick(struct queue *q, uint32_t now_s)
{
	struct destinations *all = &q->destinations;
	uint32_t n = all->n_parked < PARKED_A_TICK ? all->n_parked : PARKED_A_TICK;

	while (n-- > 0 && all->n_parked > 0) {
		uint32_t i = all->parked[all->hand++ % all->n_parked];

		if (all->at[i].dead)
			unpark(q, i, DRAIN_A_TICK, now_s);
		else
			late_unpark(q, i, now_s);
	}
}

void
park_release(struct queue *q, uint32_t now_s)
{
	while (q->destinations.n_parked > 0)
		unpark(q, q->destinations.parked[0], UINT32_MAX, now_s);
}

/* The jobs in its line end; they were no tries. */
void
park_destination_dead(struct queue *q, uint32_t destination, uint32_t now_s)
{
	const struct line *l = &q->destinations.at[destination].line;

	while (l->n > 0) {
		struct job *j = &q->jobs[l->jobs[0]];
		uint32_t work = j->work;
		struct admission a = {.due_s = now_s};

		if (destination_admit(q, destination, SPAN(""), 0, now_s, &a) ==
		    ADMIT_LATER)
			work_put_off(q, work, ADMIT_LATER, &a);
		job_drop(q, j, now_s);
		work_maybe_end(q, work, now_s);
		l = &q->destinations.at[destination].line;
	}
}
