/* common/base/arena.h - memory that is given back all at once
 *
 * One arena a session or a message. It cannot exist without its limit: beyond
 * it arena_new() returns null, which the caller answers as it would an
 * oversized input.
 */
#pragma once

#include "common/base/span.h"

struct arena_block;

struct arena {
	struct arena_block *blocks; /* newest first */
	size_t used;
	size_t max;
};

void arena_init(struct arena *a, size_t max);
void arena_release(struct arena *a);

/* Zeroed and aligned for any type; null beyond the limit. */
MUST_USE void *arena_new(struct arena *a, size_t n, size_t size);

/* A copy of s that lives as long as the arena; false beyond the limit. */
MUST_USE bool arena_copy(struct arena *a, struct span s, struct span *out);
