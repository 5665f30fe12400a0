#include "imapd/imapd.h"

#include <stdio.h>

#define INPUT_MAX  65536u
#define OUTPUT_LOW (16u << 10)
#define OUTPUT_MAX (2u << 20) /* what one step may put beyond the mark */
#define LINGER_MS  5000
#define TURN_US    2000 /* steps follow each other about that long ... */
#define STEPS_MAX  64   /* ... but no more of them, while there is room and input */

/* --- states --------------------------------------------------------------- */

static const struct settings *
settings_of(const struct connection *c)
{
	return proc_settings(c->imapd->proc);
}

static void
alive(struct connection *c)
{
	net_stream_deadline(c->stream, settings_of(c)->imap_idle_timeout_s * 1000);
}

void
connection_wait(struct connection *c, enum connection_wait to)
{
	if (c->wait == WAIT_LOCK)
		TAILQ_REMOVE(&c->imapd->locked, c, locked);
	if (to == WAIT_LOCK) {
		TAILQ_INSERT_TAIL(&c->imapd->locked, c, locked);
		retry_within(c->imapd, BUSY_RETRY_MS);
	}
	c->wait = to;
}

static struct buf *
output(struct connection *c)
{
	return c->deflate ? deflate_output(c->deflate) : net_stream_output(c->stream);
}

static void
flush(struct connection *c)
{
	if (c->deflate)
		deflate_flush(c->deflate, net_stream_output(c->stream));
	net_stream_flush(c->stream);
}

/* --- the end -------------------------------------------------------------- */

static void
connection_free(struct connection *c)
{
	connection_wait(c, WAIT_INPUT);
	session_free(&c->session);
	deflate_free(&c->deflate);
	net_stream_free(&c->stream);
	home_leave(c);
	c->imapd->n_connections--;
	free(c->address);
	free(c->tag);
	free(c);
}

static void
log_logout(const struct connection *c, const char *reason)
{
	char text[NET_ADDRESS_TEXT_MAX];

	c->imapd->commands += session_commands(c->session);
	logline(LOGLINE_INFO, "imap.logout", L_U64("account", c->home->id),
		L_STR("address", c->address),
		L_STR("client", net_address_text(&c->client, text)),
		L_STR("reason", reason),
		L_U64("commands", session_commands(c->session)),
		L_U64("in", net_stream_bytes_in(c->stream)),
		L_U64("out", net_stream_bytes_out(c->stream)));
}

static void
connection_close(struct connection *c, const char *reason)
{
	if (c->session)
		log_logout(c, reason);
	flush(c);
	net_stream_close(&c->stream, LINGER_MS);
	connection_free(c);
}

static void
log_refused(struct imapd *d, uint64_t account, const char *address,
	    const struct net_address *client, const char *reason)
{
	char text[NET_ADDRESS_TEXT_MAX];

	d->refused++;
	logline(LOGLINE_WARNING, "imap.refused", L_U64("account", account),
		L_STR("address", address),
		L_STR("client", net_address_text(client, text)),
		L_STR("reason", reason));
}

static void
put_refusal(struct buf *out, struct span tag, const char *code, const char *reason)
{
	buf_put(out, tag.n > 0 ? tag : SPAN("*"));
	buf_putf(out, " NO [%s] %s\r\n* BYE %s\r\n", code, reason, reason);
}

void
connection_refuse(struct connection *c, const char *code, const char *reason)
{
	log_refused(c->imapd, c->home->id, c->address, &c->client, reason);
	put_refusal(net_stream_output(c->stream), span_str(c->tag), code, reason);
	connection_close(c, reason);
}

void
connection_end(struct connection *c, enum session_ending why)
{
	if (!c->session) {
		connection_refuse(c, "UNAVAILABLE",
				  why == SESSION_END_CLOSED ? "the account was closed"
							    : "the server stops");
		return;
	}
	session_end(c->session, why, output(c));
	connection_close(c, session_reason(c->session));
}

/* --- the session ---------------------------------------------------------- */

