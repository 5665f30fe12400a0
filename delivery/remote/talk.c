/* a connection follows its session's wishes */
#include "delivery/remote/remote.h"

/* --- time ----------------------------------------------------------------- */

static uint64_t
wait_ms(const struct settings *s, enum session_wait wait)
{
	switch (wait) {
	case SESSION_WAIT_NONE:
		return 0;
	case SESSION_WAIT_GREETING:
		return s->remote_greeting_timeout_s * 1000;
	case SESSION_WAIT_TLS:
	case SESSION_WAIT_COMMAND:
	case SESSION_WAIT_CONTENT:
		return s->remote_command_timeout_s * 1000;
	case SESSION_WAIT_FINAL:
		return s->remote_data_timeout_s * 1000;
	}
	return 0;
}

/* A wait is measured anew when something has happened, not when a byte came. */
static void
wait_set(struct connection *c)
{
	unsigned turn;
	enum session_wait wait = session_wait(c->session, &turn);

	if (wait == c->wait && turn == c->turn)
		return;
	c->wait = wait;
	c->turn = turn;
	net_stream_deadline(c->stream, wait_ms(proc_settings(c->remote->proc), wait));
}

static void
output_send(struct connection *c)
{
	struct buf *out = session_output(c->session);

	if (out->n == 0)
		return;
	net_stream_write(c->stream, buf_span(out));
	buf_drop_front(out, out->n);
}

/* --- TLS ------------------------------------------------------------------ */

static enum tls_verify
verify_of(enum hop_tls tls)
{
	switch (tls) {
	case HOP_TLS_DANE:
		return TLS_VERIFY_DANE;
	case HOP_TLS_VERIFY:
		return TLS_VERIFY_NAMES;
	default:
		return TLS_VERIFY_NONE;
	}
}

static void
secure(struct connection *c)
{
	const struct hop_host *h = c->try.host;
	struct net_address literal;
	struct buf key = buf_make(sizeof(c->host) + 32);
	struct tls_client_policy policy = {
	    .verify = verify_of(h->tls),
	    .names = h->names,
	    .n_names = h->n_names,
	    .tlsa = h->tlsa,
	    .n_tlsa = h->n_tlsa,
	};

	if (h->n_names > 0 && !net_address_parse(h->names[0], &literal))
		policy.sni = h->names[0];
	buf_putf(&key, "%s:%u", c->host, c->try.address.port);
	policy.key = buf_span(&key);
	net_stream_secure_client(c->stream, c->remote->tls, &policy);
	buf_release(&key);
}

/* --- wishes --------------------------------------------------------------- */

static void
settled(struct connection *c)
{
	const struct hop_host *h = c->try.host;

	c->settled = true;
	hop_health_good(c->remote->health, &c->try.address);
	if (h->sts_mismatch)
		report_policy(c, "remote.sts", "its policy does not name the host");
	else if (h->sts_testing && !session_is_secured(c->session))
		report_policy(c, "remote.sts", "the server does not do TLS");
}

/* False: the connection is at rest, or gone. */
static bool
ready_go(struct connection *c)
{
	static const struct relay_result none = {
	    .outcome = DELIVERY_DEFERRED,
	    .enhanced = {4, 5, 3},
	    .text = SPAN("the server takes no further message"),
	};
	struct remote *r = c->remote;
	struct job *job = c->job;
	bool came_through;

	if (!c->settled)
		settled(c);
	if (!job)
		return false;
	if (c->in_transaction && !transaction_end(c))
		return false;
	if (session_fits(c->session, job->recipients, job->n - job->n_later) > 0) {
		transaction_start(c);
		return true;
	}
	came_through = c->talked;
	connection_take_job(c);
	connection_quit(c);
	if (came_through) /* [RFC9422 4.1] the rest, over another connection */
		job_once_more(r, job);
	else
		job_next(r, job, &none, false);
	return false;
}

/* What a policy asked for was not there. */
static void
tls_failed(const struct connection *c)
{
	const struct hop_host *h = c->try.host;
	char why[256];

	if (!span_copy(span_first(session_reason(c->session)->text, sizeof(why) - 1),
		       why, sizeof(why)))
		why[0] = '\0';
	if (h->tls == HOP_TLS_DANE)
		report_policy(c, "remote.dane", why);
	else if (h->sts_enforced)
		report_policy(c, "remote.sts", why);
	else
		report_policy(c, "remote.tls", why);
}

/* Who asked for the TLS that was not to be had, for the operator. */
static struct span
tls_rule(const struct hop_host *h)
{
	if (h->tls == HOP_TLS_DANE)
		return SPAN(" (as DANE asks)");
	if (h->sts_enforced)
		return SPAN(" (as the domain's MTA-STS policy asks)");
	return SPAN(" (as the settings ask)");
}

/* Over before there was a transaction. */
static void
refused(struct connection *c)
{
	struct buf text = buf_make(2 * RELAY_TEXT_MAX);
	struct relay_result why = *session_reason(c->session);
	struct remote *r = c->remote;
	struct job *job = c->job;
	enum session_end end = session_end(c->session);
	bool plain = end == SESSION_END_TLS && c->try.host->tls == HOP_TLS_MAY;

	if (end == SESSION_END_TLS) {
		tls_failed(c);
		buf_put(&text, span_first(why.text, RELAY_TEXT_MAX));
		buf_put(&text, tls_rule(c->try.host));
		why.text = buf_span(&text);
	}
	if (!plain)
		hop_health_failed(r->health, &c->try.address, proc_ticks_ms() / 1000);
	connection_take_job(c);
	if (plain)
		job_again_plain(r, job);
	else
		job_next(r, job, &why, end == SESSION_END_BUSY);
	connection_close(c);
	buf_release(&text);
}

static void
over_go(struct connection *c)
{
	struct remote *r = c->remote;
	struct job *job = c->job;

	if (!job) {
		connection_close(c);
	} else if (!c->in_transaction) {
		refused(c);
	} else if (transaction_was_stale(c)) {
		job->unshared = true;
		connection_take_job(c);
		connection_close(c);
		job_start(r, job);
	} else {
		bool goes_on = transaction_end(c);

		ASSERT(!goes_on); /* a connection that has ended takes no other */
	}
}

/* Content is given as long as it need not wait to be sent. */
static bool
content_go(struct connection *c)
{
	output_send(c);
	if (net_stream_full(c->stream)) {
		wait_set(c);
		return false;
	}
	if (session_wish(c->session) == SESSION_CONTENT)
		return piece_give(c);
	session_flushed(c->session);
	return true;
}

void
talk_go(struct connection *c)
{
	for (;;) {
		switch (session_wish(c->session)) {
		case SESSION_READ:
			output_send(c);
			wait_set(c);
			return;
		case SESSION_TLS:
			if (c->wait == SESSION_WAIT_TLS)
				return; /* the handshake goes on */
			output_send(c);
			secure(c);
			wait_set(c);
			return;
		case SESSION_READY:
			if (!ready_go(c))
				return;
			break;
		case SESSION_CONTENT:
		case SESSION_FLUSH:
			if (!content_go(c))
				return;
			break;
		case SESSION_WHOLE:
			if (!whole_give(c))
				return;
			break;
		case SESSION_OVER:
			over_go(c);
			return;
		}
	}
}
