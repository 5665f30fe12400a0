#include "smtpd/smtpd.h"

void
client_wait(struct client *c, enum client_wait what)
{
	struct smtpd *d = c->smtpd;

	if (c->wait == WAIT_ID)
		TAILQ_REMOVE(&d->for_id, c, queued);
	if (c->wait == WAIT_ROOM)
		TAILQ_REMOVE(&d->for_room, c, queued);
	c->wait = what;
	if (what == WAIT_ID)
		TAILQ_INSERT_TAIL(&d->for_id, c, queued);
	if (what == WAIT_ROOM)
		TAILQ_INSERT_TAIL(&d->for_room, c, queued);
}

/* Replies go from the session to the stream. */
static void
send_replies(struct client *c)
{
	struct buf *out = session_out(c->session);

	if (out->n == 0)
		return;
	net_stream_write(c->stream, buf_span(out));
	buf_drop_front(out, out->n);
}

/* Does what the session wants. True when the session may step on at once. */
static bool
fulfil(struct client *c, enum session_want want)
{
	switch (want) {
	case SESSION_WANT_SENDER:
		return ask_sender(c);
	case SESSION_WANT_RCPT:
		return ask_rcpt(c);
	case SESSION_WANT_AUTH:
		return ask_auth(c);
	case SESSION_WANT_BEGIN:
		return message_begin(c);
	case SESSION_WANT_PIECE:
		return message_piece(c);
	case SESSION_WANT_END:
		return message_end(c);
	case SESSION_WANT_ABORT:
		message_abort(c);
		return true;
	case SESSION_WANT_FLUSH:
		send_replies(c);
		return !net_stream_full(c->stream);
	case SESSION_WANT_INPUT:
	case SESSION_WANT_PAUSE:
	case SESSION_WANT_TLS:
	case SESSION_WANT_CLOSE:
		return false;
	}
	return false;
}

/* Errors of the client count for all its connections. */
static void
count_errors(struct client *c)
{
	unsigned errors = session_errors(c->session);

	if (errors == c->errors || c->exempt)
		return;
	if (!net_limits_take(c->smtpd->limits, c->key, NET_EVENT_ERROR,
			     errors - c->errors, proc_ticks_ms()))
		session_end(c->session, SESSION_TOO_FAST);
	c->errors = errors;
}

static void
set_deadline(struct client *c)
{
	uint64_t now = proc_ticks_ms(), due = session_deadline_ms(c->session);

	net_stream_deadline(c->stream, due > now ? due - now : 1);
}

/* All steps that can be made; what is wanted behind them. */
static enum session_want
step_on(struct client *c)
{
	struct span in = net_stream_input(c->stream), rest = in;
	enum session_want want;

	do {
		want = session_step(c->session, &rest, proc_ticks_ms());
	} while (fulfil(c, want));
	net_stream_take(c->stream, in.n - rest.n);
	if (want != SESSION_WANT_INPUT && want != SESSION_WANT_PAUSE &&
	    want != SESSION_WANT_CLOSE)
		return want;
	count_errors(c);
	return session_wanted(c->session);
}

void
client_drive(struct client *c)
{
	enum session_want want;

	if (!c->session || c->wait != WAIT_NOTHING)
		return;
	if (c->barred) {
		client_bar(c);
		return;
	}
	want = step_on(c);
	send_replies(c);
	if (want == SESSION_WANT_CLOSE) {
		client_close(c, "closed");
		return;
	}
	if (want == SESSION_WANT_INPUT && c->ended) {
		client_close(c, "closed by client");
		return;
	}
	if (want == SESSION_WANT_INPUT && c->smtpd->draining) {
		client_stop(c);
		return;
	}
	if (want == SESSION_WANT_TLS) {
		client_wait(c, WAIT_TLS);
		net_stream_secure(c->stream, c->smtpd->certificate.tls);
	}
	set_deadline(c);
}

void
client_resume(struct client *c)
{
	client_wait(c, WAIT_NOTHING);
	client_drive(c);
}
