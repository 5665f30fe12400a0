/* qmgr/admin_stats.h - messages counted by the domain they wait for, and by age */
#pragma once

#include "qmgr/qmgr.h"

#define STATS_DOMAINS_MAX 1000 /* further ones count as "others" */
#define STATS_BUCKETS     2048 /* a power of two */
#define STATS_AGES        5

struct admin_stat {
	uint32_t domain; /* word, used by us: of the first target that waits */
	uint32_t next;   /* in its bucket, plus 1; 0 ends */
	uint64_t n[STATS_AGES];
	uint32_t oldest_s[STATS_AGES];
};

struct admin_stats {
	struct admin_stat *at;
	size_t n;
	uint32_t buckets[STATS_BUCKETS];
};

void admin_stats_add(struct admin_stats *stats, struct queue *q, const struct entry *e,
		     uint32_t now_s);
/* A row for each domain and age with any message: `reason` is the domain, `id` the
 * count, `arrived_us` the oldest, `tries` the age: 0 below 5 minutes, 1 below an
 * hour, 2 below 6 hours, 3 below a day, 4 older. */
void admin_stats_send(const struct admin_stats *stats, const struct queue *q,
		      struct ipc_peer *peer, uint64_t tag);
void admin_stats_release(struct admin_stats *stats, struct queue *q);
