#include "common/net/net.h"

#define NOWHERE UINT32_MAX /* no client; ends a chain */

struct bucket {
	uint64_t used; /* in 1 / per_ms of an event; leaks `count` a millisecond */
	uint64_t at_ms;
};

struct client {
	struct net_key key;
	uint32_t connections;
	uint32_t next;         /* in its hash chain, or in the list of free ones */
	uint32_t older, newer; /* among the quiet: those without a connection */
	struct bucket buckets[NET_EVENTS];
};

struct net_limits {
	struct net_limits_config config;
	struct client *clients;
	uint32_t *chains;
	uint32_t chain_mask;
	uint32_t free;           /* first of the unused */
	uint32_t oldest, newest; /* of the quiet */
	size_t n;
};

/* --- the table ------------------------------------------------------------ */

struct net_limits *
net_limits_new(const struct net_limits_config *config)
{
	struct net_limits *l = memory_new(1, sizeof(*l));
	uint32_t chains = 16;

	ASSERT(config->clients_max > 0 && config->clients_max < (1u << 24));
	while (chains < config->clients_max)
		chains *= 2;
	l->config = *config;
	l->clients = memory_new(config->clients_max, sizeof(*l->clients));
	l->chains = memory_new(chains, sizeof(*l->chains));
	l->chain_mask = chains - 1;
	for (uint32_t i = 0; i < chains; i++)
		l->chains[i] = NOWHERE;
	l->free = NOWHERE;
	l->oldest = l->newest = NOWHERE;
	return l;
}

void
net_limits_free(struct net_limits **l)
{
	if (!*l)
		return;
	free((*l)->clients);
	free((*l)->chains);
	free(*l);
	*l = NULL;
}

void
net_limits_configure(struct net_limits *l, const struct net_limits_config *config)
{
	l->config.connections_max = config->connections_max;
	memcpy(l->config.rates, config->rates, sizeof(l->config.rates));
}

static uint64_t
mix(uint64_t x)
{
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
	return x ^ (x >> 31);
}

static uint32_t *
chain_of(const struct net_limits *l, const struct net_key *key)
{
	uint64_t halves[2];

	memcpy(halves, key->ip, sizeof(halves));
	return &l->chains[mix(mix(l->config.seed ^ halves[0]) ^ halves[1]) &
			  l->chain_mask];
}

static uint32_t
find(const struct net_limits *l, const struct net_key *key)
{
	uint32_t i = *chain_of(l, key);

	while (i != NOWHERE && memcmp(&l->clients[i].key, key, sizeof(*key)) != 0)
		i = l->clients[i].next;
	return i;
}

static void
quiet_add(struct net_limits *l, uint32_t i)
{
	struct client *c = &l->clients[i];

	c->older = l->newest;
	c->newer = NOWHERE;
	*(l->newest == NOWHERE ? &l->oldest : &l->clients[l->newest].newer) = i;
	l->newest = i;
}

static void
quiet_remove(struct net_limits *l, uint32_t i)
{
	struct client *c = &l->clients[i];

	*(c->older == NOWHERE ? &l->oldest : &l->clients[c->older].newer) = c->newer;
	*(c->newer == NOWHERE ? &l->newest : &l->clients[c->newer].older) = c->older;
}

static void
forget(struct net_limits *l, uint32_t i)
{
	uint32_t *at = chain_of(l, &l->clients[i].key);

	while (*at != i)
		at = &l->clients[*at].next;
	*at = l->clients[i].next;
	quiet_remove(l, i);
	l->clients[i].next = l->free;
	l->free = i;
}

/* A place for one more client; NOWHERE when all have connections. */
static uint32_t
place(struct net_limits *l)
{
	uint32_t i;

	if (l->free == NOWHERE && l->n < l->config.clients_max)
		return (uint32_t)l->n++;
	if (l->free == NOWHERE && l->oldest != NOWHERE)
		forget(l, l->oldest);
	i = l->free;
	if (i != NOWHERE)
		l->free = l->clients[i].next;
	return i;
}

