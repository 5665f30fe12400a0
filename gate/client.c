#include "gate/gate.h"

#include <unistd.h>

#define INPUT_MAX  16384u /* more than a line, so that a longer one is seen */
#define OUTPUT_MAX (256u << 10)
#define LINGER_MS  5000
#define NO_SLOT    UINT32_MAX

/* Output before a login is small; `drained` says when all of it is gone. */
static const struct net_sizes login_sizes = {.input_max = INPUT_MAX,
					     .output_high = 1,
					     .output_low = 0,
					     .output_max = OUTPUT_MAX};

/* --- slots ---------------------------------------------------------------- */

static void
slots_grow(struct gate *g)
{
	uint32_t n = g->n_slots ? g->n_slots * 2 : 64;

	ASSERT(n < 1u << GATE_SLOT_BITS);
	g->slots = memory_resize(g->slots, n, sizeof(*g->slots));
	g->free_slots = memory_resize(g->free_slots, n, sizeof(*g->free_slots));
	for (uint32_t i = g->n_slots; i < n; i++) {
		g->slots[i] = NULL;
		g->free_slots[i] = i + 1 < n ? i + 1 : NO_SLOT;
	}
	g->first_free = g->n_slots;
	g->n_slots = n;
}

static void
slot_take(struct client *c)
{
	struct gate *g = c->gate;

	if (g->n_slots == 0 || g->first_free == NO_SLOT)
		slots_grow(g);
	c->slot = g->first_free;
	g->first_free = g->free_slots[c->slot];
	g->slots[c->slot] = c;
}

static void
slot_give(struct client *c)
{
	c->gate->slots[c->slot] = NULL;
	c->gate->free_slots[c->slot] = c->gate->first_free;
	c->gate->first_free = c->slot;
}

struct client *
client_find(struct gate *g, uint64_t tag)
{
	uint32_t slot = (uint32_t)(tag & ((1u << GATE_SLOT_BITS) - 1));
	struct client *c = slot < g->n_slots ? g->slots[slot] : NULL;

	return c && c->exchange && c->tag == tag ? c : NULL;
}

/* --- states --------------------------------------------------------------- */

static bool
before_login(const struct client *c)
{
	return c->state != CLIENT_PUMPED;
}

static uint64_t
left_ms(const struct client *c)
{
	uint64_t now = proc_ticks_ms();

	return c->login_due_ms > now ? c->login_due_ms - now : 1;
}

/* The only place that changes the state, and sets what may take how long. */
static void
enter(struct client *c, enum client_state to)
{
	const struct settings *s = proc_settings(c->gate->proc);
	uint64_t handshake_ms = s->tls_handshake_timeout_s * 1000;

	c->state = to;
	switch (to) {
	case CLIENT_HANDSHAKE:
		net_stream_deadline(c->stream, handshake_ms);
		break;
	case CLIENT_LOGIN:
		if (c->login_due_ms == 0)
			c->login_due_ms = proc_ticks_ms() + s->login_timeout_s * 1000;
		net_stream_deadline(c->stream, left_ms(c));
		break;
	case CLIENT_SECURING:
		net_stream_deadline(
		    c->stream, left_ms(c) < handshake_ms ? left_ms(c) : handshake_ms);
		break;
	case CLIENT_PUMPED:
		login_free(&c->login);
		net_stream_deadline(c->stream, 0);
		c->gate->n_before_login--;
		c->gate->n_pumped++;
		break;
	}
}

void
client_free(struct client *c)
{
	struct gate *g = c->gate;

	exchange_cancel(c);
	net_stream_free(&c->stream);
	net_stream_free(&c->session);
	login_free(&c->login);
	if (c->counted)
		net_limits_disconnect(g->limits, c->key);
	*(before_login(c) ? &g->n_before_login : &g->n_pumped) -= 1;
	g->n_clients--;
	slot_give(c);
	LIST_REMOVE(c, all);
	explicit_bzero(c->ticket, sizeof(c->ticket));
	free(c);
}

