#include "common/base/base.h"

#define BLOCK_BYTES 4096

struct arena_block {
	struct arena_block *next;
	size_t used, size;
	_Alignas(16) char bytes[];
};

void
arena_init(struct arena *a, size_t max)
{
	*a = (struct arena){.max = max};
}

void
arena_release(struct arena *a)
{
	while (a->blocks) {
		struct arena_block *block = a->blocks;

		a->blocks = block->next;
		free(block);
	}
	a->used = 0;
}

static struct arena_block *
block_with_room(struct arena *a, size_t n)
{
	struct arena_block *block = a->blocks;
	size_t size = n > BLOCK_BYTES ? n : BLOCK_BYTES;

	if (block && block->size - block->used >= n)
		return block;
	block = memory_new(1, sizeof(*block) + size);
	block->size = size;
	block->next = a->blocks;
	a->blocks = block;
	return block;
}

void *
arena_new(struct arena *a, size_t n, size_t size)
{
	struct arena_block *block;
	size_t bytes;
	void *at;

	if (__builtin_mul_overflow(n, size, &bytes) || bytes > a->max - a->used)
		return NULL;
	bytes = (bytes + 15) & ~(size_t)15;
	block = block_with_room(a, bytes);
	at = block->bytes + block->used;
	block->used += bytes;
	a->used = bytes > a->max - a->used ? a->max : a->used + bytes;
	return at;
}

bool
arena_copy(struct arena *a, struct span s, struct span *out)
{
	char *at = arena_new(a, s.n ? s.n : 1, 1);

	if (!at)
		return false;
	if (s.n > 0)
		memcpy(at, s.at, s.n);
	*out = span_make(at, s.n);
	return true;
}
