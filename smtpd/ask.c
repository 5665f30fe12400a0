#include "smtpd/smtpd.h"

static struct client_list *
bucket(struct smtpd *d, uint64_t tag)
{
	return &d->by_tag[tag % CLIENT_BUCKETS];
}

static void
tag_clear(struct client *c)
{
	if (c->tag == 0)
		return;
	LIST_REMOVE(c, tagged);
	c->tag = 0;
}

void
ask_await(struct client *c, uint64_t tag)
{
	tag_clear(c);
	c->tag = tag;
	LIST_INSERT_HEAD(bucket(c->smtpd, tag), c, tagged);
	client_wait(c, WAIT_AUTHD);
}

static struct client *
find(struct smtpd *d, uint64_t tag)
{
	struct client *c;

	LIST_FOREACH(c, bucket(d, tag), tagged)
	if (c->tag == tag)
		return c;
	return NULL;
}

struct ipc_peer *
ask_authd(const struct client *c)
{
	return proc_peer(c->smtpd->proc, IPC_KIND_AUTHD, 0);
}

bool
ask_rate_allows(struct client *c, enum net_event event)
{
	return c->exempt ||
	       net_limits_take(c->smtpd->limits, c->key, event, 1, proc_ticks_ms());
}

/* --- sender --------------------------------------------------------------- */

static void
answer_sender(struct client *c, enum session_sender_answer answer)
{
	if (answer != SESSION_SENDER_OK) {
		c->smtpd->count.refused++;
		logline(LOGLINE_INFO, "smtp.sender", L_HEX("sid", c->sid),
			L_SPAN("from", session_ask(c->session)->address),
			L_SPAN("login", session_login(c->session)),
			L_U64("code", session_sender_code(answer)));
	}
	session_answer_sender(c->session, answer);
}

/* Tables judge strangers only. */
static bool
waits_for_name(const struct client *c)
{
	return c->name && name_state(c->name) == NAME_ASKED && c->account == 0 &&
	       !c->may_relay;
}

/* A login may use the addresses it owns, and the null sender of a report. */
bool
ask_sender(struct client *c)
{
	const struct session_ask *ask = session_ask(c->session);
	struct ipc_sender_check m = {.account = c->account, .address = ask->address};
	struct ipc_peer *authd = ask_authd(c);

	if (waits_for_name(c)) {
		client_wait(c, WAIT_NAME);
		return false;
	}
	client_announce(c);
	c->discard = false;
	demands_free(&c->demands);
	if (!ask_rate_allows(c, NET_EVENT_MESSAGE)) {
		answer_sender(c, SESSION_SENDER_RATE);
		return true;
	}
	if (c->account == 0 || ask->address.n == 0) {
		answer_sender(c, SESSION_SENDER_OK);
		return true;
	}
	if (!authd) {
		answer_sender(c, SESSION_SENDER_LATER);
		return true;
	}
	m.tag = ++c->smtpd->next_tag;
	ask_await(c, m.tag);
	ipc_send_sender_check(authd, &m);
	return false;
}

static void
sender_checked(struct client *c, const struct ipc_sender_checked *m)
{
	static const enum session_sender_answer answers[] = {
	    [SENDER_OK] = SESSION_SENDER_OK,
	    [SENDER_NOT_OWNED] = SESSION_SENDER_NOT_OWNED,
	    [SENDER_LATER] = SESSION_SENDER_LATER,
	};

	answer_sender(c, m->outcome < N_ELEMS(answers) ? answers[m->outcome]
						       : SESSION_SENDER_LATER);
}

/* --- login ---------------------------------------------------------------- */

static void
exchange_cancel(struct client *c)
{
	struct ipc_peer *authd = ask_authd(c);
	struct ipc_auth_cancel m = {.tag = c->exchange_tag};

	if (c->exchange && authd)
		ipc_send_auth_cancel(authd, &m);
	c->exchange = false;
}

static void
exchange_start(struct client *c, struct ipc_peer *authd, struct span message)
{
	const struct session_ask *ask = session_ask(c->session);
	struct ipc_auth_start m = {
	    .service = AUTH_SERVICE_SMTP,
	    .tls = session_tls(c->session),
	    .has_initial = ask->has_text,
	    .client = span_make(c->address.ip, sizeof(c->address.ip)),
	    .mechanism = smtp_mechanism_name(ask->mechanism),
	    .initial = message,
	};

	exchange_cancel(c);
	m.tag = c->exchange_tag = ++c->smtpd->next_tag;
	c->exchange = true;
	ask_await(c, m.tag);
	auth_begin(authd, c->stream, &m);
}

static void
exchange_step(struct client *c, struct ipc_peer *authd, struct span message)
{
	struct ipc_auth_step m = {.tag = c->exchange_tag, .response = message};

	ask_await(c, m.tag);
	ipc_send_auth_step(authd, &m);
}

/* True when it was passed on to authd; else it is answered. */
static bool
pass_on(struct client *c, struct span message, bool decoded)
{
	struct ipc_peer *authd = ask_authd(c);
	bool first = session_ask(c->session)->first;

	if (!decoded || (!first && !c->exchange)) {
		exchange_cancel(c);
		session_answer_auth(c->session, SESSION_AUTH_SYNTAX, SPAN(""));
		return false;
	}
	if (!authd) {
		session_answer_auth(c->session, SESSION_AUTH_LATER, SPAN(""));
		return false;
	}
	if (first)
		exchange_start(c, authd, message);
	else
		exchange_step(c, authd, message);
	return true;
}

