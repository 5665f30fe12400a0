#include "qmgr/queue/entry.h"

void
entries_release(struct entries *all)
{
	for (size_t i = 0; i < all->n_chunks; i++) {
		for (size_t k = 0; k < ENTRY_CHUNK; k++)
			if (all->chunks[i][k].n_targets > 1)
				free(all->chunks[i][k].targets.many);
		free(all->chunks[i]);
	}
	free(all->chunks);
	*all = (struct entries){0};
}

static void
chunk_add(struct entries *all)
{
	uint32_t first = (uint32_t)(all->n_chunks * ENTRY_CHUNK);
	struct entry *chunk = memory_new(ENTRY_CHUNK, sizeof(*chunk));

	all->chunks =
	    memory_resize(all->chunks, all->n_chunks + 1, sizeof(*all->chunks));
	all->chunks[all->n_chunks++] = chunk;
	for (uint32_t i = 0; i < ENTRY_CHUNK; i++)
		chunk[i].link = i + 1 < ENTRY_CHUNK ? first + i + 1 : ENTRY_NONE;
	all->free = first;
}

uint32_t
entry_new(struct entries *all)
{
	struct entry *e;
	uint32_t ref;

	if (all->n_used == all->n_chunks * ENTRY_CHUNK)
		chunk_add(all);
	ref = all->free;
	e = entry_at(all, ref);
	all->free = e->link;
	all->n_used++;
	*e = (struct entry){.link = ENTRY_NONE};
	return ref;
}

void
entry_free(struct entries *all, uint32_t ref)
{
	struct entry *e = entry_at(all, ref);

	entry_forget_targets(e);
	*e = (struct entry){.link = all->free};
	all->free = ref;
	all->n_used--;
}

void
entry_set_place(struct entry *e, const struct place *p)
{
	e->segment = p->segment;
	e->offset_8 = (uint32_t)(p->offset / 8);
	e->content_bytes = (uint32_t)p->content_bytes;
	e->envelope_bytes = p->envelope_bytes;
}

struct place
entry_place(const struct entry *e)
{
	return (struct place){.offset = (uint64_t)e->offset_8 * 8,
			      .content_bytes = e->content_bytes,
			      .envelope_bytes = e->envelope_bytes,
			      .segment = e->segment};
}

bool
place_possible(const struct place *p)
{
	return p->segment != 0 && p->offset % 8 == 0 && p->offset / 8 <= UINT32_MAX &&
	       p->content_bytes <= UINT32_MAX && p->envelope_bytes > 0 &&
	       p->envelope_bytes <= ENVELOPE_BYTES_MAX;
}

uint64_t
place_end(const struct place *p)
{
	return p->offset +
	       log_frame_bytes(SPOOL_HEAD_BYTES + p->envelope_bytes + p->content_bytes);
}

void
entry_forget_targets(struct entry *e)
{
	if (e->n_targets > 1)
		free(e->targets.many);
	e->n_targets = 0;
	e->targets.many = NULL;
}

bool
entry_set_targets(struct entry *e, uint32_t n)
{
	if (e->n_targets != 0)
		return e->n_targets == n;
	e->n_targets = (uint16_t)n;
	if (n > 1)
		e->targets.many = memory_new(n, 1);
	else
		e->targets.one = TARGET_OPEN;
	return true;
}

enum target_state
entry_target(const struct entry *e, uint32_t ordinal)
{
	ASSERT(ordinal < e->n_targets);
	return e->n_targets > 1 ? e->targets.many[ordinal] : e->targets.one;
}

void
entry_target_set(struct entry *e, uint32_t ordinal, enum target_state to)
{
	ASSERT(ordinal < e->n_targets);
	if (e->n_targets > 1)
		e->targets.many[ordinal] = (uint8_t)to;
	else
		e->targets.one = (uint8_t)to;
}

uint32_t
entry_count(const struct entry *e, enum target_state state)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < e->n_targets; i++)
		n += entry_target(e, i) == state;
	return n;
}

bool
entry_older(const struct entry *e, uint32_t seconds, uint32_t now_s)
{
	return now_s > e->arrived_s && now_s - e->arrived_s > seconds;
}
