#include "authd/exchange.h"

#include <sys/random.h>

static const char *const service_names[] = {"smtp", "pop3", "imap", "admin"};

/* ---- finding and freeing */

static struct exchange_list *
bucket_of(struct authd *a, const struct ipc_peer *peer, uint64_t tag)
{
	uint64_t hash = ((uint64_t)(uintptr_t)peer ^ tag) * 0x9e3779b97f4a7c15u;

	return &a->buckets[(hash >> 32) % EXCHANGE_BUCKETS];
}

static struct exchange *
find(struct authd *a, const struct ipc_peer *peer, uint64_t tag)
{
	struct exchange *x;

	LIST_FOREACH(x, bucket_of(a, peer, tag), bucket)
	if (x->peer == peer && x->tag == tag)
		return x;
	return NULL;
}

void
exchange_free(struct exchange *x)
{
	login_forget(x);
	check_forget(x);
	LIST_REMOVE(x, all);
	LIST_REMOVE(x, bucket);
	x->authd->n_exchanges--;
	sasl_release(&x->sasl);
	buf_release(&x->challenge);
	free(x);
}

/* ---- answers */

static void
log_end(const struct exchange *x, enum auth_outcome outcome)
{
	static const char *const events[] = {
	    [AUTH_OK] = "auth.ok",
	    [AUTH_FAILED] = "auth.failed",
	    [AUTH_BAD_EXCHANGE] = "auth.broken",
	    [AUTH_NO_MECHANISM] = "auth.broken",
	    [AUTH_LATER] = "auth.later",
	};
	char client[NET_ADDRESS_TEXT_MAX];

	logline(LOGLINE_INFO, events[outcome],
		L_STR("service", service_names[x->service]),
		L_STR("mechanism", sasl_mechanism_name(x->sasl.mechanism)),
		L_SPAN("user", sasl_name(&x->sasl)),
		L_STR("client", net_address_text(&x->client, client)),
		L_STR("reason", x->reason ? x->reason : ""));
}

static void
tell_visitor(const struct exchange *x, enum auth_outcome outcome)
{
	bool ok = outcome == AUTH_OK;

	x->visitor.told(x->visitor.context, outcome, ok ? x->account : 0,
			ok ? x->address : "");
}

static enum auth_outcome
tell_peer(const struct exchange *x, enum auth_outcome outcome)
{
	struct ipc_auth_done m = {.tag = x->tag};
	uint8_t ticket[TICKET_BYTES];

	/* Only gate needs a ticket; a stolen smtpd gets none. */
	if (outcome == AUTH_OK && ipc_peer_kind(x->peer) == IPC_KIND_GATE) {
		if (ticket_make(x->authd, x->account, x->service, ticket))
			m.ticket = span_make(ticket, sizeof(ticket));
		else
			outcome = AUTH_LATER;
	}
	m.outcome = (uint8_t)outcome;
	if (outcome == AUTH_OK) {
		m.account = x->account;
		m.address = span_str(x->address);
	}
	ipc_send_auth_done(x->peer, &m);
	explicit_bzero(ticket, sizeof(ticket));
	return outcome;
}

void
exchange_finish(struct exchange *x, enum auth_outcome outcome)
{
	if (x->closed && outcome == AUTH_OK) {
		outcome = AUTH_FAILED;
		x->reason = "the account was closed";
	}
	if (x->peer)
		outcome = tell_peer(x, outcome);
	else
		tell_visitor(x, outcome);
	if (outcome == AUTH_OK)
		logins_note(x->authd->logins, x->account, x->label,
			    service_names[x->service], &x->client);
	log_end(x, outcome);
	exchange_free(x);
}

static void
send_challenge(struct exchange *x)
{
	ipc_send_auth_challenge(
	    x->peer, &(struct ipc_auth_challenge){x->tag, buf_span(&x->challenge)});
	x->state = EXCHANGE_ASKED;
	x->due_ms = proc_ticks_ms() + EXCHANGE_MS;
	buf_reset(&x->challenge);
}

static bool
is_exempt(const struct exchange *x)
{
	return conf_networks_match(&proc_settings(x->authd->proc)->limits_exempt,
				   x->client.ip);
}

/* How long this site waits for an answer, be it good or bad: a quick "yes"
 * would tell who guesses right, and "no" could be cut short. */
static uint64_t
delay_ms(const struct exchange *x)
{
	const struct settings *s = proc_settings(x->authd->proc);
	struct net_key site = net_key_site(&x->client);

	return penalty_delay_ms(
	    penalties_count(x->authd->penalties, site, proc_ticks_ms()),
	    s->auth_delay_s * 1000, s->auth_delay_max_s * 1000);
}

/* Waits, then says the challenge or, when that is empty, the outcome. */
static void
say_later(struct exchange *x, uint64_t delay)
{
	x->state = EXCHANGE_DELAYED;
	x->due_ms = proc_ticks_ms() + delay;
	authd_tick_later(x->authd);
}

