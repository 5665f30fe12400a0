/* Answers of accounts to a message: made by bounce, or left out. */
#include "qmgr/queue/internal.h"

void
reply_start(struct queue *q, uint32_t work, uint32_t ordinal)
{
	uint32_t job;

	/* [RFC3834 2] */
	if (q->works[work].envelope.sender.n == 0) {
		reply_drop(q, work, ordinal);
		return;
	}
	if (!q->instances[JOB_BOUNCE][0].up) {
		q->works[work].away |= 1 << JOB_BOUNCE;
		return;
	}
	job = job_new(q, work, JOB_BOUNCE, 0);
	job_target_add(q, job, ordinal);
	job_line_up(q, job);
}

void
reply_drop(struct queue *q, uint32_t work, uint32_t ordinal)
{
	struct entry *e = entry_at(&q->entries, q->works[work].ref);

	entry_target_set(e, ordinal, TARGET_DONE);
	if (e->n_targets > 1)
		queue_note_target(q, e, ordinal);
}

void
reply_answered(struct queue *q, struct job *j, enum report_outcome outcome)
{
	struct work *w = &q->works[j->work];
	struct entry *e = entry_at(&q->entries, w->ref);

	q->n_replies += outcome == REPORT_MADE;
	if (outcome == REPORT_LATER && e->tries + 1 < REPLY_TRIES_MAX) {
		entry_target_set(e, j->first, TARGET_OPEN);
		queue_set_reason(q, e, SPAN("the answer of the account must wait"));
		w->deferred = true;
		return;
	}
	reply_drop(q, j->work, j->first);
}
