/* What a message's sender is told. */
#include "qmgr/queue/internal.h"

#define ROW_BYTES 44u /* of one in a request, without its texts */

/* --- who is to be told ---------------------------------------------------- */

/* A list's owner in the sender's place, but of success [RFC3461 5.2.7.3]. */
static struct span
reader_of(const struct work *w, const struct work_target *t, unsigned report)
{
	return t->target.owner.n > 0 && report != WORK_SUCCESS ? t->target.owner
							       : w->envelope.sender;
}

static bool
failure_wanted(const struct work *w, const struct work_target *t)
{
	return reader_of(w, t, WORK_FAILURE).n > 0 &&
	       (t->notify == 0 || t->notify & ENVELOPE_NOTIFY_FAILURE);
}

/* [RFC3461 5.2.2]: not when the next server reports itself. */
static bool
success_wanted(const struct work *w, const struct work_target *t)
{
	const struct target_result *r = &t->result;

	if (w->envelope.sender.n == 0 || !r->known || r->told ||
	    r->outcome != DELIVERY_DONE)
		return false;
	if (t->expanded)
		return true;
	return t->notify & ENVELOPE_NOTIFY_SUCCESS && !(r->flags & RELAY_NOTIFIES);
}

static bool
delay_wanted(const struct queue *q, const struct work *w, const struct work_target *t,
	     uint32_t now_s)
{
	const struct entry *e = entry_at(&q->entries, w->ref);

	return reader_of(w, t, WORK_DELAY).n > 0 && q->config.warning_after_s > 0 &&
	       !(e->flags & ENTRY_WARNED) && !t->told_late && now_s > e->arrived_s &&
	       now_s - e->arrived_s >= q->config.warning_after_s &&
	       (t->notify == 0 || t->notify & ENVELOPE_NOTIFY_DELAY);
}

/* The report that the target belongs into; 0: none. */
static unsigned
wanted(const struct queue *q, const struct work *w, uint32_t ordinal, uint32_t now_s)
{
	const struct work_target *t = &w->targets[ordinal];

	if (t->target.kind == TARGET_REPLY)
		return 0;
	switch (entry_target(entry_at(&q->entries, w->ref), ordinal)) {
	case TARGET_FAILED:
		return failure_wanted(w, t) ? WORK_FAILURE : 0;
	case TARGET_DONE:
		return success_wanted(w, t) ? WORK_SUCCESS : 0;
	case TARGET_OPEN:
		return delay_wanted(q, w, t, now_s) ? WORK_DELAY : 0;
	case TARGET_WORK:
		break;
	}
	return 0;
}

/* Is it in the report that is being made? */
static bool
in_report(const struct queue *q, const struct work *w, uint32_t ordinal, uint32_t now_s)
{
	return wanted(q, w, ordinal, now_s) == w->report &&
	       span_equal(reader_of(w, &w->targets[ordinal], w->report), w->report_to);
}

/* --- when the jobs of a try have ended ------------------------------------ */

/* What failed, and nobody wants to hear of. */
static void
failed_drop(struct queue *q, struct work *w)
{
	struct entry *e = entry_at(&q->entries, w->ref);

	for (uint32_t i = 0; i < e->n_targets; i++) {
		if (entry_target(e, i) != TARGET_FAILED ||
		    failure_wanted(w, &w->targets[i]))
			continue;
		entry_target_set(e, i, TARGET_DONE);
		if (e->n_targets > 1)
			queue_note_target(q, e, i);
		queue_event_add(q, QUEUE_EVENT_DROPPED, e, w->targets[i].recipient);
	}
}