void
client_close(struct client *c, const char *reason)
{
	logline(LOGLINE_INFO, "gate.disconnect", L_HEX("sid", c->sid),
		L_STR("reason", reason), L_U64("in", net_stream_bytes_in(c->stream)),
		L_U64("out", net_stream_bytes_out(c->stream)));
	net_stream_close(&c->stream, LINGER_MS);
	client_free(c);
}

void
client_end(struct client *c, enum login_ending why)
{
	if (c->login && c->state == CLIENT_LOGIN) {
		login_end(c->login, why, net_stream_output(c->stream));
		client_close(c, login_reason(c->login));
	} else {
		client_close(c,
			     c->state == CLIENT_PUMPED ? "stopping" : "no handshake");
	}
}

/* --- the dialogue --------------------------------------------------------- */

static void
begin_tls(struct client *c)
{
	enter(c, CLIENT_SECURING);
	net_stream_secure(c->stream, c->gate->certificate.tls);
}

/* A login is through; its last words go out first. */
static void
give_away(struct client *c)
{
	if (net_stream_unsent(c->stream) > 0)
		return; /* `drained` comes back here */
	if (handover(c))
		return;
	login_answer_unopened(c->login, net_stream_output(c->stream));
	client_close(c, login_reason(c->login));
}

/* One step; true when another is due at once. */
static bool
step(struct client *c)
{
	struct span in = net_stream_input(c->stream);
	size_t before = in.n;
	enum login_want want = login_step(c->login, &in, net_stream_output(c->stream));

	net_stream_take(c->stream, before - in.n);
	net_stream_flush(c->stream);
	switch (want) {
	case LOGIN_WANT_INPUT:
		if (before > in.n && in.n > 0)
			net_stream_resume(c->stream);
		else if (c->client_ended)
			client_close(c, "closed by client");
		return false;
	case LOGIN_WANT_CANCEL:
		exchange_cancel(c);
		return true;
	case LOGIN_WANT_AUTH:
		exchange_ask(c);
		return false;
	case LOGIN_WANT_TLS:
		begin_tls(c);
		return false;
	case LOGIN_WANT_OPEN:
		give_away(c);
		return false;
	case LOGIN_WANT_CLOSE:
		client_close(c, login_reason(c->login));
		return false;
	}
	return false;
}

void
client_drive(struct client *c)
{
	if (c->state == CLIENT_PUMPED) {
		pump(c);
		return;
	}
	/* What is asked of authd is asked once, whatever wakes the client meanwhile. */
	if (c->state != CLIENT_LOGIN || login_waits(c->login))
		return;
	while (step(c))
		;
}

/* --- what the stream says ------------------------------------------------- */

static void
on_input(struct net_stream *s, void *context)
{
	(void)s;
	client_drive(context);
}

static void
on_secured(struct net_stream *s, void *context)
{
	struct client *c = context;
	bool implicit = c->state == CLIENT_HANDSHAKE;

	enter(c, CLIENT_LOGIN);
	if (implicit) {
		login_open(c->login, net_stream_output(s));
		net_stream_flush(s);
	} else {
		login_answer_tls(c->login);
	}
}

static void
on_deadline(struct net_stream *s, void *context)
{
	(void)s;
	client_end(context, LOGIN_TIMEOUT);
}

static void
on_ended(struct net_stream *s, enum net_end how, void *context)
{
	struct client *c = context;

	if (how != NET_END_CLOSED) {
		client_close(c, net_stream_fault(s));
		return;
	}
	*(s == c->stream ? &c->client_ended : &c->session_ended) = true;
	client_drive(c);
}

static const struct net_callbacks callbacks = {on_input, on_input, on_secured,
					       on_deadline, on_ended};

const struct net_callbacks *
client_callbacks(void)
{
	return &callbacks;
}

