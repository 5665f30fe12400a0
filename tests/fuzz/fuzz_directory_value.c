/* tests/fuzz/fuzz_directory_value.c - values as people write them: what was read is
 * written so that it reads as the same again */
#include "common/directory/directory.h"

static bool
same(const struct directory_value *a, const struct directory_value *b)
{
	return a->number == b->number && span_equal(a->text, b->text);
}

static void
check(const struct directory_field *f, struct span text)
{
	struct directory_value v, again;
	struct buf written = buf_make(1 << 20);
	struct arena arena;
	struct err err;

	arena_init(&arena, 1 << 20);
	if (directory_value_parse(f, text, &arena, &v, &err) == 0) {
		directory_value_write(f, &v, &written);
		ASSERT(directory_value_parse(f, buf_span(&written), &arena, &again,
					     &err) == 0);
		/* A quote that has no end takes commas with it only once. */
		if (f->type != DIRECTORY_ADDRESSES || span_find(text, '"') == text.n)
			ASSERT(same(&v, &again));
	} else {
		ASSERT(err.text[0] != '\0');
	}
	arena_release(&arena);
	buf_release(&written);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size > 4096)
		return 0;
	for (int kind = 0; kind < DIRECTORY_KINDS; kind++)
		for (size_t i = 0; i < DIRECTORY_FIELDS; i++) {
			const struct directory_field *f =
			    directory_field((enum directory_kind)kind, i);

			if (f)
				check(f, span_make(data, size));
		}
	return 0;
}
