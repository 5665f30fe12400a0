/* A message that is due: its envelope becomes jobs; when all are answered it is
 * done, deferred or held. */
#include "qmgr/queue/internal.h"

static bool
anybody_up(const struct queue *q)
{
	for (uint32_t i = 0; i < q->config.instances; i++)
		if (q->instances[i].up)
			return true;
	return false;
}

bool
queue_next_load(struct queue *q, uint32_t now_s, struct queue_load *out)
{
	struct entry *e;
	uint32_t ref;

	if (q->n_jobs >= q->config.active_max || !anybody_up(q))
		return false;
	while (heap_due(&q->heap, now_s, &ref)) {
		e = entry_at(&q->entries, ref);
		if (e->flags & ENTRY_MOVING) {
			e->due_s = now_s + 1;
			queue_enter(q, ref, ENTRY_WAITING);
			continue;
		}
		queue_enter(q, ref, ENTRY_LOADING);
		*out = (struct queue_load){ref, e->id, entry_place(e)};
		return true;
	}
	return false;
}

uint32_t
work_new(struct queue *q, uint32_t ref)
{
	uint32_t i = q->free_work;

	if (i == ENTRY_NONE) {
		i = q->n_works++;
		q->works = memory_resize(q->works, q->n_works, sizeof(*q->works));
	} else {
		q->free_work = q->works[i].next;
	}
	q->works[i] = (struct work){.ref = ref};
	return i;
}

static void
work_free(struct queue *q, uint32_t i)
{
	free(q->works[i].bytes);
	q->works[i] = (struct work){.ref = ENTRY_NONE, .next = q->free_work};
	q->free_work = i;
}

static uint32_t
targets_count(const struct envelope *envelope)
{
	struct cursor c = cursor_make(envelope->recipients);
	struct envelope_recipient r;
	uint32_t n = 0;

	while (recipient_next(&c, &r)) {
		size_t k = 0;

		if (target_list_check(r.targets, &k))
			n += (uint32_t)k;
	}
	return n;
}

static void
domain_set(struct queue *q, struct entry *e, struct span address)
{
	if (e->domain == 0)
		e->domain = word_take(
		    &q->words, span_after(address, span_find_last(address, '@') + 1));
}

/* One target: a job, or a reason why not now. */
static void
target_start(struct queue *q, uint32_t work, uint32_t ordinal, const struct target *t,
	     struct span original)
{
	struct entry *e = entry_at(&q->entries, q->works[work].ref);

	domain_set(q, e, t->address);
	if (entry_target(e, ordinal) != TARGET_OPEN)
		return;
	if (t->kind == TARGET_REMOTE) {
		q->works[work].deferred = true;
		queue_set_reason(q, e, SPAN(QUEUE_REMOTE_REASON));
	} else if (!q->instances[t->account % q->config.instances].up) {
		q->works[work].away = true;
	} else {
		job_add(q, work, ordinal, t, original);
	}
}

struct numbered {
	struct target target;
	struct span original;
	uint32_t ordinal;
};

static int
numbered_compare(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	int order;

	if (x->target.account != y->target.account)
		return x->target.account < y->target.account ? -1 : 1;
	order = span_compare(x->target.address, y->target.address);
	if (order != 0)
		return order;
	return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

static void
targets_list(const struct envelope *envelope, struct numbered *out)
{
	struct cursor c = cursor_make(envelope->recipients);
	struct envelope_recipient r;
	struct target t;
	uint32_t n = 0;

	while (recipient_next(&c, &r))
		for (struct cursor k = cursor_make(r.targets); target_next(&k, &t); n++)
			out[n] = (struct numbered){t, r.address, n};
}

/* A mailbox that several recipients lead to gets one copy. */
static void
repeated_drop(struct entry *e, struct numbered *all, uint32_t n)
{
	qsort(all, n, sizeof(*all), numbered_compare);
	for (uint32_t i = 1; i < n; i++)
		if (all[i].target.kind == TARGET_ACCOUNT &&
		    all[i].target.account == all[i - 1].target.account &&
		    span_equal(all[i].target.address, all[i - 1].target.address))
			entry_target_set(e, all[i].ordinal, TARGET_DONE);
}

static void
targets_start(struct queue *q, uint32_t work, uint32_t n)
{
	struct entry *e = entry_at(&q->entries, q->works[work].ref);
	struct numbered *all = memory_new(n, sizeof(*all));

	targets_list(&q->works[work].envelope, all);
	if (n > 1)
		repeated_drop(e, all, n);
	for (uint32_t i = 0; i < n; i++)
		target_start(q, work, all[i].ordinal, &all[i].target, all[i].original);
	free(all);
}

void
queue_loaded(struct queue *q, uint32_t ref, uint64_t arrived_us, char *bytes,
	     uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, ref);
	uint32_t work, n;

	ASSERT(e->state == ENTRY_LOADING);
	work = work_new(q, ref);
	q->works[work].bytes = bytes;
	q->works[work].arrived_us = arrived_us;
	e->arrived_s = (uint32_t)(arrived_us / 1000000);
	if (!envelope_parse(span_make(bytes, e->envelope_bytes),
			    &q->works[work].envelope)) {
		work_free(q, work);
		queue_load_failed(q, ref, SPAN("the envelope is damaged"));
		return;
	}
	n = targets_count(&q->works[work].envelope);
	if (!entry_set_targets(e, n)) {
		work_free(q, work);
		queue_load_failed(q, ref, SPAN("the envelope has changed"));
		return;
	}
	queue_enter(q, ref, ENTRY_WORK);
	e->link = work;
	targets_start(q, work, n);
	work_maybe_end(q, work, now_s);
}

