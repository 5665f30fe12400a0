#include "spoold/ids.h"

uint64_t
ids_first(uint64_t last_start, uint64_t now_s, uint64_t *start)
{
	uint64_t s = now_s > last_start ? now_s : last_start + 1;

	*start = s;
	return s << 32;
}

void
id_grants_add(struct id_grants *g, uint64_t first)
{
	g->newest = (g->newest + 1) % ID_BLOCKS_MAX;
	g->blocks[g->newest] = (struct id_block){.first = first};
}

bool
id_grants_use(struct id_grants *g, uint64_t id)
{
	for (size_t i = 0; i < ID_BLOCKS_MAX; i++) {
		struct id_block *b = &g->blocks[i];
		uint64_t at = id - b->first, bit = UINT64_C(1) << at % 64;

		if (b->first == 0 || id < b->first || at >= QUEUE_ID_BLOCK)
			continue;
		if (b->used[at / 64] & bit)
			return false;
		b->used[at / 64] |= bit;
		b->n_used++;
		return true;
	}
	return false;
}

bool
id_grants_low(const struct id_grants *g)
{
	const struct id_block *b = &g->blocks[g->newest];

	return b->first == 0 || b->n_used >= QUEUE_ID_BLOCK / 2;
}
