/* message ids and subjects as numbers: each text is kept once */
#include "imapd/session/search.h"

#define SLOTS_FIRST    1024
#define BYTES_EXPECTED 40 /* of a text; more is taken when it is needed */

void
thread_names_init(struct thread_names *names, uint64_t seed, size_t expected,
		  size_t bytes_max)
{
	*names = (struct thread_names){.seed = seed, .n_slots = SLOTS_FIRST};
	while (names->n_slots / 2 < expected)
		names->n_slots *= 2;
	names->slots = memory_new(names->n_slots, sizeof(*names->slots));
	names->size = expected + SLOTS_FIRST;
	names->at = memory_resize(NULL, names->size, sizeof(*names->at));
	buf_init(&names->bytes, bytes_max);
	if (buf_room(&names->bytes, names->size * BYTES_EXPECTED) &&
	    buf_extend(&names->bytes, names->size * BYTES_EXPECTED))
		buf_reset(&names->bytes);
}

void
thread_names_release(struct thread_names *names)
{
	buf_release(&names->bytes);
	free(names->at);
	free(names->slots);
	*names = (struct thread_names){0};
}

size_t
thread_names_bytes(const struct thread_names *names)
{
	return names->size * sizeof(*names->at) +
	       names->n_slots * sizeof(*names->slots) + names->bytes.n;
}

static uint64_t
mix(uint64_t a, uint64_t b)
{
	unsigned __int128 product = (unsigned __int128)a * b;

	return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Eight bytes at a time. Nobody who writes a mail knows the seed. */
static uint64_t
hash_of(struct span s, uint64_t seed)
{
	uint64_t hash = seed ^ s.n, word;

	for (; s.n >= sizeof(word); s = span_after(s, sizeof(word))) {
		memcpy(&word, s.at, sizeof(word));
		hash = mix(hash ^ word, UINT64_C(0x9e3779b97f4a7c15) ^ seed);
	}
	word = 0;
	if (s.n > 0)
		memcpy(&word, s.at, s.n);
	hash = mix(hash ^ word, UINT64_C(0xd6e8feb86659fd93) ^ seed);
	return mix(hash, UINT64_C(0xa0761d6478bd642f) ^ seed);
}

static void
slots_put(struct thread_names *names, uint64_t hash, uint32_t value)
{
	size_t slot = (size_t)hash & (names->n_slots - 1);

	while (names->slots[slot] != 0)
		slot = (slot + 1) & (names->n_slots - 1);
	names->slots[slot] = value;
}

/* Twice as many slots, at most half of them taken. */
static void
slots_grow(struct thread_names *names)
{
	names->n_slots *= 2;
	free(names->slots);
	names->slots = memory_new(names->n_slots, sizeof(*names->slots));
	for (size_t i = 0; i < names->n; i++)
		slots_put(names, names->at[i].hash, (uint32_t)i + 1);
}

static struct thread_name *
find(const struct thread_names *names, struct span text, uint64_t hash)
{
	size_t slot = (size_t)hash & (names->n_slots - 1);

	for (; names->slots[slot] != 0; slot = (slot + 1) & (names->n_slots - 1)) {
		struct thread_name *name = &names->at[names->slots[slot] - 1];

		if (name->hash == hash && name->length == text.n &&
		    memcmp(names->bytes.at + name->offset, text.at, text.n) == 0)
			return name;
	}
	return NULL;
}

static struct thread_name *
add(struct thread_names *names, struct span text, uint64_t hash)
{
	size_t offset = names->bytes.n;

	if (names->n >= UINT32_MAX / 2 || text.n > UINT32_MAX)
		return NULL;
	buf_put(&names->bytes, text);
	if (names->bytes.full)
		return NULL;
	if (names->n == names->size) {
		names->size *= 2;
		names->at = memory_resize(names->at, names->size, sizeof(*names->at));
	}
	names->at[names->n] = (struct thread_name){hash, offset, (uint32_t)text.n, 0};
	slots_put(names, hash, (uint32_t)++names->n);
	return &names->at[names->n - 1];
}

uint32_t *
thread_names_get(struct thread_names *names, struct span text)
{
	uint64_t hash = hash_of(text, names->seed);
	struct thread_name *name;

	if (names->n * 2 >= names->n_slots)
		slots_grow(names);
	name = find(names, text, hash);
	if (!name)
		name = add(names, text, hash);
	return name ? &name->value : NULL;
}
