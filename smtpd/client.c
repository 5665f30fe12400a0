#include "smtpd/smtpd.h"

#include <unistd.h>

#define LINGER_MS         5000
#define LOAD_OF_4         3 /* under load from three quarters of connections_max on */
#define TLS_TEXT_MAX      128
#define CONTENT_BYTES_MAX (256u << 10) /* one piece of input beyond what is held */

static const struct net_sizes sizes = {.input_max = 64u << 10,
				       .output_high = 64u << 10,
				       .output_low = 16u << 10,
				       .output_max = 32u << 20};

const char *
client_text(const struct client *c, char text[NET_ADDRESS_TEXT_MAX])
{
	return c->local ? "local" : net_address_text(&c->address, text);
}

static void
client_free(struct client *c)
{
	struct smtpd *d = c->smtpd;

	ask_forget(c);
	message_abort(c);
	client_wait(c, WAIT_NOTHING);
	name_free(&c->name);
	session_free(&c->session);
	net_stream_free(&c->stream);
	buf_release(&c->content);
	demands_free(&c->demands);
	if (c->counted)
		net_limits_disconnect(d->limits, c->key);
	if (c->service->logins && !c->logged_in)
		d->n_before_login--;
	d->n_clients--;
	LIST_REMOVE(c, all);
	free(c);
}

void
client_announce(struct client *c)
{
	char text[NET_ADDRESS_TEXT_MAX];

	if (c->announced)
		return;
	c->announced = true;
	if (c->name && name_state(c->name) == NAME_KNOWN)
		logline(LOGLINE_INFO, "smtp.connect", L_HEX("sid", c->sid),
			L_STR("service", c->service->listener),
			L_STR("client", client_text(c, text)),
			L_U64("port", c->address.port),
			L_SPAN("name", name_text(c->name)));
	else
		logline(LOGLINE_INFO, "smtp.connect", L_HEX("sid", c->sid),
			L_STR("service", c->service->listener),
			L_STR("client", client_text(c, text)),
			L_U64("port", c->address.port));
}

void
client_close(struct client *c, const char *reason)
{
	client_announce(c);
	logline(LOGLINE_INFO, "smtp.disconnect", L_HEX("sid", c->sid),
		L_STR("reason", reason),
		L_U64("code", c->session ? session_last_code(c->session) : 0),
		L_U64("in", net_stream_bytes_in(c->stream)),
		L_U64("out", net_stream_bytes_out(c->stream)));
	net_stream_close(&c->stream, LINGER_MS);
	client_free(c);
}

/* Says the last word of the session, and closes. */
static void
say_and_close(struct client *c, enum session_ending why, const char *reason)
{
	session_end(c->session, why);
	net_stream_write(c->stream, buf_span(session_out(c->session)));
	client_close(c, reason);
}

void
client_stop(struct client *c)
{
	if (c->wait == WAIT_SPOOL)
		return; /* what is about to be acknowledged is waited for */
	if (!c->session || c->wait == WAIT_TLS)
		client_close(c, "stopping");
	else
		say_and_close(c, SESSION_STOPPING, "stopping");
}

void
client_bar(struct client *c)
{
	c->barred = true;
	if (c->wait == WAIT_SPOOL)
		return; /* it hears of its message first */
	if (c->wait == WAIT_TLS)
		client_close(c, "account closed");
	else
		say_and_close(c, SESSION_BARRED, "account closed");
}

/* --- what the stream says ------------------------------------------------- */

static void
on_input(struct net_stream *s, void *context)
{
	(void)s;
	client_drive(context);
}

static struct span
tls_text(const struct net_stream *s, char text[TLS_TEXT_MAX])
{
	const struct tls_session *t = net_stream_tls(s);
	struct buf out = buf_make(TLS_TEXT_MAX - 1);
	bool fits;

	buf_put_str(&out, tls_session_version(t));
	buf_put_str(&out, " with cipher ");
	buf_put_str(&out, tls_session_cipher(t));
	fits = span_copy(buf_span(&out), text, TLS_TEXT_MAX);
	buf_release(&out);
	return fits ? span_str(text) : SPAN("TLS");
}

