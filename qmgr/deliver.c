/* Jobs to local, answers from it. */
#include "qmgr/qmgr.h"

static void
job_send(struct ipc_peer *local, const struct queue_job *job, struct segment_fd *s)
{
	struct ipc_deliver d = {.job = job->job,
				.id = job->id,
				.ordinal = job->ordinal,
				.replay = job->replay,
				.account = job->account,
				.segment = job->place.segment,
				.offset = job->place.offset + LOG_HEAD_BYTES +
					  SPOOL_HEAD_BYTES + job->place.envelope_bytes,
				.content_bytes = job->place.content_bytes,
				.arrived_us = job->arrived_us,
				.sender = job->sender,
				.recipient = job->recipient,
				.original_recipient = job->original};

	segment_fd_tell(s, local);
	s->n_jobs++;
	ipc_send_deliver(local, &d);
}

static void
jobs_send(struct qmgr *m, struct ipc_peer *local, uint32_t share)
{
	uint32_t instance = ipc_peer_instance(local);
	struct queue_job job;
	struct err err;

	while (queue_sent(m->queue, JOB_LOCAL, instance) < share &&
	       ipc_queued_bytes(local) < JOBS_BYTES_MAX &&
	       queue_next_job(m->queue, instance, &job)) {
		struct segment_fd *s = segment_fd_get(m, job.place.segment, &err);

		if (s)
			job_send(local, &job, s);
		else
			queue_delivered(m->queue, instance, job.job, DELIVERY_DEFERRED,
					span_str(err.text), qmgr_now_s());
	}
}

void
deliver_turn(struct qmgr *m)
{
	uint32_t n = proc_count(m->proc, IPC_KIND_LOCAL);
	uint64_t max = proc_settings(m->proc)->queue_active_max;
	uint32_t share = (uint32_t)(max / n + 1);

	for (uint32_t i = 0; i < n; i++) {
		struct ipc_peer *local = proc_peer(m->proc, IPC_KIND_LOCAL, i);

		if (local && ipc_peer_is_up(local))
			jobs_send(m, local, share);
	}
}

void
deliver_answer(struct qmgr *m, uint32_t instance, const struct ipc_delivered *d)
{
	struct place p;

	if (!queue_sent_place(m->queue, JOB_LOCAL, instance, d->job, &p))
		return; /* of a former channel */
	segment_fd_done(m, p.segment);
	queue_delivered(m->queue, instance, d->job, (enum delivery_outcome)d->outcome,
			d->text, qmgr_now_s());
}
