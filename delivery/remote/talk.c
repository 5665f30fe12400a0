/* a connection follows its session's wishes; what comes of a transaction */
#include "delivery/remote/remote.h"

#include <stdio.h>

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

/* --- content -------------------------------------------------------------- */

/* The message cannot be read here: nobody was told its end, so nobody has it. */
static void
content_failed(struct connection *c, const char *text)
{
	struct remote *r = c->remote;
	struct job *job = c->job;
	struct relay_result why = {
	    .outcome = DELIVERY_DEFERRED,
	    .enhanced = {4, 3, 0},
	    .text = span_str(text)
        };

	connection_take_job(c);
	connection_break(c);
	job->n_later = job->n_covered = 0;
	buf_reset(&job->pending);
	job->n_tries = job->next_try;
	job_next(r, job, &why, false);
}

static bool
content_read(struct connection *c, char *at, size_t n)
{
	enum segments_result result =
	    segments_read(&c->remote->segments, c->job->segment,
			  c->job->offset + c->content_at, at, n);

	if (result != SEGMENTS_OK)
		content_failed(c, span_after(span_str(segments_text(result)), 6).at);
	return result == SEGMENTS_OK;
}

static bool
content_give(struct connection *c)
{
	uint64_t left = c->job->content_bytes - c->content_at;
	size_t n = left < PIECE_BYTES ? (size_t)left : PIECE_BYTES;

	if (!content_read(c, c->remote->piece, n))
		return false;
	c->content_at += n;
	session_content(c->session, span_make(c->remote->piece, n), n == left);
	return true;
}

static void
whole_release(struct connection *c)
{
	c->remote->whole_bytes -= c->whole_bytes;
	c->whole_bytes = 0;
	free(c->whole);
	c->whole = NULL;
}

static bool
whole_give(struct connection *c)
{
	struct remote *r = c->remote;
	size_t n = (size_t)c->job->content_bytes;

	if (n > WHOLE_BYTES_MAX - r->whole_bytes) {
		content_failed(c, "too many messages are being rewritten at once");
		return false;
	}
	c->whole = memory_new(n > 0 ? n : 1, 1);
	c->whole_bytes = n;
	r->whole_bytes += n;
	if (!content_read(c, c->whole, n))
		return false;
	c->content_at = n;
	session_whole(c->session, span_make(c->whole, n));
	return true;
}

/* --- a transaction -------------------------------------------------------- */

static void
transaction_start(struct connection *c)
{
	struct job *job = c->job;
	struct session_transaction t = {
	    .sender = job->sender,
	    .envid = job->envid,
	    .flags = job->flags,
	    .ret = job->ret,
	    .content_bytes = job->content_bytes,
	    .recipients = job->recipients,
	};

	t.n_recipients =
	    session_fits(c->session, job->recipients, job->n - job->n_later);
	ASSERT(t.n_recipients > 0);
	c->content_at = 0;
	c->in_transaction = true;
	c->transactions++;
	c->remote->count.transactions++;
	session_start(c->session, &t);
}

/* The server closed a connection that was kept, and has answered nothing. */
static bool
was_stale(const struct connection *c)
{
	size_t n;
	const struct relay_result *results = session_results(c->session, &n);

	if (!c->reused || session_wish(c->session) != SESSION_OVER)
		return false;
	for (size_t i = 0; i < n; i++)
		if (results[i].outcome != DELIVERY_DEFERRED ||
		    (results[i].code != 421 && (results[i].code != 0 || c->heard)))
			return false;
	return true;
}

enum fate {
	FATE_TOLD,  /* it counts */
	FATE_AGAIN, /* here, at once */
	FATE_LATER, /* another server may do better */
};

/* "452 4.5.3 too many recipients", or without a status [RFC5321 4.5.3.1.10]; of LMTP
 * and with another status it is about a mailbox. */
static bool
were_too_many(const struct connection *c, const struct relay_result *result)
{
	return result->code == 452 && !c->way->lmtp && result->enhanced[1] != 2 &&
	       session_wish(c->session) == SESSION_READY;
}

