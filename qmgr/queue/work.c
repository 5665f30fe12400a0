/* A message that is due: its envelope becomes jobs. */
#include "qmgr/queue/internal.h"

static bool
anybody_up(const struct queue *q)
{
	for (size_t kind = 0; kind < JOB_KINDS; kind++)
		for (uint32_t i = 0; i < q->config.instances[kind]; i++)
			if (q->instances[kind][i].up)
				return true;
	return false;
}

/* The next that is due and may be tried, as far as that is known without its
 * envelope. */
static bool
due_next(struct queue *q, uint32_t now_s, uint32_t *ref)
{
	for (uint32_t n = 0; heap_due(&q->heap, now_s, ref); n++) {
		struct entry *e = entry_at(&q->entries, *ref);

		if (n == QUEUE_PUT_OFF_MAX) {
			q->more_due = true;
			return false;
		}
		if (e->flags & ENTRY_MOVING) {
			e->due_s = now_s + 1;
			queue_enter(q, *ref, ENTRY_WAITING);
		} else if (!queue_put_off(q, *ref, now_s)) {
			return true;
		}
	}
	return false;
}

bool
queue_next_load(struct queue *q, uint32_t now_s, struct queue_load *out)
{
	const struct entry *e;
	uint32_t ref;

	q->more_due = false;
	if (q->n_of[JOB_LOCAL] >= q->config.active_max || !anybody_up(q))
		return false;
	/* What was parked takes turns with what is due. */
	q->parked_turn = !q->parked_turn;
	if (!(q->parked_turn && park_next(q, now_s, &ref)) &&
	    !due_next(q, now_s, &ref) && !park_next(q, now_s, &ref))
		return false;
	e = entry_at(&q->entries, ref);
	queue_enter(q, ref, ENTRY_LOADING);
	*out = (struct queue_load){ref, e->id, entry_place(e)};
	return true;
}

static uint32_t
work_new(struct queue *q, uint32_t ref)
{
	uint32_t i = q->free_work;

	if (i == ENTRY_NONE) {
		if (q->n_works == q->size_works) {
			q->size_works = q->size_works ? q->size_works * 2 : 64;
			q->works =
			    memory_resize(q->works, q->size_works, sizeof(*q->works));
		}
		i = q->n_works++;
	} else {
		q->free_work = q->works[i].next;
	}
	q->works[i] = (struct work){.ref = ref, .jobs = ENTRY_NONE};
	return i;
}

static void
work_release(struct work *w, uint32_t n_targets)
{
	for (uint32_t i = 0; w->targets && i < n_targets; i++)
		free(w->targets[i].result.bytes);
	free(w->targets);
	free(w->bytes);
}

void
work_free(struct queue *q, uint32_t i, uint32_t n_targets)
{
	work_release(&q->works[i], n_targets);
	q->works[i] = (struct work){.ref = ENTRY_NONE, .next = q->free_work};
	q->free_work = i;
}