static void
open_session(struct client *c, struct span tls)
{
	const struct settings *s = proc_settings(c->smtpd->proc);
	bool loaded = c->smtpd->n_clients > s->connections_max / 4 * LOAD_OF_4;
	const struct session_policy *policies =
	    c->smtpd->policies[c->service - smtpd_services];
	char address[NET_ADDRESS_TEXT_MAX] = "";
	struct session_peer peer = {
	    .tls = tls.n > 0,
	    .tls_text = tls,
	    .trusted = c->trusted,
	};

	if (!c->local)
		peer.address = span_str(net_address_text(&c->address, address));
	if (c->name)
		peer.name = name_text(c->name);
	c->session = session_new(&policies[loaded], &peer);
}

static void
greet(struct client *c)
{
	session_open(c->session, proc_ticks_ms());
	client_drive(c);
}

static void
on_secured(struct net_stream *s, void *context)
{
	struct client *c = context;
	char text[TLS_TEXT_MAX];

	if (!c->session) {
		open_session(c, tls_text(s, text));
		client_wait(c, WAIT_NOTHING);
		greet(c);
		return;
	}
	c->account = 0; /* who logged in before must do so again */
	session_answer_tls(c->session, tls_text(s, text), proc_ticks_ms());
	client_resume(c);
}

static void
on_deadline(struct net_stream *s, void *context)
{
	struct client *c = context;
	uint64_t now = proc_ticks_ms(), due;

	if (!c->session) {
		client_close(c, "no handshake");
		return;
	}
	due = session_deadline_ms(c->session);
	if (now < due) {
		net_stream_deadline(s, due - now);
		return;
	}
	if (c->wait == WAIT_TLS) {
		client_close(c, "no handshake");
		return;
	}
	session_timeout(c->session, now);
	ask_forget(c);
	client_resume(c);
}

static void
on_ended(struct net_stream *s, enum net_end how, void *context)
{
	struct client *c = context;

	if (how != NET_END_CLOSED) {
		client_close(c, net_stream_fault(s));
		return;
	}
	c->ended = true;
	if (!c->session || c->wait == WAIT_TLS)
		client_close(c, "closed by client");
	else
		client_drive(c);
}

static const struct net_callbacks callbacks = {on_input, on_input, on_secured,
					       on_deadline, on_ended};

/* --- accept --------------------------------------------------------------- */

static bool
crowded(const struct client *c, const struct settings *s)
{
	const struct proc *p = c->smtpd->proc;
	uint64_t random = c->sid * 0x9e3779b97f4a7c15u;

	return c->service->logins &&
	       net_crowd_refuses(
		   c->smtpd->n_before_login - 1,
		   limits_share(p, IPC_KIND_SMTPD, s->login_connections_refuse_from),
		   limits_share(p, IPC_KIND_SMTPD, s->login_connections_max),
		   (uint32_t)(random >> 32));
}

/* Whether the client may connect; what it is told otherwise. */
static bool
admit(struct client *c, enum session_ending *why)
{
	static const enum session_ending endings[] = {
	    [NET_TOO_MANY] = SESSION_TOO_MANY,
	    [NET_TOO_FAST] = SESSION_TOO_FAST,
	    [NET_CROWDED] = SESSION_BUSY,
	};
	const struct settings *s = proc_settings(c->smtpd->proc);
	struct net_limits *limits = c->smtpd->limits;
	uint64_t now = proc_ticks_ms();
	enum net_verdict verdict;

	*why = SESSION_BUSY;
	if (c->smtpd->n_clients > s->connections_max || crowded(c, s))
		return false;
	if (c->exempt)
		return true;
	*why = SESSION_TOO_FAST;
	if (!net_limits_allow(limits, c->key, NET_EVENT_ERROR, 1, now))
		return false;
	verdict = net_limits_connect(limits, c->key, now);
	c->counted = verdict == NET_ALLOWED;
	if (!c->counted)
		*why = endings[verdict];
	return c->counted;
}

