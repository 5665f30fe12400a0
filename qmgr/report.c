/* Reports for senders, and answers of accounts: asked of bounce, and its answers. */
#include "qmgr/qmgr.h"

#define REPORTS_OUT_MAX 64 /* asked at once */

static void
report_send(struct ipc_peer *bounce, const struct queue_report *r, struct segment_fd *s)
{
	struct ipc_report message = {.job = r->job,
				     .id = r->id,
				     .segment = r->place.segment,
				     .offset = r->place.offset + LOG_HEAD_BYTES +
					       SPOOL_HEAD_BYTES +
					       r->place.envelope_bytes,
				     .content_bytes = r->place.content_bytes,
				     .request = r->request};

	segment_fd_tell(s, bounce);
	s->n_jobs++;
	ipc_send_report(bounce, &message);
}

static void
reply_send(struct ipc_peer *bounce, const struct queue_report *r, struct segment_fd *s)
{
	struct ipc_reply message = {.job = r->job,
				    .id = r->id,
				    .segment = r->place.segment,
				    .offset = r->place.offset + LOG_HEAD_BYTES +
					      SPOOL_HEAD_BYTES +
					      r->place.envelope_bytes,
				    .content_bytes = r->place.content_bytes,
				    .account = r->account,
				    .sender = r->sender,
				    .recipient = r->recipient,
				    .original = r->original};

	segment_fd_tell(s, bounce);
	s->n_jobs++;
	ipc_send_reply(bounce, &message);
}

void
report_turn(struct qmgr *m)
{
	struct ipc_peer *bounce = proc_peer(m->proc, IPC_KIND_BOUNCE, 0);
	uint32_t now_s = qmgr_now_s();
	struct queue_report r;
	struct err err;

	if (!bounce || !ipc_peer_is_up(bounce))
		return;
	while (queue_sent(m->queue, JOB_BOUNCE, 0) < REPORTS_OUT_MAX &&
	       ipc_queued_bytes(bounce) < JOBS_BYTES_MAX &&
	       queue_next_report(m->queue, 0, now_s, &r)) {
		struct segment_fd *s = segment_fd_get(m, r.place.segment, &err);

		if (s && r.account != 0)
			reply_send(bounce, &r, s);
		else if (s)
			report_send(bounce, &r, s);
		else
			queue_reported(m->queue, 0, r.job, REPORT_LATER, now_s);
	}
}

void
report_answer(struct qmgr *m, uint32_t instance, const struct ipc_reported *r)
{
	struct place p;

	if (!queue_sent_place(m->queue, JOB_BOUNCE, instance, r->job, &p))
		return; /* of a former channel */
	segment_fd_done(m, p.segment);
	queue_reported(m->queue, instance, r->job, (enum report_outcome)r->outcome,
		       qmgr_now_s());
}
