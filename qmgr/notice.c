/* What postmaster is told of an account that sends too much. */
#include "qmgr/qmgr.h"

#include "common/dsn/dsn.h"

#define NOTICE_TEXT_MAX 4096

/* Its answer is not waited for: when it comes there is no such job. */
#define NOTICE_JOB UINT64_MAX

static void
notice_send(struct ipc_peer *bounce, uint64_t id, struct span login, struct span reason)
{
	struct buf subject = buf_make(NOTICE_TEXT_MAX),
		   text = buf_make(NOTICE_TEXT_MAX);
	struct buf request = buf_make(DSN_REQUEST_BYTES_MAX);
	struct dsn_request r = {.kind = DSN_NOTICE, .arrived_us = proc_now_us()};
	struct ipc_report message = {.job = NOTICE_JOB, .id = id};

	buf_put_str(&subject, "Mail is held: ");
	buf_put(&subject, reason);
	buf_put(&text, reason);
	buf_put_str(&text, ".\nFurther messages of ");
	buf_put(&text, login);
	buf_put_str(&text, " are held in the queue until the limit allows more.\n"
			   "\n"
			   "List them:     postroad queue list --status held --from ");
	buf_put(&text, login);
	buf_put_str(&text, "\nSend them:     postroad queue release ID\n"
			   "Throw them out: postroad queue remove ID\n");
	r.subject = buf_span(&subject);
	r.text = buf_span(&text);
	dsn_request_put(&request, &r);
	message.request = buf_span(&request);
	ipc_send_report(bounce, &message);
	buf_release(&subject);
	buf_release(&text);
	buf_release(&request);
}

void
notice_turn(struct qmgr *m)
{
	struct ipc_peer *bounce = proc_peer(m->proc, IPC_KIND_BOUNCE, 0);
	struct buf login = buf_make(NOTICE_TEXT_MAX),
		   reason = buf_make(NOTICE_TEXT_MAX);
	uint64_t id;

	while (bounce && ipc_peer_is_up(bounce) &&
	       queue_next_notice(m->queue, &id, &login, &reason)) {
		notice_send(bounce, id, buf_span(&login), buf_span(&reason));
		buf_reset(&login);
		buf_reset(&reason);
	}
	buf_release(&login);
	buf_release(&reason);
}