bool
report_start(struct queue *q, uint32_t work, uint32_t now_s)
{
	struct work *w = &q->works[work];
	uint32_t n = entry_at(&q->entries, w->ref)->n_targets;
	unsigned due = 0;

	failed_drop(q, w);
	for (uint32_t i = 0; i < n; i++)
		due |= wanted(q, w, i, now_s);
	due &= ~(unsigned)w->reports_later;
	if (due == 0)
		return false;
	if (!q->instances[JOB_BOUNCE][0].up) {
		w->away |= 1 << JOB_BOUNCE;
		return false;
	}
	w->report = (uint8_t)(due & -due); /* the first in enum work_report */
	for (uint32_t i = n; i-- > 0;)
		if (wanted(q, w, i, now_s) == w->report)
			w->report_to = reader_of(w, &w->targets[i], w->report);
	job_line_up(q, job_new(q, work, JOB_BOUNCE, 0));
	return true;
}

/* --- out ------------------------------------------------------------------ */

static enum dsn_action
action_of(const struct work *w, const struct work_target *t)
{
	if (w->report == WORK_FAILURE)
		return DSN_FAILED;
	if (w->report == WORK_DELAY)
		return DSN_DELAYED;
	if (t->expanded)
		return DSN_EXPANDED;
	if (t->target.kind == TARGET_ACCOUNT || t->result.flags & RELAY_LMTP)
		return DSN_DELIVERED;
	return DSN_RELAYED;
}

/* Without a result of this try (a restart came between, or the operator gave it up)
 * the message's reason says why. */
static struct dsn_row
row_of(const struct queue *q, const struct work *w, const struct work_target *t)
{
	static const uint8_t flags[] = {
	    [GIVEN_UP_LATE] = DSN_EXPIRED, [GIVEN_UP_OPERATOR] = DSN_OPERATOR};
	const struct entry *e = entry_at(&q->entries, w->ref);
	const struct target_result *r = &t->result;
	struct relay_result said = {.code = r->code, .text = r->text, .host = r->host};
	struct dsn_row row;

	memcpy(said.enhanced, r->enhanced, sizeof(said.enhanced));
	if (!r->known)
		result_of_reason(word_text(&q->words, e->reason), &said);
	row = (struct dsn_row){.action = action_of(w, t),
			       .flags = flags[r->given_up],
			       .code = said.code,
			       .tried_us = (uint64_t)r->tried_s * 1000000,
			       .final = t->expanded ? t->recipient : t->target.address,
			       .original = t->recipient,
			       .orcpt = t->orcpt,
			       .text = said.text,
			       .host = said.host};
	memcpy(row.enhanced, said.enhanced, sizeof(row.enhanced));
	return row;
}

static size_t
row_bytes(const struct dsn_row *r)
{
	return ROW_BYTES + r->final.n + r->original.n + r->orcpt.n + r->text.n +
	       r->host.n;
}

/* As many as fit; at least one. */
static uint32_t
rows_list(const struct queue *q, struct work *w, uint32_t now_s, struct buf *rows)
{
	uint32_t n_targets = entry_at(&q->entries, w->ref)->n_targets, n = 0, i;

	for (i = 0; i < n_targets; i++) {
		struct dsn_row row;

		if (!in_report(q, w, i, now_s))
			continue;
		row = row_of(q, w, &w->targets[i]);
		if (n > 0 && rows->n + row_bytes(&row) > DSN_ROWS_BYTES_MAX)
			break;
		dsn_row_put(rows, &row);
		n++;
	}
	w->report_end = i;
	w->report_now_s = now_s;
	return n;
}

