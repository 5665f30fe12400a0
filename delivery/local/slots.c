/* the accounts that are open, the least recently used of which are closed */
#include "delivery/local/local.h"

void
slots_init(struct slots *all, size_t max)
{
	*all = (struct slots){.max = max, .hash_size = 64};
	while (all->hash_size < max)
		all->hash_size *= 2;
	all->hash = memory_new(all->hash_size, sizeof(struct slot *));
}

static struct slot **
slot_place(const struct slots *all, uint64_t id)
{
	uint64_t h = id * UINT64_C(0x9e3779b97f4a7c15);
	struct slot **at = &all->hash[(h >> 20) & (all->hash_size - 1)];

	while (*at && (*at)->id != id)
		at = &(*at)->chain;
	return at;
}

struct slot *
slots_find(const struct slots *all, uint64_t id)
{
	return *slot_place(all, id);
}

static void
slot_unlink(struct slots *all, struct slot *s)
{
	*(s->newer ? &s->newer->older : &all->newest) = s->older;
	*(s->older ? &s->older->newer : &all->oldest) = s->newer;
}

static void
slot_link(struct slots *all, struct slot *s)
{
	s->newer = NULL;
	s->older = all->newest;
	*(all->newest ? &all->newest->newer : &all->oldest) = s;
	all->newest = s;
}

static void
slot_free(struct slots *all, struct slot *s)
{
	struct slot **at = slot_place(all, s->id);

	ASSERT(*at == s);
	*at = s->chain;
	slot_unlink(all, s);
	store_account_close(&s->account);
	jobs_free(&s->waiting);
	jobs_free(&s->written);
	jobs_free(&s->syncing);
	free(s);
	all->n--;
}

void
slots_release(struct slots *all)
{
	while (all->oldest)
		slot_free(all, all->oldest);
	free(all->hash);
	*all = (struct slots){0};
}

static bool
slot_unused(const struct slot *s)
{
	return !s->is_ready && !s->is_dirty && !s->is_syncing;
}

void
slots_close(struct slots *all, uint64_t id)
{
	struct slot *s = slots_find(all, id);

	if (s && slot_unused(s))
		slot_free(all, s);
}

/* Some of the oldest that nothing waits for. */
static void
slots_trim(struct slots *all)
{
	struct slot *s = all->oldest;

	for (int looked = 0; s && all->n >= all->max && looked < 16; looked++) {
		struct slot *newer = s->newer;

		if (slot_unused(s))
			slot_free(all, s);
		s = newer;
	}
}

struct slot *
slots_get(struct slots *all, uint64_t id)
{
	struct slot *s = slots_find(all, id);

	if (s) {
		slot_unlink(all, s);
		slot_link(all, s);
		return s;
	}
	slots_trim(all);
	s = memory_new(1, sizeof(*s));
	s->id = id;
	jobs_init(&s->waiting);
	jobs_init(&s->written);
	jobs_init(&s->syncing);
	*slot_place(all, id) = s;
	slot_link(all, s);
	all->n++;
	return s;
}
