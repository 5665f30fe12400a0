#include "qmgr/admin_stats.h"

static const uint32_t ages_s[STATS_AGES] = {300, 3600, 6 * 3600, 86400, UINT32_MAX};

static struct admin_stat *
stat_find(struct admin_stats *stats, struct queue *q, uint32_t domain)
{
	uint32_t *bucket = &stats->buckets[domain % STATS_BUCKETS], i = *bucket;

	while (i != 0 && stats->at[i - 1].domain != domain)
		i = stats->at[i - 1].next;
	if (i != 0)
		return &stats->at[i - 1];
	if (stats->n > STATS_DOMAINS_MAX)
		return &stats->at[STATS_DOMAINS_MAX];
	stats->at = memory_resize(stats->at, stats->n + 1, sizeof(*stats->at));
	stats->at[stats->n] = (struct admin_stat){
	    .domain = word_take(&q->words, word_text(&q->words, domain)),
	    .next = *bucket};
	*bucket = (uint32_t)++stats->n;
	return &stats->at[stats->n - 1];
}

void
admin_stats_add(struct admin_stats *stats, struct queue *q, const struct entry *e,
		uint32_t now_s)
{
	struct admin_stat *s = stat_find(stats, q, e->domain);
	uint32_t age_s = now_s > e->arrived_s ? now_s - e->arrived_s : 0;
	size_t i = 0;

	while (age_s >= ages_s[i] && i + 1 < STATS_AGES)
		i++;
	if (s->n[i]++ == 0 || e->arrived_s < s->oldest_s[i])
		s->oldest_s[i] = e->arrived_s;
}

static void
stat_send(const struct admin_stat *s, struct span domain, struct ipc_peer *peer,
	  uint64_t tag)
{
	for (uint32_t age = 0; age < STATS_AGES; age++) {
		struct ipc_queue_row row = {.tag = tag,
					    .id = s->n[age],
					    .arrived_us =
						(uint64_t)s->oldest_s[age] * 1000000,
					    .tries = age,
					    .reason = domain};

		if (s->n[age] > 0)
			ipc_send_queue_row(peer, &row);
	}
}

void
admin_stats_send(const struct admin_stats *stats, const struct queue *q,
		 struct ipc_peer *peer, uint64_t tag)
{
	for (size_t i = 0; i < stats->n; i++)
		stat_send(&stats->at[i],
			  i == STATS_DOMAINS_MAX ? SPAN("others")
						 : queue_place_domain(word_text(
						       &q->words, stats->at[i].domain)),
			  peer, tag);
}

void
admin_stats_release(struct admin_stats *stats, struct queue *q)
{
	for (size_t i = 0; i < stats->n; i++)
		word_drop(&q->words, &stats->at[i].domain);
	free(stats->at);
	*stats = (struct admin_stats){0};
}
