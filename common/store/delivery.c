/* the ids of recent deliveries, for jobs that are tried again */
#include "common/store/internal.h"

static uint64_t
id_hash(struct store_delivery_id id)
{
	uint64_t h = id.queue_id * UINT64_C(0x9e3779b97f4a7c15);

	h ^= ((uint64_t)id.ordinal << 32 | id.spool) * UINT64_C(0xc2b2ae3d27d4eb4f);
	return h ^ h >> 29;
}

static bool
id_equal(struct store_delivery_id a, struct store_delivery_id b)
{
	return a.queue_id == b.queue_id && a.ordinal == b.ordinal && a.spool == b.spool;
}

static size_t
id_place(const struct deliveries *d, struct store_delivery_id id)
{
	size_t i = id_hash(id) & (d->size - 1);

	while (!delivery_none(d->at[i]) && !id_equal(d->at[i], id))
		i = (i + 1) & (d->size - 1);
	return i;
}

static void
deliveries_grow(struct deliveries *d)
{
	struct deliveries old = *d;

	d->size = old.size ? 2 * old.size : 256;
	d->at = memory_new(d->size, sizeof(*d->at));
	for (size_t i = 0; i < old.size; i++)
		if (!delivery_none(old.at[i]))
			d->at[id_place(d, old.at[i])] = old.at[i];
	free(old.at);
}

void
deliveries_add(struct deliveries *d, struct store_delivery_id id)
{
	size_t i;

	if (delivery_none(id))
		return;
	if (4 * (d->n + 1) > 3 * d->size)
		deliveries_grow(d);
	i = id_place(d, id);
	d->n += delivery_none(d->at[i]);
	d->at[i] = id;
}

void
deliveries_remove(struct deliveries *d, struct store_delivery_id id)
{
	size_t i;

	if (delivery_none(id) || d->size == 0)
		return;
	i = id_place(d, id);
	if (delivery_none(d->at[i]))
		return;
	d->at[i] = (struct store_delivery_id){0};
	d->n--;
	/* Those behind it that it had pushed aside move up. */
	for (i = (i + 1) & (d->size - 1); !delivery_none(d->at[i]);
	     i = (i + 1) & (d->size - 1)) {
		struct store_delivery_id moved = d->at[i];

		d->at[i] = (struct store_delivery_id){0};
		d->at[id_place(d, moved)] = moved;
	}
}

bool
deliveries_has(const struct deliveries *d, struct store_delivery_id id)
{
	return d->size > 0 && !delivery_none(d->at[id_place(d, id)]);
}

void
deliveries_free(struct deliveries **d)
{
	if (*d)
		free((*d)->at);
	free(*d);
	*d = NULL;
}

struct loading {
	struct deliveries *d;
	int64_t since_us;
	deliveries_told *told;
	void *context;
};

/* What an earlier compaction told of. */
static void
told_take(const struct loading *l, const struct event *e)
{
	struct span rest = e->list;
	struct store_delivery_id id;

	if (e->time_us < l->since_us)
		return;
	if (l->told) {
		l->told(l->context, e);
		return;
	}
	while (event_delivery_next(&rest, &id))
		deliveries_add(l->d, id);
}

static bool
deliveries_event(struct chain_walk *w, const struct event *e)
{
	const struct loading *l = w->context;

	if (e->kind == EVENT_APPEND)
		deliveries_add(l->d, e->delivery);
	else if (e->kind == EVENT_DROPPED)
		deliveries_remove(l->d, e->delivery);
	else if (e->kind == EVENT_DELIVERIES)
		told_take(l, e);
	return true;
}

struct deliveries *
deliveries_load(struct store_account *a, int64_t since_us, deliveries_told *told,
		void *context, struct err *err)
{
	struct deliveries *d = memory_new(1, sizeof(*d));
	struct loading loading = {d, since_us, told, context};
	struct chain_walk walk = {.event = deliveries_event, .context = &loading};
	uint64_t from = 0;
	struct chain c;
	int result;

	if (chain_open(a, 0, &c, err) == STORE_FAULT) {
		deliveries_free(&d);
		return NULL;
	}
	for (size_t i = 1; i < c.n; i++)
		if (c.at[i].time_us < since_us)
			from = c.at[i].head.base;
	result = chain_walk(&c, from, a->state.position, &walk, err);
	chain_release(&c);
	if (result < 0)
		deliveries_free(&d);
	return d;
}
