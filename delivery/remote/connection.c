/* one connection: made, kept between jobs, ended */
#include "delivery/remote/remote.h"

#include <stdio.h>

#define LINGER_MS 2000u /* for a QUIT that the network does not take at once */

/* Lines of replies have 2,048 bytes; content goes out in pieces. */
static const struct net_sizes sizes = {
    .input_max = 16u << 10,
    .output_high = 128u << 10,
    .output_low = 32u << 10,
    .output_max = 20u << 20,
};

/* The only place that changes the state. */
static void
enter(struct connection *c, enum connection_state to)
{
	struct destination *d = c->destination;

	if (c->state == CONNECTION_AT_REST) {
		LIST_REMOVE(c, link);
		c->remote->n_at_rest--;
	}
	if (to == CONNECTION_AT_REST) {
		LIST_INSERT_HEAD(&d->at_rest, c, link);
		c->remote->n_at_rest++;
		c->wait = SESSION_WAIT_NONE;
	}
	c->state = to;
}

/* --- the end -------------------------------------------------------------- */

void
connection_break(struct connection *c)
{
	struct remote *r = c->remote;
	struct destination *d = c->destination;

	ASSERT(!c->job);
	enter(c, CONNECTION_TALKING);
	LIST_REMOVE(c, all);
	net_connect_free(&c->opening);
	net_stream_free(&c->stream);
	session_free(&c->session);
	r->whole_bytes -= c->whole_bytes;
	free(c->whole);
	way_unref(&c->way);
	free(c);
	r->n_connections--;
	d->n_connections--;
	destination_settle(r, d);
}

void
connection_take_job(struct connection *c)
{
	c->job->connection = NULL;
	c->job = NULL;
	c->in_transaction = false;
}

void
connection_close(struct connection *c)
{
	if (c->session && c->stream) {
		struct buf *out = session_output(c->session);

		net_stream_write(c->stream, buf_span(out));
		net_stream_close(&c->stream, LINGER_MS);
	}
	connection_break(c);
}

void
connection_quit(struct connection *c)
{
	if (c->session && session_wish(c->session) == SESSION_READY)
		session_quit(c->session);
	connection_close(c);
}

/* --- the stream ----------------------------------------------------------- */

static void
on_input(struct net_stream *s, void *context)
{
	struct connection *c = context;
	struct span in = net_stream_input(s), rest = in;

	c->heard = true;
	session_input(c->session, &rest);
	net_stream_take(s, in.n - rest.n);
	talk_go(c);
}

static void
on_drained(struct net_stream *s, void *context)
{
	(void)s;
	talk_go(context);
}

static const char *
tls_found(const struct tls_session *t)
{
	switch (tls_session_verified(t)) {
	case TLS_VERIFY_DANE:
		return " dane";
	case TLS_VERIFY_NAMES:
		return " verified";
	default:
		return "";
	}
}

/* A policy that is only tested says what it would have refused. */
static void
sts_test(const struct connection *c, const struct tls_session *t)
{
	const struct hop_host *h = c->try.host;

	if (h->sts_testing && !h->sts_mismatch &&
	    tls_session_verified(t) == TLS_VERIFY_NONE)
		report_policy(c, "remote.sts", tls_session_peer_fault(t));
}

static void
on_secured(struct net_stream *s, void *context)
{
	struct connection *c = context;
	const struct tls_session *t = net_stream_tls(s);
	bool proved = c->try.host->tls >= HOP_TLS_VERIFY &&
		      tls_session_verified(t) != TLS_VERIFY_NONE;

	snprintf(c->tls, sizeof(c->tls), "%s%s", tls_session_version(t), tls_found(t));
	c->remote->count.tls++;
	c->remote->count.verified += tls_session_verified(t) != TLS_VERIFY_NONE;
	sts_test(c, t);
	session_secured(c->session, proved);
	talk_go(c);
}

static void
on_deadline(struct net_stream *s, void *context)
{
	struct connection *c = context;

	(void)s;
	if (c->state == CONNECTION_AT_REST) {
		connection_quit(c);
		return;
	}
	session_timeout(c->session);
	talk_go(c);
}

static void
on_ended(struct net_stream *s, enum net_end how, void *context)
{
	struct connection *c = context;
	const char *why = how == NET_END_CLOSED ? "" : net_stream_fault(s);

	session_lost(c->session, span_str(why));
	talk_go(c);
}

static const struct net_callbacks callbacks = {on_input, on_drained, on_secured,
					       on_deadline, on_ended};

/* --- the beginning -------------------------------------------------------- */

static struct span
nonce_make(struct remote *r, struct buf *out)
{
	const uint64_t random[3] = {remote_random(r), remote_random(r),
				    remote_random(r)};

	base64_put(out, span_make(random, sizeof(random)));
	return buf_span(out);
}

static enum session_tls
session_tls_of(const struct connection *c)
{
	switch (c->try.host->tls) {
	case HOP_TLS_NONE:
		return SESSION_TLS_NEVER;
	case HOP_TLS_MAY:
		return c->plain ? SESSION_TLS_NEVER : SESSION_TLS_MAY;
	default:
		return SESSION_TLS_MUST;
	}
}

