/* Jobs: one target of one message, at one local process. */
#include "qmgr/queue/internal.h"

static uint32_t
job_new(struct queue *q)
{
	uint32_t i = q->free_job;

	if (i == ENTRY_NONE) {
		if (q->n_jobs == q->n_jobs_size) {
			q->n_jobs_size = q->n_jobs_size ? q->n_jobs_size * 2 : 256;
			q->jobs =
			    memory_resize(q->jobs, q->n_jobs_size, sizeof(*q->jobs));
			memset(q->jobs + q->n_jobs, 0,
			       (q->n_jobs_size - q->n_jobs) * sizeof(*q->jobs));
		}
		i = (uint32_t)q->n_jobs;
	} else {
		q->free_job = q->jobs[i].next;
	}
	q->n_jobs++;
	return i;
}

/* Out of work and instance; its target may be tried again. */
static void
job_free(struct queue *q, struct job *j)
{
	q->works[j->work].n_jobs--;
	if (j->state == JOB_SENT)
		q->instances[j->instance].n_sent--;
	*j = (struct job){.generation = j->generation + 1, .next = q->free_job};
	q->free_job = (uint32_t)(j - q->jobs);
	q->n_jobs--;
}

void
job_add(struct queue *q, uint32_t work, uint32_t ordinal, const struct target *t,
	struct span original)
{
	uint32_t i = job_new(q);
	struct job *j = &q->jobs[i];
	struct instance *at;

	j->work = work;
	j->ordinal = ordinal;
	j->instance = (uint16_t)(t->account % q->config.instances);
	j->state = JOB_WAITING;
	j->account = t->account;
	j->recipient = t->address;
	j->original = original;
	j->next = ENTRY_NONE;
	at = &q->instances[j->instance];
	if (at->last == ENTRY_NONE)
		at->first = i;
	else
		q->jobs[at->last].next = i;
	at->last = i;
	q->works[work].n_jobs++;
	entry_target_set(entry_at(&q->entries, q->works[work].ref), ordinal,
			 TARGET_WORK);
}

static struct job *
line_take(struct queue *q, struct instance *at)
{
	struct job *j;

	if (at->first == ENTRY_NONE)
		return NULL;
	j = &q->jobs[at->first];
	at->first = j->next;
	if (at->first == ENTRY_NONE)
		at->last = ENTRY_NONE;
	return j;
}

static struct queue_job
job_told(const struct queue *q, const struct job *j)
{
	const struct work *w = &q->works[j->work];
	const struct entry *e = entry_at(&q->entries, w->ref);

	return (struct queue_job){.job = (uint64_t)j->generation << 32 |
					 (uint32_t)(j - q->jobs),
				  .id = e->id,
				  .place = entry_place(e),
				  .arrived_us = w->arrived_us,
				  .account = j->account,
				  .ordinal = j->ordinal,
				  .replay = e->flags & ENTRY_REPLAY,
				  .sender = w->envelope.sender,
				  .recipient = j->recipient,
				  .original = j->original};
}

bool
queue_next_job(struct queue *q, uint32_t instance, struct queue_job *out)
{
	struct instance *at = &q->instances[instance];
	struct job *j = at->up ? line_take(q, at) : NULL;

	if (!j)
		return false;
	j->state = JOB_SENT;
	at->n_sent++;
	*out = job_told(q, j);
	return true;
}

struct job *
job_find(const struct queue *q, uint64_t number)
{
	uint32_t i = (uint32_t)number;

	if (i >= q->n_jobs_size || q->jobs[i].generation != number >> 32 ||
	    q->jobs[i].state != JOB_SENT)
		return NULL;
	return &q->jobs[i];
}

bool
queue_sent_job(const struct queue *q, uint32_t instance, uint64_t job,
	       struct queue_job *out)
{
	const struct job *j = job_find(q, job);

