/* A report, from qmgr's question to its answer. */
#include "delivery/bounce/bounce.h"

static const char *const kinds[] = {
    [DSN_FAILURE] = "failure", [DSN_DELAY] = "delay",
    [DSN_SUCCESS] = "success", [DSN_NOTICE] = "notice",
    [DSN_QUOTA] = "quota",     [DSN_DOMAIN_QUOTA] = "domain_quota",
};

static const char *const readers[] = {
    [DSN_TO_SENDER] = "sender",
    [DSN_TO_POSTMASTER] = "postmaster",
    [DSN_COPY_TO_POSTMASTER] = "copy",
};

static struct report *
by_tag(struct bounce *b, uint64_t tag)
{
	struct report *r;

	TAILQ_FOREACH(r, &b->reports, link)
	if (r->tag == tag && r->state <= REPORT_ASK_POSTMASTER)
		return r;
	return NULL;
}

static struct report *
by_letter(struct bounce *b, uint64_t id)
{
	struct report *r;

	TAILQ_FOREACH(r, &b->reports, link)
	if (r->letter_id == id && r->state == REPORT_STORING)
		return r;
	return NULL;
}

static void
report_free(struct bounce *b, struct report *r)
{
	TAILQ_REMOVE(&b->reports, r, link);
	b->n_reports--;
	buf_release(&r->targets);
	buf_release(&r->reply.words);
	free(r->bytes);
	free(r);
}

static void
qmgr_tell(struct bounce *b, const struct report *r, enum report_outcome outcome,
	  const char *text)
{
	struct ipc_peer *qmgr = proc_peer(b->proc, IPC_KIND_QMGR, 0);
	struct ipc_reported m = {.job = r->job,
				 .outcome = (uint8_t)outcome,
				 .report = r->told_id,
				 .text = span_str(text)};

	if (qmgr)
		ipc_send_reported(qmgr, &m);
}

static void
authd_tell(struct bounce *b, const struct report *r, enum report_outcome outcome)
{
	struct ipc_peer *authd = proc_peer(b->proc, IPC_KIND_AUTHD, 0);
	struct ipc_noticed m = {.tag = r->notice_tag, .ok = outcome != REPORT_LATER};

	if (authd)
		ipc_send_noticed(authd, &m);
}

void
report_answer(struct bounce *b, struct report *r, enum report_outcome outcome,
	      const char *text)
{
	if (r->what == REPORT_NOTICE)
		authd_tell(b, r, outcome);
	else
		qmgr_tell(b, r, outcome, text);
	report_free(b, r);
}

void
report_later(struct bounce *b, struct report *r, const char *why)
{
	char id[QUEUE_ID_TEXT_SIZE];

	if (r->told_id != 0) { /* only the copy for postmaster is missing */
		report_answer(b, r, REPORT_MADE, "");
		return;
	}
	queue_id_format(r->id, id);
	b->count.later++;
	logline(LOGLINE_WARNING, "bounce.later", L_STR("id", id), L_STR("reason", why));
	report_answer(b, r, REPORT_LATER, why);
}

void
report_ask(struct bounce *b, struct report *r, enum dsn_reader reader,
	   struct span address)
{
	struct ipc_peer *authd = proc_peer(b->proc, IPC_KIND_AUTHD, 0);
	struct ipc_resolve m = {
	    .tag = ++b->next_tag, .may_relay = 1, .address = address};

	if (!authd) {
		report_later(b, r, "the directory is away");
		return;
	}
	r->reader = reader;
	r->state = reader == DSN_TO_SENDER ? REPORT_ASK_SENDER : REPORT_ASK_POSTMASTER;
	r->tag = m.tag;
	ipc_send_resolve(authd, &m);
}

/* Whom a report of delivery goes to. */
static void
ask(struct bounce *b, struct report *r, enum dsn_reader reader)
{
	report_ask(b, r, reader,
		   reader == DSN_TO_SENDER ? r->request.sender : SPAN("postmaster"));
}

struct report *
report_new(struct bounce *b, enum report_what what)
{
	struct report *r = memory_new(1, sizeof(*r));

	r->what = what;
	r->targets = buf_make(TARGETS_BYTES_MAX);
	r->reply.words = buf_make(REPLY_WORDS_MAX);
	TAILQ_INSERT_TAIL(&b->reports, r, link);
	b->n_reports++;
	return r;
}

