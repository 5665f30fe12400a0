/* Transactions to remote, results from it. */
#include "qmgr/qmgr.h"

static void
relay_send(struct ipc_peer *remote, const struct queue_relay *r, struct segment_fd *s)
{
	struct ipc_relay message = {.job = r->job,
				    .id = r->id,
				    .replay = r->replay,
				    .segment = r->place.segment,
				    .offset = r->place.offset + LOG_HEAD_BYTES +
					      SPOOL_HEAD_BYTES +
					      r->place.envelope_bytes,
				    .content_bytes = r->place.content_bytes,
				    .arrived_us = r->arrived_us,
				    .flags = r->envelope->flags,
				    .ret = (uint8_t)r->envelope->ret,
				    .domain = r->domain,
				    .next_hop = r->next_hop,
				    .sender = r->sender,
				    .envid = r->envelope->envid,
				    .recipients = r->recipients};

	segment_fd_tell(s, remote);
	s->n_jobs++;
	ipc_send_relay(remote, &message);
}

/* The next server may have it already. */
static void
replay_log(const struct queue_relay *r)
{
	char id[QUEUE_ID_TEXT_SIZE];

	if (!r->replay)
		return;
	queue_id_format(r->id, id);
	logline(LOGLINE_INFO, "queue.relayed", L_STR("id", id),
		L_SPAN("domain", r->domain), L_U64("recipients", r->n),
		L_U64("replay", 1));
}

static void
relays_send(struct qmgr *m, struct ipc_peer *remote)
{
	uint32_t instance = ipc_peer_instance(remote);
	struct queue_relay r;
	struct err err;

	while (ipc_queued_bytes(remote) < JOBS_BYTES_MAX &&
	       queue_next_relay(m->queue, instance, qmgr_now_s(), &r)) {
		struct segment_fd *s = segment_fd_get(m, r.place.segment, &err);
		struct ipc_relayed failed = {.job = r.job,
					     .last = 1,
					     .connection = RELAY_UNTRIED,
					     .text = span_str(err.text)};

		replay_log(&r);
		if (s)
			relay_send(remote, &r, s);
		else
			queue_relayed(m->queue, instance, &failed, qmgr_now_s());
	}
}

void
relay_turn(struct qmgr *m)
{
	uint32_t n = m->queue->config.instances[JOB_REMOTE];

	for (uint32_t i = 0; i < n; i++) {
		struct ipc_peer *remote = proc_peer(m->proc, IPC_KIND_REMOTE, i);

		if (remote && ipc_peer_is_up(remote))
			relays_send(m, remote);
	}
}

void
relay_answer(struct qmgr *m, uint32_t instance, const struct ipc_relayed *r)
{
	struct place p;

	if (!queue_sent_place(m->queue, JOB_REMOTE, instance, r->job, &p))
		return; /* of a former channel */
	if (r->last)
		segment_fd_done(m, p.segment);
	queue_relayed(m->queue, instance, r, qmgr_now_s());
}