void
exchange_succeed(struct exchange *x, bool known_here)
{
	uint64_t delay = known_here ? 0 : delay_ms(x);

	x->authd->count.logins++;
	x->outcome = AUTH_OK;
	if (delay == 0)
		exchange_finish(x, AUTH_OK);
	else
		say_later(x, delay);
}

void
exchange_fail(struct exchange *x, const char *reason)
{
	const struct settings *s = proc_settings(x->authd->proc);

	x->authd->count.failures++;
	x->outcome = AUTH_FAILED;
	x->reason = reason;
	if (is_exempt(x)) {
		say_later(x, s->auth_delay_s * 1000);
		return;
	}
	penalties_add(x->authd->penalties, net_key_site(&x->client), proc_ticks_ms());
	say_later(x, delay_ms(x));
}

/* ---- accounts */

/* The keys of the name that SCRAM began with, or fake ones that stay the same
 * for a name in whatever case it is written. */
static enum sasl_result
give_keys(struct exchange *x)
{
	struct span secret = directory_secret(x->authd->directory);
	struct directory_name name;
	struct scram_keys keys;
	struct err err;
	enum sasl_result r;

	if (directory_name_parse(sasl_name(&x->sasl), &name, &err) == 0)
		scram_keys_fake(directory_name_span(&name), secret, &keys);
	else
		scram_keys_fake(sasl_name(&x->sasl), secret, &keys);
	x->known = x->known && x->found.password.has_scram;
	if (x->known)
		keys = x->found.password.scram;
	r = sasl_keys(&x->sasl, &keys, x->known, &x->challenge);
	explicit_bzero(&keys, sizeof(keys));
	directory_password_wipe(&x->found.password);
	return r;
}

/* ---- messages */

/* What a message, or the keys, led to. */
static void
go_on(struct exchange *x, enum sasl_result r)
{
	switch (r) {
	case SASL_CONTINUE:
		/* The server's signature tells that the proof was right. */
		if (x->sasl.state == SASL_STATE_LAST && delay_ms(x) > 0)
			say_later(x, delay_ms(x));
		else
			send_challenge(x);
		return;
	case SASL_LOOKUP:
	case SASL_VERIFY:
		login_look_up(x);
		return;
	case SASL_DONE:
		exchange_succeed(x, true);
		return;
	case SASL_DENIED:
		exchange_fail(x, x->account ? "wrong password" : "unknown user");
		return;
	case SASL_SYNTAX:
		exchange_finish(x, AUTH_BAD_EXCHANGE);
		return;
	}
}

void
exchange_found(struct exchange *x)
{
	if (x->sasl.state == SASL_STATE_KEYS)
		go_on(x, give_keys(x));
	else
		check_start(x);
}

static void
run_step(struct exchange *x, struct span message)
{
	go_on(x, sasl_step(&x->sasl, message, &x->challenge));
}

/* 18 random bytes are 24 characters of base64, none of them a comma. */
static bool
make_nonce(struct buf *out)
{
	uint8_t bytes[18];

	if (getrandom(bytes, sizeof(bytes), 0) != (ssize_t)sizeof(bytes))
		return false;
	base64_put(out, span_make(bytes, sizeof(bytes)));
	return true;
}

static bool
init_sasl(struct exchange *x, enum sasl_mechanism mechanism,
	  const struct ipc_auth_start *m)
{
	static const struct span types[] = {
	    {0}, SPAN("tls-exporter"), SPAN("tls-server-end-point")};
	struct buf nonce = buf_make(SASL_NONCE_MAX);
	struct sasl_binding binding = {types[m->binding_type], m->binding};
	struct sasl_offer offer = {.bindings = &binding,
				   .n_bindings = m->binding_type ? 1 : 0,
				   .plus_offered = m->binding_type != 0};
	bool ok = make_nonce(&nonce);

	offer.nonce = buf_span(&nonce);
	sasl_init(&x->sasl, mechanism, &offer);
	buf_release(&nonce);
	return ok;
}

/* A mechanism this connection may use. */
static bool
mechanism_allowed(const struct authd *a, const struct ipc_auth_start *m,
		  enum sasl_mechanism *out)
{
	if (!sasl_mechanism_find(m->mechanism, out))
		return false;
	if (*out == SASL_SCRAM_SHA_256_PLUS && m->binding_type == 0)
		return false;
	return m->tls || !sasl_mechanism_bares(*out) ||
	       proc_settings(a->proc)->auth_without_tls;
}

static struct exchange *
exchange_new(struct authd *a, struct ipc_peer *peer, const struct ipc_auth_start *m)
{
	struct exchange *x = memory_new(1, sizeof(*x));

	x->authd = a;
	x->peer = peer;
	x->tag = m->tag;
	x->service = (enum auth_service)m->service;
	memcpy(x->client.ip, m->client.at, sizeof(x->client.ip));
	x->challenge = buf_make((size_t)2 * SASL_MESSAGE_MAX);
	x->state = EXCHANGE_ASKED;
	x->due_ms = proc_ticks_ms() + EXCHANGE_MS;
	LIST_INSERT_HEAD(&a->exchanges, x, all);
	LIST_INSERT_HEAD(bucket_of(a, peer, m->tag), x, bucket);
	a->n_exchanges++;
	authd_tick_later(a);
	return x;
}

