/* what became of a job: to qmgr, to authd, into the log */
#include "delivery/local/local.h"

static void
report_send(struct local *l, const struct job *job, enum delivery_outcome outcome,
	    const char *text)
{
	const struct ipc_delivered m = {
	    .job = job->number, .outcome = (uint8_t)outcome, .text = span_str(text)};
	struct ipc_peer *qmgr = proc_peer(l->proc, IPC_KIND_QMGR, 0);

	/* To a qmgr that started again the job is another: it asks anew. */
	if (qmgr && job->epoch == l->epoch)
		ipc_send_delivered(qmgr, &m);
}

void
report_done(struct local *l, struct job *job)
{
	char id[QUEUE_ID_TEXT_SIZE], guid[2 * STORE_GUID_BYTES + 1];

	queue_id_format(job->id, id);
	report_send(l, job, DELIVERY_DONE, "");
	if (job->stored.known) {
		l->count.known++;
		logline(LOGLINE_INFO, "local.known", L_STR("id", id),
			L_U64("account", job->account), L_SPAN("rcpt", job->recipient));
	} else {
		l->count.delivered++;
		hex_put(job->stored.guid, sizeof(job->stored.guid), guid);
		logline(LOGLINE_INFO, "local.delivered", L_STR("id", id),
			L_U64("account", job->account), L_SPAN("rcpt", job->recipient),
			L_STR("mailbox", "INBOX"), L_U64("uid", job->stored.uid),
			L_STR("guid", guid), L_U64("size", job->stored.size));
	}
	free(job);
}

void
report_deferred(struct local *l, struct job *job, const char *reason)
{
	char id[QUEUE_ID_TEXT_SIZE];

	queue_id_format(job->id, id);
	l->count.deferred++;
	report_send(l, job, DELIVERY_DEFERRED, reason);
	logline(LOGLINE_WARNING, "local.deferred", L_STR("id", id),
		L_U64("account", job->account), L_SPAN("rcpt", job->recipient),
		L_STR("reason", reason));
	free(job);
}

void
report_failed(struct local *l, struct job *job, const char *reason)
{
	char id[QUEUE_ID_TEXT_SIZE];

	queue_id_format(job->id, id);
	l->count.failed++;
	report_send(l, job, DELIVERY_FAILED, reason);
	logline(LOGLINE_WARNING, "local.failed", L_STR("id", id),
		L_U64("account", job->account), L_SPAN("rcpt", job->recipient),
		L_STR("reason", reason));
	free(job);
}

void
report_usage(struct local *l, const struct slot *s)
{
	struct store_usage usage = store_usage(s->account);
	const struct ipc_usage m = {.account = s->id,
				    .modseq = store_position(s->account),
				    .bytes = usage.bytes,
				    .messages = usage.messages};
	struct ipc_peer *authd = proc_peer(l->proc, IPC_KIND_AUTHD, 0);

	if (authd)
		ipc_send_usage(authd, &m);
}

void
report_changed(struct local *l, uint64_t account, uint64_t modseq)
{
	const struct ipc_account_changed m = {.account = account, .modseq = modseq};
	uint32_t instance = (uint32_t)(account % proc_count(l->proc, IPC_KIND_IMAPD));
	struct ipc_peer *imapd = proc_peer(l->proc, IPC_KIND_IMAPD, instance);

	if (imapd && watches_have(&l->watches, account))
		ipc_send_account_changed(imapd, &m);
}
