#include "smtpd/smtpd.h"

#define PIECE_BYTES_MAX (56u << 10) /* of one ipc message; a packet has 64 KiB */
/* More than this is streamed; with a usual envelope it still fits spool_put. */
#define HELD_BYTES_MAX (48u << 10)
/* A client keeps this much memory for its next message. */
#define CONTENT_KEEP_BYTES (8u << 10)
#define QUEUE_HIGH         (1u << 20) /* bytes for spoold at which clients wait */
#define QUEUE_LOW          (QUEUE_HIGH / 2)

static struct ipc_peer *
spoold_of(const struct smtpd *d)
{
	return proc_peer(d->proc, IPC_KIND_SPOOLD, 0);
}

static struct client_list *
bucket(struct smtpd *d, uint64_t id)
{
	return &d->by_id[id % CLIENT_BUCKETS];
}

static struct client *
find(struct smtpd *d, uint64_t id)
{
	struct client *c;

	LIST_FOREACH(c, bucket(d, id), message_link)
	if (c->id == id)
		return c;
	return NULL;
}

/* The only place that changes the state. */
static void
enter(struct client *c, enum message_state to)
{
	if (c->message == MESSAGE_NONE && to != MESSAGE_NONE)
		LIST_INSERT_HEAD(bucket(c->smtpd, c->id), c, message_link);
	if (c->message != MESSAGE_NONE && to == MESSAGE_NONE) {
		LIST_REMOVE(c, message_link);
		if (c->content.size > CONTENT_KEEP_BYTES)
			buf_release(&c->content);
		buf_reset(&c->content);
	}
	c->message = to;
}

/* --- sending -------------------------------------------------------------- */

static void
put_recipients(struct smtpd *d, const struct session_envelope *e)
{
	buf_reset(&d->recipients);
	for (size_t i = 0; i < e->n_rcpts; i++) {
		const struct session_rcpt *r = &e->rcpts[i];
		struct envelope_recipient recipient = {
		    .address = r->address,
		    .orcpt = r->orcpt,
		    .notify = (uint8_t)r->notify, /* the bits are the same */
		    .targets = r->target,
		};

		recipient_put(&d->recipients, &recipient);
	}
}

/* Into the envelope, what access tables want of the message. */
static void
put_demands(struct client *c, struct envelope *envelope)
{
	struct buf *recipients = &c->smtpd->recipients;

	if (c->demands->hold)
		envelope->flags |= ENVELOPE_HOLD;
	envelope->n_recipients = (uint32_t)demands_recipients(c->demands, recipients,
							      envelope->n_recipients);
}

/* The envelope of the message into d->envelope; false when it is too large. */
static bool
put_envelope(struct client *c)
{
	struct smtpd *d = c->smtpd;
	const struct session_envelope *e = session_envelope(c->session);
	struct buf protocol = buf_make(32);
	struct envelope envelope = {
	    .flags = (e->eightbit ? ENVELOPE_8BITMIME : 0) |
		     (e->utf8 ? ENVELOPE_SMTPUTF8 : 0),
	    .ret = (enum envelope_ret)e->ret, /* the values are the same */
	    .account = c->account,
	    .sender = e->sender,
	    .envid = e->envid,
	    .login = session_login(c->session),
	    .helo = session_hello(c->session),
	    .message_id = session_message_id(c->session),
	    .n_recipients = (uint32_t)e->n_rcpts,
	};

	session_protocol_put(c->session, &protocol);
	envelope.protocol = buf_span(&protocol);
	if (!c->local)
		envelope.client = span_make(c->address.ip, sizeof(c->address.ip));
	put_recipients(d, e);
	if (c->demands)
		put_demands(c, &envelope);
	envelope.recipients = buf_span(&d->recipients);
	buf_reset(&d->envelope);
	envelope_put(&d->envelope, &envelope);
	buf_release(&protocol);
	return !d->recipients.full && !d->envelope.full;
}

static void
send_pieces(struct client *c, struct ipc_peer *spoold, struct span bytes)
{
	while (bytes.n > 0) {
		struct ipc_spool_piece m = {c->id, span_first(bytes, PIECE_BYTES_MAX)};

		ipc_send_spool_piece(spoold, &m);
		bytes = span_after(bytes, m.bytes.n);
	}
}

/* d->envelope and what is held of the message; more may follow. */
static void
send_begin(struct client *c, struct ipc_peer *spoold)
{
	struct span envelope = buf_span(&c->smtpd->envelope);
	const struct session_envelope *e = session_envelope(c->session);
	struct ipc_spool_begin m = {
	    .id = c->id,
	    .envelope_bytes = (uint32_t)envelope.n,
	    .bytes = span_first(envelope, PIECE_BYTES_MAX),
	};

	if (e->size_declared > 0)
		m.size_hint = e->size_declared + envelope.n;
	ipc_send_spool_begin(spoold, &m);
	send_pieces(c, spoold, span_after(envelope, m.bytes.n));
	send_pieces(c, spoold, buf_span(&c->content));
	buf_reset(&c->content);
	enter(c, MESSAGE_STREAMED);
}

