#include "resolver/policies.h"

#include <stdio.h>

void
policies_init(struct policies *all)
{
	*all = (struct policies){0};
	TAILQ_INIT(&all->order);
}

static void
policy_drop(struct policies *all, struct policy *p)
{
	LIST_REMOVE(p, bucket);
	TAILQ_REMOVE(&all->order, p, order);
	all->n--;
	free(p->domain);
	free(p->hosts);
	free(p);
}

void
policies_release(struct policies *all)
{
	struct policy *p;

	while ((p = TAILQ_FIRST(&all->order)))
		policy_drop(all, p);
}

static struct policy_bucket *
bucket_of(struct policies *all, struct span domain)
{
	uint32_t hash = 2166136261u;

	for (size_t i = 0; i < domain.n; i++)
		hash = (hash ^ (uint8_t)ascii_lower(domain.at[i])) * 16777619u;
	return &all->buckets[(hash ^ hash >> 16) & (POLICIES_BUCKETS - 1)];
}

static void
oldest_drop(struct policies *all)
{
	struct policy *p;

	TAILQ_FOREACH(p, &all->order, order)
	{
		if (!p->held) {
			policy_drop(all, p);
			return;
		}
	}
}

static struct policy *
policy_make(struct policies *all, struct span domain)
{
	struct policy *p = memory_new(1, sizeof(*p));

	p->domain = span_dup(domain);
	for (char *at = p->domain; *at; at++)
		*at = ascii_lower(*at);
	p->hosts = memory_new(1, 1);
	LIST_INSERT_HEAD(bucket_of(all, domain), p, bucket);
	TAILQ_INSERT_TAIL(&all->order, p, order);
	all->n++;
	return p;
}

struct policy *
policies_get(struct policies *all, struct span domain)
{
	struct policy *p;

	LIST_FOREACH(p, bucket_of(all, domain), bucket)
	{
		if (!span_equal_nocase(span_str(p->domain), domain))
			continue;
		TAILQ_REMOVE(&all->order, p, order);
		TAILQ_INSERT_TAIL(&all->order, p, order);
		return p;
	}
	if (all->n >= POLICIES_MAX)
		oldest_drop(all);
	return policy_make(all, domain);
}

bool
policy_good(const struct policy *p, uint64_t now_ms)
{
	return p->id[0] != '\0' && now_ms < p->until_ms;
}

bool
policy_fresh(const struct policy *p, struct span id, uint64_t now_ms)
{
	return policy_good(p, now_ms) && span_equal(span_str(p->id), id) &&
	       now_ms < p->refresh_ms;
}

bool
policy_failed(const struct policy *p, uint64_t now_ms)
{
	return now_ms < p->failed_until_ms;
}

void
policy_set(struct policy *p, const struct sts_policy *policy, struct span id,
	   uint64_t now_ms)
{
	struct buf hosts = buf_make(STS_POLICY_BYTES_MAX);
	uint64_t age_ms = policy->max_age_s * 1000ull;

	ASSERT(span_copy(id, p->id, sizeof(p->id)));
	sts_hosts_put(policy, &hosts);
	free(p->hosts);
	p->hosts = span_dup(buf_span(&hosts));
	buf_release(&hosts);
	p->mode = policy->mode;
	p->until_ms = now_ms + age_ms;
	p->refresh_ms =
	    now_ms +
	    (age_ms / 2 < POLICY_REFRESH_MAX_MS ? age_ms / 2 : POLICY_REFRESH_MAX_MS);
	p->failed_until_ms = 0;
	p->why[0] = '\0';
}

void
policy_fail(struct policy *p, const char *why, uint64_t now_ms)
{
	(void)snprintf(p->why, sizeof(p->why), "%s", why);
	p->failed_until_ms = now_ms + POLICY_FAILED_MS;
}

void
policy_let_go(struct policies *all, struct policy *p, uint64_t now_ms)
{
	p->held = false;
	if (!policy_good(p, now_ms) && !policy_failed(p, now_ms))
		policy_drop(all, p);
}

bool
policy_to_keep(const struct policy *p, const struct policy_moment *now,
	       struct kept_policy *out)
{
	if (!policy_good(p, now->ms))
		return false;
	*out = (struct kept_policy){
	    .domain = span_str(p->domain),
	    .id = span_str(p->id),
	    .hosts = span_str(p->hosts),
	    .mode = p->mode,
	    .until_s = now->unix_s + (p->until_ms - now->ms) / 1000,
	};
	return true;
}

void
policy_restore(struct policy *p, const struct kept_policy *kept,
	       const struct policy_moment *now)
{
	uint64_t left_s = kept->until_s > now->unix_s ? kept->until_s - now->unix_s : 0;

	if (left_s > STS_MAX_AGE_MAX)
		left_s = STS_MAX_AGE_MAX;
	ASSERT(span_copy(kept->id, p->id, sizeof(p->id)));
	free(p->hosts);
	p->hosts = span_dup(kept->hosts);
	p->mode = kept->mode;
	p->until_ms = now->ms + left_s * 1000;
	p->refresh_ms = now->ms;
}
