/* resolver/policies.h - MTA-STS policies that are still good, and recent failures
 *
 * Pure: time is passed in, milliseconds that never jump. At most POLICIES_MAX
 * domains; the one asked for least recently goes first, but none that is held. One of
 * which nothing is known takes no place.
 */
#pragma once

#include "common/sts/sts.h"
#include "resolver/kept.h"

#include <sys/queue.h>

#define POLICIES_MAX          10000u
#define POLICIES_BUCKETS      16384u /* a power of two */
#define POLICY_FAILED_MS      300000u
#define POLICY_TEXT_MAX       300
#define POLICY_REFRESH_MAX_MS (24 * 3600 * 1000ull)

struct policy {
	LIST_ENTRY(policy) bucket;
	TAILQ_ENTRY(policy) order;
	char *domain; /* lower case */
	bool held;    /* by its work; is not dropped */
	/* The policy; id is empty when there is none. */
	enum sts_mode mode;
	char id[STS_ID_MAX + 1];
	char *hosts;
	uint64_t until_ms, refresh_ms;
	/* The last failure to fetch one. */
	uint64_t failed_until_ms;
	char why[POLICY_TEXT_MAX];
};

TAILQ_HEAD(policy_list, policy);
LIST_HEAD(policy_bucket, policy);

struct policies {
	struct policy_bucket buckets[POLICIES_BUCKETS];
	struct policy_list order;
	size_t n;
};

void policies_init(struct policies *all);
void policies_release(struct policies *all);

/* Found or made; never null. It lives until another is asked for, or while held. */
MUST_USE struct policy *policies_get(struct policies *all, struct span domain);

/* Is there one, and not too old? */
MUST_USE bool policy_good(const struct policy *p, uint64_t now_ms);
/* Is it good, the one of this id, and not so old that it is to be fetched anew? */
MUST_USE bool policy_fresh(const struct policy *p, struct span id, uint64_t now_ms);
/* Did fetching fail a moment ago? */
MUST_USE bool policy_failed(const struct policy *p, uint64_t now_ms);

void policy_set(struct policy *p, const struct sts_policy *policy, struct span id,
		uint64_t now_ms);
/* The policy that was there stays. */
void policy_fail(struct policy *p, const char *why, uint64_t now_ms);
/* Its work is over; gone when there is neither a policy nor a failure. */
void policy_let_go(struct policies *all, struct policy *p, uint64_t now_ms);

/* One moment by both clocks. */
struct policy_moment {
	uint64_t ms;     /* never jumps */
	uint64_t unix_s; /* may */
};

/* What a restart is to leave of it; spans point into it. False: nothing. */
MUST_USE bool policy_to_keep(const struct policy *p, const struct policy_moment *now,
			     struct kept_policy *out);
/* Good for the rest of its time, and to be fetched anew when it is asked for. A clock
 * that was set back makes it last no longer than any policy may. */
void policy_restore(struct policy *p, const struct kept_policy *kept,
		    const struct policy_moment *now);
