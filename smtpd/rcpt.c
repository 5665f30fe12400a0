/* RCPT: what authd and access tables say of a recipient, and where tables send mail. */
#include "smtpd/smtpd.h"

static void
log_refused(const struct client *c, unsigned code)
{
	c->smtpd->count.refused++;
	logline(LOGLINE_INFO, "smtp.rcpt", L_HEX("sid", c->sid),
		L_SPAN("from", session_envelope(c->session)->sender),
		L_SPAN("rcpt", session_ask(c->session)->address), L_U64("code", code));
}

static void
answer_rcpt(struct client *c, enum session_rcpt_answer answer, struct span targets)
{
	if (answer != SESSION_RCPT_OK)
		log_refused(c, session_rcpt_code(answer));
	session_answer_rcpt(c->session, answer, targets);
}

/* A table has the words. */
static void
refuse_rcpt(struct client *c, struct span reply)
{
	unsigned code = session_refusal_code(reply);

	log_refused(c, code ? code : session_rcpt_code(SESSION_RCPT_LATER));
	session_answer_rcpt_refused(c->session, reply);
}

/* As access tables have it. */
static struct span
client_name(const struct client *c)
{
	if (!c->name || name_state(c->name) == NAME_ASKED)
		return SPAN("");
	return name_state(c->name) == NAME_KNOWN ? name_text(c->name) : SPAN("unknown");
}

static void
ask_address(struct client *c, struct ipc_peer *authd, struct span address,
	    bool by_table)
{
	struct ipc_resolve m = {
	    .tag = ++c->smtpd->next_tag,
	    .size = session_ask(c->session)->size_declared,
	    .account = c->account,
	    .may_relay = c->may_relay || by_table,
	    .by_table = by_table,
	    .address = address,
	    .sender = session_envelope(c->session)->sender,
	    .helo = session_hello(c->session),
	    .client_name = client_name(c),
	    .name_unsure = c->name && name_state(c->name) == NAME_UNSURE,
	};

	if (!c->local)
		m.client = span_make(c->address.ip, sizeof(c->address.ip));
	ask_await(c, m.tag);
	ipc_send_resolve(authd, &m);
}

bool
ask_rcpt(struct client *c)
{
	struct ipc_peer *authd = ask_authd(c);

	if (!ask_rate_allows(c, NET_EVENT_RECIPIENT)) {
		answer_rcpt(c, SESSION_RCPT_RATE, SPAN(""));
		return true;
	}
	if (!authd) {
		answer_rcpt(c, SESSION_RCPT_LATER, SPAN(""));
		return true;
	}
	ask_address(c, authd, session_ask(c->session)->address, false);
	return false;
}

static enum session_rcpt_answer
rcpt_answer(const struct ipc_resolved *m)
{
	static const enum session_rcpt_answer answers[] = {
	    [RESOLVE_OK] = SESSION_RCPT_OK,
	    [RESOLVE_UNKNOWN] = SESSION_RCPT_UNKNOWN,
	    [RESOLVE_NO_DOMAIN] = SESSION_RCPT_RELAY,
	    [RESOLVE_DISABLED] = SESSION_RCPT_DISABLED,
	    [RESOLVE_FULL] = SESSION_RCPT_OVER_QUOTA,
	    [RESOLVE_LOOP] = SESSION_RCPT_LOOP,
	    [RESOLVE_LATER] = SESSION_RCPT_LATER,
	    [RESOLVE_FORGED] = SESSION_RCPT_FORGED,
	    [RESOLVE_EXPIRED] = SESSION_RCPT_EXPIRED,
	    [RESOLVE_NOT_ALLOWED] = SESSION_RCPT_NOT_ALLOWED,
	    [RESOLVE_TOO_BIG] = SESSION_RCPT_TOO_BIG,
	};
	size_t n;

	if (m->outcome >= N_ELEMS(answers))
		return SESSION_RCPT_LATER;
	/* What we could not hand on must not be taken. */
	if (m->outcome == RESOLVE_OK && (!target_list_check(m->targets, &n) || n == 0 ||
					 !demand_list_check(m->demands)))
		return SESSION_RCPT_LATER;
	return answers[m->outcome];
}

/* --- addresses of access tables ------------------------------------------- */

static void
demands_refuse(struct client *c)
{
	demands_forget(c->demands);
	answer_rcpt(c, SESSION_RCPT_LATER, SPAN(""));
}

/* Asks for the next address, or accepts the recipient. */
static void
demands_step(struct client *c)
{
	struct demands *d = c->demands;
	struct ipc_peer *authd = ask_authd(c);
	struct span address;

	if (demands_unknown(d, &address)) {
		if (authd)
			ask_address(c, authd, address, true);
		else
			demands_refuse(c);
	} else if (demands_accept(d)) {
		answer_rcpt(c, SESSION_RCPT_OK, buf_span(&d->targets));
		demands_forget(d);
	} else {
		demands_refuse(c);
	}
}

/* An address that leads nowhere is the table's fault, and not the sender's. */
static void
demands_resolved(struct client *c, const struct ipc_resolved *m)
{
	struct demands *d = c->demands;
	struct span address;

	if (!demands_unknown(d, &address) || rcpt_answer(m) != SESSION_RCPT_OK) {
		logline(LOGLINE_WARNING, "smtp.no_target", L_HEX("sid", c->sid),
			L_SPAN("address", address), L_U64("outcome", m->outcome),
			L_SPAN("error", m->text));
		demands_refuse(c);
		return;
	}
	demands_learn(d, address, m->targets);
	demands_step(c);
}

void
rcpt_resolved(struct client *c, const struct ipc_resolved *m)
{
	enum session_rcpt_answer answer = rcpt_answer(m);

	if (c->demands && c->demands->open) {
		demands_resolved(c, m);
	} else if (m->outcome == RESOLVE_REFUSED) {
		refuse_rcpt(c, m->text);
	} else if (m->outcome == RESOLVE_DISCARD) {
		c->discard = true;
		answer_rcpt(c, SESSION_RCPT_OK, SPAN(""));
	} else if (answer == SESSION_RCPT_OK && m->demands.n > 0) {
		if (!c->demands)
			c->demands = demands_new();
		demands_begin(c->demands, m->demands, m->targets);
		demands_step(c);
	} else {
		answer_rcpt(c, answer, m->targets);
	}
}

void
rcpt_lost(struct client *c)
{
	answer_rcpt(c, SESSION_RCPT_LATER, SPAN(""));
}
