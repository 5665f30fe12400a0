/* Outgoing mail that an operator has stopped: all of it, or that to one domain. */
#include "qmgr/queue/internal.h"

static void
domain_lower(struct span domain, struct buf *out)
{
	for (size_t i = 0; i < domain.n; i++)
		buf_put_char(out, ascii_lower(domain.at[i]));
}

static uint32_t
pause_at(const struct queue *q, struct span domain)
{
	uint32_t i = 0;

	while (i < q->n_pauses &&
	       !span_equal_nocase(word_text(&q->words, q->pauses[i].domain), domain))
		i++;
	return i;
}

bool
pause_find(const struct queue *q, struct span domain, struct span *reason)
{
	uint32_t i;

	if (q->n_pauses == 0)
		return false;
	i = pause_at(q, SPAN(""));
	if (i == q->n_pauses)
		i = pause_at(q, domain);
	if (i == q->n_pauses)
		return false;
	*reason = word_text(&q->words, q->pauses[i].reason);
	return true;
}

/* Jobs that were not handed out wait with the others. */
static void
jobs_stop(struct queue *q, uint32_t now_s)
{
	for (uint32_t i = 0; i < q->n_jobs_size; i++) {
		struct job *j = &q->jobs[i];
		struct admission a = {.due_s = now_s + DESTINATION_PAUSE_S};
		uint32_t work = j->work;

		if (j->kind != JOB_REMOTE || j->state != JOB_WAITING ||
		    !pause_find(q, job_domain(q, j), &a.reason))
			continue;
		work_put_off(q, work, ADMIT_PAUSED, &a);
		job_drop(q, j, now_s);
		work_maybe_end(q, work, now_s);
	}
}

static void
pause_note(struct queue *q, struct span domain, bool on)
{
	struct note n = {.kind = NOTE_PAUSE, .domain = domain, .held = on};

	note_put(&q->notes, &n);
}

void
pauses_note(struct queue *q)
{
	for (uint32_t i = 0; i < q->n_pauses; i++)
		pause_note(q, word_text(&q->words, q->pauses[i].domain), true);
}

static void
pause_add(struct queue *q, struct span domain)
{
	struct buf reason = buf_make(WORD_BYTES_MAX), lower = buf_make(WORD_BYTES_MAX);
	struct pause *p = &q->pauses[q->n_pauses++];

	domain_lower(domain, &lower);
	if (domain.n == 0)
		buf_put_str(&reason, "outgoing mail is paused by the operator");
	else
		buf_putf(&reason, "mail to %.*s is paused by the operator",
			 SPAN_ARG(buf_span(&lower)));
	p->domain = word_take(&q->words, buf_span(&lower));
	p->reason = word_take(&q->words, buf_span(&reason));
	buf_release(&reason);
	buf_release(&lower);
}

bool
pause_set(struct queue *q, struct span domain)
{
	if (pause_at(q, domain) < q->n_pauses || q->n_pauses == QUEUE_PAUSES_MAX ||
	    domain.n > DESTINATION_KEY_SIZE)
		return false;
	pause_add(q, domain);
	return true;
}

bool
pause_clear(struct queue *q, struct span domain)
{
	uint32_t i = pause_at(q, domain);
	struct pause *p = &q->pauses[i];

	if (i == q->n_pauses)
		return false;
	queue_wake(q, p->reason);
	word_drop(&q->words, &p->reason);
	word_drop(&q->words, &p->domain);
	*p = q->pauses[--q->n_pauses];
	return true;
}

bool
queue_pause(struct queue *q, struct span domain, uint32_t now_s)
{
	if (!pause_set(q, domain))
		return false;
	pause_note(q, domain, true);
	jobs_stop(q, now_s);
	return true;
}

bool
queue_resume(struct queue *q, struct span domain)
{
	if (!pause_clear(q, domain))
		return false;
	pause_note(q, domain, false);
	return true;
}

uint32_t
queue_paused(const struct queue *q, uint32_t i, struct span *domain)
{
	if (i < q->n_pauses)
		*domain = word_text(&q->words, q->pauses[i].domain);
	return q->n_pauses;
}
