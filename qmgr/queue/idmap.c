#include "qmgr/queue/idmap.h"

void
idmap_release(struct idmap *map)
{
	for (size_t i = 0; i < map->n_chunks; i++)
		free(map->chunks[i]);
	free(map->chunks);
	*map = (struct idmap){0};
}

/* The last chunk that begins at or below the id; 0 when none does. */
static size_t
chunk_find(const struct idmap *map, uint64_t id)
{
	size_t low = 0, high = map->n_chunks;

	while (high - low > 1) {
		size_t middle = low + (high - low) / 2;

		if (map->chunks[middle]->ids[0] <= id)
			low = middle;
		else
			high = middle;
	}
	return low;
}

/* Where in the chunk the id is, or would be. */
static uint32_t
slot_find(const struct idmap_chunk *c, uint64_t id)
{
	uint32_t low = 0, high = c->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (c->ids[middle] < id)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static struct idmap_chunk *
chunk_insert(struct idmap *map, size_t at)
{
	struct idmap_chunk *c = memory_new(1, sizeof(*c));

	if (map->n_chunks == map->size) {
		map->size = map->size ? map->size * 2 : 16;
		map->chunks =
		    memory_resize(map->chunks, map->size, sizeof(*map->chunks));
	}
	memmove(map->chunks + at + 1, map->chunks + at,
		(map->n_chunks - at) * sizeof(*map->chunks));
	map->chunks[at] = c;
	map->n_chunks++;
	return c;
}

/* The upper half of a full chunk into a new one; nothing of it when the id goes
 * behind everything, so that ids in order fill chunks to the brim. */
static void
chunk_split(struct idmap *map, size_t at, uint64_t id)
{
	struct idmap_chunk *c = map->chunks[at], *after;
	uint32_t keep = IDMAP_CHUNK / 2;

	if (at + 1 == map->n_chunks && id > c->ids[c->n - 1])
		keep = c->n;
	after = chunk_insert(map, at + 1);
	after->n = c->n - keep;
	memcpy(after->ids, c->ids + keep, after->n * sizeof(c->ids[0]));
	memcpy(after->values, c->values + keep, after->n * sizeof(c->values[0]));
	c->n = keep;
}

static void
slot_insert(struct idmap_chunk *c, uint32_t at, uint64_t id, uint32_t value)
{
	memmove(c->ids + at + 1, c->ids + at, (c->n - at) * sizeof(c->ids[0]));
	memmove(c->values + at + 1, c->values + at, (c->n - at) * sizeof(c->values[0]));
	c->ids[at] = id;
	c->values[at] = value;
	c->n++;
}

bool
idmap_add(struct idmap *map, uint64_t id, uint32_t value)
{
	size_t i = chunk_find(map, id);
	struct idmap_chunk *c;
	uint32_t at;

	c = map->n_chunks ? map->chunks[i] : chunk_insert(map, 0);
	at = slot_find(c, id);
	if (at < c->n && c->ids[at] == id)
		return false;
	if (c->n == IDMAP_CHUNK) {
		chunk_split(map, i, id);
		if (at > c->n || c->n == IDMAP_CHUNK) {
			at -= c->n;
			c = map->chunks[i + 1];
		}
	}
	slot_insert(c, at, id, value);
	map->n++;
	return true;
}

bool
idmap_find(const struct idmap *map, uint64_t id, uint32_t *value)
{
	const struct idmap_chunk *c;
	uint32_t at;

	if (map->n_chunks == 0)
		return false;
	c = map->chunks[chunk_find(map, id)];
	at = slot_find(c, id);
	if (at == c->n || c->ids[at] != id)
		return false;
	*value = c->values[at];
	return true;
}

static void
chunk_remove(struct idmap *map, size_t i)
{
	free(map->chunks[i]);
	map->n_chunks--;
	memmove(map->chunks + i, map->chunks + i + 1,
		(map->n_chunks - i) * sizeof(*map->chunks));
}

void
idmap_remove(struct idmap *map, uint64_t id)
{
	struct idmap_chunk *c;
	uint32_t at;
	size_t i;

	if (map->n_chunks == 0)
		return;
	i = chunk_find(map, id);
	c = map->chunks[i];
	at = slot_find(c, id);
	if (at == c->n || c->ids[at] != id)
		return;
	c->n--;
	memmove(c->ids + at, c->ids + at + 1, (c->n - at) * sizeof(c->ids[0]));
	memmove(c->values + at, c->values + at + 1, (c->n - at) * sizeof(c->values[0]));
	map->n--;
	if (c->n == 0)
		chunk_remove(map, i);
}

bool
idmap_next(const struct idmap *map, uint64_t after, uint64_t *id, uint32_t *value)
{
	uint32_t at;
	size_t i;

	if (map->n_chunks == 0 || after == UINT64_MAX)
		return false;
	i = chunk_find(map, after + 1);
	at = slot_find(map->chunks[i], after + 1);
	if (at == map->chunks[i]->n) {
		if (++i == map->n_chunks)
			return false;
		at = 0;
	}
	*id = map->chunks[i]->ids[at];
	*value = map->chunks[i]->values[at];
	return true;
}
