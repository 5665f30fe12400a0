/* Jobs: what one process is asked to do for one message. */
#include "qmgr/queue/internal.h"

static uint32_t
job_slot(struct queue *q)
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
		q->free_job = q->jobs[i].line_next;
	}
	q->n_jobs++;
	return i;
}

static struct instance *
instance_of(struct queue *q, const struct job *j)
{
	return &q->instances[j->kind][j->instance];
}

/* --- lines of local and bounce: first come, first served ------------------- */

static void
fifo_add(struct queue *q, uint32_t i)
{
	struct job *j = &q->jobs[i];
	struct instance *at = instance_of(q, j);

	j->line_before = at->last;
	j->line_next = ENTRY_NONE;
	if (at->last == ENTRY_NONE)
		at->first = i;
	else
		q->jobs[at->last].line_next = i;
	at->last = i;
}

static void
fifo_remove(struct queue *q, const struct job *j)
{
	struct instance *at = instance_of(q, j);

	if (j->line_before == ENTRY_NONE)
		at->first = j->line_next;
	else
		q->jobs[j->line_before].line_next = j->line_next;
	if (j->line_next == ENTRY_NONE)
		at->last = j->line_before;
	else
		q->jobs[j->line_next].line_before = j->line_before;
}

/* --- life ----------------------------------------------------------------- */

uint32_t
job_new(struct queue *q, uint32_t work, enum job_kind kind, uint32_t instance)
{
	uint32_t i = job_slot(q);
	struct job *j = &q->jobs[i];
	struct work *w = &q->works[work];

	*j = (struct job){.work = work,
			  .generation = j->generation,
			  .first = ENTRY_NONE,
			  .before = ENTRY_NONE,
			  .next = w->jobs,
			  .instance = (uint16_t)instance,
			  .kind = (uint8_t)kind,
			  .state = JOB_WAITING};
	if (w->jobs != ENTRY_NONE)
		q->jobs[w->jobs].before = i;
	w->jobs = i;
	q->n_of[kind]++;
	return i;
}

void
job_target_add(struct queue *q, uint32_t job, uint32_t ordinal)
{
	struct job *j = &q->jobs[job];
	struct work *w = &q->works[j->work];

	w->targets[ordinal].next = j->first;
	j->first = ordinal;
	j->n++;
	entry_target_set(entry_at(&q->entries, w->ref), ordinal, TARGET_WORK);
}

void
job_line_up(struct queue *q, uint32_t job)
{
	if (q->jobs[job].kind == JOB_REMOTE)
		relay_line_up(q, job);
	else
		fifo_add(q, job);
}

static void
job_unlink(struct queue *q, const struct job *j)
{
	struct work *w = &q->works[j->work];

	if (j->before == ENTRY_NONE)
		w->jobs = j->next;
	else
		q->jobs[j->before].next = j->next;
	if (j->next != ENTRY_NONE)
		q->jobs[j->next].before = j->before;
}

void
job_free(struct queue *q, struct job *j, uint32_t now_s)
{
	if (j->state == JOB_SENT)
		instance_of(q, j)->n_sent--;
	else if (j->kind != JOB_REMOTE)
		fifo_remove(q, j);
	if (j->kind == JOB_REMOTE)
		relay_leave(q, j, now_s);
	job_unlink(q, j);
	q->n_of[j->kind]--;
	*j = (struct job){.generation = j->generation + 1, .line_next = q->free_job};
	q->free_job = (uint32_t)(j - q->jobs);
	q->n_jobs--;
}

void
job_drop(struct queue *q, struct job *j, uint32_t now_s)
{
	struct work *w = &q->works[j->work];
	struct entry *e = entry_at(&q->entries, w->ref);

	for (uint32_t i = j->first; i != ENTRY_NONE; i = w->targets[i].next)
		entry_target_set(e, i, TARGET_OPEN);
	job_free(q, j, now_s);
}

void
jobs_cancel(struct queue *q, uint32_t work, uint32_t now_s)
{
	uint32_t i = q->works[work].jobs;

	while (i != ENTRY_NONE) {
		struct job *j = &q->jobs[i];

		i = j->next;
		if (j->state == JOB_WAITING)
			job_drop(q, j, now_s);
	}
}

/* --- out ------------------------------------------------------------------ */

uint64_t
job_number(const struct queue *q, const struct job *j)
{
	return (uint64_t)j->generation << 32 | (uint32_t)(j - q->jobs);
}

void
job_sent(struct queue *q, struct job *j)
{
	j->state = JOB_SENT;
	instance_of(q, j)->n_sent++;
}

struct job *
job_next(struct queue *q, enum job_kind kind, uint32_t instance)
{
	struct instance *at = &q->instances[kind][instance];
	struct job *j;

	if (!at->up || at->first == ENTRY_NONE)
		return NULL;
	j = &q->jobs[at->first];
	fifo_remove(q, j);
	job_sent(q, j);
	return j;
}

struct job *
job_find(const struct queue *q, enum job_kind kind, uint32_t instance, uint64_t number)
{
	uint32_t i = (uint32_t)number;
	struct job *j;

	if (i >= q->n_jobs_size)
		return NULL;
	j = &q->jobs[i];
	return j->generation == number >> 32 && j->state == JOB_SENT &&
		       j->kind == kind && j->instance == instance
		   ? j
		   : NULL;
}

bool
queue_sent_place(const struct queue *q, enum job_kind kind, uint32_t instance,
		 uint64_t job, struct place *out)
{
	const struct job *j = job_find(q, kind, instance, job);

	if (!j)
		return false;
	*out = entry_place(entry_at(&q->entries, q->works[j->work].ref));
	return true;
}

uint32_t
queue_sent(const struct queue *q, enum job_kind kind, uint32_t instance)
{
	return q->instances[kind][instance].n_sent;
}

/* --- processes come and go ------------------------------------------------ */

void
queue_instance_up(struct queue *q, enum job_kind kind, uint32_t instance)
{
	if (instance < q->config.instances[kind])
		q->instances[kind][instance].up = true;
}

static void
job_lost(struct queue *q, struct job *j, uint32_t now_s)
{
	struct work *w = &q->works[j->work];
	uint32_t work = j->work;

	if (j->state == JOB_SENT && j->kind != JOB_BOUNCE)
		entry_at(&q->entries, w->ref)->flags |= ENTRY_REPLAY;
	w->away |= (uint8_t)(1 << j->kind);
	job_drop(q, j, now_s);
	work_maybe_end(q, work, now_s);
}

void
queue_instance_down(struct queue *q, enum job_kind kind, uint32_t instance,
		    uint32_t now_s)
{
	struct instance *at = &q->instances[kind][instance];

	if (instance >= q->config.instances[kind] || !at->up)
		return;
	at->up = false;
	at->away_since_s = now_s;
	for (uint32_t i = 0; i < q->n_jobs_size; i++)
		if (q->jobs[i].state != JOB_FREE && q->jobs[i].kind == kind &&
		    q->jobs[i].instance == instance)
			job_lost(q, &q->jobs[i], now_s);
}