void
works_release(struct queue *q)
{
	for (uint32_t i = 0; i < q->n_works; i++)
		if (q->works[i].ref != ENTRY_NONE)
			work_release(&q->works[i],
				     entry_at(&q->entries, q->works[i].ref)->n_targets);
	free(q->works);
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

/* An address that leads to several: they have all of its wishes but that for success,
 * of which is told once. An answer is nothing that it leads to. */
static void
expanded_set(struct work_target *all, uint32_t n)
{
	uint8_t notify = all[0].notify & (uint8_t)~ENVELOPE_NOTIFY_SUCCESS;
	uint32_t n_real = 0, first = n;

	for (uint32_t i = n; i-- > 0;)
		if (all[i].target.kind != TARGET_REPLY) {
			n_real++;
			first = i;
		}
	if ((n_real < 2 && all[0].target.owner.n == 0) || first == n ||
	    notify == all[0].notify)
		return;
	all[first].expanded = true;
	for (uint32_t i = 0; i < n; i++)
		all[i].notify = notify ? notify : ENVELOPE_NOTIFY_NEVER;
}

/* What the sender wished is none of the owner's, who hears of what fails. */
static void
owned_set(struct work_target *all, uint32_t n)
{
	for (uint32_t i = 0; i < n; i++)
		if (all[i].target.owner.n > 0)
			all[i].notify = 0;
}

static struct work_target *
targets_list(const struct envelope *envelope, uint32_t n)
{
	struct work_target *all = memory_new(n, sizeof(*all));
	struct cursor c = cursor_make(envelope->recipients);
	struct envelope_recipient r;
	struct target t;
	uint32_t i = 0, first = 0;

	for (; recipient_next(&c, &r); first = i) {
		for (struct cursor k = cursor_make(r.targets); target_next(&k, &t); i++)
			all[i] = (struct work_target){.target = t,
						      .recipient = r.address,
						      .orcpt = r.orcpt,
						      .notify = r.notify,
						      .next = ENTRY_NONE};
		expanded_set(all + first, i - first);
		owned_set(all + first, i - first);
	}
	return all;
}

struct span
work_sender(const struct work *w, const struct work_target *t)
{
	if (t->target.owner.n > 0)
		return t->target.owner;
	return t->target.kind == TARGET_FORWARD ? t->target.sender : w->envelope.sender;
}

/* --- one copy for those who are named twice ------------------------------- */

struct numbered {
	const struct work_target *target;
	uint32_t ordinal;
};

static int
target_compare(const struct target *x, const struct target *y)
{
	int order;

	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	if (x->account != y->account)
		return x->account < y->account ? -1 : 1;
	order = span_compare(x->address, y->address);
	if (order == 0)
		order = span_compare(x->sender, y->sender);
	return order != 0 ? order : span_compare(x->next_hop, y->next_hop);
}

static int
numbered_compare(const void *a, const void *b)
{
	const struct numbered *x = a, *y = b;
	int order = target_compare(&x->target->target, &y->target->target);

	if (order != 0)
		return order;
	return x->ordinal < y->ordinal ? -1 : x->ordinal > y->ordinal;
}

/* A mailbox, here or elsewhere, that several recipients lead to gets one copy. */
static void
repeated_drop(struct entry *e, const struct work_target *targets, uint32_t n)
{
	struct numbered *all = memory_new(n, sizeof(*all));

	for (uint32_t i = 0; i < n; i++)
		all[i] = (struct numbered){&targets[i], i};
	qsort(all, n, sizeof(*all), numbered_compare);
	for (uint32_t i = 1; i < n; i++)
		if (target_compare(&all[i].target->target,
				   &all[i - 1].target->target) == 0)
			entry_target_set(e, all[i].ordinal, TARGET_DONE);
	free(all);
}

/* --- start ---------------------------------------------------------------- */

static void
domain_set(struct queue *q, struct entry *e, const struct target *t)
{
	if (e->domain == 0)
		e->domain = place_word(q, t);
}

static void
targets_start(struct queue *q, uint32_t work, uint32_t n, uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, q->works[work].ref);
	struct work_target *all = q->works[work].targets;
	uint32_t one, *relays = n > 1 ? memory_new(n, sizeof(*relays)) : &one;
	uint32_t n_relays = 0;

	domain_set(q, e, &all[0].target);
	if (n > 1)
		repeated_drop(e, all, n);
	for (uint32_t i = 0; i < n && !(e->flags & ENTRY_GIVE_UP); i++) {
		if (entry_target(e, i) != TARGET_OPEN)
			continue;
		if (all[i].target.kind == TARGET_ACCOUNT) {
			local_start(q, work, i);
			continue;
		}
		if (all[i].target.kind == TARGET_REPLY) {
			reply_start(q, work, i);
			continue;
		}
		all[i].destination = destination_of_target(q, &all[i].target);
		relays[n_relays++] = i;
	}
	if (n_relays > 0)
		relay_start(q, work, relays, n_relays, now_s);
	if (n > 1)
		free(relays);
}

/* Seen for the first time, and not to be tried before an operator lets it go. */
static bool
first_hold(struct queue *q, uint32_t ref, const struct envelope *envelope,
	   uint32_t now_s)
{
	if (limited_hold(q, ref, envelope, now_s))
		return true;
	if (!(envelope->flags & ENVELOPE_HOLD))
		return false;
	entry_at(&q->entries, ref)->flags &= (uint16_t)~ENTRY_HOLD;
	queue_hold(q, ref, SPAN("held by an access table"));
	return true;
}

void
queue_loaded(struct queue *q, uint32_t ref, uint64_t arrived_us, char *bytes,
	     uint32_t now_s)
{
	struct entry *e = entry_at(&q->entries, ref);
	uint32_t work, n;
	bool fresh;

	ASSERT(e->state == ENTRY_LOADING);
	work = work_new(q, ref);
	q->works[work].bytes = bytes;
	q->works[work].arrived_us = arrived_us;
	if (arrived_us / 1000000 < e->arrived_s)
		e->arrived_s = (uint32_t)(arrived_us / 1000000);
	if (!envelope_parse(span_make(bytes, e->envelope_bytes),
			    &q->works[work].envelope)) {
		work_free(q, work, 0);
		queue_load_failed(q, ref, SPAN("the envelope is damaged"));
		return;
	}
	fresh = e->n_targets == 0 && !(e->flags & (ENTRY_REMOVE | ENTRY_GIVE_UP));
	n = targets_count(&q->works[work].envelope);
	if (!entry_set_targets(e, n)) {
		work_free(q, work, 0);
		queue_load_failed(q, ref, SPAN("the envelope has changed"));
		return;
	}
	if (fresh && first_hold(q, ref, &q->works[work].envelope, now_s)) {
		work_free(q, work, 0);
		return;
	}
	queue_enter(q, ref, ENTRY_WORK);
	e->link = work;
	q->works[work].targets = targets_list(&q->works[work].envelope, n);
	targets_start(q, work, n, now_s);
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
	e->flags &= (uint16_t) ~(ENTRY_HOLD | ENTRY_GIVE_UP);
	queue_hold(q, ref, reason);
}
