#include "gate/gate.h"

static void
start(struct client *c, struct ipc_peer *authd, const struct login_ask *ask)
{
	struct ipc_auth_start m = {
	    .service = (uint8_t)c->service->auth,
	    .tls = login_tls(c->login),
	    .has_initial = ask->has_text,
	    .client = span_make(c->address.ip, sizeof(c->address.ip)),
	    .mechanism = ask->mechanism,
	    .initial = ask->text,
	};

	c->tag = ++c->gate->exchanges << GATE_SLOT_BITS | c->slot;
	c->exchange = true;
	m.tag = c->tag;
	auth_begin(authd, c->stream, &m);
}

static void
finish(struct client *c, enum login_outcome outcome)
{
	login_answer_done(c->login, outcome, net_stream_output(c->stream));
	net_stream_flush(c->stream);
	net_stream_resume(c->stream);
}

void
exchange_ask(struct client *c)
{
	const struct login_ask *ask = login_ask(c->login);
	struct ipc_peer *authd = proc_peer(c->gate->proc, IPC_KIND_AUTHD, 0);

	if (!authd) {
		finish(c, LOGIN_LATER);
	} else if (ask->first) {
		start(c, authd, ask);
	} else if (!c->exchange) {
		finish(c, LOGIN_BAD_EXCHANGE); /* authd gave it up meanwhile */
	} else {
		struct ipc_auth_step m = {.tag = c->tag, .response = ask->text};

		ipc_send_auth_step(authd, &m);
	}
}

void
exchange_cancel(struct client *c)
{
	struct ipc_peer *authd = proc_peer(c->gate->proc, IPC_KIND_AUTHD, 0);
	struct ipc_auth_cancel m = {.tag = c->tag};

	if (c->exchange && authd)
		ipc_send_auth_cancel(authd, &m);
	c->exchange = false;
}

/* --- answers -------------------------------------------------------------- */

static void
on_challenge(struct gate *g, const struct ipc_auth_challenge *m)
{
	struct client *c = client_find(g, m->tag);

	if (!c || !login_waits(c->login))
		return;
	login_answer_challenge(c->login, m->challenge, net_stream_output(c->stream));
	net_stream_flush(c->stream);
	client_drive(c);
}

static void
log_denied(struct client *c)
{
	char text[NET_ADDRESS_TEXT_MAX];

	c->gate->denials++;
	logline(LOGLINE_INFO, "gate.denied", L_HEX("sid", c->sid),
		L_STR("service", c->service->listener),
		L_STR("client", net_address_text(&c->address, text)),
		L_SPAN("mechanism", login_ask(c->login)->mechanism),
		L_U64("failures", login_failures(c->login) + 1));
}

static bool
take_login(struct client *c, const struct ipc_auth_done *m)
{
	if (m->ticket.n != sizeof(c->ticket) ||
	    !span_copy(m->address, c->name, sizeof(c->name)))
		return false;
	memcpy(c->ticket, m->ticket.at, sizeof(c->ticket));
	c->account = m->account;
	c->gate->logins++;
	return true;
}

static void
on_done(struct gate *g, const struct ipc_auth_done *m)
{
	static const enum login_outcome outcomes[] = {
	    [AUTH_OK] = LOGIN_OK,
	    [AUTH_FAILED] = LOGIN_DENIED,
	    [AUTH_BAD_EXCHANGE] = LOGIN_BAD_EXCHANGE,
	    [AUTH_NO_MECHANISM] = LOGIN_NO_MECHANISM,
	    [AUTH_LATER] = LOGIN_LATER,
	};
	struct client *c = client_find(g, m->tag);
	enum login_outcome outcome =
	    m->outcome < N_ELEMS(outcomes) ? outcomes[m->outcome] : LOGIN_LATER;

	if (!c)
		return;
	c->exchange = false;
	if (!login_waits(c->login))
		return; /* authd lost patience with the client */
	if (outcome == LOGIN_OK && !take_login(c, m))
		outcome = LOGIN_LATER;
	if (outcome == LOGIN_DENIED)
		log_denied(c);
	login_answer_done(c->login, outcome, net_stream_output(c->stream));
	net_stream_flush(c->stream);
	client_drive(c);
}

void
exchange_message(struct gate *g, const struct ipc_message *m)
{
	if (m->number == IPC_NUMBER_auth_challenge)
		on_challenge(g, &m->auth_challenge);
	else if (m->number == IPC_NUMBER_auth_done)
		on_done(g, &m->auth_done);
}

void
exchanges_lost(struct gate *g)
{
	struct client *c, *next;

	for (c = LIST_FIRST(&g->clients); c; c = next) {
		next = LIST_NEXT(c, all);
		if (!c->exchange)
			continue;
		c->exchange = false;
		if (login_waits(c->login))
			finish(c, LOGIN_LATER);
	}
}
