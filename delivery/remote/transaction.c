/* one transaction over a connection, and what comes of it */
#include "delivery/remote/remote.h"

#include <stdio.h>

void
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

bool
transaction_was_stale(const struct connection *c)
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

bool
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
