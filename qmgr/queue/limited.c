/* Messages of accounts that send more than they may: held when they are first read,
 * and postmaster is told. */
#include "qmgr/queue/internal.h"

static void
notice_add(struct queue *q, const struct entry *e, struct span login)
{
	struct queue_notice *n = &q->notices[q->n_notices];

	if (q->n_notices == QUEUE_NOTICES_MAX)
		return; /* the log has it */
	*n = (struct queue_notice){
	    .id = e->id,
	    .login = word_take(&q->words, login),
	    .reason = word_take(&q->words, word_text(&q->words, e->reason))};
	q->n_notices++;
}

/* By a former run, which ended before it was noted what became of the message. */
static bool
was_counted(const struct queue *q, const struct entry *e, uint64_t account)
{
	return e->flags & ENTRY_REPLAY &&
	       limits_counted(&q->limits, account, e->arrived_s);
}

bool
limited_hold(struct queue *q, uint32_t ref, const struct envelope *envelope,
	     uint32_t now_s)
{
	struct buf reason = buf_make(WORD_BYTES_MAX);
	struct entry *e = entry_at(&q->entries, ref);
	enum limit limit;

	if (envelope->account == 0 || was_counted(q, e, envelope->account) ||
	    limits_take(&q->limits, q->config.limits, envelope->account,
			envelope->n_recipients, now_s, &limit))
		return false;
	buf_putf(&reason, "%.*s sent more than ",
		 SPAN_ARG(span_first(envelope->login, 300)));
	limits_text(limit, q->config.limits[limit], &reason);
	queue_set_reason(q, e, buf_span(&reason));
	queue_event_add(q, QUEUE_EVENT_LIMITED, e, envelope->login);
	if (limits_tell(&q->limits, envelope->account, now_s))
		notice_add(q, e, envelope->login);
	queue_hold(q, ref, buf_span(&reason));
	buf_release(&reason);
	return true;
}

bool
queue_next_notice(struct queue *q, uint64_t *id, struct buf *login, struct buf *reason)
{
	struct queue_notice *n = &q->notices[0];

	if (q->n_notices == 0)
		return false;
	*id = n->id;
	buf_put(login, word_text(&q->words, n->login));
	buf_put(reason, word_text(&q->words, n->reason));
	word_drop(&q->words, &n->login);
	word_drop(&q->words, &n->reason);
	q->n_notices--;
	memmove(q->notices, q->notices + 1, q->n_notices * sizeof(*n));
	return true;
}

/* --- through a restart ---------------------------------------------------- */

static bool
is_limited(const struct queue *q)
{
	bool any = false;

	for (size_t i = 0; i < LIMIT_COUNT; i++)
		any = any || q->config.limits[i] > 0;
	return any;
}

static void
counts_note(struct queue *q, struct limit_account *a, uint32_t now_s)
{
	struct note n = {.kind = NOTE_SENT, .sent = a->counts};

	n.sent.noted_s = now_s;
	note_put(&q->notes, &n);
	a->changed = false;
}

void
queue_note_limits(struct queue *q, uint32_t now_s)
{
	struct limits *all = &q->limits;

	for (uint32_t i = all->newest;
	     i != ENTRY_NONE && all->at[i].changed && is_limited(q);
	     i = all->at[i].older)
		counts_note(q, &all->at[i], now_s);
	q->limits_noted_s = now_s;
}

void
limited_tick(struct queue *q, uint32_t now_s)
{
	if (now_s - q->limits_noted_s >= LIMITS_NOTE_S)
		queue_note_limits(q, now_s);
}

/* The oldest first, as they came. */
void
limited_snapshot(struct queue *q)
{
	const struct limits *all = &q->limits;
	uint32_t now_s = q->destinations.ticked_s;

	for (uint32_t i = all->oldest; i != ENTRY_NONE && is_limited(q);
	     i = all->at[i].newer)
		if (!limits_past(&all->at[i].counts, now_s))
			counts_note(q, &all->at[i], now_s);
}
