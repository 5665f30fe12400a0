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
	*c = (struct changes){0};
}

static void
add(struct changes *c, const struct record_key *key, struct span value, bool erase)
{
	if (c->n == c->size) {
		c->size = c->size ? 2 * c->size : 8;
		c->parts = memory_resize(c->parts, c->size, sizeof(*c->parts));
	}
	c->parts[c->n++] = (struct change_part){.key_at = c->bytes.n,
						.key_bytes = key->n,
						.value_at = c->bytes.n + key->n,
						.value_bytes = value.n,
						.erase = erase};
	buf_put(&c->bytes, record_key_span(key));
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
		const struct change_part *p = &c->parts[i];

		changes[i].key = span_make(c->bytes.at + p->key_at, p->key_bytes);
		if (!p->erase)
			changes[i].value =
			    span_make(c->bytes.at + p->value_at, p->value_bytes);
	}
	r = backend->calls->apply(backend, changes, c->n, err);
	free(changes);
	return r == 0 ? DIRECTORY_DONE : DIRECTORY_FAULT;
}
