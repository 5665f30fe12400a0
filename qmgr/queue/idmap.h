/* qmgr/queue/idmap.h - ids in order, each with a number
 *
 * Sorted chunks of up to IDMAP_CHUNK pairs under one sorted array: ids come
 * nearly in order and lists are paged by id. 12 bytes a pair.
 */
#pragma once

#include "common/base/base.h"

#define IDMAP_CHUNK 512u

struct idmap_chunk {
	uint32_t n;
	uint32_t values[IDMAP_CHUNK];
	uint64_t ids[IDMAP_CHUNK];
};

struct idmap {
	struct idmap_chunk **chunks; /* none is empty */
	size_t n_chunks, size;
	size_t n;
};

void idmap_release(struct idmap *map);

/* False, and nothing changed, when the id is there already. */
MUST_USE bool idmap_add(struct idmap *map, uint64_t id, uint32_t value);
MUST_USE bool idmap_find(const struct idmap *map, uint64_t id, uint32_t *value);
/* Nothing when it is not there. */
void idmap_remove(struct idmap *map, uint64_t id);
/* The first id above `after`. */
MUST_USE bool
idmap_next(const struct idmap *map, uint64_t after, uint64_t *id, uint32_t *value);
