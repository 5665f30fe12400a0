#include "common/table/fixed.h"

struct entry {
	unsigned line;
	struct span key, value;
};

static struct entry
entry_at(const struct table_fixed *f, uint32_t slot)
{
	struct cursor c = cursor_make(span_after(buf_span(&f->bytes), slot - 1));
	struct entry e = {.line = wire_get_u32(&c)};
	uint32_t key_n = wire_get_u32(&c), value_n = wire_get_u32(&c);

	e.key = wire_get_raw(&c, key_n);
	e.value = wire_get_raw(&c, value_n);
	return e;
}

/* FNV-1a: the keys that are stored are the operator's own. */
static uint64_t
hash(struct span key)
{
	uint64_t h = 0xcbf29ce484222325;

	for (size_t i = 0; i < key.n; i++)
		h = (h ^ (uint8_t)key.at[i]) * 0x100000001b3;
	return h ^ h >> 32;
}

/* Where the key stands, or the empty slot where it would. */
static uint32_t *
slot_of(const struct table_fixed *f, struct span key)
{
	size_t i = hash(key) & (f->size - 1);

	while (f->slots[i] && !span_equal(entry_at(f, f->slots[i]).key, key))
		i = (i + 1) & (f->size - 1);
	return &f->slots[i];
}

static void
grow(struct table_fixed *f)
{
	uint32_t *old = f->slots;
	size_t old_size = f->size;

	f->size = old_size ? 2 * old_size : 64;
	f->slots = memory_new(f->size, sizeof(*f->slots));
	for (size_t i = 0; i < old_size; i++)
		if (old[i])
			*slot_of(f, entry_at(f, old[i]).key) = old[i];
	free(old);
}

/* False when the key was there already. */
static bool
add(struct table_fixed *f, struct span key, struct span value, unsigned line)
{
	uint32_t *slot;

	if (2 * (f->n + 1) > f->size)
		grow(f);
	slot = slot_of(f, key);
	if (*slot)
		return false;
	*slot = (uint32_t)f->bytes.n + 1;
	wire_put_u32(&f->bytes, line);
	wire_put_u32(&f->bytes, (uint32_t)key.n);
	wire_put_u32(&f->bytes, (uint32_t)value.n);
	buf_put(&f->bytes, key);
	buf_put(&f->bytes, value);
	f->n++;
	return true;
}

/* Bytes of the key, whose quotes and backslashes stay: up to white space that is in
 * no quotes. False when a quote is not closed. */
static bool
key_end(struct span line, size_t *n)
{
	bool quoted = false;
	size_t i;

	for (i = 0; i < line.n && (quoted || !table_space(line.at[i])); i++) {
		if (line.at[i] == '"')
			quoted = !quoted;
		i += line.at[i] == '\\' && i + 1 < line.n;
	}
	*n = i < line.n ? i : line.n;
	return !quoted;
}

static void
take_line(struct table_fixed *f, struct span line, unsigned number, struct buf *key,
	  struct table_problems *problems)
{
	struct span value;
	size_t n;

	buf_reset(key);
	if (!key_end(line, &n)) {
		table_error(problems, number, "has a quote that is not closed");
		return;
	}
	value = span_trim(span_after(line, n), TABLE_SPACES);
	if (value.n == 0)
		table_error(problems, number, "has no value: \"%.*s\"",
			    (int)(n < 60 ? n : 60), line.at);
	else if (!table_key_fold(span_first(line, n), key) || !utf8_valid(value))
		table_error(problems, number, "is not UTF-8");
	else if (!add(f, buf_span(key), value, number))
		table_warning(problems, number,
			      "\"%.*s\" is there before; the first one counts",
			      (int)(n < 60 ? n : 60), line.at);
}

void
table_fixed_parse(struct table_fixed *f, struct span text,
		  struct table_problems *problems)
{
	struct table_lines lines;
	struct buf key = buf_make(4 * text.n + 64);
	struct span line;
	unsigned number;

	*f = (struct table_fixed){0};
	/* A folded letter may be longer than it was, and each entry has a head. */
	buf_init(&f->bytes, UINT32_MAX / 2);
	table_lines_init(&lines, text, problems);
	while (table_line_next(&lines, &line, &number))
		take_line(f, line, number, &key, problems);
	if (f->bytes.full)
		table_error(problems, 0, "is too large");
	table_lines_release(&lines);
	buf_release(&key);
}

void
table_fixed_release(struct table_fixed *f)
{
	buf_release(&f->bytes);
	free(f->slots);
	*f = (struct table_fixed){0};
}

bool
table_fixed_get(const struct table_fixed *f, struct span key, struct span *value)
{
	const uint32_t *slot = f->n > 0 ? slot_of(f, key) : NULL;

	if (!slot || !*slot)
		return false;
	*value = entry_at(f, *slot).value;
	return true;
}

void
table_fixed_next(const struct table_fixed *f, size_t *place, unsigned *line,
		 struct span *value)
{
	struct entry e = entry_at(f, (uint32_t)*place + 1);

	*line = e.line;
	*value = e.value;
	*place = (size_t)(e.value.at - f->bytes.at) + e.value.n;
}
