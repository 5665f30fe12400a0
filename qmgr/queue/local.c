/* Jobs for the processes that write to mailboxes: a target each. */
#include "qmgr/queue/internal.h"

void
local_start(struct queue *q, uint32_t work, uint32_t ordinal)
{
	struct work *w = &q->works[work];
	uint32_t instance = (uint32_t)(w->targets[ordinal].target.account %
				       q->config.instances[JOB_LOCAL]);
	uint32_t job;

	if (!q->instances[JOB_LOCAL][instance].up) {
		w->away |= 1 << JOB_LOCAL;
		return;
	}
	job = job_new(q, work, JOB_LOCAL, instance);
	job_target_add(q, job, ordinal);
	job_line_up(q, job);
}

bool
queue_next_job(struct queue *q, uint32_t instance, struct queue_job *out)
{
	const struct job *j = job_next(q, JOB_LOCAL, instance);
	const struct work_target *t;
	const struct entry *e;
	const struct work *w;

	if (!j)
		return false;
	w = &q->works[j->work];
	e = entry_at(&q->entries, w->ref);
	t = &w->targets[j->first];
	*out = (struct queue_job){.job = job_number(q, j),
				  .id = e->id,
				  .place = entry_place(e),
				  .arrived_us = w->arrived_us,
				  .account = t->target.account,
				  .ordinal = j->first,
				  .replay = e->flags & ENTRY_REPLAY,
				  .sender = work_sender(w, t),
				  .recipient = t->target.address,
				  .original = t->recipient};
	return true;
}

/* It may have been appended before it failed, so the next try is a replay. */
static void
local_deferred(struct queue *q, struct work *w, struct span text)
{
	entry_at(&q->entries, w->ref)->flags |= ENTRY_REPLAY;
	w->full |= full_said(text);
}

bool
queue_delivered(struct queue *q, uint32_t instance, uint64_t number,
		enum delivery_outcome outcome, struct span text, uint32_t now_s)
{
	struct relay_result r = {.outcome = (uint8_t)outcome, .text = text};
	struct job *j = job_find(q, JOB_LOCAL, instance, number);
	uint32_t work;

	if (!j || (size_t)outcome > DELIVERY_FAILED)
		return false;
	work = j->work;
	r.ordinal = j->first;
	if (outcome == DELIVERY_DEFERRED)
		local_deferred(q, &q->works[work], text);
	else if (entry_at(&q->entries, q->works[work].ref)->flags & ENTRY_FULL)
		full_over(q);
	result_split(&r);
	result_take(q, work, &r, now_s);
	job_free(q, j, now_s);
	work_maybe_end(q, work, now_s);
	return true;
}
