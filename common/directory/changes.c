#include "common/directory/changes.h"

#define BYTES_MAX (16U << 20)

struct change_part {
	size_t key_at, key_bytes;
	size_t value_at, value_bytes;
	bool erase;
};

void
changes_init(struct changes *c)
{
	*c = (struct changes){.bytes = buf_make(BYTES_MAX)};
}

void
changes_release(struct changes *c)
{
	if (c->bytes.at)
		explicit_bzero(c->bytes.at, c->bytes.n);
	buf_release(&c->bytes);
	free(c->parts);
	free(c->slots);
	*c = (struct changes){0};
}

/* ---- by key */

static struct span
part_key(const struct changes *c, const struct change_part *p)
{
	return span_make(c->bytes.at + p->key_at, p->key_bytes);
}

static struct span
part_value(const struct changes *c, const struct change_part *p)
{
	if (p->erase)
		return (struct span){0};
	return span_make(c->bytes.at + p->value_at, p->value_bytes);
}

/* Where the number of its part stands, or would. */
static size_t *
slot_of(const struct changes *c, struct span key)
{
	size_t n = 2 * c->size, i = crc32c(0, key) % n;

	while (c->slots[i] && !span_equal(part_key(c, &c->parts[c->slots[i] - 1]), key))
		i = (i + 1) % n;
	return &c->slots[i];
}

static void
grow(struct changes *c)
{
	c->size = c->size ? 2 * c->size : 8;
	c->parts = memory_resize(c->parts, c->size, sizeof(*c->parts));
	free(c->slots);
	c->slots = memory_new(2 * c->size, sizeof(*c->slots));
	for (size_t i = 0; i < c->n; i++)
		*slot_of(c, part_key(c, &c->parts[i])) = i + 1;
}

bool
changes_find(const struct changes *c, const struct record_key *key, struct span *value)
{
	size_t number = c->n > 0 ? *slot_of(c, record_key_span(key)) : 0;

	if (number == 0)
		return false;
	*value = part_value(c, &c->parts[number - 1]);
	return true;
}

/* ---- collecting */

static void
add(struct changes *c, const struct record_key *key, struct span value, bool erase)
{
	struct span k = record_key_span(key);
	size_t *slot;

	if (!buf_room(&c->bytes, k.n + value.n)) {
		c->bytes.full = true;
		return;
	}
	if (c->n == c->size)
		grow(c);
	slot = slot_of(c, k);
	if (*slot == 0)
		*slot = ++c->n;
	c->parts[*slot - 1] = (struct change_part){.key_at = c->bytes.n,
						   .key_bytes = k.n,
						   .value_at = c->bytes.n + k.n,
						   .value_bytes = value.n,
						   .erase = erase};
	buf_put(&c->bytes, k);
	buf_put(&c->bytes, value);
}

void
changes_put(struct changes *c, const struct record_key *key, struct span value)
{
	add(c, key, value, false);
}

void
changes_erase(struct changes *c, const struct record_key *key)
{
	add(c, key, (struct span){0}, true);
}

void
changes_put_object(struct changes *c, const struct record_key *key,
		   const struct directory_object *o)
{
	struct buf value = buf_make(RECORD_VALUE_MAX);

	record_put_object(o, &value);
	add(c, key, buf_span(&value), false);
	c->bytes.full |= value.full;
	if (value.at)
		explicit_bzero(value.at, value.n);
	buf_release(&value);
}

enum directory_result
changes_apply(const struct changes *c, struct backend *backend, struct err *err)
{
	struct backend_change *changes;
	int r;

	if (c->bytes.full)
		return (enum directory_result)err_set(err,
						      "too much to change at once");
	changes = memory_new(c->n ? c->n : 1, sizeof(*changes));
	for (size_t i = 0; i < c->n; i++) {
		changes[i].key = part_key(c, &c->parts[i]);
		changes[i].value = part_value(c, &c->parts[i]);
	}
	r = backend->calls->apply(backend, changes, c->n, err);
	free(changes);
	return r == 0 ? DIRECTORY_DONE : DIRECTORY_FAULT;
}
