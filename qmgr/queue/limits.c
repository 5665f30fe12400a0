#include "qmgr/queue/limits.h"

#define NONE UINT32_MAX

static const struct row {
	uint32_t period_s;
	bool recipients;
	const char *text;
} rows[] = {
    [LIMIT_MESSAGES_HOUR] = {3600,  false, "messages an hour"  },
    [LIMIT_MESSAGES_DAY] = {86400, false, "messages a day"    },
    [LIMIT_RECIPIENTS_HOUR] = {3600,  true,  "recipients an hour"},
    [LIMIT_RECIPIENTS_DAY] = {86400, true,  "recipients a day"  },
};

void
limits_init(struct limits *all)
{
	*all = (struct limits){.oldest = NONE, .newest = NONE};
}

void
limits_release(struct limits *all)
{
	free(all->at);
	free(all->buckets);
	limits_init(all);
}

/* --- the table ------------------------------------------------------------ */

static uint32_t *
bucket_of(const struct limits *all, uint64_t account)
{
	return &all->buckets[(account * 0x9e3779b97f4a7c15u >> 32) %
			     LIMITS_ACCOUNTS_MAX];
}

static void
use_remove(struct limits *all, uint32_t i)
{
	struct limit_account *a = &all->at[i];

	if (a->older == NONE)
		all->oldest = a->newer;
	else
		all->at[a->older].newer = a->newer;
	if (a->newer == NONE)
		all->newest = a->older;
	else
		all->at[a->newer].older = a->older;
}

static void
use_add(struct limits *all, uint32_t i)
{
	all->at[i].older = all->newest;
	all->at[i].newer = NONE;
	if (all->newest == NONE)
		all->oldest = i;
	else
		all->at[all->newest].newer = i;
	all->newest = i;
}

static uint32_t
account_find(const struct limits *all, uint64_t account)
{
	uint32_t i = all->buckets ? *bucket_of(all, account) : NONE;

	while (i != NONE && all->at[i].counts.account != account)
		i = all->at[i].next;
	return i;
}

static uint32_t
oldest_forget(struct limits *all)
{
	uint32_t i = all->oldest, *at = bucket_of(all, all->at[i].counts.account);

	while (*at != i)
		at = &all->at[*at].next;
	*at = all->at[i].next;
	use_remove(all, i);
	return i;
}

static uint32_t
slot_new(struct limits *all)
{
	if (all->n == LIMITS_ACCOUNTS_MAX)
		return oldest_forget(all);
	if (all->n == all->size) {
		all->size = all->size ? all->size * 2 : 16;
		all->at = memory_resize(all->at, all->size, sizeof(*all->at));
	}
	return all->n++;
}

static struct limit_account *
account_get(struct limits *all, uint64_t account)
{
	uint32_t i = account_find(all, account), *bucket;

	if (!all->buckets) {
		all->buckets = memory_new(LIMITS_ACCOUNTS_MAX, sizeof(uint32_t));
		memset(all->buckets, 0xff, LIMITS_ACCOUNTS_MAX * sizeof(uint32_t));
	}
	if (i != NONE) {
		use_remove(all, i);
	} else {
		i = slot_new(all);
		bucket = bucket_of(all, account);
		all->at[i] =
		    (struct limit_account){.counts.account = account, .next = *bucket};
		*bucket = i;
	}
	use_add(all, i);
	all->at[i].changed = true;
	return &all->at[i];
}

/* --- windows -------------------------------------------------------------- */

static void
window_slide(struct limit_window *w, uint32_t period)
{
	if (period == w->period)
		return;
	w->before = period == w->period + 1 ? w->now : 0;
	w->now = 0;
	w->period = period;
}

/* How many lie within the last period. */
static uint64_t
window_count(const struct limit_window *w, uint32_t period_s, uint32_t now_s)
{
	uint32_t left_s = period_s - now_s % period_s;

	return w->now + (uint64_t)w->before * left_s / period_s;
}

bool
limits_take(struct limits *all, const uint64_t max[LIMIT_COUNT], uint64_t account,
	    uint32_t n, uint32_t now_s, enum limit *out)
{
	struct limit_account *a = account_get(all, account);

	for (size_t i = 0; i < LIMIT_COUNT; i++) {
		struct limit_window *w = &a->counts.windows[i];

		window_slide(w, now_s / rows[i].period_s);
		if (max[i] == 0 || window_count(w, rows[i].period_s, now_s) +
					   (rows[i].recipients ? n : 1) <=
				       max[i])
			continue;
		*out = (enum limit)i;
		return false;
	}
	for (size_t i = 0; i < LIMIT_COUNT; i++)
		a->counts.windows[i].now += rows[i].recipients ? n : 1;
	return true;
}

bool
limits_tell(struct limits *all, uint64_t account, uint32_t now_s)
{
	struct limit_account *a = account_get(all, account);

	if (a->counts.told_s != 0 && now_s - a->counts.told_s < LIMITS_TELL_S)
		return false;
	a->counts.told_s = now_s;
	return true;
}

void
limits_restore(struct limits *all, const struct limit_counts *counts)
{
	struct limit_account *a = account_get(all, counts->account);

	a->counts = *counts;
	a->changed = false;
}

bool
limits_counted(const struct limits *all, uint64_t account, uint32_t arrived_s)
{
	uint32_t i = account_find(all, account);

	return i != NONE && arrived_s < all->at[i].counts.noted_s;
}

bool
limits_past(const struct limit_counts *counts, uint32_t now_s)
{
	bool past = true;

	for (size_t i = 0; i < LIMIT_COUNT; i++)
		past = past && counts->windows[i].period + 1 < now_s / rows[i].period_s;
	return past;
}

void
limits_text(enum limit limit, uint64_t max, struct buf *out)
{
	buf_putf(out, "%llu %s", (unsigned long long)max, rows[limit].text);
}