/* The client of a key, made when there is none, and now the newest of the quiet
 * if it is one of them. */
static uint32_t
touch(struct net_limits *l, const struct net_key *key)
{
	uint32_t i = find(l, key), *chain;

	if (i != NOWHERE) {
		if (l->clients[i].connections == 0) {
			quiet_remove(l, i);
			quiet_add(l, i);
		}
		return i;
	}
	i = place(l);
	if (i == NOWHERE)
		return NOWHERE;
	chain = chain_of(l, key);
	l->clients[i] = (struct client){.key = *key, .next = *chain};
	*chain = i;
	quiet_add(l, i);
	return i;
}

/* --- counting ------------------------------------------------------------- */

static uint64_t
used_now(const struct bucket *b, const struct net_rate *rate, uint64_t now_ms)
{
	uint64_t passed = now_ms > b->at_ms ? now_ms - b->at_ms : 0, leaked;

	if (passed >= rate->per_ms)
		return 0;
	leaked = passed * rate->count;
	return leaked >= b->used ? 0 : b->used - leaked;
}

static bool
fits(const struct bucket *b, const struct net_rate *rate, uint32_t n, uint64_t now_ms)
{
	uint64_t most = (uint64_t)rate->count * rate->per_ms;
	uint64_t used = used_now(b, rate, now_ms);

	return rate->count == 0 ||
	       (used <= most && (uint64_t)n * rate->per_ms <= most - used);
}

static bool
take(struct bucket *b, const struct net_rate *rate, uint32_t n, uint64_t now_ms)
{
	if (!fits(b, rate, n, now_ms))
		return false;
	b->used = used_now(b, rate, now_ms) + (uint64_t)n * rate->per_ms;
	b->at_ms = now_ms;
	return true;
}

enum net_verdict
net_limits_connect(struct net_limits *l, struct net_key client, uint64_t now_ms)
{
	uint32_t i = touch(l, &client);
	struct client *c;

	if (i == NOWHERE)
		return NET_CROWDED;
	c = &l->clients[i];
	if (l->config.connections_max && c->connections >= l->config.connections_max)
		return NET_TOO_MANY;
	if (!take(&c->buckets[NET_EVENT_CONNECTION],
		  &l->config.rates[NET_EVENT_CONNECTION], 1, now_ms))
		return NET_TOO_FAST;
	if (c->connections++ == 0)
		quiet_remove(l, i);
	return NET_ALLOWED;
}

void
net_limits_disconnect(struct net_limits *l, struct net_key client)
{
	uint32_t i = find(l, &client);

	ASSERT(i != NOWHERE && l->clients[i].connections > 0);
	if (--l->clients[i].connections == 0)
		quiet_add(l, i);
}

bool
net_limits_take(struct net_limits *l, struct net_key client, enum net_event event,
		uint32_t n, uint64_t now_ms)
{
	uint32_t i;

	if (l->config.rates[event].count == 0)
		return true;
	i = touch(l, &client);
	return i != NOWHERE &&
	       take(&l->clients[i].buckets[event], &l->config.rates[event], n, now_ms);
}

bool
net_limits_allow(const struct net_limits *l, struct net_key client,
		 enum net_event event, uint32_t n, uint64_t now_ms)
{
	static const struct bucket empty;
	uint32_t i = find(l, &client);

	return fits(i == NOWHERE ? &empty : &l->clients[i].buckets[event],
		    &l->config.rates[event], n, now_ms);
}

size_t
net_limits_clients(const struct net_limits *l)
{
	size_t n = l->n;

	for (uint32_t i = l->free; i != NOWHERE; i = l->clients[i].next)
		n--;
	return n;
}

uint32_t
net_limits_connections(const struct net_limits *l, struct net_key client)
{
	uint32_t i = find(l, &client);

	return i == NOWHERE ? 0 : l->clients[i].connections;
}

bool
net_crowd_refuses(size_t open, size_t from, size_t max, uint32_t random)
{
	if (open < from)
		return false;
	if (open >= max)
		return true;
	return random % (max - from) < open - from;
}
