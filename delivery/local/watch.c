/* the accounts that IMAP sessions look at: a set of their ids */
#include "delivery/local/local.h"

#define BUCKETS_MIN 64

struct watch {
	struct watch *chain; /* next of the same hash */
	uint64_t id;
};

static struct watch **
place_of(const struct watches *all, uint64_t id)
{
	uint64_t h = id * UINT64_C(0x9e3779b97f4a7c15);
	struct watch **at = &all->hash[(h >> 20) & (all->size - 1)];

	while (*at && (*at)->id != id)
		at = &(*at)->chain;
	return at;
}

static void
grow(struct watches *all)
{
	struct watches old = *all;

	all->size = old.size ? 2 * old.size : BUCKETS_MIN;
	all->hash = memory_new(all->size, sizeof(struct watch *));
	for (size_t i = 0; i < old.size; i++)
		for (struct watch *w = old.hash[i], *next; w; w = next) {
			next = w->chain;
			w->chain = NULL;
			*place_of(all, w->id) = w;
		}
	free(old.hash);
}

bool
watches_have(const struct watches *all, uint64_t id)
{
	return all->n > 0 && *place_of(all, id);
}

static void
take_out(struct watches *all, struct watch **at)
{
	struct watch *w = *at;

	*at = w->chain;
	free(w);
	all->n--;
}

void
watches_set(struct watches *all, uint64_t id, bool on)
{
	struct watch **at;

	if (all->n == all->size)
		grow(all);
	at = place_of(all, id);
	if (on && !*at) {
		*at = memory_new(1, sizeof(**at));
		(*at)->id = id;
		all->n++;
	} else if (!on && *at) {
		take_out(all, at);
	}
}

void
watches_forget(struct watches *all, uint32_t instance, uint32_t instances)
{
	for (size_t i = 0; i < all->size; i++) {
		struct watch **at = &all->hash[i];

		while (*at)
			if ((*at)->id % instances == instance)
				take_out(all, at);
			else
				at = &(*at)->chain;
	}
}
