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
 */
#pragma once

#include "common/dsn/dsn.h"
#include "common/ipc/ipc.h"

#include "qmgr/queue/entry.h"

#define REPORT_AGAIN_S 10 /* until bounce is asked again, after "later" */

struct queue;
struct entry;

struct queue_report {
	uint64_t job;
	uint64_t id;
	struct place place;
	struct span request; /* common/dsn's; until the next call */
};

/* The next one for an instance of bounce; it counts as sent. */
MUST_USE bool queue_next_report(struct queue *q, uint32_t instance, uint32_t now_s,
				struct queue_report *out);

/* bounce answers. False when there is no such job. */
bool queue_reported(struct queue *q, uint32_t instance, uint64_t job,
		    enum report_outcome outcome, uint32_t now_s);
