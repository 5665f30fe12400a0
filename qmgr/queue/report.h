/* qmgr/queue/report.h - what a message's sender is told, and when
 *
 * What    when a try is over: a report of what failed for good, one of what succeeded
 *         where that was asked for, one of what is late. Each tells of as many targets
 *         as its request has room for; then the next.
 * RFC     [RFC3461 4.1] NOTIFY; [RFC3461 5.2] which reports are due; the null sender
 *         gets none [RFC5321 6.1].
 * Crash   a target that failed is noted as such until bounce says that its report is
 *         in the queue; so it gets one after a restart, with the message's reason in
 *         place of what the server said. Reports of success are not made again.
 * Replies the answer of an account, TARGET_REPLY, is a target that bounce tries: made,
 *         not due, or after some tries left out; no report ever tells of it.
 */
#pragma once

#include "common/dsn/dsn.h"
#include "common/ipc/ipc.h"

#include "qmgr/queue/entry.h"

#define REPORT_AGAIN_S  10 /* until bounce is asked again, after "later" */
#define REPLY_TRIES_MAX 5  /* of a message; then its answers are left out */

struct queue;
struct entry;

/* A report, or (account is not 0) an answer of an account to the message. */
struct queue_report {
	uint64_t job;
	uint64_t id;
	struct place place;
	struct span request; /* common/dsn's; until the next call */
	uint64_t account;
	struct span sender, recipient, original; /* until the job is answered */
};

/* The next one for an instance of bounce; it counts as sent. */
MUST_USE bool queue_next_report(struct queue *q, uint32_t instance, uint32_t now_s,
				struct queue_report *out);

/* bounce answers. False when there is no such job. */
bool queue_reported(struct queue *q, uint32_t instance, uint64_t job,
		    enum report_outcome outcome, uint32_t now_s);
