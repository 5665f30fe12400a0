#include "pop3d/pop3d.h"

#define STEPS_PER_TURN 64

/* More of the same after other work, when there is any. */
static bool
later(struct visit *v)
{
	net_stream_resume(v->stream);
	return false;
}

static bool
want_input(struct visit *v)
{
	/* [RFC1939 6]: without QUIT nothing is deleted. */
	if (v->client_ended)
		visit_close(v, "closed by client", false);
	return false;
}

static bool
want_message(struct visit *v)
{
	enum pop3_message_answer answer =
	    mailbox_message(&v->mailbox, pop3_ask(v->session)->uid);

	if (answer == POP3_MESSAGE_DAMAGED || answer == POP3_MESSAGE_FAULT)
		logline(LOGLINE_ERROR, "pop3.unreadable", L_U64("account", v->account),
			L_U64("uid", pop3_ask(v->session)->uid),
			L_ERR(&v->mailbox.err));
	pop3_answer_message(v->session, answer, net_stream_output(v->stream));
	return true;
}

static bool
want_bytes(struct visit *v)
{
	const struct pop3_ask *ask = pop3_ask(v->session);
	struct span bytes = mailbox_bytes(&v->mailbox, ask->offset, ask->n);

	if (bytes.n == 0)
		logline(LOGLINE_ERROR, "pop3.unreadable", L_U64("account", v->account),
			L_U64("uid", ask->uid), L_ERR(&v->mailbox.err));
	pop3_answer_bytes(v->session, bytes, net_stream_output(v->stream));
	return true;
}

/* One step; true when the next may follow at once. */
static bool
step(struct visit *v)
{
	struct span in = net_stream_input(v->stream);
	size_t before = in.n;
	enum pop3_want want = pop3_step(v->session, &in, net_stream_output(v->stream));

	net_stream_take(v->stream, before - in.n);
	net_stream_flush(v->stream);
	switch (want) {
	case POP3_WANT_INPUT:
		return want_input(v);
	case POP3_WANT_TURN:
		return later(v);
	case POP3_WANT_FLUSH:
		return false; /* `drained` goes on */
	case POP3_WANT_MESSAGE:
		return want_message(v);
	case POP3_WANT_BYTES:
		return want_bytes(v);
	case POP3_WANT_DONE:
		mailbox_done(&v->mailbox);
		return true;
	case POP3_WANT_UPDATE:
		visit_update(v);
		return false;
	case POP3_WANT_CLOSE:
	case POP3_WANT_ABORT:
		visit_close(v, pop3_reason(v->session), want == POP3_WANT_ABORT);
		return false;
	}
	return false;
}

void
visit_serve(struct visit *v)
{
	for (int i = 0; i < STEPS_PER_TURN; i++)
		if (!step(v))
			return;
	(void)later(v);
}