struct span
report_text(char **at, struct span text)
{
	struct span copy = span_make(*at, text.n);

	if (text.n > 0)
		memcpy(*at, text.at, text.n);
	*at += text.n;
	return copy;
}

bool
report_take(struct bounce *b, const struct ipc_report *m)
{
	struct report *r = report_new(b, REPORT_DELIVERY);
	char *at = r->bytes = memory_new(m->request.n + 1, 1);

	r->job = m->job;
	r->id = m->id;
	r->segment = m->segment;
	r->offset = m->offset;
	r->content_bytes = m->content_bytes;
	if (m->offset > UINT64_MAX - m->content_bytes ||
	    !dsn_request_parse(report_text(&at, m->request), &r->request)) {
		report_free(b, r);
		return false;
	}
	if (b->n_reports > REPORTS_MAX || b->draining)
		report_later(b, r, "too many reports at once");
	else if (r->request.kind == DSN_NOTICE)
		ask(b, r, DSN_TO_POSTMASTER);
	else if (r->request.sender.n == 0)
		report_answer(b, r, REPORT_NOBODY, "the null sender gets no report");
	else
		ask(b, r, DSN_TO_SENDER);
	return true;
}

/* Nobody is there to be told. */
static void
drop(struct bounce *b, struct report *r, struct span why)
{
	char id[QUEUE_ID_TEXT_SIZE];

	queue_id_format(r->id, id);
	b->count.dropped++;
	logline(LOGLINE_WARNING, "bounce.dropped", L_STR("id", id),
		L_STR("kind", kinds[r->request.kind]),
		L_SPAN("from", r->request.sender), L_SPAN("reason", why));
	report_answer(b, r, REPORT_NOBODY, "nobody can be told");
}

static void
resolved_no(struct bounce *b, struct report *r, struct span why)
{
	if (r->what == REPORT_REPLY) {
		reply_resolved(b, r, false);
		return;
	}
	if (r->reader == DSN_COPY_TO_POSTMASTER) {
		report_answer(b, r, REPORT_MADE, ""); /* the sender was told */
		return;
	}
	if (r->reader == DSN_TO_POSTMASTER) {
		drop(b, r, why);
		return;
	}
	b->count.nobody++;
	r->double_bounce = true;
	if (r->request.kind == DSN_FAILURE && proc_settings(b->proc)->report_double)
		ask(b, r, DSN_TO_POSTMASTER);
	else
		drop(b, r, why);
}

static void
resolved_yes(struct bounce *b, struct report *r, struct span targets)
{
	size_t n;

	if (!target_list_check(targets, &n) || n == 0 || targets.n > r->targets.max) {
		resolved_no(b, r, SPAN("the address leads nowhere"));
		return;
	}
	if (r->reader == DSN_COPY_TO_POSTMASTER &&
	    span_equal(targets, buf_span(&r->targets))) {
		report_answer(b, r, REPORT_MADE, ""); /* postmaster is the sender */
		return;
	}
	buf_reset(&r->targets);
	buf_put(&r->targets, targets);
	if (r->what == REPORT_REPLY)
		reply_resolved(b, r, true);
	else
		r->state = REPORT_READY;
}

void
report_resolved(struct bounce *b, const struct ipc_resolved *m)
{
	struct report *r = by_tag(b, m->tag);

	if (!r)
		return;
	if (m->outcome == RESOLVE_OK)
		resolved_yes(b, r, m->targets);
	else if (m->outcome == RESOLVE_LATER)
		report_later(b, r, "the directory does not answer");
	else
		resolved_no(b, r, m->text);
}

static void
made_log(const struct report *r)
{
	char id[QUEUE_ID_TEXT_SIZE], letter[QUEUE_ID_TEXT_SIZE];
	struct cursor rows = cursor_make(r->request.rows);
	struct dsn_row row = {0};

	queue_id_format(r->id, id);
	queue_id_format(r->letter_id, letter);
	if (!dsn_row_next(&rows, &row))
		row.final = SPAN("");
	logline(LOGLINE_INFO, "bounce.made", L_STR("id", id), L_STR("report", letter),
		L_STR("kind", kinds[r->request.kind]), L_STR("to", readers[r->reader]),
		L_SPAN("from", r->request.sender), L_SPAN("rcpt", row.final),
		L_U64("rcpts", r->request.n_rows));
}