/* What the session may read now; false when nothing more can come. */
static bool
input(struct connection *c, struct span *in)
{
	struct span raw = net_stream_input(c->stream);
	size_t before = raw.n;
	bool good;

	if (!c->deflate) {
		*in = raw;
		return true;
	}
	good = deflate_feed(c->deflate, &raw);
	net_stream_take(c->stream, before - raw.n);
	*in = deflate_input(c->deflate);
	return good;
}

static void
took(struct connection *c, size_t n)
{
	if (c->deflate)
		deflate_take(c->deflate, n);
	else
		net_stream_take(c->stream, n);
}

static enum session_want
step_session(struct connection *c, struct span *in)
{
	uint64_t epoch = c->home->account->epoch;
	enum session_want want =
	    session_step(c->session, (int64_t)proc_now_us(), in, output(c));

	if (c->home->account->epoch != epoch)
		notify_tell(c->home);
	if (c->home->account->flags_unsynced && !c->home->sync_due)
		sync_within(c->home, settings_of(c)->imap_flag_sync_interval_ms);
	return want;
}

/* All input is taken; true when there is more of it already. */
static bool
want_input(struct connection *c, bool took_some)
{
	connection_wait(c, WAIT_INPUT);
	if (c->deflate && took_some)
		return true; /* what was inflated may not have been all */
	if (c->client_ended && net_stream_input(c->stream).n == 0)
		connection_close(c, "closed by client");
	return false;
}

static bool
want_turn(struct connection *c)
{
	connection_wait(c, WAIT_INPUT);
	net_stream_resume(c->stream);
	return false;
}

static bool
want_room(struct connection *c)
{
	connection_wait(c, WAIT_ROOM);
	/* Output that deflate has made small leaves room at once. */
	if (!net_stream_full(c->stream))
		return want_turn(c);
	return false;
}

static bool
want_sync(struct connection *c)
{
	const struct account *a = c->home->account;

	if (store_durable(a->mail) >= session_sync_position(c->session))
		return true;
	connection_wait(c, WAIT_SYNC);
	sync_within(c->home, 0);
	return false;
}

/* One step; true when the next may follow at once. */
static bool
step(struct connection *c)
{
	struct span in;
	enum session_want want;
	size_t before;

	if (!input(c, &in)) {
		connection_close(c, "broken compression");
		return false;
	}
	before = in.n;
	want = step_session(c, &in);
	took(c, before - in.n);
	flush(c);
	switch (want) {
	case SESSION_WANT_INPUT:
		return want_input(c, before > in.n);
	case SESSION_WANT_ROOM:
		return want_room(c);
	case SESSION_WANT_TURN:
		return true;
	case SESSION_WANT_LOCK:
		connection_wait(c, WAIT_LOCK);
		return false;
	case SESSION_WANT_SYNC:
		return want_sync(c);
	case SESSION_WANT_ASK:
		domain_use_ask(c);
		return c->wait != WAIT_DOMAIN_USE;
	case SESSION_WANT_COMPRESS:
		c->deflate = deflate_new(OUTPUT_MAX);
		return true;
	case SESSION_WANT_CLOSE:
		connection_close(c, session_reason(c->session));
		return false;
	}
	return false;
}

void
connection_drive(struct connection *c)
{
	uint64_t until_us = proc_now_us() + TURN_US;

	if (c->home->state != HOME_OPEN)
		return; /* its done() goes on */
	for (int i = 0; i < STEPS_MAX && proc_now_us() < until_us; i++) {
		if (net_stream_full(c->stream)) {
			connection_wait(c, WAIT_ROOM);
			return;
		}
		if (!step(c))
			return;
	}
	(void)want_turn(c);
}

void
connection_push(struct connection *c)
{
	if (!c->session || c->wait != WAIT_INPUT || net_stream_full(c->stream) ||
	    !session_has_news(c->session))
		return;
	c->imapd->pushes++;
	session_push(c->session, output(c));
	flush(c);
	connection_drive(c);
}

/* --- what the stream says ------------------------------------------------- */

static void
on_input(struct net_stream *s, void *context)
{
	struct connection *c = context;

	(void)s;
	alive(c);
	if (c->wait == WAIT_INPUT)
		connection_drive(c);
}

