#include "qmgr/queue/internal.h"

void
destinations_release(struct destinations *all)
{
	for (uint32_t i = 0; i < all->n; i++)
		free(all->at[i].key);
	free(all->at);
	free(all->buckets);
	*all = (struct destinations){0};
}

struct span
address_domain(struct span address)
{
	size_t at = span_find_last(address, '@');

	return at == address.n ? span_make("", 0) : span_after(address, at + 1);
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

static uint32_t
key_find(const struct destinations *all, struct span key, uint32_t hash)
{
	uint32_t i =
	    all->n_buckets ? all->buckets[hash & (all->n_buckets - 1)] : ENTRY_NONE;

	while (i != ENTRY_NONE &&
	       !span_equal(span_make(all->at[i].key, all->at[i].key_bytes), key))
		i = all->at[i].next;
	return i;
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
	all->at[all->n] = (struct destination){0};
	return all->n++;
}

static uint32_t
destination_new(struct destinations *all, struct span key, uint32_t hash)
{
	uint32_t i = slot_new(all), generation = all->at[i].generation + 1;
	uint32_t *bucket;

	if (all->n_used++ >= all->n_buckets)
		buckets_grow(all);
	bucket = &all->buckets[hash & (all->n_buckets - 1)];
	all->at[i] = (struct destination){.key = span_dup(key),
					  .key_bytes = (uint32_t)key.n,
					  .hash = hash,
					  .generation = generation,
					  .next = *bucket};
	*bucket = i;
	return i;
}

/* --- from a domain -------------------------------------------------------- */

static void
route_get(const struct queue *q, struct span domain, struct queue_route *out)
{
	size_t n = span_first(domain, sizeof(out->key) - 1).n;

	*out = (struct queue_route){0};
	if (q->config.route) {
		q->config.route(q->config.route_context, domain, out);
		return;
	}
	for (size_t i = 0; i < n; i++)
		out->key[i] = ascii_lower(domain.at[i]);
}

uint32_t
destination_of(struct queue *q, struct span domain)
{
	struct destinations *all = &q->destinations;
	uint32_t word = word_find(&q->words, domain), i, hash;
	struct word *w = word ? &q->words.at[word] : NULL;
	struct queue_route route;

	if (w && w->tag_generation != 0 &&
	    all->at[w->tag].generation == w->tag_generation)
		return w->tag;
	route_get(q, domain, &route);
	hash = crc32c(0, span_str(route.key));
	i = key_find(all, span_str(route.key), hash);
	if (i == ENTRY_NONE)
		i = destination_new(all, span_str(route.key), hash);
	if (w) {
		w->tag = i;
		w->tag_generation = all->at[i].generation;
	}
	return i;
}

uint32_t
destination_instance(const struct queue *q, uint32_t destination)
{
	return q->destinations.at[destination].hash % q->config.instances[JOB_REMOTE];
}
