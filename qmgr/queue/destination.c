#include "qmgr/queue/internal.h"

#define PROVIDER_KEY    "by:"
#define PLACE_BYTES_MAX (TARGET_NEXT_HOP_MAX + TARGET_ADDRESS_MAX + 1)

static void
destination_clear(struct destination *d)
{
	free(d->key);
	free(d->line.jobs);
	heap_release(&d->parked);
}

void
destinations_release(struct destinations *all)
{
	for (uint32_t i = 0; i < all->n; i++)
		destination_clear(&all->at[i]);
	free(all->at);
	free(all->buckets);
	free(all->rated);
	free(all->parked);
	flows_release(&all->flows);
	*all = (struct destinations){0};
}

struct span
address_domain(struct span address)
{
	size_t at = span_find_last(address, '@');

	return at == address.n ? span_make("", 0) : span_after(address, at + 1);
}

/* A domain has no space, and a next hop neither. */
static void
place_put(const struct target *t, struct buf *out)
{
	buf_put(out, t->next_hop);
	buf_put_char(out, ' ');
	buf_put(out, address_domain(t->address));
}

uint32_t
place_word(struct queue *q, const struct target *t)
{
	struct buf place = buf_make(PLACE_BYTES_MAX);
	uint32_t word;

	if (t->next_hop.n == 0)
		return word_take(&q->words, address_domain(t->address));
	place_put(t, &place);
	word = word_take(&q->words, buf_span(&place));
	buf_release(&place);
	return word;
}

bool
place_same(const struct target *a, const struct target *b)
{
	return target_is_remote(a) == target_is_remote(b) &&
	       span_equal(a->next_hop, b->next_hop) &&
	       span_equal_nocase(address_domain(a->address),
				 address_domain(b->address));
}

struct span
queue_place_domain(struct span place)
{
	size_t n = span_find(place, ' ');

	return n < place.n ? span_after(place, n + 1) : place;
}

/* --- by last use ---------------------------------------------------------- */

static void
use_remove(struct destinations *all, uint32_t i)
{
	struct destination *d = &all->at[i];

	if (d->older == ENTRY_NONE)
		all->oldest = d->newer;
	else
		all->at[d->older].newer = d->newer;
	if (d->newer == ENTRY_NONE)
		all->newest = d->older;
	else
		all->at[d->newer].older = d->older;
}

static void
use_add(struct destinations *all, uint32_t i)
{
	struct destination *d = &all->at[i];

	d->older = all->newest;
	d->newer = ENTRY_NONE;
	if (all->newest == ENTRY_NONE)
		all->oldest = i;
	else
		all->at[all->newest].newer = i;
	all->newest = i;
}

void
destination_used(struct queue *q, uint32_t destination, uint32_t now_s)
{
	struct destinations *all = &q->destinations;

	all->at[destination].used_s = now_s;
	if (all->newest == destination)
		return;
	use_remove(all, destination);
	use_add(all, destination);
}

/* --- the table ------------------------------------------------------------ */

static void
buckets_grow(struct destinations *all)
{
	all->n_buckets = all->n_buckets ? all->n_buckets * 2 : 64;
	all->buckets = memory_resize(all->buckets, all->n_buckets, sizeof(uint32_t));
	memset(all->buckets, 0xff, all->n_buckets * sizeof(uint32_t));
	for (uint32_t i = 0; i < all->n; i++) {
		struct destination *d = &all->at[i];
		uint32_t *bucket = &all->buckets[d->hash & (all->n_buckets - 1)];

		if (!d->key)
			continue;
		d->next = *bucket;
		*bucket = i;
	}
}

struct span
destination_key(const struct destination *d)
{
	return span_make(d->key, d->key_bytes);
}

static uint32_t
key_find(const struct destinations *all, struct span key, uint32_t hash)
{
	uint32_t i = ENTRY_NONE;

	if (all->n_buckets > 0)
		i = all->buckets[hash & (all->n_buckets - 1)];
	while (i != ENTRY_NONE && !span_equal(destination_key(&all->at[i]), key))
		i = all->at[i].next;
	return i;
}

static bool
is_idle(const struct destination *d)
{
	return d->n_jobs == 0 && d->parked.n == 0 && d->n_followers == 0 &&
	       !d->pace.rated;
}

static void
destination_forget(struct queue *q, uint32_t i)
{
	struct destinations *all = &q->destinations;
	struct destination *d = &all->at[i];
	uint32_t *at = &all->buckets[d->hash & (all->n_buckets - 1)];

	while (*at != i)
		at = &all->at[*at].next;
	*at = d->next;
	use_remove(all, i);
	if (d->lead != i)
		all->at[d->lead].n_followers--;
	all->n_dead -= d->dead;
	word_drop(&q->words, &d->reason);
	destination_clear(d);
	*d = (struct destination){.generation = d->generation + 1, .next = all->free};
	all->free = i;
	all->n_used--;
}

/* Of the ones used least lately the first that is idle. */
static bool
forget_one(struct queue *q)
{
	struct destinations *all = &q->destinations;
	uint32_t i = all->oldest;

	for (size_t n = 0; n < 16 && i != ENTRY_NONE; n++, i = all->at[i].newer)
		if (is_idle(&all->at[i])) {
			destination_forget(q, i);
			return true;
		}
	return false;
}

void
destinations_tick(struct queue *q, uint32_t now_s)
{
	struct destinations *all = &q->destinations;

	for (size_t n = 0; n < 100 && all->oldest != ENTRY_NONE; n++) {
		uint32_t i = all->oldest;

		if (now_s - all->at[i].used_s < DESTINATION_IDLE_S)
			return;
		if (is_idle(&all->at[i]))
			destination_forget(q, i);
		else
			destination_used(q, i, now_s);
	}
}