static void
on_drained(struct net_stream *s, void *context)
{
	struct connection *c = context;

	(void)s;
	alive(c);
	if (c->wait == WAIT_ROOM)
		connection_wait(c, WAIT_INPUT);
	if (c->wait != WAIT_INPUT || !c->session)
		return;
	/* News may have waited for the room as well. */
	notify_tell(c->home);
	connection_drive(c);
}

static void
on_deadline(struct net_stream *s, void *context)
{
	(void)s;
	connection_end(context, SESSION_END_TIMEOUT);
}

static void
on_ended(struct net_stream *s, enum net_end how, void *context)
{
	struct connection *c = context;

	c->client_ended = true;
	if (how != NET_END_CLOSED)
		connection_close(c, net_stream_fault(s));
	else if (c->wait == WAIT_INPUT)
		connection_drive(c);
}

static const struct net_callbacks callbacks = {on_input, on_drained, NULL, on_deadline,
					       on_ended};

/* --- beginning ------------------------------------------------------------ */

static struct connection *
connection_new(struct imapd *d, const struct arrival *a)
{
	const struct net_sizes sizes = {.input_max = INPUT_MAX,
					.output_high = d->policy.limits.output_high,
					.output_low = OUTPUT_LOW,
					.output_max = OUTPUT_MAX};
	struct connection *c = memory_new(1, sizeof(*c));

	c->imapd = d;
	c->wait = WAIT_HOME;
	c->client = a->client;
	c->tls = a->tls;
	c->address = span_dup(span_str(a->address));
	c->tag = span_dup(a->tag);
	c->stream = net_stream_new(proc_base(d->proc), a->fd, &sizes, &callbacks, c);
	net_stream_preload(c->stream, a->pending);
	d->n_connections++;
	return c;
}

/* Connections of the same account from the same client, this one included. */
static size_t
connections_like(const struct connection *c)
{
	struct net_key mine = net_key_client(&c->client);
	const struct connection *other;
	size_t n = 0;

	LIST_FOREACH(other, &c->home->connections, of_home)
	{
		struct net_key key = net_key_client(&other->client);

		n += memcmp(&key, &mine, sizeof(key)) == 0;
	}
	return n;
}

static void
taken(void *context, const struct arrival *a)
{
	struct imapd *d = context;

	home_join(d, a, connection_new(d, a));
}

static void
refused(void *context, const struct arrival *a, const char *reason, struct buf *out)
{
	log_refused(context, a->account, a->address, &a->client, reason);
	put_refusal(out, a->tag, "UNAVAILABLE", "mailboxes are away, try again later");
}

const struct arrival_callbacks connection_callbacks = {taken, refused};

static void
log_login(const struct connection *c)
{
	char text[NET_ADDRESS_TEXT_MAX];

	c->imapd->logins++;
	logline(LOGLINE_INFO, "imap.login", L_U64("account", c->home->id),
		L_STR("address", c->address),
		L_STR("client", net_address_text(&c->client, text)),
		L_STR("tls", c->tls ? "yes" : "no"),
		L_U64("sessions", c->home->account->n_sessions));
}

void
connection_begin(struct connection *c)
{
	struct imapd *d = c->imapd;
	const struct settings *s = settings_of(c);

	if (d->n_connections > s->connections_max) {
		connection_refuse(c, "UNAVAILABLE", "too many sessions");
		return;
	}
	if (connections_like(c) > s->account_connections_max) {
		connection_refuse(c, "LIMIT", "too many sessions of this account");
		return;
	}
	if (c->home->account->n_sessions == 0) {
		notify_watch(c->home, true);
		notify_refresh(c->home);
	}
	c->session = session_new(&d->policy, c->home->account);
	connection_wait(c, WAIT_INPUT);
	alive(c);
	session_open(c->session, span_str(c->tag), output(c));
	free(c->tag);
	c->tag = NULL;
	log_login(c);
	if (d->draining)
		connection_end(c, SESSION_END_STOPPING);
	else
		connection_drive(c);
}