static void
send_put(struct client *c, struct ipc_peer *spoold)
{
	struct buf *envelope = &c->smtpd->envelope;
	struct ipc_spool_put m = {.id = c->id, .envelope_bytes = (uint32_t)envelope->n};

	buf_put(envelope, buf_span(&c->content));
	m.bytes = buf_span(envelope);
	ipc_send_spool_put(spoold, &m);
}

/* A message that is whole, or the rest of one that is streamed. */
static void
send_rest(struct client *c, struct ipc_peer *spoold)
{
	struct ipc_spool_end end = {.id = c->id};

	if (c->message == MESSAGE_HELD &&
	    c->smtpd->envelope.n + c->content.n <= SPOOL_PUT_MAX) {
		send_put(c, spoold);
	} else {
		if (c->message == MESSAGE_HELD)
			send_begin(c, spoold);
		send_pieces(c, spoold, buf_span(&c->content));
		ipc_send_spool_end(spoold, &end);
	}
	enter(c, MESSAGE_SENT);
}

/* --- what the session wants ----------------------------------------------- */

static bool
begin(struct client *c)
{
	if (!id_pool_take(&c->smtpd->ids, &c->id)) {
		client_wait(c, WAIT_ID);
		return false;
	}
	queue_id_format(c->id, c->id_text);
	c->message_bytes = 0;
	enter(c, MESSAGE_HELD);
	session_answer_begin(c->session, SESSION_MESSAGE_OK, span_str(c->id_text),
			     (int64_t)(proc_now_us() / 1000000));
	return true;
}

bool
message_begin(struct client *c)
{
	if (spoold_of(c->smtpd))
		return begin(c);
	session_answer_begin(c->session, SESSION_MESSAGE_LATER, SPAN(""), 0);
	return true;
}

/* Fields that tables want, before the first of ours. */
static void
prepend(struct client *c)
{
	c->message_bytes += c->demands->fields.n;
	buf_put(&c->content, buf_span(&c->demands->fields));
}

/* What is held goes to spoold, which has the beginning of the message then. */
static void
send_held(struct client *c)
{
	struct ipc_peer *spoold = spoold_of(c->smtpd);

	if (!spoold || (c->message == MESSAGE_HELD && !put_envelope(c))) {
		message_abort(c);
		session_answer_lost(c->session, SESSION_MESSAGE_LATER);
		return;
	}
	if (c->message == MESSAGE_HELD)
		send_begin(c, spoold);
	send_pieces(c, spoold, buf_span(&c->content));
	buf_reset(&c->content);
}

/* Whether spoold has as much to read as it should have; the client then waits. */
static bool
room_awaited(struct client *c)
{
	struct ipc_peer *spoold = spoold_of(c->smtpd);

	if (!spoold || ipc_queued_bytes(spoold) < QUEUE_HIGH)
		return false;
	client_wait(c, WAIT_ROOM);
	return true;
}

bool
message_piece(struct client *c)
{
	struct span piece = session_ask(c->session)->piece;

	if (c->message_bytes == 0 && c->demands)
		prepend(c);
	c->message_bytes += piece.n;
	if (c->discard)
		return true;
	buf_put(&c->content, piece);
	if (c->content.n <= HELD_BYTES_MAX)
		return true;
	if (room_awaited(c))
		return false; /* message_turn() sends it */
	send_held(c);
	return true;
}

/* The client hears what it would of any other message, with an id that no other
 * message gets. */
static void
discard(struct client *c)
{
	const struct session_envelope *e = session_envelope(c->session);
	struct ipc_spool_abort m = {.id = c->id};

	logline(LOGLINE_INFO, "smtp.discarded", L_STR("id", c->id_text),
		L_HEX("sid", c->sid), L_SPAN("from", e->sender),
		L_SPAN("rcpt", e->rcpts[0].address), L_U64("rcpts", e->n_rcpts),
		L_U64("size", c->message_bytes),
		L_SPAN("msgid", session_message_id(c->session)));
	if (spoold_of(c->smtpd))
		ipc_send_spool_abort(spoold_of(c->smtpd), &m);
	enter(c, MESSAGE_NONE);
	session_answer_end(c->session, SESSION_MESSAGE_OK);
}

bool
message_end(struct client *c)
{
	struct ipc_peer *spoold = spoold_of(c->smtpd);

	if (c->discard) {
		discard(c);
		return true;
	}
	if (room_awaited(c))
		return false;
	if (!spoold || (c->message == MESSAGE_HELD && !put_envelope(c))) {
		message_abort(c);
		session_answer_end(c->session, SESSION_MESSAGE_LATER);
		return true;
	}
	send_rest(c, spoold);
	client_wait(c, WAIT_SPOOL);
	return false;
}

static void
give_up(struct client *c)
{
	struct ipc_peer *spoold = spoold_of(c->smtpd);
	struct ipc_spool_abort m = {.id = c->id};

	if (!spoold || c->message == MESSAGE_SENT)
		return; /* it ends there by itself, or is out of our hands */
	if (c->message == MESSAGE_HELD && id_pool_return(&c->smtpd->ids, c->id))
		return;
	ipc_send_spool_abort(spoold, &m);
}