/* Of a user who logged in, nobody else is told from where. */
static void
request_put(struct queue *q, struct work *w, uint32_t now_s)
{
	static const enum dsn_kind kinds[] = {[WORK_FAILURE] = DSN_FAILURE,
					      [WORK_SUCCESS] = DSN_SUCCESS,
					      [WORK_DELAY] = DSN_DELAY};
	struct buf rows = buf_make(DSN_ROWS_BYTES_MAX);
	const struct envelope *e = &w->envelope;
	struct dsn_request r = {.kind = kinds[w->report],
				.ret = (uint8_t)e->ret,
				.flags = e->flags,
				.arrived_us = w->arrived_us,
				.sender = w->report_to,
				.envid = span_equal(w->report_to, e->sender) ? e->envid
									     : SPAN(""),
				.n_rows = rows_list(q, w, now_s, &rows)};

	if (r.kind == DSN_DELAY)
		r.until_us = w->arrived_us + (uint64_t)q->config.lifetime_s * 1000000;
	if (e->login.n == 0) {
		r.helo = e->helo;
		r.client = e->client;
	}
	r.rows = buf_span(&rows);
	buf_reset(&q->report_request);
	dsn_request_put(&q->report_request, &r);
	buf_release(&rows);
}

static void
reply_fill(const struct work *w, const struct work_target *t, struct queue_report *out)
{
	out->account = t->target.account;
	out->sender = w->envelope.sender;
	out->recipient = t->target.address;
	out->original = t->recipient;
}

bool
queue_next_report(struct queue *q, uint32_t instance, uint32_t now_s,
		  struct queue_report *out)
{
	const struct job *j = job_next(q, JOB_BOUNCE, instance);
	const struct entry *e;
	struct work *w;

	if (!j)
		return false;
	w = &q->works[j->work];
	e = entry_at(&q->entries, w->ref);
	*out = (struct queue_report){
	    .job = job_number(q, j), .id = e->id, .place = entry_place(e)};
	if (j->first != ENTRY_NONE) {
		reply_fill(w, &w->targets[j->first], out);
		return true;
	}
	request_put(q, w, now_s);
	out->request = buf_span(&q->report_request);
	return true;
}

/* --- answers -------------------------------------------------------------- */

/* The sender knows: nothing more is to be done for what the report told of. */
static void
targets_told(struct queue *q, struct work *w)
{
	struct entry *e = entry_at(&q->entries, w->ref);
	bool all = true;

	for (uint32_t i = 0; i < w->report_end; i++) {
		if (!in_report(q, w, i, w->report_now_s))
			continue;
		w->targets[i].result.told = true;
		w->targets[i].told_late |= w->report == WORK_DELAY;
		if (w->report != WORK_FAILURE)
			continue;
		entry_target_set(e, i, TARGET_DONE);
		if (e->n_targets > 1)
			queue_note_target(q, e, i);
	}
	for (uint32_t i = 0; i < e->n_targets; i++)
		all = all && wanted(q, w, i, w->report_now_s) != WORK_DELAY;
	if (w->report == WORK_DELAY && all)
		e->flags |= ENTRY_WARNED;
}

bool
queue_reported(struct queue *q, uint32_t instance, uint64_t job,
	       enum report_outcome outcome, uint32_t now_s)
{
	struct job *j = job_find(q, JOB_BOUNCE, instance, job);
	struct work *w;
	uint32_t work;

	if (!j)
		return false;
	work = j->work;
	w = &q->works[work];
	if (j->first != ENTRY_NONE) {
		reply_answered(q, j, outcome);
	} else {
		if (outcome == REPORT_MADE || outcome == REPORT_NOBODY)
			targets_told(q, w);
		else
			w->reports_later |= w->report;
		q->n_reports += outcome == REPORT_MADE;
	}
	job_free(q, j, now_s);
	work_maybe_end(q, work, now_s);
	return true;
}

/* --- when ----------------------------------------------------------------- */

uint32_t
report_due(const struct queue *q, const struct entry *e, uint32_t now_s, uint32_t due_s)
{
	uint32_t warning_s = e->arrived_s + q->config.warning_after_s;
	uint32_t end_s = e->arrived_s + q->config.lifetime_s + 1;

	if (q->config.warning_after_s > 0 && !(e->flags & ENTRY_WARNED) &&
	    warning_s > now_s && warning_s < due_s)
		due_s = warning_s;
	return end_s > now_s && end_s < due_s ? end_s : due_s;
}