static uint32_t
slot_new(struct destinations *all)
{
	uint32_t i = all->free;

	if (i != ENTRY_NONE) {
		all->free = all->at[i].next;
		return i;
	}
	if (all->n == all->size) {
		all->size = all->size ? all->size * 2 : 16;
		all->at = memory_resize(all->at, all->size, sizeof(*all->at));
	}
	all->at[all->n] = (struct destination){.generation = 1};
	return all->n++;
}

static uint32_t
destination_new(struct queue *q, struct span key, uint32_t hash)
{
	struct destinations *all = &q->destinations;
	uint32_t i, generation, *bucket;

	if (all->n_used >= DESTINATIONS_MAX && !forget_one(q))
		return ENTRY_NONE;
	if (all->n_used++ >= all->n_buckets)
		buckets_grow(all);
	i = slot_new(all);
	generation = all->at[i].generation;
	bucket = &all->buckets[hash & (all->n_buckets - 1)];
	all->at[i] = (struct destination){.key = span_dup(key),
					  .key_bytes = (uint32_t)key.n,
					  .hash = hash,
					  .generation = generation,
					  .next = *bucket,
					  .lead = i,
					  .parked_at = ENTRY_NONE};
	*bucket = i;
	use_add(all, i);
	return i;
}

/* --- from a place --------------------------------------------------------- */

static struct span
place_next_hop(struct span place)
{
	size_t n = span_find(place, ' ');

	return n < place.n ? span_first(place, n) : span_make("", 0);
}

static void
route_get(const struct queue *q, struct span place, struct queue_route *out)
{
	size_t n = span_first(place, sizeof(out->key) - 1).n;

	*out = (struct queue_route){.connections_max = q->config.connections_max,
				    .per_minute_max = q->config.per_minute_max};
	if (q->config.route) {
		q->config.route(q->config.route_context, queue_place_domain(place),
				place_next_hop(place), out);
		return;
	}
	for (size_t i = 0; i < n; i++)
		out->key[i] = ascii_lower(place.at[i]);
}

bool
destination_tagged(const struct queue *q, const struct word *w)
{
	return w->tag_generation != 0 &&
	       q->destinations.at[w->tag].generation == w->tag_generation;
}

static uint32_t
destination_get(struct queue *q, const struct queue_route *route)
{
	struct span key = span_str(route->key);
	uint32_t hash = crc32c(0, key), i = key_find(&q->destinations, key, hash);
	struct destination *d;

	if (i == ENTRY_NONE) {
		i = destination_new(q, key, hash);
		if (i == ENTRY_NONE)
			return i;
		pace_init(&q->destinations.at[i].pace, q->config.connections_first,
			  route->connections_max, route->per_minute_max);
	}
	d = &q->destinations.at[i];
	d->alone = route->alone;
	d->pace.window_max = route->connections_max ? route->connections_max : 1;
	d->pace.per_minute_max = route->per_minute_max;
	return i;
}

uint32_t
destination_of(struct queue *q, struct span place)
{
	uint32_t word = word_find(&q->words, place), i;
	struct queue_route route;

	if (word != 0 && destination_tagged(q, &q->words.at[word]))
		return q->words.at[word].tag;
	route_get(q, place, &route);
	i = destination_get(q, &route);
	if (word != 0 && i != ENTRY_NONE) {
		q->words.at[word].tag = i;
		q->words.at[word].tag_generation = q->destinations.at[i].generation;
	}
	return i;
}

uint32_t
destination_of_target(struct queue *q, const struct target *t)
{
	struct buf place = buf_make(PLACE_BYTES_MAX);
	uint32_t i;

	if (t->next_hop.n == 0)
		return destination_of(q, address_domain(t->address));
	place_put(t, &place);
	i = destination_of(q, buf_span(&place));
	buf_release(&place);
	return i;
}

void
destination_provider(struct queue *q, uint32_t destination, struct span provider)
{
	struct queue_route route = {.connections_max = q->config.connections_max,
				    .per_minute_max = q->config.per_minute_max,
				    .alone = true};
	const struct destination *d = &q->destinations.at[destination];
	size_t at = sizeof(PROVIDER_KEY) - 1;
	uint32_t lead;

	if (provider.n == 0 || provider.n >= sizeof(route.key) - at || d->alone)
		return;
	memcpy(route.key, PROVIDER_KEY, at);
	for (size_t i = 0; i < provider.n; i++)
		route.key[at + i] = ascii_lower(provider.at[i]);
	lead = destination_get(q, &route);
	if (lead != ENTRY_NONE)
		pace_follow(q, destination, lead);
}

/* With other settings a domain may lead elsewhere: no word knows its destination. */
void
destinations_reconfigure(struct queue *q)
{
	struct destinations *all = &q->destinations;

	for (uint32_t i = 0; i < all->n; i++)
		all->at[i].generation++;
}

uint32_t
destination_instance(const struct queue *q, uint32_t destination)
{
	return q->destinations.at[destination].hash % q->config.instances[JOB_REMOTE];
}

void
queue_tick(struct queue *q, uint32_t now_s)
{
	if (q->destinations.ticked_s == now_s)
		return;
	clock_tick(q, q->destinations.ticked_s, now_s);
	q->destinations.ticked_s = now_s;
	pace_tick(q, now_s);
	park_tick(q, now_s);
	destinations_tick(q, now_s);
	limited_tick(q, now_s);
}
