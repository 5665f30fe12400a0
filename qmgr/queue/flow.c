/* Who shares a line: a sender, or a message with several transactions. */
#include "qmgr/queue/internal.h"

static uint32_t
flow_hash(uint32_t destination, uint64_t key)
{
	uint64_t z = (key ^ (uint64_t)destination << 40) * 0x9e3779b97f4a7c15u;

	return (uint32_t)(z >> 32);
}

static void
buckets_grow(struct flows *all)
{
	all->n_buckets = all->n_buckets ? all->n_buckets * 2 : 64;
	all->buckets = memory_resize(all->buckets, all->n_buckets, sizeof(uint32_t));
	memset(all->buckets, 0xff, all->n_buckets * sizeof(uint32_t));
	for (uint32_t i = 0; i < all->n; i++) {
		struct flow *f = &all->at[i];
		uint32_t *bucket = &all->buckets[flow_hash(f->destination, f->key) &
						 (all->n_buckets - 1)];

		if (f->n_jobs == 0)
			continue;
		f->next = *bucket;
		*bucket = i;
	}
}

uint32_t
flow_find(const struct flows *all, uint32_t destination, uint64_t key)
{
	uint32_t i = ENTRY_NONE;

	if (all->n_buckets > 0)
		i = all->buckets[flow_hash(destination, key) & (all->n_buckets - 1)];
	while (i != ENTRY_NONE &&
	       (all->at[i].destination != destination || all->at[i].key != key))
		i = all->at[i].next;
	return i;
}

static uint32_t
slot_new(struct flows *all)
{
	uint32_t i = all->free;

	if (i != ENTRY_NONE) {
		all->free = all->at[i].next;
		return i;
	}
	if (all->n == all->size) {
		all->size = all->size ? all->size * 2 : 64;
		all->at = memory_resize(all->at, all->size, sizeof(*all->at));
	}
	all->at[all->n] = (struct flow){0};
	return all->n++;
}

uint32_t
flow_enter(struct flows *all, uint32_t destination, uint64_t key)
{
	uint32_t i = flow_find(all, destination, key), *bucket;

	if (i != ENTRY_NONE) {
		all->at[i].n_jobs++;
		return i;
	}
	if (all->n_used++ >= all->n_buckets)
		buckets_grow(all);
	i = slot_new(all);
	bucket = &all->buckets[flow_hash(destination, key) & (all->n_buckets - 1)];
	all->at[i] = (struct flow){
	    .key = key, .destination = destination, .n_jobs = 1, .next = *bucket};
	*bucket = i;
	return i;
}

void
flow_leave(struct flows *all, uint32_t flow)
{
	struct flow *f = &all->at[flow];
	uint32_t *at;

	if (--f->n_jobs > 0)
		return;
	at = &all->buckets[flow_hash(f->destination, f->key) & (all->n_buckets - 1)];
	while (*at != flow)
		at = &all->at[*at].next;
	*at = f->next;
	*f = (struct flow){.next = all->free};
	all->free = flow;
	all->n_used--;
}

void
flows_release(struct flows *all)
{
	free(all->at);
	free(all->buckets);
	*all = (struct flows){0};
}