static enum fate
fate_of(const struct connection *c, const struct relay_result *result, bool some_done,
	bool may_go_on)
{
	if (result->outcome == DELIVERY_DONE ||
	    (result->outcome == DELIVERY_FAILED && result->code != 0))
		return FATE_TOLD;
	if (some_done && were_too_many(c, result))
		return FATE_AGAIN;
	if (!may_go_on || (result->code == 0 && session_uncertain(c->session)))
		return FATE_TOLD;
	return FATE_LATER;
}

static bool
any_done(const struct relay_result *results, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (results[i].outcome == DELIVERY_DONE)
			return true;
	return false;
}

/* What other servers said counts no more. */
static void
pending_renew(struct job *job)
{
	if (job->n_covered == 0)
		return;
	buf_reset(&job->pending);
	job->n_covered = 0;
}

/* Those that go on here stay in front, those for another server go to the end. */
static void
recipients_settle(struct job *job, size_t n_asked, size_t n_again,
		  const struct relay_recipient *later, size_t n_more_later)
{
	size_t n_rest = job->n - n_asked;

	memmove(&job->recipients[n_again], &job->recipients[n_asked],
		n_rest * sizeof(*later));
	if (n_more_later > 0)
		memcpy(&job->recipients[n_again + n_rest], later,
		       n_more_later * sizeof(*later));
	job->n = n_again + n_rest + n_more_later;
	job->n_later += n_more_later;
}

/* Reports what counts. */
static void
results_take(struct connection *c)
{
	struct job *job = c->job;
	size_t n, n_again = 0, n_later = 0;
	const struct relay_result *results = session_results(c->session, &n);
	struct relay_recipient *later = NULL;
	bool some_done = any_done(results, n), may_go_on = job_may_go_on(job, &c->try);

	pending_renew(job);
	for (size_t i = 0; i < n; i++) {
		struct relay_recipient *to = &job->recipients[i];

		switch (fate_of(c, &results[i], some_done, may_go_on)) {
		case FATE_TOLD:
			report_result(c->remote, job, to->address, &results[i], c->tls);
			break;
		case FATE_AGAIN:
			job->recipients[n_again++] = *to;
			break;
		case FATE_LATER:
			if (!later)
				later = memory_new(n, sizeof(*later));
			relay_result_put(&job->pending, &results[i]);
			later[n_later++] = *to;
			break;
		}
	}
	recipients_settle(job, n, n_again, later, n_later);
	if (n_later > 0)
		snprintf(job->pending_tls, sizeof(job->pending_tls), "%s", c->tls);
	free(later);
}

/* True when the connection goes on with its job. */
static bool
transaction_end(struct connection *c)
{
	struct remote *r = c->remote;
	struct job *job = c->job;
	bool ready = session_wish(c->session) == SESSION_READY;
	bool busy = session_end(c->session) == SESSION_END_BUSY;
	const struct hop_try t = c->try;
	struct way *way;

	c->in_transaction = false;
	whole_release(c);
	job->talks += !c->talked;
	c->talked = true;
	job->busy |= busy;
	results_take(c);
	report_flush(r, job);
	if (job->n > job->n_later && ready && !r->draining)
		return true;
	way = way_ref(c->way); /* `t` points into it */
	connection_take_job(c);
	if (ready)
		connection_rest(c);
	else
		connection_close(c);
	if (job->n == 0)
		report_end(r, job, busy ? RELAY_BUSY : RELAY_TALKED,
			   hop_provider(t.host->name), "");
	else
		job_elsewhere(r, job, &t);
	way_unref(&way);
	return false;
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
	connection_take_job(c);
	job_next(r, job, &none, false);
	connection_quit(c);
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

/* Over before there was a transaction. */
static void
refused(struct connection *c)
{
	struct remote *r = c->remote;
	struct job *job = c->job;
	enum session_end end = session_end(c->session);
	bool plain = end == SESSION_END_TLS && c->try.host->tls == HOP_TLS_MAY;

	if (end == SESSION_END_TLS)
		tls_failed(c);
	if (!plain)
		hop_health_failed(r->health, &c->try.address, proc_ticks_ms() / 1000);
	connection_take_job(c);
	if (plain)
		job_again_plain(r, job);
	else
		job_next(r, job, session_reason(c->session), end == SESSION_END_BUSY);
	connection_close(c);
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
	} else if (was_stale(c)) {
		job->unshared = true;
		connection_take_job(c);
		connection_close(c);
		job_start(r, job);
	} else {
		(void)transaction_end(c);
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
		return content_give(c);
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