void
exchange_start(struct authd *a, struct ipc_peer *peer, const struct ipc_auth_start *m)
{
	enum sasl_mechanism mechanism;
	struct exchange *x;

	if (m->service > AUTH_SERVICE_IMAP || m->client.n != 16 ||
	    m->binding_type > 2 || find(a, peer, m->tag)) {
		ipc_peer_drop(peer, "an auth_start that cannot be");
		return;
	}
	if (a->n_exchanges == EXCHANGES_MAX) {
		ipc_send_auth_done(peer, &(struct ipc_auth_done){
					     .tag = m->tag, .outcome = AUTH_LATER});
		return;
	}
	if (!mechanism_allowed(a, m, &mechanism)) {
		ipc_send_auth_done(
		    peer, &(struct ipc_auth_done){.tag = m->tag,
						  .outcome = AUTH_NO_MECHANISM});
		return;
	}
	x = exchange_new(a, peer, m);
	if (!init_sasl(x, mechanism, m)) {
		exchange_finish(x, AUTH_LATER);
	} else if (m->has_initial) {
		run_step(x, m->initial);
	} else {
		sasl_prompt(&x->sasl, &x->challenge);
		send_challenge(x);
	}
}

/* The uid where net_key_site() looks, in an address that no client has. */
static void
visitor_address(uid_t uid, uint8_t ip[16])
{
	uint32_t number = htobe32(uid);

	memset(ip, 0, 16);
	ip[0] = 0xfd;
	memcpy(ip + 1, &number, sizeof(number));
}

void
exchange_visit(struct authd *a, const struct exchange_visitor *visitor,
	       struct span address, struct span password)
{
	struct buf message = buf_make(SASL_MESSAGE_MAX);
	struct ipc_auth_start m = {.tag = visitor->number,
				   .service = AUTH_SERVICE_ADMIN};
	struct exchange *x;
	uint8_t ip[16];

	visitor_address(visitor->uid, ip);
	m.client = span_make(ip, sizeof(ip));
	if (a->n_exchanges == EXCHANGES_MAX) {
		visitor->told(visitor->context, AUTH_LATER, 0, "");
		return;
	}
	x = exchange_new(a, NULL, &m);
	x->visitor = *visitor;
	buf_put_char(&message, '\0');
	buf_put(&message, address);
	buf_put_char(&message, '\0');
	buf_put(&message, password);
	if (init_sasl(x, SASL_PLAIN, &m))
		run_step(x, buf_span(&message));
	else
		exchange_finish(x, AUTH_LATER);
	if (message.at)
		explicit_bzero(message.at, message.size);
	buf_release(&message);
}

/* Who asked has left. A guess that was wrong is in the log all the same: the quick
 * ones do not wait to hear so. */
static void
exchange_leave(struct exchange *x)
{
	if (x->state == EXCHANGE_DELAYED && x->outcome == AUTH_FAILED)
		log_end(x, x->outcome);
	exchange_free(x);
}

void
exchange_forget(struct authd *a, uint64_t number)
{
	struct exchange *x = find(a, NULL, number);

	if (x)
		exchange_leave(x);
}

void
exchange_step(struct authd *a, struct ipc_peer *peer, const struct ipc_auth_step *m)
{
	struct exchange *x = find(a, peer, m->tag);

	/* An exchange that was given up may still get a message. */
	if (x && x->state == EXCHANGE_ASKED)
		run_step(x, m->response);
}

void
exchange_cancel(struct authd *a, struct ipc_peer *peer, const struct ipc_auth_cancel *m)
{
	struct exchange *x = find(a, peer, m->tag);

	if (x)
		exchange_leave(x);
}

void
exchanges_tick(struct authd *a, uint64_t now_ms)
{
	struct exchange *x, *next;

	for (x = LIST_FIRST(&a->exchanges); x; x = next) {
		next = LIST_NEXT(x, all);
		if (x->state == EXCHANGE_CHECKING || x->state == EXCHANGE_LOOKING ||
		    x->due_ms > now_ms)
			continue;
		if (x->state == EXCHANGE_ASKED) {
			x->reason = "timeout";
			exchange_finish(x, AUTH_BAD_EXCHANGE);
		} else if (x->sasl.state == SASL_STATE_LAST) {
			send_challenge(x);
		} else {
			exchange_finish(x, x->outcome);
		}
	}
}

void
exchanges_drop_peer(struct authd *a, struct ipc_peer *peer)
{
	struct exchange *x, *next;

	for (x = LIST_FIRST(&a->exchanges); x; x = next) {
		next = LIST_NEXT(x, all);
		if (x->peer == peer)
			exchange_leave(x);
	}
}

void
exchanges_close(struct authd *a, uint64_t account)
{
	struct exchange *x;

	LIST_FOREACH(x, &a->exchanges, all)
	if (x->account == account)
		x->closed = true;
}
