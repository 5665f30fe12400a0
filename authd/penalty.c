#include "authd/penalty.h"

struct site {
	struct net_key key;
	unsigned failures; /* 0: the place is free */
	uint64_t at_ms;    /* when they were as many */
};

struct penalties {
	uint64_t seed;
	struct site sets[PENALTY_SETS][PENALTY_WAYS];
};

struct penalties *
penalties_new(uint64_t seed)
{
	struct penalties *p = memory_new(1, sizeof(*p));

	p->seed = seed;
	return p;
}

void
penalties_free(struct penalties **p)
{
	free(*p);
	*p = NULL;
}

static size_t
set_of(const struct penalties *p, struct net_key key)
{
	uint64_t halves[2], hash = p->seed;

	memcpy(halves, key.ip, sizeof(halves));
	for (size_t i = 0; i < N_ELEMS(halves); i++) {
		hash = (hash ^ halves[i]) * 0x9e3779b97f4a7c15u;
		hash ^= hash >> 29;
	}
	return hash % PENALTY_SETS;
}

/* What is left of a site's failures after the time that went by. */
static unsigned
left_of(const struct site *s, uint64_t now_ms)
{
	uint64_t forgotten = (now_ms - s->at_ms) / PENALTY_FORGET_MS;

	return forgotten >= s->failures ? 0 : s->failures - (unsigned)forgotten;
}

unsigned
penalties_count(const struct penalties *p, struct net_key site, uint64_t now_ms)
{
	const struct site *set = p->sets[set_of(p, site)];

	for (size_t i = 0; i < PENALTY_WAYS; i++)
		if (set[i].failures && memcmp(&set[i].key, &site, sizeof(site)) == 0)
			return left_of(&set[i], now_ms);
	return 0;
}

void
penalties_add(struct penalties *p, struct net_key site, uint64_t now_ms)
{
	struct site *set = p->sets[set_of(p, site)], *place = &set[0];
	unsigned left = 0;

	for (size_t i = 0; i < PENALTY_WAYS; i++) {
		if (set[i].failures && memcmp(&set[i].key, &site, sizeof(site)) == 0) {
			place = &set[i];
			left = left_of(place, now_ms);
			break;
		}
		if (left_of(&set[i], now_ms) < left_of(place, now_ms))
			place = &set[i];
	}
	*place = (struct site){site, left < PENALTY_MAX ? left + 1 : left, now_ms};
}

uint64_t
penalty_delay_ms(unsigned failures, uint64_t first_ms, uint64_t max_ms)
{
	uint64_t delay = first_ms;

	if (failures == 0)
		return 0;
	for (unsigned i = 1; i < failures && delay < max_ms; i++)
		delay *= 2;
	return delay < max_ms ? delay : max_ms;
}