bool
ask_auth(struct client *c)
{
	const struct session_ask *ask = session_ask(c->session);
	struct buf message = buf_make(session_limits_default.auth_line_bytes_max);
	bool decoded = base64_parse(ask->text, &message);
	bool asked = pass_on(c, buf_span(&message), decoded);

	if (message.at)
		explicit_bzero(message.at, message.size);
	buf_release(&message);
	return !asked;
}

static void
challenge(struct client *c, struct span bytes)
{
	struct buf text = buf_make(bytes.n / 3 * 4 + 4);

	base64_put(&text, bytes);
	session_answer_auth(c->session, SESSION_AUTH_CHALLENGE, buf_span(&text));
	buf_release(&text);
}

static void
logged_in(struct client *c, const struct ipc_auth_done *m)
{
	c->account = m->account;
	c->smtpd->count.logins++;
	if (!c->logged_in && c->service->logins)
		c->smtpd->n_before_login--;
	c->logged_in = true;
	logline(LOGLINE_INFO, "smtp.login", L_HEX("sid", c->sid),
		L_SPAN("login", m->address));
	session_answer_auth(c->session, SESSION_AUTH_OK, m->address);
}

static void
auth_done(struct client *c, const struct ipc_auth_done *m)
{
	static const enum session_auth_answer answers[] = {
	    [AUTH_FAILED] = SESSION_AUTH_DENIED,
	    [AUTH_BAD_EXCHANGE] = SESSION_AUTH_SYNTAX,
	    [AUTH_NO_MECHANISM] = SESSION_AUTH_DENIED,
	    [AUTH_LATER] = SESSION_AUTH_LATER,
	};

	if (m->outcome == AUTH_OK && m->account != 0)
		logged_in(c, m);
	else if (m->outcome == AUTH_OK || m->outcome >= N_ELEMS(answers))
		session_answer_auth(c->session, SESSION_AUTH_LATER, SPAN(""));
	else
		session_answer_auth(c->session, answers[m->outcome], SPAN(""));
}

/* --- answers -------------------------------------------------------------- */

/* The client that waits for this answer; an exchange may also end while its client
 * thinks, and an answer may come for a client that is gone. */
static struct client *
take(struct smtpd *d, uint64_t tag, const struct ipc_message *m)
{
	struct client *c = find(d, tag);

	if (!c)
		return NULL;
	if (m->number != IPC_NUMBER_auth_challenge)
		tag_clear(c);
	if (m->number == IPC_NUMBER_auth_done)
		c->exchange = false;
	return c->wait == WAIT_AUTHD ? c : NULL;
}

/* `want` is what the answer answers. */
static void
answer(struct smtpd *d, uint64_t tag, enum session_want want,
       const struct ipc_message *m)
{
	struct client *c = take(d, tag, m);

	if (!c)
		return;
	if (session_wanted(c->session) != want) {
		client_close(c, "authd answered what was not asked");
		return;
	}
	if (m->number == IPC_NUMBER_resolved)
		rcpt_resolved(c, &m->resolved);
	else if (m->number == IPC_NUMBER_sender_checked)
		sender_checked(c, &m->sender_checked);
	else if (m->number == IPC_NUMBER_auth_challenge)
		challenge(c, m->auth_challenge.challenge);
	else
		auth_done(c, &m->auth_done);
	if (m->number != IPC_NUMBER_resolved || c->tag == 0)
		client_resume(c); /* else there is more to be asked */
}

/* Who is logged in to the account must not go on. */
static void
account_closed(struct smtpd *d, uint64_t account)
{
	struct client *c, *next;

	for (c = LIST_FIRST(&d->clients); c && account; c = next) {
		next = LIST_NEXT(c, all);
		if (c->account == account)
			client_bar(c);
	}
}

void
ask_message(struct smtpd *d, const struct ipc_message *m)
{
	switch (m->number) {
	case IPC_NUMBER_resolved:
		answer(d, m->resolved.tag, SESSION_WANT_RCPT, m);
		break;
	case IPC_NUMBER_sender_checked:
		answer(d, m->sender_checked.tag, SESSION_WANT_SENDER, m);
		break;
	case IPC_NUMBER_auth_challenge:
		answer(d, m->auth_challenge.tag, SESSION_WANT_AUTH, m);
		break;
	case IPC_NUMBER_auth_done:
		answer(d, m->auth_done.tag, SESSION_WANT_AUTH, m);
		break;
	case IPC_NUMBER_account_closed:
		account_closed(d, m->account_closed.account);
		break;
	default:
		break;
	}
}

static void
answer_lost(struct client *c)
{
	switch (session_wanted(c->session)) {
	case SESSION_WANT_SENDER:
		answer_sender(c, SESSION_SENDER_LATER);
		break;
	case SESSION_WANT_RCPT:
		rcpt_lost(c);
		break;
	case SESSION_WANT_AUTH:
		session_answer_auth(c->session, SESSION_AUTH_LATER, SPAN(""));
		break;
	default:
		break;
	}
}

void
ask_lost(struct smtpd *d)
{
	struct client *c, *next;

	for (c = LIST_FIRST(&d->clients); c; c = next) {
		next = LIST_NEXT(c, all);
		c->exchange = false;
		tag_clear(c);
		if (c->demands)
			demands_forget(c->demands);
		if (c->wait != WAIT_AUTHD)
			continue;
		answer_lost(c);
		client_resume(c);
	}
}

void
ask_forget(struct client *c)
{
	tag_clear(c);
	if (c->demands)
		demands_forget(c->demands);
	exchange_cancel(c);
}