/* --- accept --------------------------------------------------------------- */

/* Whether the client may connect; what it is told otherwise. */
static bool
admit(struct client *c, enum login_ending *why)
{
	static const enum login_ending endings[] = {
	    [NET_TOO_MANY] = LOGIN_TOO_MANY,
	    [NET_TOO_FAST] = LOGIN_TOO_FAST,
	    [NET_CROWDED] = LOGIN_BUSY,
	};
	const struct settings *s = proc_settings(c->gate->proc);
	struct gate *g = c->gate;
	enum net_verdict verdict;

	*why = LOGIN_BUSY;
	if (g->n_clients > s->connections_max ||
	    net_crowd_refuses(
		g->n_before_login - 1,
		limits_share(g->proc, IPC_KIND_GATE, s->login_connections_refuse_from),
		limits_share(g->proc, IPC_KIND_GATE, s->login_connections_max),
		(uint32_t)rand()))
		return false;
	if (conf_networks_match(&s->limits_exempt, c->address.ip))
		return true;
	verdict = net_limits_connect(g->limits, c->key, proc_ticks_ms());
	c->counted = verdict == NET_ALLOWED;
	if (!c->counted)
		*why = endings[verdict];
	return c->counted;
}

static struct client *
client_new(struct gate *g, const struct gate_service *service, int fd,
	   const struct net_peer *peer)
{
	struct client *c = memory_new(1, sizeof(*c));

	c->gate = g;
	c->service = service;
	c->address = peer->address;
	c->key = net_key_client(&peer->address);
	c->sid = g->next_sid++;
	c->stream = net_stream_new(proc_base(g->proc), fd, &login_sizes, &callbacks, c);
	c->login =
	    login_new(&g->policies[service - gate_services], service->implicit_tls);
	g->n_clients++;
	g->n_before_login++;
	g->connections++;
	slot_take(c);
	LIST_INSERT_HEAD(&g->clients, c, all);
	return c;
}

static void
refuse(struct client *c, enum login_ending why)
{
	char text[NET_ADDRESS_TEXT_MAX];

	c->gate->refused++;
	login_end(c->login, why, net_stream_output(c->stream));
	logline(LOGLINE_INFO, "gate.refused", L_HEX("sid", c->sid),
		L_STR("service", c->service->listener),
		L_STR("client", net_address_text(&c->address, text)),
		L_STR("reason", login_reason(c->login)));
	/* Nothing can be said before a handshake, and none is worth its price. */
	if (c->service->implicit_tls)
		net_stream_free(&c->stream);
	else
		net_stream_close(&c->stream, LINGER_MS);
	client_free(c);
}

void
client_accept(struct gate *g, const struct gate_service *service, int fd,
	      const struct net_peer *peer)
{
	struct client *c = client_new(g, service, fd, peer);
	char text[NET_ADDRESS_TEXT_MAX];
	enum login_ending why;

	if (!admit(c, &why)) {
		refuse(c, why);
		return;
	}
	logline(LOGLINE_INFO, "gate.connect", L_HEX("sid", c->sid),
		L_STR("service", service->listener),
		L_STR("client", net_address_text(&c->address, text)),
		L_U64("port", c->address.port));
	if (!service->implicit_tls) {
		enter(c, CLIENT_LOGIN);
		login_open(c->login, net_stream_output(c->stream));
		net_stream_flush(c->stream);
	} else if (c->gate->certificate.tls) {
		enter(c, CLIENT_HANDSHAKE);
		net_stream_secure(c->stream, c->gate->certificate.tls);
	} else {
		client_close(c, "no certificate");
	}
}

void
client_pumped(struct client *c, struct net_stream *session)
{
	c->session = session;
	net_stream_resize(c->stream, &pump_sizes);
	enter(c, CLIENT_PUMPED);
	/* It may have ended while its login was under way. */
	net_stream_resume(c->stream);
}