static void
delivery_stored(struct bounce *b, struct report *r)
{
	made_log(r);
	if (r->reader == DSN_COPY_TO_POSTMASTER)
		b->count.copies++;
	else
		r->told_id = r->letter_id;
	if (r->reader == DSN_TO_SENDER)
		b->count.made++;
	if (r->reader == DSN_TO_POSTMASTER)
		b->count.doubles++;
	if (r->reader == DSN_TO_SENDER && r->request.kind == DSN_FAILURE &&
	    proc_settings(b->proc)->report_copy_postmaster)
		ask(b, r, DSN_COPY_TO_POSTMASTER);
	else
		report_answer(b, r, r->double_bounce ? REPORT_NOBODY : REPORT_MADE, "");
}

static void
stored(struct bounce *b, struct report *r)
{
	switch (r->what) {
	case REPORT_DELIVERY:
		delivery_stored(b, r);
		break;
	case REPORT_REPLY:
		reply_stored(b, r);
		break;
	case REPORT_NOTICE:
		notice_stored(b, r);
		break;
	}
}

void
report_stored(struct bounce *b, const struct ipc_spool_done *m)
{
	struct report *r = by_letter(b, m->id);

	if (!r)
		return;
	if (m->outcome == SPOOL_STORED)
		stored(b, r);
	else if (m->outcome == SPOOL_NO_SPACE)
		report_later(b, r, "no space for the report");
	else
		report_later(b, r, "the spool has a fault");
}

/* --- handing over --------------------------------------------------------- */

static bool
id_take(struct grants *g, uint64_t *id)
{
	if (g->n == 0)
		return false;
	*id = g->at[0].first++;
	if (--g->at[0].n == 0)
		memmove(g->at, g->at + 1, --g->n * sizeof(*g->at));
	return true;
}

/* False when there is no room, or no id, at the moment. */
static bool
report_send(struct bounce *b, struct report *r, struct ipc_peer *spoold)
{
	struct ipc_spool_abort abort;
	const char *why;

	if (ipc_queued_bytes(spoold) > SPOOLD_QUEUE_MAX ||
	    !id_take(&b->grants, &r->letter_id))
		return false;
	if (letter_send(b, r, spoold, &why)) {
		r->state = REPORT_STORING;
		return true;
	}
	abort = (struct ipc_spool_abort){.id = r->letter_id};
	ipc_send_spool_abort(spoold, &abort);
	report_later(b, r, why);
	return true;
}

void
reports_send(struct bounce *b)
{
	struct ipc_peer *spoold = proc_peer(b->proc, IPC_KIND_SPOOLD, 0);
	struct report *r, *next;

	for (r = TAILQ_FIRST(&b->reports); r; r = next) {
		next = TAILQ_NEXT(r, link);
		if (r->state != REPORT_READY)
			continue;
		if (!spoold)
			report_later(b, r, "the spool is away");
		else if (!report_send(b, r, spoold))
			return;
	}
}

static void
give_up(struct bounce *b, enum report_state first, enum report_state last,
	const char *why)
{
	struct report *r, *next;

	for (r = TAILQ_FIRST(&b->reports); r; r = next) {
		next = TAILQ_NEXT(r, link);
		if (r->state >= first && r->state <= last)
			report_later(b, r, why);
	}
}

void
reports_authd_down(struct bounce *b)
{
	give_up(b, REPORT_ASK_SENDER, REPORT_ASK_REPLY, "the directory is away");
}

void
reports_spoold_down(struct bounce *b)
{
	b->grants.n = 0;
	give_up(b, REPORT_READY, REPORT_STORING, "the spool is away");
}

void
reports_forget(struct bounce *b)
{
	struct report *r, *next;

	for (r = TAILQ_FIRST(&b->reports); r; r = next) {
		next = TAILQ_NEXT(r, link);
		if (r->what != REPORT_NOTICE)
			report_free(b, r);
	}
}