static struct session *
session_make(struct connection *c)
{
	const struct settings *s = proc_settings(c->remote->proc);
	const struct way *w = c->way;
	struct buf nonce = buf_make(100);
	struct session *session;
	struct session_config config = {
	    .helo = span_str(s->remote_helo[0] ? s->remote_helo : s->hostname),
	    .host = span_str(c->host),
	    .user = span_str(w->user),
	    .password = span_str(w->password),
	    .tls = session_tls_of(c),
	    .lmtp = w->lmtp,
	    .auth_without_tls = w->auth_without_tls,
	    .line_bytes_max = s->remote_line_bytes_max,
	    .burst_bytes_max = BURST_BYTES,
	};

	if (w->user)
		config.nonce = nonce_make(c->remote, &nonce);
	session = session_new(&config);
	buf_release(&nonce);
	return session;
}

static void
host_text(struct connection *c)
{
	struct buf text = buf_make(sizeof(c->host) - 1);

	hop_try_put(&c->try, &text);
	if (!span_copy(buf_span(&text), c->host, sizeof(c->host)))
		c->host[0] = '\0';
	buf_release(&text);
}

/* The address cannot be connected to. */
static void
open_failed(struct connection *c, const struct err *fault)
{
	struct remote *r = c->remote;
	struct job *job = c->job;
	struct relay_result why = {
	    .outcome = DELIVERY_DEFERRED, .enhanced = {4, 4, 1}
        };
	char text[sizeof(c->host) + sizeof(fault->text) + 32];

	snprintf(text, sizeof(text), "connect to %s:%u: %s", c->host,
		 c->try.address.port, fault->text);
	why.text = span_str(text);
	r->count.unreachable++;
	hop_health_failed(r->health, &c->try.address, proc_ticks_ms() / 1000);
	connection_take_job(c);
	connection_break(c);
	job_next(r, job, &why, false);
}

static void
on_connected(void *context, int fd, const struct err *fault)
{
	struct connection *c = context;

	net_connect_free(&c->opening);
	if (fault) {
		open_failed(c, fault);
		return;
	}
	c->remote->count.connects++;
	logline(LOGLINE_DEBUG, "remote.connect", L_STR("host", c->host),
		L_U64("port", c->try.address.port));
	c->stream =
	    net_stream_new(proc_base(c->remote->proc), fd, &sizes, &callbacks, c);
	c->session = session_make(c);
	enter(c, CONNECTION_TALKING);
	talk_go(c);
}

void
connection_open(struct remote *r, struct job *job, const struct hop_try *t)
{
	const struct settings *s = proc_settings(r->proc);
	struct connection *c = memory_new(1, sizeof(*c));
	size_t family = net_address_is_ipv4(&t->address);

	c->remote = r;
	c->destination = job->destination;
	c->state = CONNECTION_OPENING;
	c->way = way_ref(job->way);
	c->try = *t;
	c->job = job;
	c->plain = job->plain;
	job->connection = c;
	host_text(c);
	LIST_INSERT_HEAD(&r->connections, c, all);
	r->n_connections++;
	c->destination->n_connections++;
	c->opening =
	    net_connect_new(proc_base(r->proc), &t->address,
			    c->way->has_source[family] ? &c->way->source[family] : NULL,
			    s->remote_connect_timeout_s * 1000, on_connected, c);
}

/* --- between jobs --------------------------------------------------------- */

static bool
is_worth_keeping(const struct connection *c)
{
	const struct settings *s = proc_settings(c->remote->proc);

	return !c->remote->draining && !c->destination->retired &&
	       s->remote_idle_s > 0 && c->transactions < s->remote_transactions_max &&
	       session_wish(c->session) == SESSION_READY &&
	       !hop_plan_has_better(c->way->plan, c->try.host, c->remote->health,
				    proc_ticks_ms() / 1000);
}

void
connection_rest(struct connection *c)
{
	const struct settings *s = proc_settings(c->remote->proc);

	if (!is_worth_keeping(c)) {
		connection_quit(c);
		return;
	}
	enter(c, CONNECTION_AT_REST);
	net_stream_deadline(c->stream, s->remote_idle_s * 1000);
}

struct connection *
connection_find(struct destination *d, const struct job *job)
{
	struct connection *c;

	while ((c = LIST_FIRST(&d->at_rest))) {
		if (session_fits(c->session, job->recipients, job->n) > 0)
			return c;
		connection_quit(c);
	}
	return NULL;
}

bool
connection_room(struct remote *r)
{
	struct connection *c = LIST_FIRST(&r->connections);

	if (r->n_connections < CONNECTIONS_MAX)
		return true;
	while (c && c->state != CONNECTION_AT_REST)
		c = LIST_NEXT(c, all);
	if (c)
		connection_quit(c);
	return c != NULL;
}

void
connection_give(struct connection *c, struct job *job)
{
	enter(c, CONNECTION_TALKING);
	c->remote->count.reused++;
	c->reused = true;
	c->heard = c->talked = false;
	c->job = job;
	job->connection = c;
	talk_go(c);
}

bool
connection_awaits_end(const struct connection *c)
{
	return c->job && c->in_transaction && c->content_at == c->job->content_bytes;
}
