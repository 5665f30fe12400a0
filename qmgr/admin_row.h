/* qmgr/admin_row.h - what an operator is told about a message
 *
 * A row carries the envelope, cut to its first recipients when it is too long for
 * one ipc message. Of QUEUE_SHOW the reason goes on with "; STATE ADDRESS" for each
 * target, the state being done, open, failed or work.
 */
#pragma once

#include "qmgr/qmgr.h"

#define ADMIN_ENVELOPE_MAX (32u << 10) /* bytes of the envelope in a row */
#define ADMIN_REASON_MAX   (16u << 10)
#define STATS_DOMAINS_MAX  1000 /* further ones count as "others" */
#define STATS_AGES         5

struct admin_stat {
	uint32_t domain; /* word */
	uint64_t n[STATS_AGES];
	uint32_t oldest_s[STATS_AGES];
};

/* Messages by domain of the first target and by age. */
struct admin_stats {
	struct admin_stat *at;
	size_t n;
};

void admin_row_send(struct qmgr *m, struct ipc_peer *peer, uint64_t tag,
		    const struct entry *e, bool targets);

/* Does a target of the message stand in the domain? */
MUST_USE bool
admin_domain_match(struct qmgr *m, const struct entry *e, struct span domain);

void admin_stats_add(struct admin_stats *stats, const struct queue *q,
		     const struct entry *e);
/* A row for each domain and age with any message: `reason` is the domain, `id` the
 * count, `arrived_us` the oldest, `tries` the age: 0 below 5 minutes, 1 below an
 * hour, 2 below 6 hours, 3 below a day, 4 older. */
void admin_stats_send(const struct admin_stats *stats, const struct queue *q,
		      struct ipc_peer *peer, uint64_t tag);
void admin_stats_release(struct admin_stats *stats);
