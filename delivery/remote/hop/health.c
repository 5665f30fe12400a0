#include "delivery/remote/hop/hop.h"

#define WAYS 4u /* an address may stand in one of so many places */

struct entry {
	struct net_address address;
	uint64_t until_s; /* 0: free */
	uint32_t pause_s;
};

struct hop_health {
	struct entry at[HOP_HEALTH_MAX];
};

struct hop_health *
hop_health_new(void)
{
	return memory_new(1, sizeof(struct hop_health));
}

void
hop_health_free(struct hop_health **h)
{
	free(*h);
	*h = NULL;
}

static size_t
set_of(const struct net_address *a)
{
	uint64_t h = a->port;

	for (size_t i = 0; i < sizeof(a->ip); i++)
		h = (h ^ a->ip[i]) * UINT64_C(0x100000001b3);
	h ^= h >> 29;
	return (size_t)(h % (HOP_HEALTH_MAX / WAYS)) * WAYS;
}

static bool
entry_is(const struct entry *e, const struct net_address *a)
{
	return e->until_s > 0 && net_address_equal(&e->address, a) &&
	       e->address.port == a->port;
}

static const struct entry *
entry_find(const struct hop_health *h, const struct net_address *a)
{
	size_t first = set_of(a);

	for (size_t i = first; i < first + WAYS; i++)
		if (entry_is(&h->at[i], a))
			return &h->at[i];
	return NULL;
}

/* The entry of an address, or the one of its set that ends first. */
static struct entry *
entry_place(struct hop_health *h, const struct net_address *a)
{
	size_t first = set_of(a);
	struct entry *best = &h->at[first];

	for (size_t i = first; i < first + WAYS; i++) {
		if (entry_is(&h->at[i], a))
			return &h->at[i];
		if (h->at[i].until_s < best->until_s)
			best = &h->at[i];
	}
	*best = (struct entry){.address = *a};
	return best;
}

void
hop_health_failed(struct hop_health *h, const struct net_address *a, uint64_t now_s)
{
	struct entry *e = entry_place(h, a);

	/* Connections of the same moment fail together and count once. */
	if (e->until_s > now_s)
		return;
	e->pause_s = e->pause_s == 0 ? HOP_HEALTH_FIRST_S : 2 * e->pause_s;
	if (e->pause_s > HOP_HEALTH_LONGEST_S)
		e->pause_s = HOP_HEALTH_LONGEST_S;
	e->until_s = now_s + e->pause_s;
}

void
hop_health_good(struct hop_health *h, const struct net_address *a)
{
	struct entry *e = (struct entry *)entry_find(h, a);

	if (e)
		*e = (struct entry){0};
}

bool
hop_health_bad(const struct hop_health *h, const struct net_address *a, uint64_t now_s)
{
	const struct entry *e = entry_find(h, a);

	return e && e->until_s > now_s;
}

size_t
hop_health_count(const struct hop_health *h, uint64_t now_s)
{
	size_t n = 0;

	for (size_t i = 0; i < HOP_HEALTH_MAX; i++)
		n += h->at[i].until_s > now_s;
	return n;
}
