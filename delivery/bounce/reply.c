/* The answer of an account, from qmgr's question to spoold's word. authd is asked last:
 * what it grants counts as answered. */
#include "delivery/bounce/bounce.h"

static void
reply_log(const struct report *r, const char *why)
{
	char id[QUEUE_ID_TEXT_SIZE];

	queue_id_format(r->id, id);
	logline(LOGLINE_INFO, "bounce.no_reply", L_STR("id", id),
		L_SPAN("from", r->reply.recipient), L_SPAN("to", r->reply.sender),
		L_STR("reason", why));
}

/* None is made. */
static void
reply_not(struct bounce *b, struct report *r, const char *why)
{
	b->count.replies_not++;
	reply_log(r, why);
	report_answer(b, r, REPORT_NOBODY, why);
}

static enum reply_reason
decide(const struct bounce *b, const struct report *r, struct span header)
{
	const struct span own[] = {r->reply.recipient, r->reply.original};
	const struct reply_question q = {
	    .sender = r->reply.sender,
	    .header = header,
	    .own = own,
	    .n_own = N_ELEMS(own),
	    .delimiters = span_str(proc_settings(b->proc)->recipient_delimiter)};

	return reply_decide(&q);
}

static void
reply_start(struct bounce *b, struct report *r)
{
	struct buf header = buf_make(HEADER_BYTES_MAX);
	enum reply_reason reason = REPLY_DUE;
	const char *why = NULL;

	if (letter_header(b, r, &header, &why))
		reason = decide(b, r, buf_span(&header));
	buf_release(&header);
	if (why)
		report_later(b, r, why);
	else if (reason != REPLY_DUE)
		reply_not(b, r, reply_reason_text(reason));
	else
		report_ask(b, r, DSN_TO_SENDER, r->reply.sender);
}

bool
reply_take(struct bounce *b, const struct ipc_reply *m)
{
	struct report *r;
	char *at;

	if (m->offset > UINT64_MAX - m->content_bytes || m->account == 0)
		return false;
	r = report_new(b, REPORT_REPLY);
	at = r->bytes = memory_new(m->sender.n + m->recipient.n + m->original.n + 1, 1);
	r->job = m->job;
	r->id = m->id;
	r->segment = m->segment;
	r->offset = m->offset;
	r->content_bytes = m->content_bytes;
	r->reply.account = m->account;
	r->reply.sender = report_text(&at, m->sender);
	r->reply.recipient = report_text(&at, m->recipient);
	r->reply.original = report_text(&at, m->original);
	if (b->n_reports > REPORTS_MAX || b->draining)
		report_later(b, r, "too many reports at once");
	else
		reply_start(b, r);
	return true;
}

/* Nothing is to be in the way once authd has said yes. */
static const char *
in_the_way(const struct bounce *b)
{
	struct ipc_peer *spoold = proc_peer(b->proc, IPC_KIND_SPOOLD, 0);

	if (!spoold)
		return "the spool is away";
	if (b->grants.n == 0 || ipc_queued_bytes(spoold) > SPOOLD_QUEUE_MAX)
		return "the spool takes nothing now";
	return NULL;
}

void
reply_resolved(struct bounce *b, struct report *r, bool leads)
{
	struct ipc_peer *authd = proc_peer(b->proc, IPC_KIND_AUTHD, 0);
	struct ipc_reply_ask m = {.tag = ++b->next_tag,
				  .account = r->reply.account,
				  .sender = r->reply.sender};
	const char *why = authd ? in_the_way(b) : "the directory is away";

	if (!leads) {
		reply_not(b, r, "the sender takes no mail");
	} else if (why) {
		report_later(b, r, why);
	} else {
		r->tag = m.tag;
		r->state = REPORT_ASK_REPLY;
		ipc_send_reply_ask(authd, &m);
	}
}

static void
words_take(struct report *r, const struct ipc_reply_answer *m)
{
	size_t n = m->subject.n + m->text.n + m->address.n + m->name.n;
	char *at = buf_extend(&r->reply.words, n);

	if (!at)
		return; /* words.full says so */
	r->reply.subject = report_text(&at, m->subject);
	r->reply.text = report_text(&at, m->text);
	r->reply.address = report_text(&at, m->address);
	r->reply.name = report_text(&at, m->name);
}

static struct report *
by_tag(struct bounce *b, uint64_t tag)
{
	struct report *r;

	TAILQ_FOREACH(r, &b->reports, link)
	if (r->tag == tag && r->state == REPORT_ASK_REPLY)
		return r;
	return NULL;
}

void
reply_answered(struct bounce *b, const struct ipc_reply_answer *m)
{
	struct report *r = by_tag(b, m->tag);

	if (!r)
		return;
	if (m->outcome == REPLY_SEND)
		words_take(r, m);
	if (m->outcome == REPLY_LATER)
		report_later(b, r, "the directory does not answer");
	else if (m->outcome != REPLY_SEND)
		reply_not(b, r, "none is set up, or the sender had one lately");
	else if (r->reply.words.full || m->address.n == 0)
		reply_not(b, r, "what is set up is too large");
	else
		r->state = REPORT_READY;
}

void
reply_stored(struct bounce *b, struct report *r)
{
	char id[QUEUE_ID_TEXT_SIZE], letter[QUEUE_ID_TEXT_SIZE];

	queue_id_format(r->id, id);
	queue_id_format(r->letter_id, letter);
	b->count.replies++;
	r->told_id = r->letter_id;
	logline(LOGLINE_INFO, "bounce.replied", L_STR("id", id),
		L_STR("report", letter), L_SPAN("from", r->reply.address),
		L_SPAN("to", r->reply.sender));
	report_answer(b, r, REPORT_MADE, "");
}