/* A local client is trusted when it is root or one of ours. */
static void
look_up(struct client *c, const struct net_peer *peer)
{
	const struct settings *s = proc_settings(c->smtpd->proc);

	c->local = peer->local;
	c->address = peer->address;
	c->key = net_key_client(&peer->address);
	if (c->local) {
		c->exempt = true;
		c->trusted = peer->uid == 0 || peer->uid == geteuid();
		c->may_relay = c->service->kind == SESSION_LOCAL;
		return;
	}
	c->exempt = conf_networks_match(&s->limits_exempt, c->address.ip);
	c->trusted = c->exempt;
	c->may_relay = c->service->kind == SESSION_MX &&
		       conf_networks_match(&s->trusted_networks, c->address.ip);
}

static struct client *
client_new(struct smtpd *d, const struct smtpd_service *service, int fd,
	   const struct net_peer *peer)
{
	struct client *c = memory_new(1, sizeof(*c));

	c->smtpd = d;
	c->service = service;
	c->sid = d->next_sid++;
	c->content = buf_make(CONTENT_BYTES_MAX);
	look_up(c, peer);
	c->stream = net_stream_new(proc_base(d->proc), fd, &sizes, &callbacks, c);
	d->n_clients++;
	d->n_before_login += service->logins;
	d->count.connections++;
	LIST_INSERT_HEAD(&d->clients, c, all);
	return c;
}

static void
turn_away(struct client *c, enum session_ending why)
{
	char text[NET_ADDRESS_TEXT_MAX];

	c->smtpd->count.turned_away++;
	c->announced = true;
	logline(LOGLINE_INFO, "smtp.turned_away", L_HEX("sid", c->sid),
		L_STR("service", c->service->listener),
		L_STR("client", client_text(c, text)));
	/* Nothing can be said before a handshake, and none is worth its price. */
	if (c->service->implicit_tls) {
		client_close(c, "turned away");
		return;
	}
	open_session(c, SPAN(""));
	session_open(c->session, proc_ticks_ms());
	buf_reset(session_out(c->session));
	say_and_close(c, why, "turned away");
}

/* --- the name of its machine ---------------------------------------------- */

static void
on_name(void *context)
{
	struct client *c = context;

	if (c->session)
		session_set_name(c->session, name_text(c->name));
	client_announce(c);
	if (c->wait == WAIT_NAME)
		client_resume(c);
}

/* Asks for it when a table may want it: not of users, who log in. */
static void
name_ask(struct client *c)
{
	const struct settings *s = proc_settings(c->smtpd->proc);

	if (s->client_access.n == 0 || s->client_name_timeout_s == 0 || c->local ||
	    c->service->logins)
		return;
	c->name = name_new(proc_base(c->smtpd->proc), c->smtpd->dns, c->address.ip,
			   s->client_name_timeout_s * 1000, on_name, c);
}

/* What came before the greeting was sent by one who does not listen. */
static bool
talks_early(int fd)
{
	char byte;

	return recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void
start(struct client *c, bool early)
{
	const struct settings *s = proc_settings(c->smtpd->proc);

	if (!c->service->implicit_tls) {
		open_session(c, SPAN(""));
		if (early) {
			session_early(c->session);
			client_drive(c);
		} else {
			greet(c);
		}
	} else if (c->smtpd->certificate.tls) {
		client_wait(c, WAIT_TLS);
		net_stream_secure(c->stream, c->smtpd->certificate.tls);
		net_stream_deadline(c->stream, s->tls_handshake_timeout_s * 1000);
	} else {
		client_close(c, "no certificate");
	}
}

void
client_accept(struct smtpd *d, const struct smtpd_service *service, int fd,
	      const struct net_peer *peer)
{
	bool early = !peer->local && talks_early(fd);
	struct client *c = client_new(d, service, fd, peer);
	enum session_ending why;

	if (!admit(c, &why)) {
		turn_away(c, why);
		return;
	}
	name_ask(c);
	if (!c->name)
		client_announce(c);
	start(c, early);
}