void
queue_load_failed(struct queue *q, uint32_t ref, struct span reason)
{
	struct entry *e = entry_at(&q->entries, ref);

	ASSERT(e->state == ENTRY_LOADING);
	if (e->flags & ENTRY_REMOVE) {
		queue_finish(q, ref, QUEUE_EVENT_REMOVED);
		return;
	}
	e->flags &= (uint8_t)~ENTRY_HOLD;
	queue_hold(q, ref, reason);
}

/* The first recipient that still waits, for the log. */
static struct span
open_recipient(const struct queue *q, const struct work *w)
{
	const struct entry *e = entry_at(&q->entries, w->ref);
	struct cursor c = cursor_make(w->envelope.recipients);
	struct envelope_recipient r;
	struct target t;
	uint32_t n = 0;

	while (recipient_next(&c, &r))
		for (struct cursor k = cursor_make(r.targets); target_next(&k, &t); n++)
			if (entry_target(e, n) == TARGET_OPEN)
				return r.address;
	return SPAN("");
}

static uint32_t
away_s(const struct queue *q, uint32_t now_s)
{
	uint32_t longest = 0;

	for (uint32_t i = 0; i < q->config.instances; i++) {
		const struct instance *at = &q->instances[i];

		if (!at->up && now_s - at->away_since_s > longest)
			longest = now_s - at->away_since_s;
	}
	if (longest > QUEUE_AWAY_MAX_S)
		longest = QUEUE_AWAY_MAX_S;
	return longest ? longest : 1;
}

static void
expire(struct queue *q, uint32_t ref)
{
	const struct entry *e = entry_at(&q->entries, ref);
	struct buf reason = buf_make(WORD_BYTES_MAX);

	buf_put(&reason, SPAN("not delivered in time: "));
	buf_put(&reason,
		span_first(word_text(&q->words, e->reason), WORD_BYTES_MAX - 64));
	queue_hold(q, ref, buf_span(&reason));
	buf_release(&reason);
}

/* Some targets are open. A process that is away is no try of the message, and
 * needs no note: after a crash it would be tried at once anyway. However often it is
 * tried for space, that counts as one try. */
static void
wait_more(struct queue *q, const struct work *w, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, w->ref);
	uint32_t due_s;

	if (w->away && !w->deferred) {
		e->due_s = now_s + away_s(q, now_s);
		queue_set_reason(q, e, SPAN(QUEUE_AWAY_REASON));
		queue_enter(q, w->ref, ENTRY_WAITING);
		return;
	}
	if (e->tries < UINT16_MAX && !(w->full && e->flags & ENTRY_FULL))
		e->tries++;
	e->flags = (uint8_t)(w->full ? e->flags | ENTRY_FULL : e->flags & ~ENTRY_FULL);
	if (now_s > e->arrived_s && now_s - e->arrived_s > q->config.lifetime_s) {
		expire(q, w->ref);
		return;
	}
	if (w->full && full_probe(q, now_s))
		due_s = now_s + QUEUE_FULL_PROBE_S;
	else
		due_s = queue_retry_s(q, e->tries, now_s);
	queue_defer(q, w->ref, due_s, open_recipient(q, w));
}

static void
work_result(struct queue *q, const struct work *w, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, w->ref);
	uint8_t flags = e->flags;

	e->flags &= (uint8_t) ~(ENTRY_HOLD | ENTRY_REMOVE);
	if (entry_count(e, TARGET_DONE) == e->n_targets)
		queue_finish(q, w->ref, QUEUE_EVENT_DONE);
	else if (flags & ENTRY_REMOVE)
		queue_finish(q, w->ref, QUEUE_EVENT_REMOVED);
	else if (flags & ENTRY_HOLD)
		queue_hold(q, w->ref, SPAN("held by the operator"));
	else if (entry_count(e, TARGET_OPEN) > 0)
		wait_more(q, w, now_s);
	else
		queue_hold(q, w->ref, word_text(&q->words, e->reason));
}

void
work_maybe_end(struct queue *q, uint32_t work, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, q->works[work].ref);

	if (e->flags & (ENTRY_HOLD | ENTRY_REMOVE))
		jobs_cancel(q, work);
	if (q->works[work].n_jobs > 0)
		return;
	work_result(q, &q->works[work], now_s);
	work_free(q, work);
}