void
message_abort(struct client *c)
{
	struct span why = c->session ? session_refusal(c->session) : SPAN("");

	if (c->message == MESSAGE_NONE)
		return;
	if (why.n > 0) {
		c->smtpd->count.refused++;
		logline(LOGLINE_INFO, "smtp.refused", L_STR("id", c->id_text),
			L_HEX("sid", c->sid),
			L_SPAN("from", session_envelope(c->session)->sender),
			L_SPAN("reply", why),
			L_SPAN("msgid", session_message_id(c->session)));
	}
	give_up(c);
	enter(c, MESSAGE_NONE);
}

/* --- what spoold says ----------------------------------------------------- */

static void
log_accepted(const struct client *c)
{
	const struct session_envelope *e = session_envelope(c->session);
	char client[NET_ADDRESS_TEXT_MAX];

	logline(LOGLINE_INFO, "smtp.accepted", L_STR("id", c->id_text),
		L_HEX("sid", c->sid), L_STR("client", client_text(c, client)),
		L_SPAN("login", session_login(c->session)), L_SPAN("from", e->sender),
		L_SPAN("rcpt", e->rcpts[0].address), L_U64("rcpts", e->n_rcpts),
		L_U64("size", c->message_bytes),
		L_SPAN("msgid", session_message_id(c->session)));
}

static void
log_demands(const struct client *c)
{
	const struct demands *d = c->demands;

	if (!d || (!d->hold && d->redirect.n == 0 && d->n_bcc == 0 && d->n_fields == 0))
		return;
	logline(LOGLINE_INFO, "smtp.changed", L_STR("id", c->id_text),
		L_HEX("sid", c->sid), L_U64("held", d->hold),
		L_SPAN("redirect", buf_span(&d->redirect)), L_U64("bcc", d->n_bcc),
		L_U64("fields", d->n_fields));
}

static void
done(struct client *c, unsigned outcome)
{
	static const enum session_message_answer answers[] = {
	    [SPOOL_STORED] = SESSION_MESSAGE_OK,
	    [SPOOL_NO_SPACE] = SESSION_MESSAGE_FULL,
	    [SPOOL_FAULT] = SESSION_MESSAGE_LATER,
	};
	enum session_message_answer answer =
	    outcome < N_ELEMS(answers) ? answers[outcome] : SESSION_MESSAGE_LATER;

	if (answer == SESSION_MESSAGE_OK) {
		c->smtpd->count.messages++;
		c->smtpd->count.message_bytes += c->message_bytes;
		c->smtpd->count.recipients += session_envelope(c->session)->n_rcpts;
		log_accepted(c);
		log_demands(c);
	} else {
		logline(LOGLINE_WARNING, "smtp.not_stored", L_STR("id", c->id_text),
			L_HEX("sid", c->sid), L_U64("outcome", outcome));
	}
	enter(c, MESSAGE_NONE);
	session_answer_end(c->session, answer);
	client_resume(c);
}

/* Clients that wait for an id go on, as far as there are any. */
static void
serve_waiting(struct smtpd *d)
{
	struct client *c;

	while ((c = TAILQ_FIRST(&d->for_id))) {
		client_wait(c, WAIT_NOTHING);
		if (!message_begin(c))
			return; /* it waits again */
		client_drive(c);
	}
}

void
message_message(struct smtpd *d, struct ipc_peer *spoold, const struct ipc_message *m)
{
	struct client *c;

	if (m->number == IPC_NUMBER_id_grant) {
		if (id_pool_grant(&d->ids, m->id_grant.first, m->id_grant.count))
			serve_waiting(d);
		else
			ipc_peer_drop(spoold, "a grant of ids that cannot be");
	}
	if (m->number == IPC_NUMBER_spool_done) {
		c = find(d, m->spool_done.id);
		if (c && c->wait == WAIT_SPOOL)
			done(c, m->spool_done.outcome);
	}
}

static void
lose(struct client *c)
{
	bool begun = c->message != MESSAGE_NONE;

	enter(c, MESSAGE_NONE);
	if (begun)
		session_answer_lost(c->session, SESSION_MESSAGE_LATER);
	else
		session_answer_begin(c->session, SESSION_MESSAGE_LATER, SPAN(""), 0);
}

void
message_lost(struct smtpd *d)
{
	struct client *c, *next;

	id_pool_clear(&d->ids);
	for (c = LIST_FIRST(&d->clients); c; c = next) {
		next = LIST_NEXT(c, all);
		if (c->message == MESSAGE_NONE && c->wait != WAIT_ID)
			continue;
		lose(c);
		if (c->wait == WAIT_AUTHD)
			continue;
		client_resume(c);
	}
}

void
message_turn(struct smtpd *d)
{
	struct ipc_peer *spoold = spoold_of(d);
	struct client *c;

	while ((c = TAILQ_FIRST(&d->for_room)) &&
	       (!spoold || ipc_queued_bytes(spoold) < QUEUE_LOW)) {
		if (c->content.n > HELD_BYTES_MAX)
			send_held(c);
		client_resume(c);
	}
}
