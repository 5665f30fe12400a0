/* what became of recipients: to qmgr and into the log */
#include "delivery/remote/remote.h"

#include <stdio.h>

static void
results_send(struct remote *r, const struct job *job, struct ipc_relayed *m)
{
	struct ipc_peer *qmgr = proc_peer(r->proc, IPC_KIND_QMGR, 0);

	m->job = job->number;
	m->results = buf_span(&r->results);
	/* To a qmgr that started again the job is another: it asks anew. */
	if (qmgr && job->epoch == r->epoch)
		ipc_send_relayed(qmgr, m);
	buf_reset(&r->results);
}

void
report_flush(struct remote *r, const struct job *job)
{
	if (r->results.n > 0)
		results_send(r, job, &(struct ipc_relayed){.connection = RELAY_TALKED});
}

static void
result_count(struct remote *r, const struct relay_result *result)
{
	if (result->outcome == DELIVERY_DONE)
		r->count.delivered++;
	else if (result->outcome == DELIVERY_FAILED)
		r->count.failed++;
	else
		r->count.deferred++;
}

static void
result_log(const struct job *job, struct span recipient,
	   const struct relay_result *result, const char *tls)
{
	static const char *const events[] = {
	    [DELIVERY_DONE] = "remote.delivered",
	    [DELIVERY_DEFERRED] = "remote.deferred",
	    [DELIVERY_FAILED] = "remote.failed",
	};
	char id[QUEUE_ID_TEXT_SIZE], status[24];

	queue_id_format(job->id, id);
	snprintf(status, sizeof(status), "%u.%u.%u", result->enhanced[0],
		 result->enhanced[1], result->enhanced[2]);
	logline(LOGLINE_INFO, events[result->outcome], L_STR("id", id),
		L_SPAN("rcpt", recipient), L_SPAN("host", result->host),
		L_STR("tls", tls), L_U64("code", result->code), L_STR("status", status),
		L_SPAN("text", result->text));
}

void
report_result(struct remote *r, const struct job *job, struct span recipient,
	      const struct relay_result *result, const char *tls)
{
	result_count(r, result);
	result_log(job, recipient, result, tls);
	relay_result_put(&r->results, result);
	if (r->results.n >= RESULTS_BYTES)
		report_flush(r, job);
}

void
report_end(struct remote *r, struct job *job, enum relay_connection connection,
	   struct span provider, const char *text)
{
	struct destination *d = job->destination;
	struct ipc_relayed m = {.last = 1,
				.connection = (uint8_t)connection,
				.provider = provider,
				.text = span_str(text)};

	results_send(r, job, &m);
	if (job->waits) {
		TAILQ_REMOVE(&d->waiting, job, link);
		job->waits = false;
	}
	job_free(&job);
	r->n_jobs--;
	d->n_jobs--;
	destination_settle(r, d);
}

void
report_policy(const struct connection *c, const char *event, const char *why)
{
	static const char *const policies[] = {"remote.dane", "remote.sts",
					       "remote.tls"};

	for (size_t i = 0; i < N_ELEMS(policies); i++)
		if (strcmp(event, policies[i]) == 0)
			logline(LOGLINE_WARNING, policies[i],
				L_STR("domain", c->destination->domain),
				L_STR("host", c->host), L_STR("why", why));
}