	if (!j || j->instance != instance)
		return false;
	*out = job_told(q, j);
	return true;
}

uint32_t
queue_sent(const struct queue *q, uint32_t instance)
{
	return q->instances[instance].n_sent;
}

/* A target of a message with several is noted at once, so that a crash does not
 * deliver it again; the only target is noted as the message's end. */
static void
target_result(struct queue *q, struct work *w, uint32_t ordinal, enum target_state to)
{
	struct entry *e = entry_at(&q->entries, w->ref);

	entry_target_set(e, ordinal, to);
	if (to == TARGET_OPEN || (to == TARGET_DONE && e->n_targets == 1))
		return;
	queue_note_target(q, e, ordinal);
}

/* It may have been appended before it failed, so the next try is a replay. */
static void
job_deferred(struct queue *q, struct work *w, struct span text)
{
	entry_at(&q->entries, w->ref)->flags |= ENTRY_REPLAY;
	w->deferred = true;
	w->full |= full_said(text);
}

bool
queue_delivered(struct queue *q, uint32_t instance, uint64_t number,
		enum delivery_outcome outcome, struct span text, uint32_t now_s)
{
	static const enum target_state states[] = {[DELIVERY_DONE] = TARGET_DONE,
						   [DELIVERY_DEFERRED] = TARGET_OPEN,
						   [DELIVERY_FAILED] = TARGET_FAILED};
	struct job *j = job_find(q, number);
	uint32_t work;

	if (!j || j->instance != instance || (size_t)outcome >= N_ELEMS(states))
		return false;
	work = j->work;
	if (outcome == DELIVERY_DEFERRED)
		job_deferred(q, &q->works[work], text);
	else if (entry_at(&q->entries, q->works[work].ref)->flags & ENTRY_FULL)
		full_over(q);
	if (outcome != DELIVERY_DONE)
		queue_set_reason(q, entry_at(&q->entries, q->works[work].ref), text);
	target_result(q, &q->works[work], j->ordinal, states[outcome]);
	job_free(q, j);
	work_maybe_end(q, work, now_s);
	return true;
}

/* Its target is open again. */
static void
job_drop(struct queue *q, struct job *j)
{
	struct entry *e = entry_at(&q->entries, q->works[j->work].ref);

	entry_target_set(e, j->ordinal, TARGET_OPEN);
	job_free(q, j);
}

void
jobs_cancel(struct queue *q, uint32_t work)
{
	for (uint32_t k = 0; k < q->config.instances; k++) {
		struct instance *at = &q->instances[k];
		uint32_t *link = &at->first, before = ENTRY_NONE;

		while (*link != ENTRY_NONE) {
			struct job *j = &q->jobs[*link];

			if (j->work == work) {
				*link = j->next;
				job_drop(q, j);
			} else {
				before = *link;
				link = &j->next;
			}
		}
		at->last = before;
	}
}

void
queue_instance_up(struct queue *q, uint32_t instance)
{
	if (instance < q->config.instances)
		q->instances[instance].up = true;
}

static void
job_lost(struct queue *q, struct job *j, uint32_t now_s)
{
	struct work *w = &q->works[j->work];
	uint32_t work = j->work;

	if (j->state == JOB_SENT)
		entry_at(&q->entries, w->ref)->flags |= ENTRY_REPLAY;
	w->away = true;
	job_drop(q, j);
	work_maybe_end(q, work, now_s);
}

void
queue_instance_down(struct queue *q, uint32_t instance, uint32_t now_s)
{
	struct instance *at = &q->instances[instance];

	if (instance >= q->config.instances || !at->up)
		return;
	at->up = false;
	at->away_since_s = now_s;
	at->first = at->last = ENTRY_NONE;
	for (uint32_t i = 0; i < q->n_jobs_size; i++)
		if (q->jobs[i].state != JOB_FREE && q->jobs[i].instance == instance)
			job_lost(q, &q->jobs[i], now_s);
}
